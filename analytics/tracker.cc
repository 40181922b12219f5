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
// Weights of the cost's parts; they add up to 1.
constexpr float kDistanceWeight = 0.45F;
constexpr float kOverlapWeight = 0.35F;
constexpr float kSizeWeight = 0.20F;
// A detection that covers a known object this much does not start another.
constexpr float kSameObject = 0.6F;
constexpr float kVoteDecay = 0.97F;
constexpr float kSpeedDecayPerSecond = 0.6F;              // of an unseen object's speed
constexpr Microseconds kSampleEvery = Milliseconds(300);  // of one track, for the size prior
constexpr float kJumpHeights = 0.45F;
constexpr float kJumpSigmas = 2.5F;

float SecondsOf(Microseconds d) { return static_cast<float>(d.count()) * 1e-6F; }

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

void Tracker::Axis::Predict(float dt, float acceleration) {
  position += speed * dt;
  // White acceleration noise (Bar-Shalom, Estimation with Applications to Tracking, 6.2.2:
  // discretised).
  const float q = acceleration * acceleration;
  pp += dt * (2 * ps + dt * ss) + q * dt * dt * dt * dt / 4;
  ps += dt * ss + q * dt * dt * dt / 2;
  ss += q * dt * dt;
}

void Tracker::Axis::Correct(float measured, float noise) {
  const float s = pp + noise * noise;
  const float gain_position = pp / s;
  const float gain_speed = ps / s;
  const float residual = measured - position;
  position += gain_position * residual;
  speed += gain_speed * residual;
  ss -= gain_speed * ps;
  ps *= 1 - gain_position;
  pp *= 1 - gain_position;
}

void Tracker::Reset() {
  tracks_.clear();
  filters_.clear();
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
    if (detections[i].score >= options_.confident_score) {
      confident.push_back(i);
    } else if (detections[i].score >= options_.least_score) {
      weak.push_back(i);
    }
  }
  Match(detections, confident, true, used);
  Match(detections, weak, true, used);
  Match(detections, confident, false, used);
  Match(detections, weak, false, used);
  for (const size_t i : weak) used[i] = true;
  std::vector<bool> may_start(detections.size(), false);
  for (const size_t i : confident) may_start[i] = !used[i];
  StartTracks(detections, may_start);
  Finish();
  return tracks_;
}

void Tracker::PredictAll(MediaTime time) {
  now_ = time;
  for (size_t i = 0; i < tracks_.size(); ++i) {
    Filter& f = filters_[i];
    const float dt = std::max(0.0F, SecondsOf(time - f.time));
    f.time = time;
    // A hidden walker may have stopped.
    if (!tracks_[i].measured) {
      const float keep = std::pow(kSpeedDecayPerSecond, dt);
      f.x.speed *= keep;
      f.y.speed *= keep;
    }
    const float a = options_.acceleration * f.height;
    f.x.Predict(dt, a);
    f.y.Predict(dt, a);
    f.size_variance = std::min(f.size_variance + 0.02F * dt, 0.1F);
    tracks_[i].measured = false;
    tracks_[i].jumped = false;
  }
}

PictureBox Tracker::BoxOf(const Filter& f) const {
  return {(f.x.position - f.width / 2) / aspect_, f.y.position - f.height, f.width / aspect_,
          f.height};
}

float Tracker::Cost(const Filter& f, const Track& track, const Detection& detection) const {
  const PicturePoint foot = detection.box.foot();
  const float height = std::max(f.height, 1e-3F);
  const float noise = options_.position_noise * height;
  const float dx = foot.x * aspect_ - f.x.position;
  const float dy = foot.y - f.y.position;
  const float sigmas =
      std::sqrt(dx * dx / (f.x.pp + noise * noise) + dy * dy / (f.y.pp + noise * noise));
  const float heights = std::hypot(dx, dy) / height;
  const float overlap = Iou(BoxOf(f), detection.box);
  if ((sigmas > kMostSigmas || heights > kMostHeights) && overlap < 0.3F)
    return CostMatrix::kForbidden;
  const float ratio = std::max(detection.box.height / height, height / detection.box.height);
  if (ratio > kMostSizeRatio) return CostMatrix::kForbidden;
  // A class change is possible (a model wavers) but never preferred.
  const float other_class = track.object_class == detection.object_class ? 0 : 0.1F;
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
      costs.at(r, c) = Cost(filters_[rows[r]], tracks_[rows[r]], detections[columns[c]]);
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
  Filter& f = filters_[index];
  const PicturePoint foot = detection.box.foot();
  const float noise = options_.position_noise * std::max(f.height, 1e-3F);
  const float away = std::hypot(foot.x * aspect_ - f.x.position, foot.y - f.y.position);
  const float sigma = std::sqrt(std::max(f.x.pp, f.y.pp) + noise * noise);
  track.jumped = f.hits >= 2 && away > kJumpHeights * std::max(f.height, f.width) &&
                 away > kJumpSigmas * sigma;
  f.x.Correct(foot.x * aspect_, noise);
  f.y.Correct(foot.y, noise);
  const float gain =
      f.size_variance / (f.size_variance + options_.size_noise * options_.size_noise);
  f.height += gain * (detection.box.height - f.height);
  f.width += gain * (detection.box.width * aspect_ - f.width);
  f.size_variance *= 1 - gain;
  ++f.hits;
  track.measured = true;
  track.seen = now_;
  track.score = detection.score;
  if (detection.score >= options_.confident_score) f.confident = now_;
  bool known = false;
  for (auto& [name, votes] : f.votes) {
    votes *= kVoteDecay;
    if (name == detection.object_class) {
      votes += detection.score;
      known = true;
    }
  }
  if (!known) f.votes.emplace_back(detection.object_class, detection.score);
}

void Tracker::StartTracks(std::span<const Detection> detections,
                          const std::vector<bool>& may_start) {
  const size_t known = tracks_.size();
  for (size_t d = 0; d < detections.size(); ++d) {
    if (!may_start[d]) continue;
    const Detection& detection = detections[d];
    bool duplicate = false;
    for (size_t i = 0; i < known && !duplicate; ++i) {
      const PictureBox box = BoxOf(filters_[i]);
      const float smaller = std::min(box.area(), detection.box.area());
      duplicate = tracks_[i].measured && smaller > 0 && Iou(box, detection.box) > kSameObject;
    }
    if (duplicate) continue;
    const PicturePoint foot = detection.box.foot();
    Filter f;
    f.height = detection.box.height;
    f.width = detection.box.width * aspect_;
    const float noise = options_.position_noise * f.height;
    const float speed = options_.first_speed * f.height;
    f.x = {foot.x * aspect_, 0, noise * noise, 0, speed * speed};
    f.y = {foot.y, 0, noise * noise, 0, speed * speed};
    f.size_variance = options_.size_noise * options_.size_noise;
    f.hits = 1;
    f.time = now_;
    f.confident = now_;
    f.origin = foot;
    f.votes.emplace_back(detection.object_class, detection.score);
    Track track;
    track.id = next_id_++;
    track.began = now_;
    track.seen = now_;
    track.measured = true;
    track.score = detection.score;
    tracks_.push_back(std::move(track));
    filters_.push_back(std::move(f));
  }
}

void Tracker::Finish() {
  size_t kept = 0;
  for (size_t i = 0; i < tracks_.size(); ++i) {
    Track& track = tracks_[i];
    Filter& f = filters_[i];
    const Microseconds unseen = now_ - track.seen;
    const bool outside = f.x.position < 0 || f.x.position > aspect_ ||
                         f.y.position - f.height > 1 || f.y.position < 0;
    const Microseconds patience = track.confirmed ? options_.keep_lost : options_.confirm_after;
    const bool weak = now_ - f.confident > options_.weak_only && now_ - f.confident > patience;
    if (weak || unseen > patience || (!track.measured && outside)) continue;
    track.box = BoxOf(f);
    track.velocity = {f.x.speed / aspect_, f.y.speed};
    if (f.hits >= options_.confirm_hits && now_ - track.began >= options_.confirm_after) {
      track.confirmed = true;
    }
    track.object_class = std::max_element(f.votes.begin(), f.votes.end(), [](auto& a, auto& b) {
                           return a.second < b.second;
                         })->first;
    if (track.measured) {
      const float away =
          cordon::Distance(track.box.foot(), f.origin, aspect_) / std::max(f.height, 1e-3F);
      track.travelled = std::max(track.travelled, away);
      AddToPath(track.path, {now_, track.box.foot()});
    }
    if (kept != i) {
      tracks_[kept] = std::move(tracks_[i]);
      filters_[kept] = std::move(filters_[i]);
    }
    ++kept;
  }
  tracks_.resize(kept);
  filters_.resize(kept);
  for (size_t i = 0; i < kept; ++i) {
    if (tracks_[i].measured) TeachSize(tracks_[i], filters_[i]);
  }
}

// Persons who walked, seen whole and alone, teach how tall a person is where they are.
void Tracker::TeachSize(const Track& track, Filter& f) {
  if (!track.confirmed || track.jumped || track.travelled < 0.5F || track.object_class != kPerson)
    return;
  if (now_ - f.sampled < kSampleEvery && f.sampled != MediaTime{}) return;
  const bool cut = track.box.x < 0.005F || track.box.right() > 0.995F || track.box.y < 0.005F ||
                   track.box.bottom() > 0.995F;
  const float slender = f.height / std::max(f.width, 1e-3F);
  if (cut || slender < 1.6F || slender > 5) return;
  for (const Track& other : tracks_) {
    if (other.id != track.id && Overlap(other.box, track.box) > 0) return;
  }
  f.sampled = now_;
  size_prior_.Add(track.box.foot(), f.height);
}

std::vector<std::pair<uint64_t, PictureBox>> Tracker::Predict(MediaTime time) const {
  std::vector<std::pair<uint64_t, PictureBox>> boxes;
  for (size_t i = 0; i < tracks_.size(); ++i) {
    if (!tracks_[i].confirmed) continue;
    Filter f = filters_[i];
    const float dt = std::max(0.0F, SecondsOf(time - f.time));
    f.x.position += f.x.speed * dt;
    f.y.position += f.y.speed * dt;
    boxes.emplace_back(tracks_[i].id, BoxOf(f));
  }
  return boxes;
}

}  // namespace cordon
