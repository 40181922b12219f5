// SPDX-License-Identifier: Apache-2.0
// What a sequence parameter set says of its pictures (H.264: Rec. ITU-T H.264 7.3.2.1 and E.1;
// H.265: Rec. ITU-T H.265 7.3.2.2). No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "ingest/sdp.h"

namespace cordon {

struct SequenceFacts {
  int width = 0;  // pixels, cropping applied
  int height = 0;
  double frame_rate = 0;  // 0: not said (always for H.265, where it lies behind what is read here)
  // How many pictures may precede a picture in decoding order and follow it in presentation order;
  // nullopt: not said.
  std::optional<int> reorder;
};

// `nal` with its header, without start code. nullopt: no such set, broken, or larger than 16,384 x
// 16,384.
std::optional<SequenceFacts> ParseSequenceSet(VideoCodec codec, std::span<const uint8_t> nal);

// The first sequence parameter set of an Annex B access unit, without its start code; empty when
// there is none. Looks only at what precedes the first slice.
std::span<const uint8_t> FindSequenceSet(VideoCodec codec, std::span<const uint8_t> access_unit);

}  // namespace cordon
