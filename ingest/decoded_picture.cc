// SPDX-License-Identifier: Apache-2.0
#include "ingest/decoded_picture.h"

extern "C" {
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace cordon {
namespace {

bool IsPlanarYuv8(int format) {
  const AVPixFmtDescriptor* d = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(format));
  return d != nullptr && d->nb_components == 3 && (d->flags & AV_PIX_FMT_FLAG_PLANAR) != 0 &&
         (d->flags & AV_PIX_FMT_FLAG_RGB) == 0 && d->comp[0].depth == 8 && d->comp[1].plane == 1 &&
         d->comp[2].plane == 2;
}

// libswscale's matrices: without this a BT.709 or full-range camera gets wrong colours.
void SetColours(SwsContext* context, const AVFrame& frame) {
  const bool full = frame.color_range == AVCOL_RANGE_JPEG || frame.format == AV_PIX_FMT_YUVJ420P ||
                    frame.format == AV_PIX_FMT_YUVJ422P || frame.format == AV_PIX_FMT_YUVJ444P;
  const int space = frame.colorspace == AVCOL_SPC_UNSPECIFIED
                        ? (frame.height >= 720 ? SWS_CS_ITU709 : SWS_CS_ITU601)
                        : static_cast<int>(frame.colorspace);
  sws_setColorspaceDetails(context, sws_getCoefficients(space), full ? 1 : 0,
                           sws_getCoefficients(space), 1, 0, 1 << 16, 1 << 16);
}

void FillSpan(uint8_t* plane, int stride, const MaskSpan& span, int bytes, uint8_t value) {
  std::memset(
      plane + static_cast<ptrdiff_t>(span.y) * stride + static_cast<ptrdiff_t>(span.begin) * bytes,
      value, static_cast<size_t>(span.end - span.begin) * static_cast<size_t>(bytes));
}

}  // namespace

std::shared_ptr<const ColourSource> DecodedPicture::Make(const AVFrame& frame, const Masks& masks) {
  av::FramePointer shared(av_frame_clone(&frame));
  CORDON_CHECK(shared != nullptr, "out of memory");
  return std::make_shared<DecodedPicture>(std::move(shared), masks);
}

av::FramePointer WritableCopy(const AVFrame& frame) {
  av::FramePointer copy(av_frame_alloc());
  if (copy == nullptr) return nullptr;
  const bool as_is = IsPlanarYuv8(frame.format) || frame.format == AV_PIX_FMT_BGR24;
  copy->format = as_is ? frame.format : AV_PIX_FMT_YUV420P;
  copy->width = frame.width;
  copy->height = frame.height;
  if (av_frame_get_buffer(copy.get(), 0) < 0) return nullptr;
  av_frame_copy_props(copy.get(), &frame);
  if (as_is) return av_frame_copy(copy.get(), &frame) < 0 ? nullptr : std::move(copy);
  av::SwsPtr convert(sws_getContext(
      frame.width, frame.height, static_cast<AVPixelFormat>(frame.format), frame.width,
      frame.height, AV_PIX_FMT_YUV420P, SWS_BILINEAR, nullptr, nullptr, nullptr));
  if (convert == nullptr) return nullptr;
  sws_scale(convert.get(), frame.data, frame.linesize, 0, frame.height, copy->data, copy->linesize);
  return copy;
}

void BurnMasks(const Masks& masks, AVFrame& frame) {
  if (masks.empty()) return;
  if (frame.format == AV_PIX_FMT_BGR24) {
    for (const MaskSpan& span : masks.Cover(frame.width, frame.height, 1)) {
      FillSpan(frame.data[0], frame.linesize[0], span, 3, 0);
    }
    return;
  }
  CORDON_CHECK(IsPlanarYuv8(frame.format), "masks are burned into planar YUV or BGR");
  const AVPixFmtDescriptor* d = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  for (const MaskSpan& span : masks.Cover(frame.width, frame.height, 2)) {
    FillSpan(frame.data[0], frame.linesize[0], span, 1,
             frame.color_range == AVCOL_RANGE_JPEG ? 0 : 16);
  }
  const int chroma_width = AV_CEIL_RSHIFT(frame.width, d->log2_chroma_w);
  const int chroma_height = AV_CEIL_RSHIFT(frame.height, d->log2_chroma_h);
  for (const MaskSpan& span : masks.Cover(chroma_width, chroma_height, 1)) {
    FillSpan(frame.data[1], frame.linesize[1], span, 1, 128);
    FillSpan(frame.data[2], frame.linesize[2], span, 1, 128);
  }
}

const AVFrame& DecodedPicture::Clean() const {
  if (masks_.empty()) return *frame_;
  std::call_once(burned_once_, [this] {
    burned_ = WritableCopy(*frame_);
    if (burned_ != nullptr) BurnMasks(masks_, *burned_);
  });
  CORDON_CHECK(burned_ != nullptr, "no memory to burn the masks in");
  return *burned_;
}

BgrPicture DecodedPicture::Render(const PixelRect& crop, int out_width, int out_height) const {
  const AVFrame& frame = Clean();
  const AVPixFmtDescriptor* d = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  const int step_x = 1 << d->log2_chroma_w;
  const int step_y = 1 << d->log2_chroma_h;
  const int left = std::clamp(crop.x, 0, frame.width) / step_x * step_x;
  const int top = std::clamp(crop.y, 0, frame.height) / step_y * step_y;
  const int right = std::clamp(crop.x + crop.width, left, frame.width);
  const int bottom = std::clamp(crop.y + crop.height, top, frame.height);
  BgrPicture out;
  if (right == left || bottom == top || out_width <= 0 || out_height <= 0) return out;

  const uint8_t* planes[4] = {frame.data[0], frame.data[1], frame.data[2], frame.data[3]};
  for (int c = 0; c < d->nb_components; ++c) {
    const int plane = d->comp[c].plane;
    const bool chroma = c == 1 || c == 2;
    if (planes[plane] != frame.data[plane])
      continue;  // packed formats: one plane for several components
    planes[plane] +=
        static_cast<ptrdiff_t>(top >> (chroma ? d->log2_chroma_h : 0)) * frame.linesize[plane] +
        static_cast<ptrdiff_t>(left >> (chroma ? d->log2_chroma_w : 0)) * d->comp[c].step;
  }
  const bool shrinks = out_width < right - left;
  av::SwsPtr convert(sws_getContext(
      right - left, bottom - top, static_cast<AVPixelFormat>(frame.format), out_width, out_height,
      AV_PIX_FMT_BGR24, shrinks ? SWS_AREA : SWS_BILINEAR, nullptr, nullptr, nullptr));
  if (convert == nullptr) return out;
  SetColours(convert.get(), frame);
  out.width = out_width;
  out.height = out_height;
  // libswscale may write a few bytes past a row's end with SIMD.
  out.pixels.resize(static_cast<size_t>(out_width) * static_cast<size_t>(out_height) * 3 + 64);
  uint8_t* rows[4] = {out.pixels.data(), nullptr, nullptr, nullptr};
  const int strides[4] = {out_width * 3, 0, 0, 0};
  sws_scale(convert.get(), planes, frame.linesize, 0, bottom - top, rows, strides);
  out.pixels.resize(static_cast<size_t>(out_width) * static_cast<size_t>(out_height) * 3);
  return out;
}

}  // namespace cordon
