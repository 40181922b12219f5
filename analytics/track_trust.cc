// SPDX-License-Identifier: Apache-2.0
#include "analytics/track_trust.h"

#include <algorithm>
#include <cmath>

namespace cordon {
namespace {

// The course of a track is looked at in steps of this length, so that a box that trembles from
// frame to frame does not seem to wander.
constexpr Microseconds kSampleEvery = Milliseconds(240);
constexpr size_t kMostSamples = 20;
constexpr Microseconds kLeastCourse = Milliseconds(450);
constexpr float kSeenShare = 0.55F;  // of the pictures

// What an object must have covered, in heights of its box, and never less or more than a share of
// the picture's height: a box of a few pixels trembles by its own height, a near walker fills the
// picture.
constexpr float kHeights = 0.4F;
constexpr float kLeastWay = 0.03F;
constexpr float kMostWay = 0.2F;
constexpr float kStraight = 0.5F;
constexpr float kLeastWidth = 0.18F;  // of the height: less is the rim of something, or a line
constexpr float kLeastSide = 0.015F;  // and of the picture's height: some four pixels
// What the picture's border cuts must show more than what sways in and out behind it.
constexpr float kLeastShown = 0.05F;  // of the picture's height
constexpr float kAtBorder = 0.004F;
// ... for each track that came to nothing there in about a minute.
constexpr float kHeightsPerClutter = 0.2F;
constexpr float kMostHeights = 2;
constexpr float kStraightPerClutter = 0.05F;
constexpr float kMostStraight = 0.8F;
// ... while nothing is known of the place yet, and after a change of light.
constexpr float kYoungHeights = 0.7F;
constexpr Microseconds kYoungFor = Seconds(15);
// ... for each track that waits to be believed: many at once are no crowd but a tree.
constexpr float kYoungHeightsPerTrack = 0.25F;
constexpr float kYoungStraightPerTrack = 0.03F;
constexpr float kSuspectHeights = 1.5F;
constexpr Microseconds kSuspectFor = Milliseconds(2500);
constexpr Microseconds kSuspectBefore = Milliseconds(400);

constexpr double kClutterTau = 60;  // seconds
constexpr float kUnconfirmedWeight = 0.25F;
// One that lives on without going anywhere.
constexpr Microseconds kChargeEvery = Seconds(1);
constexpr float kLingeringWeight = 0.4F;
constexpr float kMostClutter = 30;

// What the pixels must say, by the clutter of the place and how many others are in doubt.
constexpr float kCalm = 2;
constexpr float kRestless = 6;
constexpr int kFewInDoubt = 4;
// Flakes, drops and insects scatter light: brighter than what is behind them, nearly all over.
constexpr float kAllBrighter = 0.7F;
// Flakes are believed before it is known that it snows; they do not live long.
constexpr Microseconds kMoment = Seconds(3);

// Enough of it to be more than a rim, a line, or the tip of something behind the picture's border.
bool ShowsEnough(const PictureBox& whole, float aspect) {
  const PictureBox box = ClampToPicture(whole);
  const float width = box.width * aspect;
  if (width < std::max(kLeastWidth * box.height, kLeastSide)) return false;
  const bool cut_aside = box.x < kAtBorder || box.x + box.width > 1 - kAtBorder;
  return !cut_aside || width >= kLeastShown;
}

}  // namespace

void TrackTrust::Reset() { records_.clear(); }

void TrackTrust::PictureChanged(MediaTime now) {
  suspect_until_ = now + kSuspectFor;
  for (auto& [id, record] : records_) {
    if (now - record.began < kSuspectBefore) record.suspect = true;
  }
}

bool TrackTrust::Believes(uint64_t track_id) const {
  const auto it = records_.find(track_id);
  return it != records_.end() && it->second.believed;
}

std::vector<uint64_t> TrackTrust::InDoubt(std::span<const Track> tracks) const {
  std::vector<uint64_t> ids;
  for (const Track& track : tracks) {
    if (track.confirmed && !Believes(track.id)) ids.push_back(track.id);
  }
  return ids;
}

void TrackTrust::Update(MediaTime now, float aspect, std::span<const Track> tracks,
                        const ObjectEvidence* evidence) {
  if (!running_) {
    running_ = true;
    began_ = now;
    decayed_ = now;
  }
  now_ = now;
  aspect_ = aspect;
  Decay();
  waiting_ = 0;
  for (const auto& [id, record] : records_) waiting_ += record.confirmed && !record.believed;
  size_of_others_ = weather_.SizeOfOthers(now);
  auto known = records_.begin();
  for (const Track& track : tracks) {
    // Both are ordered by id: whoever is passed over has ended.
    while (known != records_.end() && known->first < track.id) {
      End(known->second);
      known = records_.erase(known);
    }
    const bool is_new = known == records_.end() || known->first != track.id;
    if (is_new) known = records_.emplace_hint(known, track.id, Begun(track));
    Record& record = known->second;
    Follow(record, track);
    if (!record.believed && track.confirmed) {
      record.believed = GoesSomewhere(record, track) && IsThing(track, evidence);
    }
    if (!record.believed && track.confirmed && now - record.charged >= kChargeEvery) {
      record.charged = now;
      Charge(track.box, kLingeringWeight);
    }
    ++known;
  }
  while (known != records_.end()) {
    End(known->second);
    known = records_.erase(known);
  }
}

TrackTrust::Record TrackTrust::Begun(const Track& track) {
  weather_.Began(now_, track.box.centre());
  Record record;
  record.began = track.began;
  record.charged = now_;
  record.swept = track.box;
  record.suspect = now_ < suspect_until_;
  return record;
}

void TrackTrust::End(const Record& record) {
  const bool passed = now_ - record.began < kMoment;
  if (passed || !record.believed) weather_.Ended(record.last, aspect_);
  if (!record.believed) Charge(record.swept, record.confirmed ? 1 : kUnconfirmedWeight);
}

bool TrackTrust::LargerThanFlakes(const Track& track) const {
  return !size_of_others_ || WeatherWatch::SizeOf(track.box, aspect_) >= *size_of_others_;
}

// That flakes come to nothing here says little of what is larger than they are.
float TrackTrust::ClutterFor(const Track& track) const {
  const float clutter = ClutterAt(track.box);
  return size_of_others_ && LargerThanFlakes(track) ? std::min(clutter, kCalm) : clutter;
}

// None of the flakes or drops (small and bright), and no surface that only changes. Where
// much comes to nothing the pixels must be certain; where they do not decide, a calm place does.
bool TrackTrust::IsThing(const Track& track, const ObjectEvidence* evidence) const {
  const bool may_be_flake = !evidence || evidence->SignsOf(track.id).brighter > kAllBrighter;
  if (may_be_flake && !LargerThanFlakes(track)) return false;
  if (evidence == nullptr) return true;
  switch (evidence->Of(track.id)) {
    case ObjectEvidence::Verdict::kCertain:
      return true;
    case ObjectEvidence::Verdict::kThing:
      return ClutterFor(track) < kRestless;
    case ObjectEvidence::Verdict::kOpen:
      return ClutterFor(track) < kCalm && waiting_ <= kFewInDoubt;
    case ObjectEvidence::Verdict::kSurface:
      return false;
  }
  return false;
}

void TrackTrust::Follow(Record& record, const Track& track) const {
  ++record.pictures;
  record.confirmed = track.confirmed;
  if (!track.measured) return;
  ++record.measured;
  record.swept = Union(record.swept, track.box);
  record.last = track.box;
  // A box that jumped has not gone there.
  if (track.jumped) record.samples.clear();
  if (!record.samples.empty() && now_ - record.samples.back().time < kSampleEvery) return;
  if (record.samples.size() >= kMostSamples) record.samples.erase(record.samples.begin());
  record.samples.push_back({now_, track.box.centre()});
}

// The best stretch of its path that ends now. The box's centre, as a box that only grows or shrinks
// moves its edges, and the foot of one who enters from below stays at the picture's border.
bool TrackTrust::GoesSomewhere(const Record& record, const Track& track) const {
  if (static_cast<float>(record.measured) < kSeenShare * static_cast<float>(record.pictures))
    return false;
  const float clutter = ClutterFor(track);
  float heights = std::min(kHeights + kHeightsPerClutter * clutter, kMostHeights);
  float doubt = kStraightPerClutter * clutter;
  if (now_ - began_ < kYoungFor) {
    const auto waiting = static_cast<float>(waiting_);
    heights = std::max({heights, kYoungHeights, kYoungHeightsPerTrack * waiting});
    doubt = std::max(doubt, kYoungStraightPerTrack * waiting);
  }
  if (record.suspect) heights = std::max(heights, kSuspectHeights);
  const float straight = std::min(kStraight + doubt, kMostStraight);
  const float way = std::clamp(heights * track.box.height, kLeastWay, kMostWay);
  if (!ShowsEnough(track.box, aspect_)) return false;
  const PicturePoint here = track.box.centre();
  float wandered = 0;
  PicturePoint last = here;
  for (auto it = record.samples.rbegin(); it != record.samples.rend(); ++it) {
    wandered += Distance(last, it->centre, aspect_);
    last = it->centre;
    const float net = Distance(here, it->centre, aspect_);
    if (now_ - it->time >= kLeastCourse && net >= way && net >= straight * wandered) return true;
  }
  return false;
}

void TrackTrust::Decay() {
  const double passed = std::chrono::duration<double>(now_ - decayed_).count();
  if (passed < 1) return;
  decayed_ = now_;
  const auto keep = static_cast<float>(std::exp(-passed / kClutterTau));
  for (float& value : clutter_) value *= keep;
}

// The cells around are charged half: what sways has neighbours that do.
void TrackTrust::Charge(const PictureBox& swept, float weight) {
  const PixelRect inner = ToPixels(ClampToPicture(swept), kColumns, kRows);
  const PixelRect outer = {std::max(0, inner.x - 1), std::max(0, inner.y - 1),
                           std::min(kColumns, inner.x + inner.width + 1) - std::max(0, inner.x - 1),
                           std::min(kRows, inner.y + inner.height + 1) - std::max(0, inner.y - 1)};
  for (const PixelRect& cells : {inner, outer}) ChargeCells(cells, weight / 2);
}

void TrackTrust::ChargeCells(const PixelRect& cells, float weight) {
  for (int y = cells.y; y < cells.y + cells.height; ++y) {
    for (int x = cells.x; x < cells.x + cells.width; ++x) {
      float& value = clutter_[static_cast<size_t>(y * kColumns + x)];
      value = std::min(value + weight, kMostClutter);
    }
  }
}

float TrackTrust::ClutterAt(const PictureBox& box) const {
  const PixelRect cells = ToPixels(ClampToPicture(box), kColumns, kRows);
  float most = 0;
  for (int y = cells.y; y < cells.y + cells.height; ++y) {
    for (int x = cells.x; x < cells.x + cells.width; ++x) {
      most = std::max(most, clutter_[static_cast<size_t>(y * kColumns + x)]);
    }
  }
  return most;
}

}  // namespace cordon
