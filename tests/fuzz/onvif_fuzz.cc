// SPDX-License-Identifier: Apache-2.0
// What a camera may answer over HTTP and WS-Discovery.
#include <cstdint>
#include <string_view>

#include "ingest/onvif_client.h"
#include "ingest/onvif_triggers.h"
#include "ingest/ws_discovery.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cordon;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  pugi::xml_document document;
  const absl::StatusOr<pugi::xml_node> body = ReadBody(200, text, document);
  if (body.ok()) {
    OnvifStates states(Seconds(1));
    for (const OnvifNotification& n : ReadNotifications(Child(*body, "PullMessagesResponse"))) {
      states.Apply(n, BootTime(Seconds(1)));
    }
    states.Expire(BootTime(Seconds(9)));
  }
  ReadProbeMatches(text, "10.0.0.1");
  ParseXmlTime(text.substr(0, 64));
  ParseHttpUrl(text).IgnoreError();
  ReplaceHost(text, "10.0.0.1");
  return 0;
}
