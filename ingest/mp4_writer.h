// SPDX-License-Identifier: Apache-2.0
// Encoded packets in, fragmented MP4 out: what browsers play without an index at the end.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ingest/av_util.h"
#include "ingest/packet_source.h"

namespace cordon {

// True for codecs that go into MP4 as they are (H.264, H.265).
bool FitsMp4(AVCodecID codec);

// Parameter sets (SPS, PPS, VPS) of an Annex B key frame, concatenated with start codes. Empty when
// there are none.
std::string ParameterSets(AVCodecID codec, const AVPacket& packet);

// What browsers are told of an H.264 stream: video/mp4; codecs="avc1.640028". `codec` and `first`
// as Mp4Writer::Make. INVALID_ARGUMENT: no H.264, or no sequence parameter set is in either.
absl::StatusOr<std::string> Mp4MimeType(const AVCodecParameters& codec, const Packet& first);

// Owned by one thread. Time stamps start at 0 and go on across runs as if nothing was missing; the
// bytes go to the sink as they are complete.
class Mp4Writer {
 public:
  using Sink = std::function<absl::Status(std::string_view bytes)>;
  enum class Cut {
    kKeyFrames,     // a fragment for each group of pictures: files
    kEveryPicture,  // a fragment for each picture: live viewers
  };
  // `first` is the key frame that will be written first: it holds the parameter sets that a live
  // camera's description may lack. INVALID_ARGUMENT: the codec does not fit, or `first` is no key
  // frame. Writes the header.
  static absl::StatusOr<std::unique_ptr<Mp4Writer>> Make(const AVCodecParameters& codec,
                                                         const Packet& first, Cut cut, Sink sink);
  ~Mp4Writer();

  // OUT_OF_RANGE: the camera changed its picture's format (its sequence parameter set), which one
  // MP4 track cannot hold; nothing of the packet was written.
  absl::Status Write(const Packet& packet);
  // Writes what is pending and the end. Nothing may follow.
  absl::Status Finish();
  Microseconds duration() const { return Microseconds(end_us_); }

 private:
  explicit Mp4Writer(Sink sink) : sink_(std::move(sink)) {}
  absl::Status Begin(const AVCodecParameters& codec, const Packet& first, Cut cut);
  static int OnBytes(void* self, uint8_t* bytes, int size);
  absl::Status Check(int code, std::string_view what) const;
  void Rebase(const Packet& packet, AVPacket& out);

  const Sink sink_;
  absl::Status sink_status_;
  AVFormatContext* output_ = nullptr;
  AVStream* stream_ = nullptr;
  AVCodecID codec_ = AV_CODEC_ID_NONE;
  std::string sequence_set_;  // of the first key frame; empty: it is outside of the packets
  bool every_picture_ = false;
  bool finished_ = false;
  std::optional<uint64_t> run_;
  int64_t shift_us_ = 0;  // added to the packet's times
  int64_t last_dts_us_ = -1;
  int64_t step_us_ = 40'000;
  int64_t end_us_ = 0;
};

}  // namespace cordon
