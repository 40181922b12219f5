// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string_view>

#include "ingest/rtp_parameter_sets.h"
#include "ingest/sdp.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cordon;
  const auto session = ParseSdp({reinterpret_cast<const char*>(data), size});
  if (!session.ok()) return 0;
  if (session->media.size() > kMaxSdpMedia) __builtin_trap();
  const auto track = ChooseVideo(*session);
  if (!track.ok()) return 0;
  for (const std::string& set : track->parameter_sets) {
    ParseSequenceSet(track->codec, {reinterpret_cast<const uint8_t*>(set.data()), set.size()});
  }
  return 0;
}
