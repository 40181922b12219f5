// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <optional>

#include "analytics/model_card.h"
#include "base/file_util.h"
#include "bus/bus_context.h"
#include "bus/keys.h"
#include "cli/http_client.h"
#include "cli/supervisor.h"
#include "console/static_files.h"
#include "dispatch/road_network.h"

namespace cordon::cli {
namespace {

using Level = Finding::Level;

// A commit of an alert waits for one sync of the disk; the whole way from frame to console should
// take 80 ms.
constexpr Milliseconds kSlowSync{30};
constexpr uint64_t kGibibyte = 1ull << 30;
// Clips are deleted early below this (EvidenceStore::Options::free_bytes_floor), and refused below
// half of it.
constexpr uint64_t kClipFloor = 2 * kGibibyte;
constexpr long kClockErrorMicros = 500'000;

Finding Ok(std::string subject, std::string text) {
  return {Level::kOk, std::move(subject), std::move(text), ""};
}

Finding Failed(std::string subject, std::string text, std::string remedy) {
  return {Level::kFailed, std::move(subject), std::move(text), std::move(remedy)};
}

Finding Warning(std::string subject, std::string text, std::string remedy) {
  return {Level::kWarning, std::move(subject), std::move(text), std::move(remedy)};
}

Finding FailedWith(std::string subject, const absl::Status& status, std::string remedy) {
  return Failed(std::move(subject), std::string(MessageOf(status)), std::move(remedy));
}

struct TcpPlace {
  std::string host;
  std::string port;
};

// "tcp://HOST:PORT" or "HOST:PORT"; nothing for anything else.
std::optional<TcpPlace> PlaceOf(std::string text) {
  constexpr std::string_view kScheme = "tcp://";
  if (text.starts_with(kScheme)) text = text.substr(kScheme.size());
  const size_t colon = text.rfind(':');
  if (text.find("://") != std::string::npos || colon == std::string::npos) return std::nullopt;
  TcpPlace place{text.substr(0, colon), text.substr(colon + 1)};
  if (place.host == "*") place.host = "0.0.0.0";
  if (place.host.starts_with('[') && place.host.ends_with(']'))
    place.host = place.host.substr(1, place.host.size() - 2);
  return place;
}

// Binds the address for a moment. 0: it is free here; otherwise errno.
int TryToBind(const TcpPlace& place) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(place.host.c_str(), place.port.c_str(), &hints, &found) != 0)
    return EADDRNOTAVAIL;
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  int error = fd < 0 ? errno : 0;
  if (error == 0) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (error == 0 && (::bind(fd, found->ai_addr, found->ai_addrlen) != 0 || ::listen(fd, 1) != 0))
    error = errno;
  if (fd >= 0) ::close(fd);
  ::freeaddrinfo(found);
  return error;
}

// A Cordon that runs already answers at the console's address.
bool CordonAnswers(const proto::Site& site) {
  HttpClient http;
  return http.Get("http://" + site.console().listen() + "/healthz").ok();
}

Finding ExaminePort(const std::string& subject, const std::string& address, bool runs) {
  const std::optional<TcpPlace> place = PlaceOf(address);
  if (!place) return Ok(subject, address + " is on this machine only");
  const int error = TryToBind(*place);
  if (error == 0) return Ok(subject, address + " is free");
  if (error == EADDRINUSE && runs) return Ok(subject, address + " is used by the running Cordon");
  if (error == EADDRINUSE)
    return Failed(subject, address + " is taken by another program",
                  "'ss -ltnp' shows which; stop it, or give Cordon another port");
  if (error == EADDRNOTAVAIL)
    return Warning(subject, address + " is no address of this machine",
                   "right on a node whose dispatcher is elsewhere; wrong on the dispatcher");
  return Failed(subject, fmt::format("{}: {}", address, std::strerror(error)),
                "choose an address and port that this user may open");
}

absl::StatusOr<Milliseconds> TimeOfOneSync(const std::string& folder, const Clock& clock) {
  const std::string path = fmt::format("{}/.doctor-{}", folder, ::getpid());
  const BootTime begin = clock.Boot();
  RETURN_IF_ERROR(WriteFileDurably(path, std::string(4096, 'x')));
  const BootTime end = clock.Boot();
  ::unlink(path.c_str());
  return std::chrono::duration_cast<Milliseconds>(end - begin);
}

Finding ExamineSpace(const std::string& folder) {
  struct statvfs info {};
  if (::statvfs(folder.c_str(), &info) != 0)
    return Failed("disk space", std::strerror(errno), "look at the file system of data_dir");
  const uint64_t free = static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  const std::string text =
      fmt::format("{:.1f} GiB free", static_cast<double>(free) / static_cast<double>(kGibibyte));
  if (free < kClipFloor / 2)
    return Failed("disk space", text + ": no clip will be written",
                  "free at least 2 GiB on the file system of data_dir");
  if (free < 2 * kClipFloor)
    return Warning("disk space", text + ": below 2 GiB clips are deleted before their time",
                   "free space, or shorten retention_hours");
  return Ok("disk space", text);
}

}  // namespace

std::vector<Finding> ExamineDisk(const proto::Site& site, const Clock& clock) {
  const std::string& folder = site.data_dir();
  if (const absl::Status status = MakeDirectories(folder); !status.ok())
    return {FailedWith("disk", status, "make data_dir writable for the user that runs Cordon")};
  const absl::StatusOr<Milliseconds> sync = TimeOfOneSync(folder, clock);
  if (!sync.ok())
    return {FailedWith("disk", sync.status(),
                       "make data_dir writable for the user that runs Cordon")};
  std::vector<Finding> findings;
  const std::string text = fmt::format("{} takes a durable write in {} ms", folder, sync->count());
  findings.push_back(*sync > kSlowSync
                         ? Warning("disk", text + ": every alert waits for one",
                                   "put data_dir on an SSD of its own, or on a disk with a cache "
                                   "that survives a power cut")
                         : Ok("disk", text));
  findings.push_back(ExamineSpace(folder));
  struct stat info {};
  if (::stat(folder.c_str(), &info) == 0 && (info.st_mode & 07) != 0)
    findings.push_back(Warning("disk", folder + " is open to every user of this machine",
                               "chmod o-rwx " + folder + ": clips and alerts lie there"));
  return findings;
}

std::vector<Finding> ExamineKeys(const proto::Site& site) {
  const proto::BusConfig& bus = site.bus();
  bool network = false;
  for (const std::string& endpoint : {bus.alerts(), bus.telemetry(), bus.commands(), bus.live()})
    network = network || endpoint.starts_with("tcp://");
  if (bus.keys_dir().empty()) {
    if (!network) return {Ok("keys", "the bus stays on this machine and needs none")};
    return {Failed("keys", "the bus leaves this machine and bus.keys_dir is not set",
                   "set it and run 'cordon keys generate KEYS --name dispatch'")};
  }
  const absl::StatusOr<std::vector<KeyFileInfo>> keys = ListKeyFiles(bus.keys_dir());
  if (!keys.ok())
    return {FailedWith("keys", keys.status(), "run 'cordon keys generate' on this machine")};
  std::vector<Finding> findings;
  for (const KeyFileInfo& key : *keys) {
    if (!key.has_secret) continue;
    const absl::StatusOr<KeyRing> ring = LoadKeyRing(bus.keys_dir(), key.name);
    findings.push_back(ring.ok() ? Ok("keys", fmt::format("{} has its key and knows {} peers",
                                                          key.name, ring->peers.size() - 1))
                                 : FailedWith("keys", ring.status(), "mend it as it says"));
  }
  if (findings.empty())
    findings.push_back(Failed("keys", "no secret key is here: nothing of this machine can speak",
                              "run 'cordon keys generate' for each role of this machine"));
  std::vector<std::string> names = {kDispatcherName};
  for (const proto::NodeConfig& node : site.nodes()) names.push_back(node.id());
  for (const std::string& name : names) {
    const auto has = [&name](const KeyFileInfo& key) { return key.name == name; };
    if (std::none_of(keys->begin(), keys->end(), has))
      findings.push_back(Warning("keys", name + ".pub is not here",
                                 "copy it here if this machine talks with " + name));
  }
  return findings;
}

std::vector<Finding> ExamineClock() {
  timex state{};
  const int answer = ::adjtimex(&state);
  if (answer < 0)
    return {Warning("clock", fmt::format("its state cannot be read: {}", std::strerror(errno)),
                    "see that NTP keeps this machine's time")};
  if (answer == TIME_ERROR || (state.status & STA_UNSYNC) != 0)
    return {Warning("clock", "the kernel says that nothing keeps it right",
                    "run chrony or systemd-timesyncd here (in a container: on the host); times of "
                    "several machines are compared by people")};
  if (state.esterror > kClockErrorMicros)
    return {Warning("clock", fmt::format("may be wrong by {} ms", state.esterror / 1000),
                    "look at the NTP servers")};
  return {Ok("clock", fmt::format("synchronised, error below {} ms", state.esterror / 1000 + 1))};
}

std::vector<Finding> ExaminePorts(const proto::Site& site) {
  const bool runs = CordonAnswers(site);
  const proto::BusConfig& bus = site.bus();
  std::vector<Finding> findings = {ExaminePort("console", site.console().listen(), runs)};
  const std::pair<const char*, const std::string*> lanes[] = {{"bus alerts", &bus.alerts()},
                                                             {"bus telemetry", &bus.telemetry()},
                                                             {"bus commands", &bus.commands()},
                                                             {"bus live", &bus.live()}};
  for (const auto& [name, endpoint] : lanes) {
    const absl::StatusOr<std::string> resolved = ResolveEndpoint(*endpoint, site.data_dir());
    findings.push_back(resolved.ok() ? ExaminePort(name, *resolved, runs)
                                     : FailedWith(name, resolved.status(),
                                                  "shorten data_dir, or name a shorter path"));
  }
  return findings;
}

std::vector<Finding> ExamineFiles(const proto::Site& site) {
  std::vector<Finding> findings;
  if (site.dispatch().roads() == "demo") {
    findings.push_back(Ok("roads", "the embedded demo city"));
  } else {
    const auto roads = RoadNetwork::Open(site.dispatch().roads());
    findings.push_back(
        roads.ok() ? Ok("roads", fmt::format("{} edges", (*roads)->edge_count()))
                   : FailedWith("roads", roads.status(), "run 'cordon roads build' again"));
  }
  if (!site.console().web_root().empty()) {
    const auto page = StaticFiles::Load(site.console().web_root());
    findings.push_back(page.ok() ? Ok("page", site.console().web_root())
                                 : FailedWith("page", page.status(), "build it, or mend web_root"));
  }
  for (const proto::DetectorConfig& detector : site.detectors()) {
    const absl::StatusOr<Model> model = LoadModel(detector.model_card());
    findings.push_back(model.ok() ? Ok("detector " + detector.id(), detector.model_card())
                                  : FailedWith("detector " + detector.id(), model.status(),
                                               "get the model (docs/models.md)"));
  }
  return findings;
}

std::vector<Finding> Examine(const proto::Site& site, const DoctorOptions& options,
                             const Clock& clock) {
  std::vector<Finding> all = ExamineDisk(site, clock);
  const auto add = [&all](std::vector<Finding> more) {
    all.insert(all.end(), std::make_move_iterator(more.begin()),
               std::make_move_iterator(more.end()));
  };
  add(ExamineKeys(site));
  add(ExamineClock());
  add(ExaminePorts(site));
  add(ExamineFiles(site));
  if (options.cameras) add(ExamineCameras(site, options.watch, clock));
  return all;
}

}  // namespace cordon::cli
