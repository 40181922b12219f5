// SPDX-License-Identifier: Apache-2.0
// cordon cameras: finds cameras and writes their part of the configuration.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file_util.h"
#include "cli/commands.h"
#include "ingest/onvif_client.h"
#include "ingest/rtsp_probe.h"
#include "ingest/rtsp_text.h"
#include "ingest/rtsp_url.h"
#include "ingest/ws_discovery.h"

namespace cordon::cli {
namespace {

constexpr size_t kMaxPasswordBytes = 4096;

struct CamerasOptions {
  std::string url;
  std::string id;
  std::string username;
  std::string password_file;
  std::string transport = "tcp";
  std::string pin;
  std::string purpose;
  std::string target = "239.255.255.250";
  double lat = 0;
  double lon = 0;
  double retention_hours = 72;
  double wait_s = 3;
  double watch_s = 4;
  bool place_given = false;
  bool allow_basic_auth = false;
  bool json = false;
};

// One camera as it will stand in SITE.yaml, and what was seen of it.
struct Found {
  std::string device;  // "Acme Eye 7, firmware 1.2"; empty: not asked
  std::string name;
  std::string url;
  std::string sub_url;
  std::string onvif_url;
  std::optional<StreamFacts> main;
  std::optional<StreamFacts> sub;
  std::optional<Microseconds> clock_offset;
};

// The address in messages: one that holds a password is not repeated.
std::string Shown(const std::string& url) { return HasUserInfo(url) ? "the address" : url; }

absl::StatusOr<Secret> ReadPassword(const CamerasOptions& options) {
  if (options.password_file.empty()) return Secret();
  absl::StatusOr<std::string> text = ReadFile(options.password_file, kMaxPasswordBytes);
  if (!text.ok()) return Annotate(text.status(), "--password-file");
  return Secret(std::string(text::TrimRight(text->substr(0, text->find('\n')))));
}

absl::StatusOr<RtspOptions> StreamOptions(const CamerasOptions& options, const std::string& url) {
  RtspOptions stream;
  stream.url = url;
  stream.username = options.username;
  ASSIGN_OR_RETURN(stream.password, ReadPassword(options));
  stream.allow_basic_auth = options.allow_basic_auth;
  stream.certificate_sha256 = options.pin;
  if (options.transport == "udp") stream.transport = RtspTransport::kUdp;
  if (options.transport == "http") stream.transport = RtspTransport::kHttpTunnel;
  return stream;
}

absl::StatusOr<StreamFacts> Watch(const CamerasOptions& options, const std::string& url) {
  ASSIGN_OR_RETURN(const RtspOptions stream, StreamOptions(options, url));
  absl::StatusOr<StreamFacts> facts = ProbeStream(
      stream, Milliseconds(static_cast<int64_t>(options.watch_s * 1000)), SystemClock());
  if (!facts.ok()) return Annotate(facts.status(), Shown(url));
  return facts;
}

absl::StatusOr<std::unique_ptr<OnvifClient>> Device(const NetContext& net,
                                                    const CamerasOptions& options,
                                                    const std::string& url) {
  OnvifOptions device;
  device.url = url.find("://") == std::string::npos ? "http://" + url : url;
  device.access.username = options.username;
  ASSIGN_OR_RETURN(device.access.password, ReadPassword(options));
  device.access.allow_basic_auth = options.allow_basic_auth;
  device.access.certificate_sha256 = options.pin;
  return OnvifClient::Make(net, std::move(device));
}

absl::StatusOr<Found> AskDevice(const NetContext& net, const CamerasOptions& options,
                                const std::string& url) {
  ASSIGN_OR_RETURN(const std::unique_ptr<OnvifClient> client, Device(net, options, url));
  Found found;
  found.onvif_url = url.find("://") == std::string::npos ? "http://" + url : url;
  const absl::StatusOr<Microseconds> offset = client->SyncClock();
  if (!offset.ok() && !absl::IsUnauthenticated(offset.status()))
    return Annotate(offset.status(), Shown(url));
  if (offset.ok()) found.clock_offset = *offset;
  absl::StatusOr<OnvifServices> services = client->Services();
  if (!services.ok()) return Annotate(services.status(), Shown(url));
  if (const auto identity = client->DeviceInformation(); identity.ok()) {
    found.device = fmt::format("{} {}, firmware {}", identity->manufacturer, identity->model,
                               identity->firmware);
    found.name = identity->model;
  }
  ASSIGN_OR_RETURN(const std::vector<OnvifProfile> profiles, client->Profiles(*services));
  const ProfileChoice choice = ChooseProfiles(profiles);
  if (choice.main < 0)
    return absl::NotFoundError(fmt::format("{}: the camera has no H.264 or H.265 profile", url));
  ASSIGN_OR_RETURN(found.url,
                   client->StreamUrl(*services, profiles[static_cast<size_t>(choice.main)]));
  if (choice.sub >= 0) {
    absl::StatusOr<std::string> sub =
        client->StreamUrl(*services, profiles[static_cast<size_t>(choice.sub)]);
    if (sub.ok() && *sub != found.url) found.sub_url = *std::move(sub);
  }
  return found;
}

// Letters, digits, _ . - of what the device calls itself, or of its host.
std::string IdFor(const CamerasOptions& options, const Found& found) {
  if (!options.id.empty()) return options.id;
  std::string id;
  const auto parsed = ParseRtspUrl(found.url);
  const std::string base = !found.name.empty() ? found.name : parsed.ok() ? parsed->host : "camera";
  for (char c : text::Lower(base)) {
    const bool keep = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (keep) id += c;
    if (!keep && !id.empty() && id.back() != '-') id += '-';
  }
  while (!id.empty() && id.back() == '-') id.pop_back();
  return id.empty() ? "camera" : id.substr(0, 48);
}

// A YAML double-quoted scalar: what a camera says must not become configuration.
std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c >= 0x20 && c < 0x7f ? c : '?';
  }
  return out + "\"";
}

std::string Describe(const StreamFacts& facts) {
  return fmt::format(
      "{} {}x{}, {:.1f} fps, {:.0f} kbit/s, key frame every {}, first picture after {} ms",
      facts.codec, facts.width, facts.height, facts.frame_rate, facts.bitrate_kbps,
      facts.key_interval_s > 0 ? fmt::format("{:.1f} s", facts.key_interval_s) : "? s",
      facts.first_picture.count());
}

void PrintBlock(const CamerasOptions& options, const Found& found) {
  std::string out;
  if (!found.device.empty()) out += fmt::format("# {}\n", found.device);
  if (found.main) out += fmt::format("# main: {}\n", Describe(*found.main));
  if (found.sub) out += fmt::format("# sub: {}\n", Describe(*found.sub));
  if (found.main && found.main->stats.lost_packets > 0) {
    out += fmt::format("# {} packets were lost while watching\n", found.main->stats.lost_packets);
  }
  if (found.clock_offset && std::chrono::abs(*found.clock_offset) > Seconds(2)) {
    out += fmt::format("# its clock is {:.0f} s off\n",
                       static_cast<double>(found.clock_offset->count()) / 1e6);
  }
  out += fmt::format("cameras:\n  - id: {}\n", IdFor(options, found));
  if (!found.name.empty()) out += fmt::format("    name: {}\n", Quoted(found.name));
  out += fmt::format("    url: {}\n", Quoted(found.url));
  if (!found.sub_url.empty()) out += fmt::format("    sub_url: {}\n", Quoted(found.sub_url));
  if (!found.onvif_url.empty()) out += fmt::format("    onvif_url: {}\n", Quoted(found.onvif_url));
  if (!options.username.empty()) out += fmt::format("    username: {}\n", Quoted(options.username));
  if (!options.password_file.empty())
    out += fmt::format("    password_file: {}\n", Quoted(options.password_file));
  if (options.transport != "tcp") out += fmt::format("    transport: {}\n", options.transport);
  if (!options.pin.empty())
    out += fmt::format("    server_certificate_sha256: {}\n", Quoted(options.pin));
  if (options.allow_basic_auth) out += "    allow_basic_auth: true\n";
  const char* set_place = options.place_given ? "" : "  # set it: where the watched place is";
  out +=
      fmt::format("    lat: {}{}\n    lon: {}{}\n", options.lat, set_place, options.lon, set_place);
  out += options.purpose.empty()
             ? "    purpose: \"to be stated\"  # set it: why this place is watched\n"
             : fmt::format("    purpose: {}\n", Quoted(options.purpose));
  out += fmt::format("    retention_hours: {}\n", options.retention_hours);
  std::fputs(out.c_str(), stdout);
}

nlohmann::json ToJson(const StreamFacts& facts) {
  return {{"codec", facts.codec},
          {"width", facts.width},
          {"height", facts.height},
          {"frame_rate", facts.frame_rate},
          {"bitrate_kbps", facts.bitrate_kbps},
          {"key_interval_s", facts.key_interval_s},
          {"camera_clock", facts.camera_clock},
          {"first_picture_ms", facts.first_picture.count()},
          {"lost_packets", facts.stats.lost_packets}};
}

void PrintJson(const CamerasOptions& options, const Found& found) {
  nlohmann::json out = {{"id", IdFor(options, found)}, {"url", found.url}};
  if (!found.sub_url.empty()) out["sub_url"] = found.sub_url;
  if (!found.onvif_url.empty()) out["onvif_url"] = found.onvif_url;
  if (!found.device.empty()) out["device"] = found.device;
  if (found.main) out["main"] = ToJson(*found.main);
  if (found.sub) out["sub"] = ToJson(*found.sub);
  if (found.clock_offset)
    out["clock_offset_s"] = static_cast<double>(found.clock_offset->count()) / 1e6;
  std::printf("%s\n", out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

int Probe(const CamerasOptions& options) {
  const WakeEvent wake;
  const NetContext net{SystemClock(), wake};
  Found found;
  if (text::StartsWithNoCase(options.url, "rtsp")) {
    found.url = options.url;
  } else {
    absl::StatusOr<Found> asked = AskDevice(net, options, options.url);
    if (!asked.ok()) return Report(asked.status());
    found = *std::move(asked);
  }
  absl::StatusOr<StreamFacts> main = Watch(options, found.url);
  if (!main.ok()) return Report(main.status());
  found.main = *std::move(main);
  if (!found.sub_url.empty()) {
    absl::StatusOr<StreamFacts> sub = Watch(options, found.sub_url);
    if (sub.ok()) {
      found.sub = *std::move(sub);
    } else {
      std::fprintf(stderr, "cordon: the sub-stream is left out: %s\n",
                   std::string(MessageOf(sub.status())).c_str());
      found.sub_url.clear();
    }
  }
  if (options.json) {
    PrintJson(options, found);
  } else {
    PrintBlock(options, found);
  }
  return 0;
}

int Discover(const CamerasOptions& options) {
  const WakeEvent wake;
  const NetContext net{SystemClock(), wake};
  const absl::StatusOr<std::vector<DiscoveredDevice>> devices =
      DiscoverDevices(net, {.wait = Milliseconds(static_cast<int64_t>(options.wait_s * 1000)),
                            .target = options.target});
  if (!devices.ok()) return Report(devices.status());
  if (options.json) {
    nlohmann::json out = nlohmann::json::array();
    for (const DiscoveredDevice& d : *devices) {
      out.push_back({{"onvif_url", d.url},
                     {"id", d.id},
                     {"name", d.name},
                     {"hardware", d.hardware},
                     {"location", d.location}});
    }
    std::printf("%s\n", out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    return 0;
  }
  if (devices->empty()) {
    std::fprintf(
        stderr,
        "cordon: no ONVIF camera answered within %.1f s; cameras behind a router do not hear the "
        "question: try --target ADDRESS or cordon cameras probe URL\n",
        options.wait_s);
    return kExitFailed;
  }
  for (const DiscoveredDevice& d : *devices) {
    std::printf("%-48s %s %s %s\n", d.url.c_str(), d.name.c_str(), d.hardware.c_str(),
                d.location.c_str());
  }
  std::printf("\nNext: cordon cameras probe ADDRESS --username USER --password-file FILE\n");
  return 0;
}

}  // namespace

void RegisterCameras(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<CamerasOptions>();
  CLI::App* cameras =
      app.add_subcommand("cameras", "Find cameras and write their part of the configuration");
  cameras->require_subcommand(1);
  cameras->footer(
      "Examples:\n  cordon cameras discover\n  cordon cameras probe 192.168.1.64 --username admin "
      "--password-file gate.password");

  CLI::App* discover =
      cameras->add_subcommand("discover", "List the ONVIF cameras of this network (WS-Discovery)");
  discover->add_option("--wait", options->wait_s, "Seconds to wait for answers (3)")
      ->check(CLI::Range(0.1, 60.0));
  discover->add_option("--target", options->target,
                       "IPv4 address to ask instead of the multicast group");
  discover->add_flag("--json", options->json, "Print [{onvif_url, id, name, hardware, location}]");
  discover->footer("Example:\n  cordon cameras discover --wait 5");
  discover->callback([options, &outcome] { outcome.exit_code = Discover(*options); });

  CLI::App* probe =
      cameras->add_subcommand("probe", "Ask one camera and print its configuration block");
  probe
      ->add_option("url", options->url,
                   "rtsp(s)://HOST/PATH, or the ONVIF address: HOST, http(s)://HOST[:PORT][/PATH]")
      ->required();
  probe->add_option("--id", options->id, "Name of the camera in the block");
  probe->add_option("--username", options->username, "User at the camera");
  probe->add_option("--password-file", options->password_file,
                    "File with the password in its first line");
  probe->add_option("--transport", options->transport, "tcp, udp or http (tcp)")
      ->check(CLI::IsMember({"tcp", "udp", "http"}));
  probe->add_option("--pin", options->pin,
                    "SHA-256 of the camera's certificate, for rtsps and https");
  probe->add_flag("--allow-basic-auth", options->allow_basic_auth,
                  "Let the password cross the network in clear if need be");
  probe->add_option("--watch", options->watch_s, "Seconds to watch each stream (4)")
      ->check(CLI::Range(0.5, 120.0));
  CLI::Option* lat = probe->add_option("--lat", options->lat, "Where the watched place is")
                         ->check(CLI::Range(-90.0, 90.0));
  CLI::Option* lon = probe->add_option("--lon", options->lon, "Where the watched place is")
                         ->check(CLI::Range(-180.0, 180.0));
  probe->add_option("--purpose", options->purpose, "Why this place is watched");
  probe->add_option("--retention-hours", options->retention_hours, "How long clips are kept (72)");
  probe->add_flag("--json", options->json,
                  "Print {id, url, sub_url?, onvif_url?, device?, clock_offset_s?, main, sub?}, "
                  "each stream with "
                  "{codec, width, height, frame_rate, bitrate_kbps, key_interval_s, camera_clock, "
                  "first_picture_ms, lost_packets}");
  probe->footer(
      "Example:\n  cordon cameras probe rtsp://192.168.1.64/Streaming/Channels/101 --username "
      "admin --password-file gate.password");
  probe->callback([options, lat, lon, &outcome] {
    options->place_given = lat->count() > 0 && lon->count() > 0;
    outcome.exit_code = Probe(*options);
  });
}

}  // namespace cordon::cli
