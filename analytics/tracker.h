// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "analytics/detector.h"
#include "analytics/size_prior.h"
#include "analytics/track.h"
#include "base/time.h"

namespace cordon {

// Lengths are in heights of the object's box ("heights"), so that one set fits near and far objects
// and every lens.
struct TrackerOptions {
  float confident_score = 0.5F;  // a detection from this score on may start a track
  float least_score = 0.1F;      // one below it is not looked at at all
  float position_noise = 0.06F;  // of a detection's foot point, heights, one sigma
  float acceleration = 1.2F;     // of objects, heights/s^2, one sigma
  float first_speed = 0.9F;      // of a new object, heights/s, one sigma
  float size_noise = 0.10F;      // of a detection's height and width, relative, one sigma
  Microseconds confirm_after = Milliseconds(140);  // ... and at least three detections in all
  int confirm_hits = 2;
  Microseconds keep_lost = Milliseconds(3000);  // how long an unseen object is waited for
  Microseconds weak_only = Milliseconds(2000);  // how long weak detections alone keep it alive
  Microseconds show_lost = Milliseconds(900);   // ... and reported at its predicted place
};

// Detections in, tracks out. Each object has a constant-velocity Kalman filter in media time, so
// frames may come at any distance. Association in three stages: confident detections with known
// tracks, weak ones with those still unmatched (an object half hidden gives a weak box), the rest
// with candidates; the best matching overall by distance in units of the filter's uncertainty,
// overlap and size. Knows no appearance.
//
// One thread at a time; deterministic.
class Tracker {
 public:
  explicit Tracker(TrackerOptions options = {}) : options_(options) {}

  // `time` must not fall; `aspect` is picture width / height. The answer holds candidates too
  // (confirmed == false), is ordered by id, and is valid until the next call.
  const std::vector<Track>& Update(MediaTime time, std::span<const Detection> detections,
                                   float aspect);

  // Ends all tracks (cut, reconnect). Ids go on rising.
  void Reset();

  const std::vector<Track>& tracks() const { return tracks_; }
  // Heights of persons, learnt from the tracks.
  const SizePrior& size_prior() const { return size_prior_; }
  // Boxes of confirmed tracks predicted for `time`, with their ids; does not change anything.
  std::vector<std::pair<uint64_t, PictureBox>> Predict(MediaTime time) const;

 private:
  // One coordinate and its speed, with their covariance.
  struct Axis {
    float position = 0, speed = 0;
    float pp = 0, ps = 0, ss = 0;
    void Predict(float dt, float acceleration);
    void Correct(float measured, float noise);
  };
  // Filter state of tracks_[i]; x and y (foot) in picture heights.
  struct Filter {
    Axis x, y;
    float height = 0, width = 0;  // picture heights
    float size_variance = 0;      // relative
    int hits = 0;
    MediaTime time{};
    MediaTime confident{};  // last confident detection
    MediaTime sampled{};    // last given to the size prior
    PicturePoint origin;    // foot of the first detection
    std::vector<std::pair<std::string, float>> votes;
  };

  void PredictAll(MediaTime time);
  float Cost(const Filter& filter, const Track& track, const Detection& detection) const;
  void Match(std::span<const Detection> detections, const std::vector<size_t>& candidates,
             bool confirmed, std::vector<bool>& used);
  void Take(size_t track, const Detection& detection);
  void StartTracks(std::span<const Detection> detections, const std::vector<bool>& used);
  void Finish();
  void TeachSize(const Track& track, Filter& filter);
  PictureBox BoxOf(const Filter& filter) const;

  const TrackerOptions options_;
  MediaTime now_{};
  float aspect_ = 1;
  uint64_t next_id_ = 1;
  std::vector<Track> tracks_;
  std::vector<Filter> filters_;  // parallel to tracks_
  SizePrior size_prior_;
};

}  // namespace cordon
