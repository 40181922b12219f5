// SPDX-License-Identifier: Apache-2.0
// WS-Discovery (OASIS 1.1, as ONVIF Core 7 profiles it): which cameras are on this network.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ingest/rtsp_net.h"

namespace cordon {

struct DiscoveredDevice {
  std::string id;    // "urn:uuid:..." endpoint reference; the same after a change of address
  std::string url;   // device service, at the address that answered
  std::string name;  // from its scopes; empty when absent
  std::string hardware;
  std::string location;
};

struct DiscoveryOptions {
  Milliseconds wait{3'000};
  // Where the probe goes: "239.255.255.250:3702" by standard; an address of one host asks that host
  // alone.
  std::string target = "239.255.255.250";
  uint16_t port = 3702;
};

// Sends three probes (UDP may lose one) over every interface and collects the answers until `wait`
// is over; at most 1,024 devices, each once. UNAVAILABLE when nothing can be sent at all.
absl::StatusOr<std::vector<DiscoveredDevice>> DiscoverDevices(const NetContext& net,
                                                              const DiscoveryOptions& options);

// The devices of one ProbeMatches message; `from` is the address that it came from and takes the
// place of hosts that name another one. Empty when it is none.
std::vector<DiscoveredDevice> ReadProbeMatches(std::string_view message, const std::string& from);

}  // namespace cordon
