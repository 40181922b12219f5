// SPDX-License-Identifier: Apache-2.0
// The colour side of a frame: FFmpeg's own picture, shared, converted on request.
#pragma once

#include <mutex>

#include "ingest/av_util.h"
#include "ingest/frame.h"
#include "ingest/masks.h"

namespace cordon {

// Thread-safe. With masks, the first Render copies the picture once and burns them in; without,
// nothing is copied.
class DecodedPicture final : public ColourSource {
 public:
  // Shares the frame's buffers. Never null.
  static std::shared_ptr<const ColourSource> Make(const AVFrame& frame, const Masks& masks);
  DecodedPicture(av::FramePointer frame, const Masks& masks)
      : frame_(std::move(frame)), masks_(masks) {}

  int width() const override { return frame_->width; }
  int height() const override { return frame_->height; }
  // The crop is widened to whole chroma samples. An empty crop gives an empty picture.
  BgrPicture Render(const PixelRect& crop, int width, int height) const override;

 private:
  const AVFrame& Clean() const;

  av::FramePointer frame_;
  const Masks masks_;
  mutable std::once_flag burned_once_;
  mutable av::FramePointer burned_;
};

// Paints the masks black into a writable planar YUV or BGR24 picture, one chroma sample wider than
// they are.
void BurnMasks(const Masks& masks, AVFrame& frame);
// A writable copy in a format that BurnMasks knows. Null when memory ran out.
av::FramePointer WritableCopy(const AVFrame& frame);

}  // namespace cordon
