// SPDX-License-Identifier: Apache-2.0
#include "ingest/ws_discovery.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/escaping.h"
#include "base/check.h"
#include "ingest/onvif_client.h"
#include "ingest/onvif_xml.h"
#include "ingest/rtsp_connection.h"
#include "ingest/rtsp_text.h"

namespace cordon {
namespace {

constexpr int kProbes = 3;
constexpr size_t kMaxDevices = 1024;
constexpr size_t kMaxDatagram = 64 * 1024;

std::string Probe() {
  std::array<unsigned char, 16> bytes{};
  CORDON_CHECK(RAND_bytes(bytes.data(), bytes.size()) == 1, "no random numbers");
  const std::string hex =
      absl::BytesToHexString({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope "
      "xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" "
      "xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\"><s:Header><a:Action>"
      "http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</"
      "a:Action><a:MessageID>uuid:{}-{}-4{}-8{}-{}</a:MessageID>"
      "<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header><s:Body>"
      "<d:Probe xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\" "
      "xmlns:dn=\"http://www.onvif.org/ver10/network/wsdl\"><d:Types>dn:NetworkVideoTransmitter</"
      "d:Types></d:Probe>"
      "</s:Body></s:Envelope>",
      hex.substr(0, 8), hex.substr(8, 4), hex.substr(13, 3), hex.substr(17, 3), hex.substr(20, 12));
}

// Indices of the interfaces that can multicast, so that cameras behind each of them hear us.
std::vector<in_addr> MulticastInterfaces() {
  std::vector<in_addr> addresses;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return addresses;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || at->ifa_addr->sa_family != AF_INET) continue;
    if ((at->ifa_flags & IFF_UP) == 0 || (at->ifa_flags & (IFF_MULTICAST | IFF_LOOPBACK)) == 0)
      continue;
    addresses.push_back(reinterpret_cast<const sockaddr_in*>(at->ifa_addr)->sin_addr);
  }
  ::freeifaddrs(list);
  return addresses;
}

bool SendProbe(int fd, const sockaddr_in& to) {
  const std::string probe = Probe();
  bool sent = false;
  const bool multicast = IN_MULTICAST(ntohl(to.sin_addr.s_addr));
  const std::vector<in_addr> interfaces =
      multicast ? MulticastInterfaces() : std::vector<in_addr>{in_addr{}};
  for (const in_addr& from : interfaces) {
    if (multicast) ::setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &from, sizeof from);
    const ssize_t n = ::sendto(fd, probe.data(), probe.size(), 0,
                               reinterpret_cast<const sockaddr*>(&to), sizeof to);
    sent = sent || n > 0;
  }
  return sent;
}

// "onvif://www.onvif.org/name/Front%20gate" -> "Front gate"
std::string Scope(std::string_view scopes, std::string_view kind) {
  const std::string prefix = fmt::format("onvif://www.onvif.org/{}/", kind);
  for (std::string_view scope : text::Split(scopes, ' ')) {
    scope = text::Trim(scope);
    if (!text::StartsWithNoCase(scope, prefix)) continue;
    std::string value;
    const std::string_view coded = scope.substr(prefix.size());
    for (size_t i = 0; i < coded.size(); ++i) {
      unsigned byte = 0;
      const bool escape =
          coded[i] == '%' && i + 2 < coded.size() &&
          std::from_chars(&coded[i] + 1, &coded[i] + 3, byte, 16).ptr == &coded[i] + 3;
      value += escape ? static_cast<char>(byte) : coded[i];
      if (escape) i += 2;
    }
    return Printable(value);
  }
  return {};
}

}  // namespace

std::vector<DiscoveredDevice> ReadProbeMatches(std::string_view message, const std::string& from) {
  constexpr size_t kMostMatches = 16;
  std::vector<DiscoveredDevice> devices;
  pugi::xml_document document;
  if (message.size() > kMaxDatagram || !ParseXml(message, document).ok()) return devices;
  for (const pugi::xml_node& match :
       Children(Descend(document, "Envelope/Body/ProbeMatches"), "ProbeMatch")) {
    DiscoveredDevice device;
    device.id = Printable(TextOf(Descend(match, "EndpointReference/Address")));
    // Several addresses when the camera has several; the one we hear it from, or the first put
    // there.
    const std::string addresses = TextOf(Child(match, "XAddrs"));
    for (std::string_view address : text::Split(addresses, ' ')) {
      const std::string moved = ReplaceHost(address, from);
      if (!ParseHttpUrl(moved).ok()) continue;
      if (device.url.empty() || address == moved) device.url = moved;
    }
    const std::string scopes = TextOf(Child(match, "Scopes"));
    device.name = Scope(scopes, "name");
    device.hardware = Scope(scopes, "hardware");
    device.location = Scope(scopes, "location");
    if (!device.url.empty() && devices.size() < kMostMatches) devices.push_back(std::move(device));
  }
  return devices;
}

absl::StatusOr<std::vector<DiscoveredDevice>> DiscoverDevices(const NetContext& net,
                                                              const DiscoveryOptions& options) {
  const OwnedFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(options.port);
  if (::inet_pton(AF_INET, options.target.c_str(), &to.sin_addr) != 1) {
    return absl::InvalidArgumentError(fmt::format("'{}' is no IPv4 address", options.target));
  }
  if (!fd.valid()) return absl::UnavailableError("no UDP socket");
  std::vector<DiscoveredDevice> devices;
  std::vector<char> buffer(kMaxDatagram);
  const BootTime end = net.clock.Boot() + options.wait;
  bool any_sent = false;
  for (int probe = 0; probe < kProbes; ++probe) {
    any_sent = SendProbe(fd.get(), to) || any_sent;
    const BootTime until =
        probe + 1 == kProbes ? end : std::min(end, net.clock.Boot() + options.wait / 6);
    while (true) {
      WaitFor wait{.fd = fd.get()};
      const absl::Status status = Wait(net, {&wait, 1}, until, "discovery");
      if (absl::IsDeadlineExceeded(status)) break;
      RETURN_IF_ERROR(status);
      NetAddress from;
      from.length = sizeof from.storage;
      const ssize_t n =
          ::recvfrom(fd.get(), buffer.data(), buffer.size(), 0, from.raw(), &from.length);
      if (n <= 0) continue;
      for (DiscoveredDevice& device :
           ReadProbeMatches({buffer.data(), static_cast<size_t>(n)}, from.Text())) {
        const bool known =
            std::any_of(devices.begin(), devices.end(), [&](const DiscoveredDevice& other) {
              return other.id == device.id && other.url == device.url;
            });
        if (!known && devices.size() < kMaxDevices) devices.push_back(std::move(device));
      }
    }
  }
  if (!any_sent) return absl::UnavailableError("no network interface sends a discovery probe");
  return devices;
}

}  // namespace cordon
