// SPDX-License-Identifier: Apache-2.0
// Encoded packets in, pictures out. One FFmpeg decoder with one thread: parallelism is across
// cameras, frame threads would add their number of frames of delay.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "ingest/av_util.h"
#include "ingest/frame.h"
#include "ingest/luma_scaler.h"
#include "ingest/masks.h"
#include "ingest/packet_source.h"

namespace cordon {

struct DecoderOptions {
  CameraId camera;
  int analysis_width = 480;
  Masks masks;
  uint64_t pictures_before = 0;  // numbering goes on from here
};

// What a packet's picture is wanted for.
struct DecodeEffort {
  bool skippable = false;  // not for itself: it is not decoded if no other refers to it
  // False: its deblocking filter is left out, a third of the cost. What refers to it inherits the
  // blocks' edges, up to the next key frame, wherever the encoder sent a residual.
  bool deblock = true;
};

// A decoded picture before anybody paid for its conversion. Holds the decoder's own buffer: keep it
// briefly.
struct Picture {
  av::FramePointer av;
  uint64_t number = 0;
  uint64_t run = 1;
  FrameTimes times;
  bool key = false;
  bool damaged = false;
};

// Owned and used by one thread; the Frames it makes may go anywhere. Corrupt data is not an error:
// it is counted and the pictures up to the next key frame are marked damaged. Media times rise
// strictly within a run.
class Decoder {
 public:
  // INVALID_ARGUMENT: no decoder for this codec.
  static absl::StatusOr<std::unique_ptr<Decoder>> Make(const AVCodecParameters& codec,
                                                       DecoderOptions options, const Clock& clock);

  // Decodes one packet; the pictures that became ready wait in Take(). A packet of another run
  // first drains what is inside.
  void Send(const Packet& packet, DecodeEffort effort = {});
  // End of the stream, or of a key frame that is decoded alone: whatever is inside becomes ready;
  // the next packet must be a key frame.
  void Drain();
  // Drops what is inside (a gap in the stream); the next packet should be a key frame.
  void Flush();
  // As Flush, and gives the memory of the pictures back that full decode had needed: FFmpeg keeps
  // every buffer that was ever in use at the same time. Where parameter sets do not come in band
  // nothing is given back.
  void ReleaseBuffers();

  // For a key frame that is decoded alone: its deblocking filter, about a fifth of its cost, is
  // left out. Nothing refers to it, and the small luma averages what the filter would have
  // smoothed.
  void SendAlone(const Packet& key_frame);

  std::optional<Picture> Take();
  // Small luma, size, masks: the cost of analysis. About 0.3 ms for a 1280x720 picture.
  FramePtr Render(const Picture& picture);

  uint64_t errors() const { return errors_; }  // packets and pictures that had errors
  uint64_t pictures() const { return numbers_ - options_.pictures_before; }  // decoded so far
  const DecoderOptions& options() const { return options_; }

 private:
  // What a packet carries past FFmpeg; a picture finds it by its slot.
  struct PacketNote {
    uint64_t run = 1;
    std::optional<WallTime> camera;
    WallTime received_wall;
    BootTime received;
  };
  static constexpr size_t kNotes = 64;  // more than any decoder's reordering depth (16)

  static absl::StatusOr<av::CodecContextPtr> OpenContext(const AVCodecParameters& codec);
  Decoder(av::CodecContextPtr context, AvCodecParametersPtr codec, DecoderOptions options,
          const Clock& clock);
  void Collect();
  void Accept(av::FramePointer frame);
  LumaPicture MakeLuma(const AVFrame& frame);
  void MaskLuma(LumaPicture& luma);

  const Clock& clock_;
  const DecoderOptions options_;
  const AvCodecParametersPtr codec_;
  av::CodecContextPtr context_;
  std::array<PacketNote, kNotes> notes_;
  size_t next_note_ = 0;
  std::deque<Picture> ready_;  // at most what one packet or one drain releases
  uint64_t run_ = 0;
  uint64_t numbers_ = 0;
  uint64_t errors_ = 0;
  int64_t last_media_us_ = 0;
  int64_t last_step_us_ = 40'000;
  bool first_of_run_ = true;
  bool restarted_ = false;  // packets may come again: times may step back
  bool draining_ = false;
  bool damaged_ = true;  // until the first key frame
  std::unique_ptr<LumaScaler> scaler_;
  av::SwsPtr to_gray_;
  LumaSize luma_size_;
  std::vector<MaskSpan> luma_mask_;
};

}  // namespace cordon
