// SPDX-License-Identifier: Apache-2.0
// A document of a camera's metadata stream, heard twice, in packets of a length that the first byte
// chooses.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/log.h"
#include "ingest/onvif_metadata.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cordon;
  constexpr int kPayloadType = 107;
  static const bool quiet = [] {
    log::Init("fuzz", log::Format::kText, log::Level::kCritical);
    return true;
  }();
  if (!quiet || size < 1) return 0;
  Metrics metrics;
  SimulatedClock clock;
  OnvifMetadata metadata("fuzz", metrics, clock, [] {});
  metadata.Begin(kPayloadType);
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t step = 1 + static_cast<size_t>(data[0]) * 8;
  uint16_t sequence = 65530;
  for (int i = 0; i < 2; ++i) {
    for (size_t at = 0; at < text.size(); at += step) {
      const bool last = at + step >= text.size();
      std::string packet = {static_cast<char>(0x80),
                            static_cast<char>(kPayloadType | (last ? 0x80 : 0)),
                            static_cast<char>(sequence >> 8),
                            static_cast<char>(sequence & 0xff),
                            0, 0, 0, static_cast<char>(i), 0, 0, 0, 1};
      ++sequence;
      packet += text.substr(at, step);
      metadata.OnRtp({reinterpret_cast<const uint8_t*>(packet.data()), packet.size()});
    }
    clock.Advance(Seconds(1));
  }
  return 0;
}
