// SPDX-License-Identifier: Apache-2.0
#include "ingest/mask_encoder.h"

extern "C" {
#include <libavutil/opt.h>
}

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "ingest/decoded_picture.h"

namespace cordon {
namespace {

// Evidence quality at a speed that one clip cannot hold up a node with.
constexpr const char* kPreset = "veryfast";
constexpr const char* kQuality = "23";
constexpr int kGop = 50;

}  // namespace

absl::StatusOr<std::unique_ptr<MaskEncoder>> MaskEncoder::Make(const AVCodecParameters& codec,
                                                               Masks masks, const Clock& clock,
                                                               Output output) {
  DecoderOptions options;
  options.masks = std::move(masks);
  ASSIGN_OR_RETURN(auto decoder, Decoder::Make(codec, std::move(options), clock));
  return std::unique_ptr<MaskEncoder>(new MaskEncoder(std::move(decoder), std::move(output)));
}

absl::Status MaskEncoder::OpenEncoder(const AVFrame& frame) {
  const AVCodec* implementation = avcodec_find_encoder_by_name("libx264");
  if (implementation == nullptr) {
    return absl::UnavailableError(
        "this FFmpeg has no libx264, which clips with privacy masks need");
  }
  encoder_.reset(avcodec_alloc_context3(implementation));
  CORDON_CHECK(encoder_ != nullptr, "out of memory");
  encoder_->width = frame.width & ~1;
  encoder_->height = frame.height & ~1;
  encoder_->pix_fmt = AV_PIX_FMT_YUV420P;
  encoder_->time_base = AVRational{1, 1'000'000};
  encoder_->framerate = AVRational{25, 1};
  encoder_->gop_size = kGop;
  encoder_->max_b_frames = 0;
  encoder_->thread_count = 1;
  encoder_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  encoder_->color_range = frame.color_range;
  encoder_->colorspace = frame.colorspace;
  av_opt_set(encoder_->priv_data, "preset", kPreset, 0);
  av_opt_set(encoder_->priv_data, "crf", kQuality, 0);
  if (const int code = avcodec_open2(encoder_.get(), implementation, nullptr); code < 0) {
    return absl::InternalError(fmt::format("cannot open libx264: {}", av::ErrorText(code)));
  }
  coded_.reset(avcodec_parameters_alloc());
  CORDON_CHECK(
      coded_ != nullptr && avcodec_parameters_from_context(coded_.get(), encoder_.get()) >= 0,
      "out of memory");
  return absl::OkStatus();
}

absl::Status MaskEncoder::Encode(const Picture& picture) {
  av::FramePointer frame = WritableCopy(*picture.av);
  CORDON_CHECK(frame != nullptr, "out of memory");
  BurnMasks(decoder_->options().masks, *frame);
  if (frame->format == AV_PIX_FMT_YUVJ420P) frame->format = AV_PIX_FMT_YUV420P;
  if (frame->format != AV_PIX_FMT_YUV420P) {
    av::FramePointer plain(av_frame_alloc());
    plain->format = AV_PIX_FMT_YUV420P;
    plain->width = frame->width;
    plain->height = frame->height;
    if (av_frame_get_buffer(plain.get(), 0) < 0) return absl::InternalError("out of memory");
    av::SwsPtr convert(sws_getContext(
        frame->width, frame->height, static_cast<AVPixelFormat>(frame->format), frame->width,
        frame->height, AV_PIX_FMT_YUV420P, SWS_BILINEAR, nullptr, nullptr, nullptr));
    if (convert == nullptr) return absl::InternalError("the picture cannot be converted");
    sws_scale(convert.get(), frame->data, frame->linesize, 0, frame->height, plain->data,
              plain->linesize);
    frame = std::move(plain);
  }
  if (encoder_ == nullptr) RETURN_IF_ERROR(OpenEncoder(*frame));
  if ((frame->width & ~1) != encoder_->width || (frame->height & ~1) != encoder_->height) {
    return absl::OutOfRangeError("the picture's size changed");
  }
  frame->width = encoder_->width;
  frame->height = encoder_->height;
  int64_t at_us = ToMicros(picture.times.media);
  if (!run_ || *run_ != picture.run) {
    shift_us_ = (run_ ? last_us_ + 40'000 : 0) - at_us;
    run_ = picture.run;
  }
  at_us = std::max(at_us + shift_us_, last_us_ + 1'000);
  last_us_ = at_us;
  frame->pts = at_us;
  frame->pict_type = AV_PICTURE_TYPE_NONE;
  if (const int code = avcodec_send_frame(encoder_.get(), frame.get()); code < 0) {
    return absl::InternalError(fmt::format("encoding: {}", av::ErrorText(code)));
  }
  return Collect();
}

absl::Status MaskEncoder::Collect() {
  while (true) {
    Packet packet;
    packet.av.reset(av_packet_alloc());
    CORDON_CHECK(packet.av != nullptr, "out of memory");
    const int code = avcodec_receive_packet(encoder_.get(), packet.av.get());
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return absl::OkStatus();
    if (code < 0) return absl::InternalError(fmt::format("encoding: {}", av::ErrorText(code)));
    RETURN_IF_ERROR(output_(*coded_, packet));
  }
}

absl::Status MaskEncoder::Write(const Packet& packet) {
  decoder_->Send(packet);
  while (std::optional<Picture> picture = decoder_->Take()) RETURN_IF_ERROR(Encode(*picture));
  return absl::OkStatus();
}

absl::Status MaskEncoder::Finish() {
  decoder_->Drain();
  while (std::optional<Picture> picture = decoder_->Take()) RETURN_IF_ERROR(Encode(*picture));
  if (encoder_ == nullptr) return absl::DataLossError("no picture could be decoded");
  avcodec_send_frame(encoder_.get(), nullptr);
  return Collect();
}

}  // namespace cordon
