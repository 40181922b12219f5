// SPDX-License-Identifier: Apache-2.0
#include "ingest/adaptive_decoder.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace cordon {
namespace {

// The scene counts as busy for so long after the last sign of change.
constexpr Seconds kSettle{2};
// In full decode the scene is compared with itself this much earlier: slow movement adds up to
// something visible.
constexpr Milliseconds kLookEvery{800};
// Something came and went again, and the scene has looked for a moment as it did before: nothing
// needs to settle. Where analytics still follows something, full decode goes on whatever we see.
constexpr Milliseconds kGlanceEvery{200};
constexpr int kGlancesAsBefore = 3;
// A frame this old is not at the live edge: we are catching up from the ring and wait for the sink
// instead of displacing.
constexpr Milliseconds kCatchingUp{300};
// Longer key frame intervals make adaptive decode blind for too long, unless every rule waits
// longer anyway.
constexpr Milliseconds kLongestGop{4'200};

bool IsKey(const Packet& packet) { return (packet.av->flags & AV_PKT_FLAG_KEY) != 0; }
MediaTime MediaOf(const Packet& packet) {
  return MediaFromMicros(packet.av->pts != AV_NOPTS_VALUE ? packet.av->pts : packet.av->dts);
}

Milliseconds ShortestDwell(const proto::CameraConfig& camera) {
  double shortest = camera.rules().empty() ? 0 : 1e9;
  for (const proto::RuleConfig& rule : camera.rules())
    shortest = std::min(shortest, rule.dwell_s());
  return Milliseconds(static_cast<int64_t>(std::min(shortest, 1e6) * 1000));
}

}  // namespace

AdaptiveDecoder::AdaptiveDecoder(const proto::CameraConfig& camera, Masks masks,
                                 const PacketRing& ring, FrameSink& sink, const Clock& clock)
    : camera_(camera),
      masks_(std::move(masks)),
      ring_(ring),
      sink_(sink),
      clock_(clock),
      pacer_(camera.analysis_fps()),
      reduced_pacer_(camera.analysis_fps()) {}

absl::Status AdaptiveDecoder::Open(const StreamInfo& info, uint64_t first_sequence) {
  if (decoder_ != nullptr) {
    pictures_before_ += decoder_->pictures();
    errors_before_ += decoder_->errors();
  }
  DecoderOptions options{CameraId(camera_.id()), static_cast<int>(camera_.analysis_width()), masks_,
                         pictures_before_};
  absl::StatusOr<std::unique_ptr<Decoder>> decoder =
      Decoder::Make(*info.codec, std::move(options), clock_);
  if (!decoder.ok()) return decoder.status();
  decoder_ = *std::move(decoder);
  mode_ = camera_.decode() == proto::CameraConfig::DECODE_KEYFRAMES ? Mode::kQuiet : Mode::kFull;
  mode_reason_.clear();
  cursor_ = first_sequence;
  wake_edge_ = first_sequence;
  quiet_key_ = 0;
  pending_key_.reset();
  held_.clear();
  change_.Reset();
  quiet_scene_.Reset();
  last_key_media_.reset();
  key_frames_seen_ = 0;
  busy_run_ = 0;
  return absl::OkStatus();
}

void AdaptiveDecoder::NoteKeyFrame(const RingEntry& entry) {
  const MediaTime media = MediaOf(*entry.packet);
  ++key_frames_seen_;
  if (last_key_media_ && last_key_run_ == entry.packet->run && media > *last_key_media_) {
    key_interval_ = std::chrono::duration_cast<Milliseconds>(media - *last_key_media_);
  }
  last_key_media_ = media;
  last_key_run_ = entry.packet->run;
  if (!adaptive()) return;
  mode_reason_ =
      GopTooLong()
          ? fmt::format("decoded fully: a key frame only every {:.1f} s; set the camera to 2 s",
                        std::chrono::duration<double>(key_interval_).count())
          : "";
}

bool AdaptiveDecoder::GopTooLong() const {
  return key_interval_ > std::max(kLongestGop, ShortestDwell(camera_));
}

void AdaptiveDecoder::OnPacket(const RingEntry& entry) {
  if (decoder_ == nullptr) return;
  const bool key = IsKey(*entry.packet);
  if (key) NoteKeyFrame(entry);
  if (mode_ == Mode::kFull) {
    // What is usual for the quiet scene is learnt in its calm parts.
    const bool busy = busy_run_ != entry.packet->run || MediaOf(*entry.packet) <= busy_until_;
    if (!key && !busy) complexity_.Note(static_cast<size_t>(entry.packet->av->size), -1);
    return;
  }
  if (key) {
    if (pending_key_) ++counts_.shed;
    active_key_frames_ = active_.load() ? active_key_frames_ + 1 : 0;
    if (active_key_frames_ == 0) activated_.store(false);
    pending_key_ = entry;
    return;
  }
  ++counts_.skipped_quiet;
  if (!adaptive()) return;
  if (complexity_.Note(static_cast<size_t>(entry.packet->av->size), -1)) {
    ++counts_.wakes_by_packets;
    Wake(quiet_key_, "packets");
    still_until_ = wake_edge_;
  } else if (GopTooLong()) {
    Wake(ring_.KeyFrameAtOrBefore(entry.sequence), "long key frame interval");
  }
}

// Analytics sees more than we do, noise included. Each time its word alone woke us and nothing
// visible followed, it must hold for one key frame more, at most three.
bool AdaptiveDecoder::TrackIsBelieved() {
  if (!activated_.load() || (doubts_ > 0 && active_key_frames_ < doubts_)) return false;
  activated_.store(false);
  return true;
}

void AdaptiveDecoder::Wake(uint64_t from, std::string why) {
  log::Debug("full decode", {{"camera", camera_.id()}, {"why", why}});
  ++counts_.wakes;
  mode_ = Mode::kFull;
  pending_key_.reset();
  cursor_ = from;
  wake_edge_ = ring_.newest();
  still_until_ = 0;
  decoder_->Flush();
  change_.Reset();
  busy_run_ = 0;
  woken_by_track_ = false;
  saw_change_ = false;
  differed_ = false;
  differs_ = false;
  as_before_ = 0;
}

bool AdaptiveDecoder::MayCalmDown(const Packet& next) const {
  if (!adaptive() || key_frames_seen_ < 2 || GopTooLong() || active_.load() || triggered_.load())
    return false;
  if (!held_.empty()) return false;
  // On the way from the ring to what woke us, quiet pictures say nothing. Beyond it they do even when
  // we are late: an overloaded node must not be kept awake by its own backlog.
  if (LateBy(next.received) > kCatchingUp && cursor_ <= wake_edge_) return false;
  return busy_run_ == next.run && MediaOf(next) > busy_until_;
}

void AdaptiveDecoder::WorkQuiet(const RingEntry& key_frame) {
  decoder_->SendAlone(*key_frame.packet);
  while (std::optional<Picture> picture = decoder_->Take()) {
    ++counts_.decoded;
    if (picture->run == delivered_run_ && picture->times.media <= delivered_media_) continue;
    FramePtr frame = decoder_->Render(*picture);
    if (adaptive() && !frame->damaged && !quiet_scene_.Matches(frame->luma)) {
      // It began somewhere between the two key frames; this one is decoded again in its place.
      Wake(quiet_key_ != 0 ? quiet_key_ : key_frame.sequence, "change");
      still_until_ = key_frame.sequence - 1;
      return;
    }
    quiet_scene_.Update(frame->luma);
    Give(std::move(frame));
  }
  quiet_key_ = key_frame.sequence;
}

bool AdaptiveDecoder::Work(Milliseconds slice) {
  if (decoder_ == nullptr) return false;
  const BootTime until = clock_.Boot() + slice;
  if (mode_ == Mode::kQuiet) {
    if (adaptive() && TrackIsBelieved()) {
      Wake(quiet_key_, "live track");
      woken_by_track_ = true;
    } else if (adaptive() && triggered_.load()) {
      Wake(quiet_key_, "trigger");
    } else if (pending_key_) {
      const RingEntry key_frame = *std::exchange(pending_key_, std::nullopt);
      WorkQuiet(key_frame);
    }
  }
  while (mode_ == Mode::kFull && StepFull()) {
    if (clock_.Boot() >= until) return true;
  }
  counts_.errors = errors_before_ + decoder_->errors();
  return mode_ == Mode::kFull && (!held_.empty() || ring_.newest() >= cursor_);
}

bool AdaptiveDecoder::ReleaseHeld() {
  while (!held_.empty()) {
    const bool late = LateBy(held_.front()->times.received) > kCatchingUp;
    if (late && !sink_.HasRoom()) return false;
    Give(std::move(held_.front()));
    held_.pop_front();
  }
  return true;
}

Nanoseconds AdaptiveDecoder::LatenessLimit() const { return key_interval_ * 2 + Seconds(6); }

// One packet of full decode. False when there is nothing to do now.
bool AdaptiveDecoder::StepFull() {
  std::optional<RingEntry> entry = ring_.Find(cursor_);
  if (entry && LateBy(entry->packet->received) > LatenessLimit()) {
    SkipToNewest();
    entry = ring_.Find(cursor_);
  }
  if (!ReleaseHeld() || !entry) return false;
  if (entry->sequence != cursor_) {
    counts_.shed += entry->sequence - cursor_;
    decoder_->Flush();
    cursor_ = entry->sequence;
  }
  if (MayCalmDown(*entry->packet)) {
    CalmDown();
    return false;
  }
  DecodeNext(*entry);
  return true;
}

void AdaptiveDecoder::DecodeNext(const RingEntry& entry) {
  decoder_->Send(*entry.packet,
                 {.skippable = !pacer_.MayWant(entry.packet->run, MediaOf(*entry.packet)),
                  .deblock = !LooksStill(entry.sequence)});
  cursor_ = entry.sequence + 1;
  while (std::optional<Picture> picture = decoder_->Take()) {
    ++counts_.decoded;
    Deliver(*picture);
  }
}

void AdaptiveDecoder::CalmDown() {
  decoder_->Drain();
  while (std::optional<Picture> picture = decoder_->Take()) {
    ++counts_.decoded;
    Deliver(*picture);
  }
  while (!held_.empty()) {
    Give(std::move(held_.front()));
    held_.pop_front();
  }
  decoder_->ReleaseBuffers();
  mode_ = Mode::kQuiet;
  // What stayed belongs to the quiet scene from now on.
  if (as_before_ < kGlancesAsBefore) quiet_scene_ = change_;
  // All up to here was analysed: a wake before the next key frame begins with this one.
  quiet_key_ = ring_.KeyFrameAtOrBefore(cursor_);
  complexity_.Restart();
  if (woken_by_track_) doubts_ = saw_change_ ? 0 : std::min(doubts_ + 1, 3);
  active_key_frames_ = 0;
  // What has arrived meanwhile is heard as quiet packets are.
  std::optional<RingEntry> entry = ring_.Find(cursor_);
  while (entry && mode_ == Mode::kQuiet) {
    OnPacket(*entry);
    entry = ring_.Find(entry->sequence + 1);
  }
}

// Analysis cannot keep up, or this machine cannot: the oldest part of the backlog goes, counted.
void AdaptiveDecoder::SkipToNewest() {
  const uint64_t key = ring_.newest_key_frame();
  if (key <= cursor_) return;
  counts_.shed += key - cursor_ + held_.size();
  held_.clear();
  cursor_ = key;
  decoder_->Flush();
}

void AdaptiveDecoder::Deliver(const Picture& picture) {
  const MediaTime media = picture.times.media;
  if (picture.run == delivered_run_ && media <= delivered_media_)
    return;  // given before the scene woke up
  if (!pacer_.Wants(picture.run, media)) return;
  if (!reduced_pacer_.Wants(picture.run, media)) {
    ++counts_.shed;
    return;
  }
  FramePtr frame = decoder_->Render(picture);
  Look(*frame);
  const bool late = LateBy(frame->times.received) > kCatchingUp;
  if (!held_.empty() || (late && !sink_.HasRoom())) {
    held_.push_back(std::move(frame));
  } else {
    Give(std::move(frame));
  }
}

void AdaptiveDecoder::Look(const Frame& frame) {
  if (!adaptive()) return;
  const MediaTime media = frame.times.media;
  if (busy_run_ == frame.run && media - looked_ < kLookEvery && media >= looked_) {
    return Glance(frame);
  }
  looked_ = media;
  change_.Update(frame.luma);
  const bool asked = triggered_.exchange(false);
  activated_.store(false);  // awake already
  const bool new_run = busy_run_ != frame.run;
  saw_change_ = saw_change_ || (change_.changed() && !new_run);
  if (change_.changed() || asked || new_run) {
    busy_run_ = frame.run;
    busy_until_ = media + kSettle;
  }
  Glance(frame);
}

void AdaptiveDecoder::Glance(const Frame& frame) {
  const MediaTime media = frame.times.media;
  const bool due = media - glanced_ >= kGlanceEvery || media < glanced_;
  if (!due && !LooksStill(cursor_ - 1)) return;
  glanced_ = media;
  const bool matches = !frame.damaged && quiet_scene_.Matches(frame.luma);
  as_before_ = matches ? as_before_ + 1 : 0;
  differs_ = !matches;
  differed_ = differed_ || differs_;
  if (differed_ && as_before_ >= kGlancesAsBefore) busy_until_ = std::min(busy_until_, media);
}

void AdaptiveDecoder::Give(FramePtr frame) {
  delivered_run_ = frame->run;
  delivered_media_ = frame->times.media;
  ++counts_.delivered;
  if (observer_) observer_(frame);
  sink_.Put(std::move(frame));
}

void AdaptiveDecoder::Finish() {
  if (decoder_ == nullptr || mode_ != Mode::kFull) return;
  decoder_->Drain();
  while (std::optional<Picture> picture = decoder_->Take()) {
    ++counts_.decoded;
    Deliver(*picture);
  }
}

void AdaptiveDecoder::SetRateFactor(double factor) {
  reduced_pacer_.SetRate(camera_.analysis_fps() * factor);
}

}  // namespace cordon
