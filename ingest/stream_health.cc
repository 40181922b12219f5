// SPDX-License-Identifier: Apache-2.0
#include "ingest/stream_health.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

extern "C" {
#include <libavcodec/avcodec.h>
}

#include "absl/time/time.h"
#include "base/log.h"
#include "base/status.h"

namespace cordon {
namespace {

using Change = DampedCondition::Change;

constexpr Milliseconds kLostAfter{4'000};  // shown and raised within 5 s
constexpr Milliseconds kRestoredAfter{3'000};
constexpr Milliseconds kStalledAfter{2'500};
constexpr Seconds kUnstableWindow{600};
constexpr size_t kUnstableLosses = 4;
constexpr Seconds kStableAfter{300};
constexpr Milliseconds kFrozenAfter{8'000};
constexpr uint64_t kFrozenPictures = 3;  // equal pictures beside the first
constexpr int64_t kClockOffsetLimitUs = 5'000'000;
constexpr int64_t kMediaDriftLimitUs = 2'000'000;
constexpr Seconds kRateWarmUp{30};

uint64_t HashOf(const LumaPicture& luma) {
  // FNV-1a over 64-bit words: only equality of whole pictures matters.
  uint64_t hash = 1469598103934665603ull;
  size_t i = 0;
  for (; i + 8 <= luma.pixels.size(); i += 8) {
    uint64_t word = 0;
    std::copy_n(luma.pixels.data() + i, 8, reinterpret_cast<uint8_t*>(&word));
    hash = (hash ^ word) * 1099511628211ull;
  }
  return hash;
}

int64_t AgeMs(const std::optional<BootTime>& at, BootTime now) {
  return at ? std::chrono::duration_cast<Milliseconds>(now - *at).count() : -1;
}

}  // namespace

Change DampedCondition::Update(bool holds, BootTime now) {
  if (holds == raised_) {
    differs_since_.reset();
    return Change::kNone;
  }
  if (!differs_since_) differs_since_ = now;
  if (now - *differs_since_ < (raised_ ? clear_after_ : raise_after_)) return Change::kNone;
  raised_ = holds;
  differs_since_.reset();
  return raised_ ? Change::kRaised : Change::kCleared;
}

void RateMeter::Add(BootTime at, size_t bytes) {
  const int64_t second = std::chrono::floor<Seconds>(at.time_since_epoch()).count();
  if (first_second_ < 0) first_second_ = second;
  Bucket& bucket = buckets_[static_cast<size_t>(second % kBuckets)];
  if (bucket.second != second) bucket = {second, 0, 0};
  ++bucket.count;
  bucket.bytes += bytes;
}

template <class Get>
double RateMeter::Mean(BootTime now, Get get) const {
  const int64_t second = std::chrono::floor<Seconds>(now.time_since_epoch()).count();
  const int64_t seconds = std::min(kBuckets - 1, second - first_second_);
  if (first_second_ < 0 || seconds <= 0) return 0;
  uint64_t sum = 0;
  for (const Bucket& bucket : buckets_) {
    if (bucket.second >= second - seconds && bucket.second < second) sum += get(bucket);
  }
  return static_cast<double>(sum) / static_cast<double>(seconds);
}

double RateMeter::PerSecond(BootTime now) const {
  return Mean(now, [](const Bucket& b) { return b.count; });
}
double RateMeter::BytesPerSecond(BootTime now) const {
  return Mean(now, [](const Bucket& b) { return b.bytes; });
}

StreamHealth::StreamHealth(const proto::CameraConfig& camera, const Clock& clock)
    : camera_(camera),
      clock_(clock),
      began_(clock.Boot()),
      lost_(Milliseconds(0), kRestoredAfter),
      no_key_frame_(Milliseconds(0), Milliseconds(1'000)),
      slow_(Seconds(10), Seconds(10)),
      thin_(Seconds(10), Seconds(10)),
      frozen_(Milliseconds(0), Milliseconds(1'000)),
      drifts_(Seconds(10), Seconds(30)) {}

void StreamHealth::Connecting() {
  absl::MutexLock lock(&mutex_);
  connected_ = false;
}

void StreamHealth::Opened(const StreamInfo& info) {
  absl::MutexLock lock(&mutex_);
  connected_ = true;
  ++connections_;
  cause_.reset();
  reason_.clear();
  authentication_failed_ = false;
  authentication_reported_ = false;
  codec_ = avcodec_get_name(info.codec->codec_id);
  run_ = 0;
  last_key_frame_.reset();
  rates_began_ = clock_.Boot();
  picture_changed_ = clock_.Boot();
  same_pictures_ = 0;
}

void StreamHealth::PacketArrived(const Packet& packet) {
  absl::MutexLock lock(&mutex_);
  last_packet_ = packet.received;
  received_.Add(packet.received, static_cast<size_t>(packet.av->size));
  if ((packet.av->flags & AV_PKT_FLAG_KEY) != 0) {
    if (last_key_frame_) {
      const auto interval =
          std::chrono::duration_cast<Milliseconds>(packet.received - *last_key_frame_);
      key_frame_interval_ = (key_frame_interval_ * 3 + interval) / 4;
    }
    last_key_frame_ = packet.received;
  }
  media_us_ = packet.av->pts != AV_NOPTS_VALUE ? packet.av->pts : packet.av->dts;
  media_offset_us_ = ToNanos(packet.received) / 1000 - media_us_;
  if (packet.run != run_) {
    run_ = packet.run;
    first_media_offset_us_ = media_offset_us_;
  }
  if (packet.camera) wall_offset_us_ = ToMicros(*packet.camera) - ToMicros(packet.received_wall);
}

void StreamHealth::FrameMade(const Frame& frame) {
  const uint64_t hash = HashOf(frame.luma);
  absl::MutexLock lock(&mutex_);
  analysed_.Add(clock_.Boot(), 0);
  width_ = static_cast<uint32_t>(frame.source_width);
  height_ = static_cast<uint32_t>(frame.source_height);
  if (hash == picture_hash_) {
    ++same_pictures_;
    return;
  }
  picture_hash_ = hash;
  same_pictures_ = 0;
  picture_changed_ = clock_.Boot();
}

void StreamHealth::FramesShed(uint64_t count) {
  absl::MutexLock lock(&mutex_);
  shed_ += count;
}

void StreamHealth::Shedding(double fps, std::vector<std::string> weakened_rules) {
  absl::MutexLock lock(&mutex_);
  const bool sheds = fps > 0;
  const bool shed_before = shedding_fps_ > 0;
  if (sheds && !shed_before) shedding_since_ = clock_.Wall();
  const bool news = sheds != shed_before || weakened_rules != weakened_;
  shedding_fps_ = fps;
  weakened_ = std::move(weakened_rules);
  if (!news) return;
  if (sheds) {
    log::Warning("frames are shed", {{"camera", camera_.id()}, {"state", SheddingLocked()}});
  } else {
    log::Info("frames are shed no longer", {{"camera", camera_.id()}});
  }
}

// "at 2.0 fps since 10:02 UTC; rules weakened: line-3"
std::string StreamHealth::SheddingLocked() const {
  const absl::Time since = absl::FromUnixMicros(ToMicros(shedding_since_));
  return fmt::format("at {:.1f} fps since {} UTC; rules weakened: {}", shedding_fps_,
                     absl::FormatTime("%H:%M", since, absl::UTCTimeZone()),
                     weakened_.empty() ? "none" : fmt::format("{}", fmt::join(weakened_, ", ")));
}

void StreamHealth::DecodeMode(const std::string& mode, const std::string& why) {
  absl::MutexLock lock(&mutex_);
  mode_ = mode;
  mode_why_ = why;
}

void StreamHealth::ConnectionEnded(LossCause cause, const std::string& reason) {
  absl::MutexLock lock(&mutex_);
  connected_ = false;
  cause_ = cause;
  reason_ = reason;
  if (cause == LossCause::kAuthentication) authentication_failed_ = true;
}

void StreamHealth::FileEnded(const std::string& reason) {
  absl::MutexLock lock(&mutex_);
  connected_ = false;
  ended_ = true;
  reason_ = reason;
}

proto::StreamState StreamHealth::StateLocked(BootTime now) const {
  if (ended_) return proto::STREAM_STATE_ENDED;
  if (authentication_failed_) return proto::STREAM_STATE_AUTHENTICATION_FAILED;
  if (connected_) {
    const BootTime since = last_packet_ ? std::max(*last_packet_, rates_began_) : rates_began_;
    if (last_packet_ && now - since < kStalledAfter) return proto::STREAM_STATE_LIVE;
    return now - since < kStalledAfter ? proto::STREAM_STATE_CONNECTING
                                       : proto::STREAM_STATE_STALLED;
  }
  return cause_ ? proto::STREAM_STATE_LOST : proto::STREAM_STATE_CONNECTING;
}

std::string StreamHealth::ReasonLocked(BootTime now) const {
  switch (StateLocked(now)) {
    case proto::STREAM_STATE_LIVE:
      return shedding_fps_ > 0 ? SheddingLocked() : mode_why_;
    case proto::STREAM_STATE_STALLED:
      return last_packet_ ? fmt::format("connected, but nothing came for {:.1f} s",
                                        static_cast<double>(AgeMs(last_packet_, now)) / 1000)
                          : "connected, but nothing came yet";
    case proto::STREAM_STATE_CONNECTING:
      return "connecting";
    default:
      return reason_;
  }
}

proto::CameraHealth StreamHealth::Snapshot() const {
  absl::MutexLock lock(&mutex_);
  const BootTime now = clock_.Boot();
  proto::CameraHealth health;
  health.set_camera_id(camera_.id());
  health.set_state(StateLocked(now));
  health.set_reason(ReasonLocked(now));
  health.set_last_packet_age_ms(AgeMs(last_packet_, now));
  health.set_last_key_frame_age_ms(AgeMs(last_key_frame_, now));
  health.set_received_fps(received_.PerSecond(now));
  health.set_analysed_fps(analysed_.PerSecond(now));
  health.set_bitrate_kbps(received_.BytesPerSecond(now) * 8 / 1000);
  health.set_decode_mode(mode_);
  health.set_width(width_);
  health.set_height(height_);
  health.set_frames_shed(shed_);
  for (const std::string& rule : weakened_) health.add_weakened_rules(rule);
  health.set_reconnects(connections_ > 0 ? connections_ - 1 : 0);
  health.set_codec(codec_);
  return health;
}

proto::Event StreamHealth::EventLocked(proto::EventKind kind, proto::RuleConfig::Severity severity,
                                       const std::string& detail) const {
  proto::Event event;
  event.set_camera_id(camera_.id());
  event.set_rule_id("stream");
  event.set_kind(kind);
  event.set_severity(severity);
  event.set_media_time_us(media_us_);
  event.set_began_media_time_us(media_us_);
  event.set_detail(detail);
  event.mutable_place()->set_lat(camera_.lat());
  event.mutable_place()->set_lon(camera_.lon());
  return event;
}

void StreamHealth::Report(DampedCondition& condition, bool holds, BootTime now,
                          proto::EventKind kind, const std::string& raised,
                          const std::string& cleared, std::vector<proto::Event>& events) {
  const Change change = condition.Update(holds, now);
  if (change == Change::kRaised)
    events.push_back(EventLocked(kind, proto::RuleConfig::SEVERITY_MEDIUM, raised));
  if (change == Change::kCleared) {
    events.push_back(
        EventLocked(proto::EVENT_KIND_STREAM_RESTORED, proto::RuleConfig::SEVERITY_INFO, cleared));
  }
}

void StreamHealth::TickLossLocked(BootTime now, std::vector<proto::Event>& events) {
  if (authentication_failed_ && !authentication_reported_) {
    authentication_reported_ = true;
    events.push_back(EventLocked(proto::EVENT_KIND_AUTHENTICATION_FAILED,
                                 proto::RuleConfig::SEVERITY_HIGH, reason_));
  }
  while (!losses_.empty() && now - losses_.front() > kUnstableWindow) losses_.pop_front();
  if (unstable_ && !lost_.raised() && (losses_.empty() || now - losses_.back() > kStableAfter)) {
    unstable_ = false;
    losses_.clear();
    events.push_back(EventLocked(proto::EVENT_KIND_STREAM_RESTORED,
                                 proto::RuleConfig::SEVERITY_INFO,
                                 "the connection is stable again"));
  }
  const BootTime since = last_packet_ ? *last_packet_ : began_;
  const bool lost = !ended_ && now - since > kLostAfter;
  const Change change = lost_.Update(lost, now);
  if (change == Change::kRaised) {
    losses_.push_back(now);
    if (!unstable_ && losses_.size() >= kUnstableLosses) {
      unstable_ = true;
      events.push_back(
          EventLocked(proto::EVENT_KIND_STREAM_DEGRADED, proto::RuleConfig::SEVERITY_HIGH,
                      fmt::format("unstable: lost {} times in 10 minutes; check network and power",
                                  losses_.size())));
    }
    if (unstable_ || authentication_failed_) return;
    loss_reported_ = true;
    const std::string why = reason_.empty() ? ReasonLocked(now) : reason_;
    events.push_back(EventLocked(proto::EVENT_KIND_STREAM_LOST, proto::RuleConfig::SEVERITY_HIGH,
                                 "no video: " + why));
  } else if (change == Change::kCleared && loss_reported_) {
    loss_reported_ = false;
    events.push_back(EventLocked(proto::EVENT_KIND_STREAM_RESTORED,
                                 proto::RuleConfig::SEVERITY_INFO, "video is back"));
  }
}

void StreamHealth::TickRatesLocked(BootTime now, std::vector<proto::Event>& events) {
  const bool live = StateLocked(now) == proto::STREAM_STATE_LIVE;
  const Milliseconds patience = std::max<Milliseconds>(Seconds(10), key_frame_interval_ * 4);
  const BootTime key_since = last_key_frame_ ? *last_key_frame_ : rates_began_;
  Report(no_key_frame_, live && now - key_since > patience, now, proto::EVENT_KIND_STREAM_DEGRADED,
         fmt::format("no key frame for {} s; set the camera's key frame interval to 2 s",
                     std::chrono::duration_cast<Seconds>(now - key_since).count()),
         "key frames are back", events);
  if (!live || now - rates_began_ < Seconds(6)) return;
  const double fps = received_.PerSecond(now);
  const double bytes = received_.BytesPerSecond(now);
  const bool known = now - rates_began_ > kRateWarmUp;
  Report(
      slow_, known && fps < usual_fps_ * 0.5, now, proto::EVENT_KIND_STREAM_DEGRADED,
      fmt::format("{:.1f} pictures a second instead of {:.1f}; check the camera's load and network",
                  fps, usual_fps_),
      "picture rate is back", events);
  Report(thin_, known && bytes < usual_bytes_ * 0.1, now, proto::EVENT_KIND_STREAM_DEGRADED,
         fmt::format("{:.0f} kbit/s instead of {:.0f}; check what the camera shows",
                     bytes * 8 / 1000, usual_bytes_ * 8 / 1000),
         "bit rate is back", events);
  // What is usual follows slowly, and not while it is bad.
  if (now - rates_updated_ < Seconds(1) || slow_.raised() || thin_.raised()) return;
  rates_updated_ = now;
  const double pull = known ? 0.01 : 0.3;
  usual_fps_ += (fps - usual_fps_) * (usual_fps_ == 0 ? 1 : pull);
  usual_bytes_ += (bytes - usual_bytes_) * (usual_bytes_ == 0 ? 1 : pull);
}

void StreamHealth::TickPictureLocked(BootTime now, std::vector<proto::Event>& events) {
  const bool live = StateLocked(now) == proto::STREAM_STATE_LIVE;
  const bool frozen =
      live && same_pictures_ >= kFrozenPictures && now - picture_changed_ > kFrozenAfter;
  Report(frozen_, frozen, now, proto::EVENT_KIND_TAMPER_FROZEN,
         fmt::format("frozen: the same picture for {} s while packets come; restart the camera",
                     std::chrono::duration_cast<Seconds>(now - picture_changed_).count()),
         "the picture moves again", events);
}

void StreamHealth::TickClockLocked(BootTime now, std::vector<proto::Event>& events) {
  if (StateLocked(now) != proto::STREAM_STATE_LIVE) return;
  const int64_t drift_us = media_offset_us_ - first_media_offset_us_;
  const bool wall_off = wall_offset_us_ && std::llabs(*wall_offset_us_) > kClockOffsetLimitUs;
  const bool drifts = std::llabs(drift_us) > kMediaDriftLimitUs;
  const std::string text =
      wall_off ? fmt::format("the camera's clock is {:.1f} s {}; give it a time server",
                             std::abs(static_cast<double>(*wall_offset_us_)) / 1e6,
                             *wall_offset_us_ > 0 ? "fast" : "slow")
               : fmt::format("the camera's time stamps drifted by {:.1f} s",
                             static_cast<double>(drift_us) / 1e6);
  Report(drifts_, wall_off || drifts, now, proto::EVENT_KIND_STREAM_DEGRADED, text,
         "the camera's clock is right again", events);
}

std::vector<proto::Event> StreamHealth::Tick() {
  absl::MutexLock lock(&mutex_);
  const BootTime now = clock_.Boot();
  std::vector<proto::Event> events;
  TickLossLocked(now, events);
  TickRatesLocked(now, events);
  TickPictureLocked(now, events);
  TickClockLocked(now, events);
  return events;
}

}  // namespace cordon
