// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtp_timeline.h"

#include <algorithm>

namespace cordon {
namespace {

// Pictures of one stream are at most seconds apart; B-frames reach back by less than this.
constexpr Microseconds kJump{1'000'000};
// So many pictures with one timestamp over so long are a clock that stands still.
constexpr int kStuckPictures = 12;
constexpr Milliseconds kStuckFor{500};

Microseconds Between(BootTime from, BootTime to) {
  return std::chrono::duration_cast<Microseconds>(to - from);
}

}  // namespace

int64_t RtpTimeline::Unwrap(uint32_t timestamp) {
  return ticks_ + static_cast<int32_t>(timestamp - static_cast<uint32_t>(ticks_));
}

Microseconds RtpTimeline::ToMicroseconds(int64_t ticks) const {
  // Whole seconds first: ticks * 1,000,000 would overflow after some months.
  const int64_t rate = clock_rate_;
  return Microseconds(ticks / rate * 1'000'000 + ticks % rate * 1'000'000 / rate);
}

void RtpTimeline::StartRun(int64_t ticks, BootTime received) {
  if (started_) {
    ++run_;
    run_media_ = last_media_ + std::max(Between(last_received_, received), Microseconds(1));
  }
  started_ = true;
  broken_ = false;
  run_ticks_ = ticks;
  run_received_ = received;
  earliest_ = Microseconds(0);
  same_timestamp_ = 0;
  same_since_ = received;
}

bool RtpTimeline::Jumped(Microseconds media, BootTime received) const {
  if (media < last_media_ - kJump) return true;
  const Microseconds ahead = (media - run_media_) - Between(run_received_, received);
  return ahead > earliest_ + kJump;
}

RtpTimeline::Position RtpTimeline::FromArrival(BootTime received) {
  last_media_ =
      std::max(last_media_ + Microseconds(1), run_media_ + Between(run_received_, received));
  last_received_ = received;
  return {MediaTime(last_media_), run_, std::nullopt};
}

RtpTimeline::Position RtpTimeline::Place(uint32_t timestamp, BootTime received) {
  if (!started_) ticks_ = timestamp;
  const int64_t ticks = Unwrap(timestamp);
  if (started_ && ticks == ticks_) {
    if (++same_timestamp_ >= kStuckPictures && !stuck_ && received - same_since_ >= kStuckFor) {
      stuck_ = true;
      ++stats_.time_jumps;
      last_received_ = same_since_;  // what passed since then is made up for
      StartRun(ticks, received);
    }
  } else {
    same_timestamp_ = 0;
    same_since_ = received;
  }
  if (stuck_) return FromArrival(received);
  if (!started_ || broken_) {
    if (started_) ++stats_.time_jumps;
    StartRun(ticks, received);
  }
  Microseconds media = run_media_ + ToMicroseconds(ticks - run_ticks_);
  if (Jumped(media, received)) {
    ++stats_.time_jumps;
    StartRun(ticks, received);
    media = run_media_;
  }
  earliest_ = std::max(earliest_, (media - run_media_) - Between(run_received_, received));
  ticks_ = ticks;
  last_media_ = media;
  last_received_ = received;
  return {MediaTime(media), run_, CameraTime(timestamp)};
}

std::optional<WallTime> RtpTimeline::CameraTime(uint32_t timestamp) const {
  if (!report_wall_) return std::nullopt;
  return *report_wall_ + ToMicroseconds(static_cast<int32_t>(timestamp - report_->timestamp));
}

void RtpTimeline::OnSenderReport(const SenderReport& report) {
  ++stats_.sender_reports;
  const std::optional<WallTime> wall = report.Wall();
  if (wall && report_wall_) {
    const Microseconds off = *wall - *CameraTime(report.timestamp);
    if (off > kJump || off < -kJump) ++stats_.camera_clock_steps;
  }
  report_ = report;
  report_wall_ = wall;
}

}  // namespace cordon
