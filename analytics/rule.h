// SPDX-License-Identifier: Apache-2.0
// What all rules share: what they see, what they are set to, and how they say that they fired.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analytics/calibration.h"
#include "analytics/geometry.h"
#include "analytics/track.h"
#include "base/schedule.h"
#include "base/status.h"
#include "base/time.h"
#include "proto/config.pb.h"
#include "proto/event.pb.h"

namespace cordon {

// Something that came to rest and is not part of the scene: left behind, or taken away (then the
// box shows what was behind).
struct StillObject {
  uint64_t id = 0;
  PictureBox box;
  MediaTime since{};
  bool removed = false;
};

// What the tamper watch saw in this frame.
struct TamperFinding {
  proto::EventKind kind = proto::EVENT_KIND_UNSPECIFIED;
  MediaTime began{};
  double measured = 0;
  double threshold = 0;
  std::string detail;
};

// A lost object is looked for in every picture for so long. Longer than that it is waited for where
// a quiet scene would wake up anyway.
inline constexpr Microseconds kLookedFor = Seconds(1);

// One frame as the rules see it. Tracks: confirmed ones by id, those that are out of sight at the
// moment included.
struct RuleInput {
  MediaTime now{};
  WallTime wall{};
  float aspect = 1;
  std::span<const Track> tracks;
  std::span<const StillObject> still_objects;
  std::span<const TamperFinding> tamper;
  const Calibration* calibration = nullptr;  // null: not calibrated
};

// A rule's settings, read and checked once.
struct RuleSettings {
  std::string camera_id;
  proto::RuleConfig config;
  PictureZone zone;
  PictureLine line;
  Schedule schedule;
  std::optional<WallTime> bypass_until;
  Microseconds dwell{};
  Microseconds rearm{};

  // INVALID_ARGUMENT: "rule 'yard': zone: ...".
  static absl::StatusOr<RuleSettings> Parse(const std::string& camera_id,
                                            const proto::RuleConfig& config,
                                            const std::string& time_zone,
                                            std::span<const std::string> holidays, bool calibrated);

  bool ArmedAt(WallTime time) const;
  // Class and size are looked for.
  bool Wants(const Track& track) const;
};

// Watches for one condition of one camera. One thread at a time; deterministic.
class Rule {
 public:
  explicit Rule(RuleSettings settings) : settings_(std::move(settings)) {}
  virtual ~Rule() = default;
  Rule(const Rule&) = delete;
  Rule& operator=(const Rule&) = delete;

  // Appends what happened. Called for every frame, armed or not, so that a rule armed in the middle
  // of a walk knows where the walker came from; unarmed, nothing may be appended.
  virtual void Evaluate(const RuleInput& input, bool armed, std::vector<proto::Event>& events) = 0;
  // A condition holds and waits for its dwell: no frame may be skipped now. Not for the sake of an
  // object that has been out of sight for longer than kLookedFor.
  virtual bool pending() const { return false; }
  // The time line broke: conditions end, counts stay.
  virtual void Reset() = 0;

  const RuleSettings& settings() const { return settings_; }

 protected:
  // An event of this rule with identity, times and explanation filled in. `track` may be null.
  proto::Event MakeEvent(proto::EventKind kind, const RuleInput& input, const Track* track,
                         MediaTime began) const;
  const RuleSettings settings_;
};

// State of type S for each track that a rule watches. Ordered by id, so that results do not depend
// on a hash.
template <class S>
class PerTrack {
 public:
  S& operator[](uint64_t id) {
    Entry& entry = entries_[id];
    entry.turn = turn_;
    return entry.state;
  }
  bool has(uint64_t id) const { return entries_.contains(id); }
  // Call once a frame after all tracks were visited: `gone(state)` for each that was not, and it is
  // forgotten.
  template <class F>
  void Sweep(F gone) {
    for (auto it = entries_.begin(); it != entries_.end();) {
      if (it->second.turn == turn_) {
        ++it;
        continue;
      }
      gone(it->second.state);
      it = entries_.erase(it);
    }
    ++turn_;
  }
  void clear() { entries_.clear(); }

 private:
  struct Entry {
    S state{};
    uint64_t turn = 0;
  };
  std::map<uint64_t, Entry> entries_;
  uint64_t turn_ = 0;
};

// States of tracks that were just lost, so that the same object found again under a new id goes on
// where it was. By place and time only. S has members `foot` (PicturePoint), `seen` (MediaTime) and
// `height` (float).
template <class S>
class RecentlyLost {
 public:
  static constexpr Microseconds kWithin = Seconds(4);
  static constexpr float kHeights = 1.6F;

  void Add(const S& state) {
    if (lost_.size() >= kMost) lost_.erase(lost_.begin());
    lost_.push_back(state);
  }
  // The nearest lost state that `track`, which begins now, may continue; taken out.
  std::optional<S> Take(const Track& track, float aspect) {
    std::erase_if(lost_, [&](const S& s) { return track.seen - s.seen > kWithin; });
    auto best = lost_.end();
    float least = kHeights * track.box.height;
    const PicturePoint first = track.path.empty() ? track.box.foot() : track.path.front().foot;
    for (auto it = lost_.begin(); it != lost_.end(); ++it) {
      const float away = cordon::Distance(first, it->foot, aspect);
      if (it->seen <= track.began + Milliseconds(500) && away < least) {
        least = away;
        best = it;
      }
    }
    if (best == lost_.end()) return std::nullopt;
    const S state = *best;
    lost_.erase(best);
    return state;
  }
  void clear() { lost_.clear(); }

 private:
  static constexpr size_t kMost = 64;
  std::vector<S> lost_;
};

// How far out of a zone or beyond a line counts as clear of it, in picture heights: a share of the
// object's height.
float ClearMargin(float object_height);

double ToSeconds(Microseconds d);
Microseconds FromSeconds(double s);

// The rule of that kind.
std::unique_ptr<Rule> MakeZoneRule(RuleSettings settings);   // intrusion, loitering, motion
std::unique_ptr<Rule> MakeCountRule(RuleSettings settings);  // crowding, queue length
std::unique_ptr<Rule> MakeLineRule(RuleSettings settings);   // line crossing
std::unique_ptr<Rule> MakeCourseRule(
    RuleSettings settings);                                  // wrong way, stopped vehicle, speeding
std::unique_ptr<Rule> MakeSceneRule(RuleSettings settings);  // abandoned and removed object, tamper

}  // namespace cordon
