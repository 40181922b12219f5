// SPDX-License-Identifier: Apache-2.0
// RTP payloads to access units: H.264 (RFC 6184) and H.265 (RFC 7798). No I/O; memory bounded by
// one access unit.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "ingest/rtp_sequencer.h"
#include "ingest/rtsp_options.h"
#include "ingest/sdp.h"

namespace cordon {

// One picture, Annex B (each NAL unit behind 00 00 00 01). Valid during the call that hands it out.
struct AccessUnit {
  std::span<const uint8_t> bytes;
  uint32_t timestamp = 0;
  BootTime received;  // of its last packet
  bool key = false;   // decoding may begin here: IDR or recovery point; parameter sets are in front
  bool loss_before = false;  // something is missing before or inside
  bool fresh = false;        // new sender or numbering before it
};

// Feeds on packets in sequence order. Access units end with the marker bit or a new timestamp; a
// camera that sets the marker on every slice is found out and the marker not used any more. Unit
// fragments with a piece missing are dropped; what is left of the picture goes out with
// loss_before. Parameter sets, of the description or of the stream, whichever is newer, are put
// before key frames that lack them.
class RtpDepacketizer {
 public:
  using Sink = std::function<void(const AccessUnit&)>;
  virtual ~RtpDepacketizer() = default;

  // DATA_LOSS when the payload is evidently of another codec than the description said.
  virtual absl::Status Push(const RtpSequencer::Delivery& delivery) = 0;
};

// What `sink` uses and `stats` must outlive it.
std::unique_ptr<RtpDepacketizer> NewDepacketizer(const VideoTrack& track, size_t max_picture_bytes,
                                                 RtspStats& stats, RtpDepacketizer::Sink sink);

}  // namespace cordon
