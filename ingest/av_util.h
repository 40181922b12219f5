// SPDX-License-Identifier: Apache-2.0
// What every user of FFmpeg in this folder shares: owning pointers, limits, deadlines, error texts,
// a quiet log.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <libswscale/swscale.h>
}

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"

namespace cordon::av {

// The largest block FFmpeg may allocate: an 8 Mpixel 4:2:0 picture needs 12 MiB, the index of a
// day-long file 26 MiB; a camera that announces gigabytes fails at once instead.
inline constexpr size_t kMaxAllocation = 48u * 1024 * 1024;
// The largest picture that is decoded (8192 x 4320).
inline constexpr int64_t kMaxPixels = 8192ll * 4320;

// Allocation cap, log redirection (to our log, addresses redacted), network and device
// registration. Idempotent, thread-safe; every entry point of this folder calls it.
void Init();

// "text" of an AVERROR code.
std::string ErrorText(int code);

// Replaces user and password in every "scheme://user:password@host" of `line` by "***".
std::string RedactUrls(std::string_view line);

// The interrupt callback of libavformat: fires when the armed time is over or when someone
// interrupts. The error code that FFmpeg then returns says nothing (ETIMEDOUT, EXIT, EIO,
// INVALIDDATA were all seen), so why() is the truth.
class Deadline {
 public:
  enum class Cause { kNone, kTimedOut, kInterrupted };
  explicit Deadline(const Clock& clock) : clock_(clock) {}
  void Arm(Milliseconds in);                      // owner thread
  void Disarm();                                  // owner thread; no limit until the next Arm
  void Interrupt() { interrupted_.store(true); }  // any thread, sticky
  bool interrupted() const { return interrupted_.load(); }
  Cause why() const { return cause_; }
  AVIOInterruptCB callback() { return {&Deadline::Poll, this}; }

 private:
  static int Poll(void* self);
  const Clock& clock_;
  std::atomic<bool> interrupted_{false};
  BootTime until_ = BootTime::max();
  Cause cause_ = Cause::kNone;
};

// Maps an AVERROR to the codes of packet_source.h; `what` is the phase and the place.
absl::Status StatusFrom(int code, std::string_view what);

struct FrameDeleter {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
using FramePointer = std::unique_ptr<AVFrame, FrameDeleter>;
struct CodecContextDeleter {
  void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
};
using CodecContextPtr = std::unique_ptr<AVCodecContext, CodecContextDeleter>;
struct SwsDeleter {
  void operator()(SwsContext* context) const { sws_freeContext(context); }
};
using SwsPtr = std::unique_ptr<SwsContext, SwsDeleter>;

}  // namespace cordon::av
