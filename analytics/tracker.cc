// SPDX-License-Identifier: Apache-2.0
#include "analytics/tracker.h"

#include <algorithm>
#include <cmath>

#include "analytics/assignment.h"
#include "base/check.h"
#include "base/limits.h"

namespace cordon {
namespace {

// Gates: a pair beyond one of them is never matched.
constexpr float kMostSigmas = 4;        // of the predicted place
constexpr float kMostSizeRatio = 2.2F;  // of the heights
constexpr float kMostHeights = 3;       // distance, whatever the filter's uncertainty
constexpr float kNearOverlap = 0.3F;    // from this overlap on the place is near enough
// Closer ones for weak detections: many of them are parts, doubles or clutter.
constexpr float kWeakOverlap = 0.4F;
constexpr float kWeakSizeRatio = 1.6F;
// A weak detection shares this much with a confident one: the same object.
constexpr float kSameWeak = 0.4F;
// Noise of a detection whose score is nothing, less one, in units of a confident one's.
constexpr float kWeakDoubt = 4;
// Weights of the cost's parts; they add up to 1.
constexpr float kDistanceWeight = 0.45F;
constexpr float kOverlapWeight = 0.35F;
constexpr float kSizeWeight = 0.20F;
constexpr float kOtherClass = 0.1F;  // a model wavers: possible, never preferred
// A detection that covers a known object this much does not start another.
constexpr float kSameObject = 0.6F;
constexpr float kVoteDecay = 0.97F;
constexpr Microseconds kSampleEvery = Milliseconds(300);  // of one track, for the size prior

// Weak detections that do not show again what a confident one shows.
std::vector<size_t> WeakOnes(std::span<const Detection> detections,
                             const std::vector<size_t>& weak,
                             const std::vector<size_t>& confident) {
  std::vector<size_t> kept;
  for (const size_t w : weak) {
    const bool again = std::any_of(confident.begin(), confident.end(), [&](size_t c) {
      return Iou(detections[w].box, detections[c].box) > kSameWeak;
    });
    if (!again) kept.push_back(w);
  }
  return kept;
}

}  // namespace

void AddToPath(std::vector<TrackPoint>& path, const TrackPoint& point) {
  path.push_back(point);
  if (path.size() <= limits::kMaxPathPoints) return;
  // Every second of the older half goes: recent steps stay fine.
  std::vector<TrackPoint> kept;
  kept.reserve(limits::kMaxPathPoints);
  const size_t half = path.size() / 2;
  for (size_t i = 0; i < path.size(); ++i) {
    if (i >= half || i % 2 == 0) kept.push_back(path[i]);
  }
  path = std::move(kept);
}

void Tracker::Reset() {
  tracks_.clear();
  objects_.clear();
}

const std::vector<Track>& Tracker::Update(MediaTime time, std::span<const Detection> detections,
                                          float aspect) {
  CORDON_CHECK(aspect > 0, "a picture has a width");
  aspect_ = aspect;
  PredictAll(time);
  std::vector<bool> used(detections.size(), false);
  std::vector<size_t> confident, weak;
  for (size_t i = 0; i < detections.size(); ++i) {
    if (detections[i].box.area() <= 0) continue;
    if (Confident(detections[i])) {
      confident.push_back(i);
    } else if (detections[i].score >= options_.least_score) {
      weak.push_back(i);
    }
  }
  weak = WeakOnes(detections, weak, confident);
  Match(detections, confident, true, used);
  Match(detections, weak, true, used);
  Match(detections, confident, false, used);
  Match(detections, weak, false, used);
  StartTracks(detections, confident, used);
  Finish();
  return tracks_;
}

void Tracker::PredictAll(MediaTime time) {
  now_ = time;
  for (size_t i = 0; i < tracks_.size(); ++i) {
    objects_[i].filter.Predict(time, tracks_[i].measured);
    tracks_[i].measured = false;
    tracks_[i].jumped = false;
  }
}

float Tracker::Cost(size_t index, const Detection& detection) const {
  const auto [sigmas, heights, overlap, ratio] = objects_[index].filter.Compare(detection.box);
  const bool far = sigmas > kMostSigmas || heights > kMostHeights;
  if ((far && overlap < kNearOverlap) || ratio > kMostSizeRatio) return CostMatrix::kForbidden;
  if (!Confident(detection) && (overlap < kWeakOverlap || ratio > kWeakSizeRatio))
    return CostMatrix::kForbidden;
  const float other_class =
      tracks_[index].object_class == detection.object_class ? 0 : kOtherClass;
  return kDistanceWeight * std::min(1.0F, sigmas / kMostSigmas) + kOverlapWeight * (1 - overlap) +
         kSizeWeight * (std::log(ratio) / std::log(kMostSizeRatio)) + other_class;
}

void Tracker::Match(std::span<const Detection> detections, const std::vector<size_t>& candidates,
                    bool confirmed, std::vector<bool>& used) {
  std::vector<size_t> rows, columns;
  for (size_t i = 0; i < tracks_.size(); ++i) {
    if (!tracks_[i].measured && tracks_[i].confirmed == confirmed) rows.push_back(i);
  }
  for (const size_t i : candidates) {
    if (!used[i]) columns.push_back(i);
  }
  if (rows.empty() || columns.empty()) return;
  CostMatrix costs(rows.size(), columns.size());
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t c = 0; c < columns.size(); ++c) {
      costs.at(r, c) = Cost(rows[r], detections[columns[c]]);
    }
  }
  const std::vector<int> match = Assign(costs);
  for (size_t r = 0; r < rows.size(); ++r) {
    if (match[r] < 0) continue;
    const size_t detection = columns[static_cast<size_t>(match[r])];
    used[detection] = true;
    Take(rows[r], detections[detection]);
  }
}

void Tracker::Take(size_t index, const Detection& detection) {
  Track& track = tracks_[index];
  Object& object = objects_[index];
  const float lacking = std::max(0.0F, 1 - detection.score / options_.confident_score);
  track.jumped = object.filter.Correct(detection.box, 1 + kWeakDoubt * lacking);
  track.measured = true;
  track.seen = now_;
  track.score = detection.score;
  bool known = false;
  for (auto& [name, votes] : object.votes) {
    votes *= kVoteDecay;
    if (name == detection.object_class) {
      votes += detection.score;
      known = true;
    }
  }
  if (!known) object.votes.emplace_back(detection.object_class, detection.score);
}

bool Tracker::IsKnown(const Detection& detection, size_t tracks) const {
  for (size_t i = 0; i < tracks; ++i) {
    if (tracks_[i].measured && Iou(objects_[i].filter.box(), detection.box) > kSameObject)
      return true;
  }
  return false;
}

void Tracker::StartTracks(std::span<const Detection> detections,
                          const std::vector<size_t>& candidates, const std::vector<bool>& used) {
  const size_t known = tracks_.size();
  for (const size_t d : candidates) {
    const Detection& detection = detections[d];
    if (used[d] || IsKnown(detection, known)) continue;
    Track track;
    track.id = next_id_++;
    track.began = now_;
    track.seen = now_;
    track.measured = true;
    track.score = detection.score;
    tracks_.push_back(std::move(track));
    objects_.push_back({ObjectFilter(detection.box, now_, aspect_, options_.motion), MediaTime{},
                        detection.box.foot(), {{detection.object_class, detection.score}}});
  }
}

bool Tracker::IsOver(const Track& track, const ObjectFilter& filter) const {
  const Microseconds patience = track.confirmed ? options_.keep_lost : options_.confirm_after;
  return now_ - track.seen > patience || filter.outside();
}

void Tracker::Describe(Track& track, const Object& object) const {
  const ObjectFilter& filter = object.filter;
  track.box = track.measured ? filter.ShownBox() : filter.box();
  // Feet below the picture's lower edge stand on that edge.
  track.box.height = std::min(track.box.bottom(), 1.0F) - track.box.y;
  track.velocity = filter.velocity();
  if (filter.corrections() >= options_.confirm_hits &&
      now_ - track.began >= options_.confirm_after) {
    track.confirmed = true;
  }
  track.object_class =
      std::max_element(object.votes.begin(), object.votes.end(), [](auto& a, auto& b) {
        return a.second < b.second;
      })->first;
  if (!track.measured) return;
  const float away =
      cordon::Distance(track.box.foot(), object.origin, aspect_) / filter.height();
  track.travelled = std::max(track.travelled, away);
  AddToPath(track.path, {now_, track.box.foot()});
}

void Tracker::Finish() {
  size_t kept = 0;
  for (size_t i = 0; i < tracks_.size(); ++i) {
    if (IsOver(tracks_[i], objects_[i].filter)) continue;
    Describe(tracks_[i], objects_[i]);
    if (kept != i) {
      tracks_[kept] = std::move(tracks_[i]);
      objects_[kept] = std::move(objects_[i]);
    }
    ++kept;
  }
  tracks_.erase(tracks_.begin() + static_cast<ptrdiff_t>(kept), tracks_.end());
  objects_.erase(objects_.begin() + static_cast<ptrdiff_t>(kept), objects_.end());
  for (size_t i = 0; i < kept; ++i) {
    if (tracks_[i].measured) TeachSize(tracks_[i], objects_[i]);
  }
}

// Persons who walked, seen whole and alone, teach how tall a person is where they are.
void Tracker::TeachSize(const Track& track, Object& object) {
  if (!track.confirmed || track.jumped || track.travelled < 0.5F || track.object_class != kPerson)
    return;
  if (now_ - object.sampled < kSampleEvery && object.sampled != MediaTime{}) return;
  const bool cut = track.box.x < 0.005F || track.box.right() > 0.995F || track.box.y < 0.005F ||
                   track.box.bottom() > 0.995F;
  const ObjectFilter& filter = object.filter;
  const float slender = filter.height() / filter.width();
  if (cut || slender < 1.6F || slender > 5) return;
  for (const Track& other : tracks_) {
    if (other.id != track.id && Overlap(other.box, track.box) > 0) return;
  }
  object.sampled = now_;
  size_prior_.Add(track.box.foot(), filter.height());
}

std::vector<std::pair<uint64_t, PictureBox>> Tracker::Predict(MediaTime time,
                                                              Which which) const {
  std::vector<std::pair<uint64_t, PictureBox>> boxes;
  for (size_t i = 0; i < tracks_.size(); ++i) {
    if (which == Which::kConfirmed && !tracks_[i].confirmed) continue;
    ObjectFilter filter = objects_[i].filter;
    filter.Predict(time, true);
    boxes.emplace_back(tracks_[i].id, filter.box());
  }
  return boxes;
}

}  // namespace cordon
