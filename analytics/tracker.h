// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "analytics/detector.h"
#include "analytics/object_filter.h"
#include "analytics/size_prior.h"
#include "analytics/track.h"
#include "base/time.h"

namespace cordon {

struct TrackerOptions {
  float confident_score = 0.5F;  // a detection from this score on may start a track
  float least_score = 0.1F;      // one below it is not looked at at all
  MotionOptions motion;
  // Believed from this age on, and with this many detections in all.
  Microseconds confirm_after = Milliseconds(140);
  int confirm_hits = 2;
  Microseconds keep_lost = Milliseconds(3000);  // how long an unseen object is waited for
  Microseconds show_lost = Milliseconds(900);   // ... and reported at its predicted place
};

// Detections in, tracks out; each object has an ObjectFilter. Association in three stages:
// confident detections with known tracks, weak ones with those still unmatched (an object half hidden gives a
// weak box), the rest with candidates; the best matching overall by distance in units of the
// filter's uncertainty, overlap and size. A weak detection only continues a track that it fits
// closely, counts the less the weaker it is, and is left out where a confident one shows the same
// object. Nothing is filled in afterwards: a track's boxes are final when they are given. Knows no
// appearance.
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
  // Boxes of the confirmed tracks, or of the candidates too, predicted for `time`, with their ids; does
  // not change anything.
  enum class Which { kConfirmed, kAll };
  std::vector<std::pair<uint64_t, PictureBox>> Predict(MediaTime time,
                                                       Which which = Which::kConfirmed) const;

 private:
  // What is known of tracks_[i] beside the track.
  struct Object {
    ObjectFilter filter;
    MediaTime sampled{};  // last given to the size prior
    PicturePoint origin;  // foot of the first detection
    std::vector<std::pair<std::string, float>> votes;
  };

  void PredictAll(MediaTime time);
  bool Confident(const Detection& detection) const {
    return detection.score >= options_.confident_score;
  }
  float Cost(size_t track, const Detection& detection) const;
  void Match(std::span<const Detection> detections, const std::vector<size_t>& candidates,
             bool confirmed, std::vector<bool>& used);
  void Take(size_t track, const Detection& detection);
  bool IsKnown(const Detection& detection, size_t tracks) const;
  void StartTracks(std::span<const Detection> detections, const std::vector<size_t>& candidates,
                   const std::vector<bool>& used);
  bool IsOver(const Track& track, const ObjectFilter& filter) const;
  void Describe(Track& track, const Object& object) const;
  void Finish();
  void TeachSize(const Track& track, Object& object);

  const TrackerOptions options_;
  MediaTime now_{};
  float aspect_ = 1;
  uint64_t next_id_ = 1;
  std::vector<Track> tracks_;
  std::vector<Object> objects_;  // parallel to tracks_
  SizePrior size_prior_;
};

}  // namespace cordon
