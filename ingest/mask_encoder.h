// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "ingest/decoder.h"
#include "ingest/packet_source.h"

namespace cordon {

// Decodes packets, burns privacy masks into the pictures and encodes them again as H.264, for clips
// of cameras with masks and for codecs that browsers do not play. Owned by one thread. A change of
// the picture's size ends the clip (OUT_OF_RANGE).
class MaskEncoder {
 public:
  // Receives the encoded pictures and how they are coded, in decoding order.
  using Output = std::function<absl::Status(const AVCodecParameters&, const Packet&)>;
  static absl::StatusOr<std::unique_ptr<MaskEncoder>> Make(const AVCodecParameters& codec,
                                                           Masks masks, const Clock& clock,
                                                           Output output);
  absl::Status Write(const Packet& packet);
  absl::Status Finish();

 private:
  MaskEncoder(std::unique_ptr<Decoder> decoder, Output output)
      : output_(std::move(output)), decoder_(std::move(decoder)) {}
  absl::Status OpenEncoder(const AVFrame& frame);
  absl::Status Encode(const Picture& picture);
  absl::Status Collect();

  const Output output_;
  std::unique_ptr<Decoder> decoder_;
  av::CodecContextPtr encoder_;
  AvCodecParametersPtr coded_;
  std::optional<uint64_t> run_;
  int64_t shift_us_ = 0;
  int64_t last_us_ = -1;
};

}  // namespace cordon
