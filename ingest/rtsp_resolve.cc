// SPDX-License-Identifier: Apache-2.0
// Names to addresses with a deadline, and which addresses are allowed.
#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <list>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "ingest/rtsp_net.h"
#include "ingest/rtsp_text.h"

namespace cordon {
namespace {

// getaddrinfo cannot be interrupted, so a lookup that hangs is left to finish on its own; so many
// may.
constexpr size_t kMostHangingLookups = 32;
// How soon an interrupt is seen during a lookup.
constexpr Milliseconds kSlice{50};

// One lookup; the resolver writes into it until it is done, even after we gave up.
struct Lookup {
  std::string host;
  std::string service;
  addrinfo hints{};
  gaicb request{};
  gaicb* list[1] = {&request};
  ~Lookup() {
    if (request.ar_result != nullptr) ::freeaddrinfo(request.ar_result);
  }
};

// Lookups nobody waits for any more. Thread-safe.
class HangingLookups {
 public:
  bool Full() {
    const absl::MutexLock lock(&mutex_);
    lookups_.remove_if(
        [](const auto& lookup) { return ::gai_error(&lookup->request) != EAI_INPROGRESS; });
    return lookups_.size() >= kMostHangingLookups;
  }
  void Keep(std::unique_ptr<Lookup> lookup) {
    if (::gai_cancel(&lookup->request) == EAI_CANCELED) return;
    const absl::MutexLock lock(&mutex_);
    lookups_.push_back(std::move(lookup));
  }

 private:
  absl::Mutex mutex_;
  std::list<std::unique_ptr<Lookup>> lookups_ ABSL_GUARDED_BY(mutex_);
};

HangingLookups& Hanging() {
  static auto* const hanging = new HangingLookups;  // a lookup may outlive main
  return *hanging;
}

std::optional<NetAddress> ParseAddress(const std::string& host, uint16_t port) {
  NetAddress address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (::inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    address.length = sizeof *v4;
  } else if (::inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    address.length = sizeof *v6;
  } else {
    return std::nullopt;
  }
  address.set_port(port);
  return address;
}

// The bytes of an address; an IPv4 address inside IPv6 is the IPv4 address.
std::string AddressBytes(const NetAddress& address) {
  if (address.family() == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
    return {reinterpret_cast<const char*>(&v4->sin_addr), 4};
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
  const std::string bytes(reinterpret_cast<const char*>(&v6->sin6_addr), 16);
  return IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) ? bytes.substr(12) : bytes;
}

bool PrefixEqual(const std::string& a, const std::string& b, unsigned bits) {
  if (a.size() != b.size()) return false;
  const size_t whole = bits / 8;
  if (a.compare(0, whole, b, 0, whole) != 0) return false;
  if (bits % 8 == 0) return true;
  const auto mask = static_cast<uint8_t>(0xff << (8 - bits % 8));
  return (static_cast<uint8_t>(a[whole]) & mask) == (static_cast<uint8_t>(b[whole]) & mask);
}

bool InAny(const NetAddress& address, std::initializer_list<std::string_view> networks) {
  return std::any_of(networks.begin(), networks.end(), [&](std::string_view network) {
    return InNetwork(address, network).value_or(false);
  });
}

std::vector<NetAddress> Collect(const addrinfo* found) {
  std::vector<NetAddress> addresses;
  for (; found != nullptr && addresses.size() < 8; found = found->ai_next) {
    if (found->ai_addrlen > sizeof(sockaddr_storage)) continue;
    NetAddress address;
    std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
    address.length = found->ai_addrlen;
    addresses.push_back(address);
  }
  return addresses;
}

}  // namespace

void NetAddress::set_port(uint16_t port) {
  if (family() == AF_INET) reinterpret_cast<sockaddr_in*>(&storage)->sin_port = htons(port);
  if (family() == AF_INET6) reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port = htons(port);
}

uint16_t NetAddress::port() const {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
  return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
}

std::string NetAddress::Text() const {
  char text[INET6_ADDRSTRLEN] = "?";
  const void* bytes =
      family() == AF_INET
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr)
          : &reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr;
  ::inet_ntop(family(), bytes, text, sizeof text);
  return text;
}

bool NetAddress::SameHost(const NetAddress& other) const {
  return AddressBytes(*this) == AddressBytes(other);
}

absl::StatusOr<std::vector<NetAddress>> Resolve(const NetContext& net, const std::string& host,
                                                uint16_t port, BootTime deadline) {
  if (const auto number = ParseAddress(host, port)) return std::vector<NetAddress>{*number};
  if (Hanging().Full()) {
    return absl::ResourceExhaustedError(
        "too many name lookups hang; is the name server reachable?");
  }
  auto lookup = std::make_unique<Lookup>();
  lookup->host = host;
  lookup->service = std::to_string(port);
  lookup->hints.ai_socktype = SOCK_STREAM;
  lookup->request.ar_name = lookup->host.c_str();
  lookup->request.ar_service = lookup->service.c_str();
  lookup->request.ar_request = &lookup->hints;
  if (::getaddrinfo_a(GAI_NOWAIT, lookup->list, 1, nullptr) != 0) {
    return absl::UnavailableError("cannot start a name lookup");
  }
  while (::gai_error(&lookup->request) == EAI_INPROGRESS) {
    const bool interrupted = net.wake.signalled();
    if (interrupted || net.clock.Boot() >= deadline) {
      Hanging().Keep(std::move(lookup));
      if (interrupted) return absl::CancelledError("interrupted");
      return absl::DeadlineExceededError(fmt::format("looking up {}: no answer in time", host));
    }
    const timespec slice{.tv_sec = 0, .tv_nsec = std::chrono::nanoseconds(kSlice).count()};
    const gaicb* const waiting[] = {&lookup->request};
    ::gai_suspend(waiting, 1, &slice);
  }
  if (const int error = ::gai_error(&lookup->request); error != 0) {
    return absl::NotFoundError(fmt::format("no address for {}: {}", host, ::gai_strerror(error)));
  }
  return Collect(lookup->request.ar_result);
}

absl::StatusOr<bool> InNetwork(const NetAddress& address, std::string_view network) {
  const size_t slash = network.find('/');
  const auto base = ParseAddress(std::string(network.substr(0, slash)), 0);
  unsigned bits = 0;
  bool good = base.has_value() && slash != std::string_view::npos;
  if (good) {
    const std::string_view text = network.substr(slash + 1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
    good = error == std::errc() && end == text.data() + text.size() &&
           bits <= AddressBytes(*base).size() * 8;
  }
  if (!good)
    return absl::InvalidArgumentError(
        fmt::format("'{}' is no network; write ADDRESS/BITS", network));
  return PrefixEqual(AddressBytes(address), AddressBytes(*base), bits);
}

absl::Status CheckAddress(const AddressPolicy& policy, const std::string& host,
                          const NetAddress& address) {
  if (!policy.networks.empty()) {
    for (const std::string& network : policy.networks) {
      ASSIGN_OR_RETURN(const bool inside, InNetwork(address, network));
      if (inside) return absl::OkStatus();
    }
    return absl::PermissionDeniedError(
        fmt::format("{} is outside the networks that cameras may be in", address.Text()));
  }
  if (InAny(address,
            {"0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/128", "fe80::/10", "ff00::/8"})) {
    return absl::PermissionDeniedError(
        fmt::format("{} is a link-local, multicast or unspecified address, where no camera is",
                    address.Text()));
  }
  const bool disguised = address.family() == AF_INET6 && AddressBytes(address).size() == 4;
  const bool plain =
      (host == address.Text() && !disguised) || text::EqualsNoCase(host, "localhost");
  if (!plain && InAny(address, {"127.0.0.0/8", "::1/128"})) {
    return absl::PermissionDeniedError(
        fmt::format("{} leads to this machine itself ({})", host, address.Text()));
  }
  return absl::OkStatus();
}

}  // namespace cordon
