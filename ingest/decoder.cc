// SPDX-License-Identifier: Apache-2.0
#include "ingest/decoder.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "ingest/decoded_picture.h"

namespace cordon {
namespace {

// The luma of these formats is plane 0, one byte a pixel.
bool HasPlainLuma(int format) {
  const AVPixFmtDescriptor* d = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(format));
  return d != nullptr && (d->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) == 0 &&
         d->comp[0].depth == 8 && d->comp[0].step == 1 && d->comp[0].plane == 0;
}

}  // namespace

absl::StatusOr<av::CodecContextPtr> Decoder::OpenContext(const AVCodecParameters& codec) {
  av::Init();
  const AVCodec* implementation = avcodec_find_decoder(codec.codec_id);
  if (implementation == nullptr || codec.codec_type != AVMEDIA_TYPE_VIDEO) {
    return absl::InvalidArgumentError(fmt::format(
        "cannot decode {}: set the camera to H.264 or H.265", avcodec_get_name(codec.codec_id)));
  }
  av::CodecContextPtr context(avcodec_alloc_context3(implementation));
  CORDON_CHECK(context != nullptr, "out of memory");
  if (avcodec_parameters_to_context(context.get(), &codec) < 0) {
    return absl::DataLossError("the stream's description cannot be understood");
  }
  context->thread_count = 1;
  context->max_pixels = av::kMaxPixels;
  context->pkt_timebase = AVRational{1, 1'000'000};
  if (const int code = avcodec_open2(context.get(), implementation, nullptr); code < 0) {
    return av::StatusFrom(code, fmt::format("cannot open the {} decoder", implementation->name));
  }
  return context;
}

absl::StatusOr<std::unique_ptr<Decoder>> Decoder::Make(const AVCodecParameters& codec,
                                                       DecoderOptions options, const Clock& clock) {
  ASSIGN_OR_RETURN(av::CodecContextPtr context, OpenContext(codec));
  AvCodecParametersPtr copy(avcodec_parameters_alloc());
  CORDON_CHECK(copy != nullptr && avcodec_parameters_copy(copy.get(), &codec) >= 0,
               "out of memory");
  return std::unique_ptr<Decoder>(
      new Decoder(std::move(context), std::move(copy), std::move(options), clock));
}

Decoder::Decoder(av::CodecContextPtr context, AvCodecParametersPtr codec, DecoderOptions options,
                 const Clock& clock)
    : clock_(clock),
      options_(std::move(options)),
      codec_(std::move(codec)),
      context_(std::move(context)),
      numbers_(options_.pictures_before) {}

void Decoder::Send(const Packet& packet, DecodeEffort effort) {
  if (packet.run != run_ && run_ != 0) Drain();
  if (draining_) Flush();
  if (packet.run != run_) {
    run_ = packet.run;
    first_of_run_ = true;
  }
  if (packet.loss_before) damaged_ = true;
  notes_[next_note_] = {packet.run, packet.camera, packet.received_wall, packet.received};
  context_->reordered_opaque = static_cast<int64_t>(next_note_);
  context_->skip_frame = effort.skippable ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
  context_->skip_loop_filter = effort.deblock ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
  next_note_ = (next_note_ + 1) % kNotes;

  int code = avcodec_send_packet(context_.get(), packet.av.get());
  if (code == AVERROR(EAGAIN)) {
    Collect();
    code = avcodec_send_packet(context_.get(), packet.av.get());
  }
  if (code < 0) {
    ++errors_;
    damaged_ = true;
  }
  Collect();
}

void Decoder::SendAlone(const Packet& key_frame) {
  Send(key_frame, {.deblock = false});
  Drain();
}

void Decoder::Drain() {
  if (draining_) return;
  avcodec_send_packet(context_.get(), nullptr);
  draining_ = true;
  Collect();
}

void Decoder::Flush() {
  avcodec_flush_buffers(context_.get());
  draining_ = false;
  restarted_ = true;
}

void Decoder::ReleaseBuffers() {
  // Annex B begins with a start code; other extradata may have been replaced since.
  const bool in_band = codec_->extradata_size == 0 || codec_->extradata[0] == 0;
  absl::StatusOr<av::CodecContextPtr> fresh =
      in_band ? OpenContext(*codec_) : absl::UnimplementedError("parameter sets out of band");
  Flush();
  if (fresh.ok()) context_ = *std::move(fresh);
}

void Decoder::Collect() {
  while (true) {
    av::FramePointer frame(av_frame_alloc());
    CORDON_CHECK(frame != nullptr, "out of memory");
    const int code = avcodec_receive_frame(context_.get(), frame.get());
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
    if (code < 0) {
      ++errors_;
      damaged_ = true;
      return;
    }
    Accept(std::move(frame));
  }
}

void Decoder::Accept(av::FramePointer frame) {
  Picture picture;
  const auto slot = static_cast<size_t>(frame->reordered_opaque);
  const PacketNote& note = notes_[slot < kNotes ? slot : 0];
  const bool errors = frame->decode_error_flags != 0 || (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0;
  if (errors) ++errors_;
  picture.key = frame->key_frame != 0;
  damaged_ = errors || (damaged_ && !picture.key);
  picture.damaged = damaged_;

  int64_t media_us = frame->best_effort_timestamp;
  if (media_us == AV_NOPTS_VALUE) media_us = first_of_run_ ? 0 : last_media_us_ + last_step_us_;
  if (!first_of_run_ && !restarted_) {
    if (media_us > last_media_us_) {
      last_step_us_ = std::min<int64_t>(media_us - last_media_us_, 1'000'000);
    } else {
      media_us = last_media_us_ + 1;  // equal or backward stamps: order is all that can be saved
    }
  }
  last_media_us_ = media_us;
  first_of_run_ = false;
  restarted_ = false;

  picture.number = ++numbers_;
  picture.run = note.run;
  picture.times = {MediaFromMicros(media_us), note.camera, note.received_wall, note.received,
                   clock_.Boot()};
  picture.av = std::move(frame);
  ready_.push_back(std::move(picture));
}

std::optional<Picture> Decoder::Take() {
  if (ready_.empty()) return std::nullopt;
  std::optional<Picture> picture(std::move(ready_.front()));
  ready_.pop_front();
  return picture;
}

FramePtr Decoder::Render(const Picture& picture) {
  auto frame = std::make_shared<Frame>();
  frame->camera = options_.camera;
  frame->number = picture.number;
  frame->run = picture.run;
  frame->times = picture.times;
  frame->source_width = picture.av->width;
  frame->source_height = picture.av->height;
  frame->key = picture.key;
  frame->damaged = picture.damaged;
  frame->luma = MakeLuma(*picture.av);
  frame->colour = DecodedPicture::Make(*picture.av, options_.masks);
  return frame;
}

LumaPicture Decoder::MakeLuma(const AVFrame& frame) {
  if (scaler_ == nullptr || !scaler_->Fits(frame.width, frame.height)) {
    luma_size_ = AnalysisSize(frame.width, frame.height, options_.analysis_width);
    scaler_ = std::make_unique<LumaScaler>(frame.width, frame.height, luma_size_);
    // One cell wider: libswscale averages a little across the edge.
    luma_mask_ = options_.masks.Cover(luma_size_.width, luma_size_.height, 1);
  }
  LumaPicture luma;
  if (HasPlainLuma(frame.format)) {
    luma = scaler_->Scale(frame.data[0], frame.linesize[0]);
  } else {
    // 10-bit and packed formats are rare; libswscale knows them all.
    to_gray_.reset(sws_getCachedContext(to_gray_.release(), frame.width, frame.height,
                                        static_cast<AVPixelFormat>(frame.format), luma_size_.width,
                                        luma_size_.height, AV_PIX_FMT_GRAY8, SWS_AREA, nullptr,
                                        nullptr, nullptr));
    CORDON_CHECK(to_gray_ != nullptr, "libswscale converts every format that libavcodec gives");
    luma.width = luma_size_.width;
    luma.height = luma_size_.height;
    luma.pixels.resize(static_cast<size_t>(luma.width) * static_cast<size_t>(luma.height) + 64);
    uint8_t* rows[4] = {luma.pixels.data(), nullptr, nullptr, nullptr};
    const int strides[4] = {luma.width, 0, 0, 0};
    sws_scale(to_gray_.get(), frame.data, frame.linesize, 0, frame.height, rows, strides);
    luma.pixels.resize(static_cast<size_t>(luma.width) * static_cast<size_t>(luma.height));
  }
  MaskLuma(luma);
  return luma;
}

void Decoder::MaskLuma(LumaPicture& luma) {
  for (const MaskSpan& span : luma_mask_) {
    std::memset(luma.pixels.data() + static_cast<size_t>(span.y) * static_cast<size_t>(luma.width) +
                    static_cast<size_t>(span.begin),
                0, static_cast<size_t>(span.end - span.begin));
  }
}

}  // namespace cordon
