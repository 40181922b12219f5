// SPDX-License-Identifier: Apache-2.0
// Encoded video in: one interface over files (libavformat) and live cameras (our RTSP client), so that the packet ring,
// the decoder and the clip writer need not know where packets come from.
#pragma once

extern "C" {
#include <libavcodec/codec_par.h>
#include <libavcodec/packet.h>
}

#include <memory>
#include <optional>
#include <string>

#include "base/status.h"
#include "base/time.h"

namespace cordon {

struct AvPacketDeleter {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
using AvPacketPtr = std::unique_ptr<AVPacket, AvPacketDeleter>;

struct AvCodecParametersDeleter {
  void operator()(AVCodecParameters* parameters) const { avcodec_parameters_free(&parameters); }
};
using AvCodecParametersPtr = std::unique_ptr<AVCodecParameters, AvCodecParametersDeleter>;

// What is known of the video before the first packet. Size and extradata may be missing or stale: the decoder finds them in
// band. A codec change ends the source.
struct StreamInfo {
  AvCodecParametersPtr codec;
  double nominal_fps = 0;    // 0: unknown
  bool live = false;         // false: may be read as fast as it decodes
  std::optional<Microseconds> duration;  // of a file
};

// One encoded picture (access unit) in decoding order. `av` holds pts and dts in microseconds of media time and the
// AV_PKT_FLAG_KEY flag; its data is reference counted (av_packet_ref shares it). H.264 and H.265 from live cameras are
// Annex B with parameter sets before each key frame; from files they are as the container has them (see extradata).
struct Packet {
  AvPacketPtr av;
  uint64_t run = 1;              // rises at every break of the time line
  bool loss_before = false;      // something is missing between the previous packet and this one
  std::optional<WallTime> camera;  // camera's clock at this picture
  WallTime received_wall;
  BootTime received;             // its last byte came off the network (files: when it was read)
};

struct RtspStats;  // ingest/rtsp_options.h

// One connection to one camera, or one pass over one file. Used by one thread (the camera's owner), but for Interrupt().
// After an error other than DEADLINE_EXCEEDED from Read the source is dead: destroy it and make a new one.
class PacketSource {
 public:
  virtual ~PacketSource() = default;

  // Resolves, connects, authenticates, finds the video. Each phase has its own deadline; the message names the phase.
  // NOT_FOUND (no such file, path or host), UNAVAILABLE (refused, unreachable), UNAUTHENTICATED, PERMISSION_DENIED,
  // DEADLINE_EXCEEDED, INVALID_ARGUMENT (no video in it, unsupported codec), DATA_LOSS (not understood), CANCELLED.
  virtual absl::StatusOr<StreamInfo> Open() = 0;

  // The next picture. OUT_OF_RANGE at the end of a file; DEADLINE_EXCEEDED when nothing came within `wait` (may be called
  // again); others as Open.
  virtual absl::StatusOr<Packet> Read(Milliseconds wait) = 0;

  // Makes a running or future Open or Read return CANCELLED soon (<= 100 ms). Any thread.
  virtual void Interrupt() = 0;

  // What this connection counted so far (loss, foreign packets, time jumps ...); nullptr for sources without a network.
  virtual const RtspStats* rtsp_stats() const { return nullptr; }
};

}  // namespace cordon
