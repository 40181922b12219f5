// SPDX-License-Identifier: Apache-2.0
// Rules without video: objects that walk where a test says, and the rule engine that watches them.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "analytics/rule_engine.h"

namespace cordon::testing {

using Config = proto::RuleConfig;

// A rule that looks at everything at once: no dwell, no re-arm time, any size.
inline Config PlainRule(Config::Kind kind) {
  Config rule;
  rule.set_id("rule");
  rule.set_kind(kind);
  rule.set_max_height(1);
  rule.set_count(1);
  return rule;
}

inline void SetZone(Config& rule, std::initializer_list<const char*> corners) {
  rule.clear_zone();
  for (const char* corner : corners) rule.add_zone(corner);
}

inline MediaTime At(double seconds) { return MediaFromMicros(std::llround(seconds * 1e6)); }

// Where an object's foot is; `seen` false: hidden in this picture.
struct Step {
  float x = 0;
  float y = 0;
  bool seen = true;
  bool jumped = false;
};

// One object from `from` to `until`, its place by the second.
struct Walker {
  uint64_t id = 1;
  std::string object_class = "person";
  float height = 0.1F;
  double from = 0;
  double until = 1e9;
  std::function<Step(double)> place;
};

// Straight from `a` at second `begins` to `b` at second `ends`; it stands before and after.
inline std::function<Step(double)> Straight(PicturePoint a, PicturePoint b, double begins,
                                            double ends) {
  return [=](double t) {
    const auto part = static_cast<float>(std::clamp((t - begins) / (ends - begins), 0.0, 1.0));
    return Step{a.x + part * (b.x - a.x), a.y + part * (b.y - a.y)};
  };
}

// Plays walkers before one camera's rules.
class Stage {
 public:
  explicit Stage(const Config& rule) { *camera_.add_rules() = rule; }
  proto::CameraConfig& camera() {
    camera_.set_id("yard-1");
    return camera_;
  }
  Stage& Fps(double fps) {
    fps_ = fps;
    return *this;
  }
  Stage& Wall(const char* time, const char* zone = "UTC") {
    absl::Time parsed;
    std::string error;
    EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, time, &parsed, &error)) << error;
    wall_ = WallFromMicros(absl::ToUnixMicros(parsed));
    zone_ = zone;
    return *this;
  }
  Stage& Holiday(const char* date) {
    holidays_.emplace_back().set_date(date);
    return *this;
  }
  // Still objects and tamper findings of second `t`.
  std::function<std::vector<StillObject>(double)> still;
  std::function<std::vector<TamperFinding>(double)> tamper;

  std::vector<proto::Event> Play(const std::vector<Walker>& walkers, double seconds) {
    auto engine =
        RuleEngine::Create(camera(), zone_, holidays_, "a detector", "0123456789abcdef");
    EXPECT_TRUE(engine.ok()) << engine.status();
    std::vector<proto::Event> events;
    std::map<uint64_t, Track> tracks;
    for (int n = 0; n <= static_cast<int>(seconds * fps_); ++n) {
      const double t = n / fps_;
      RuleInput input;
      input.now = At(t);
      input.wall = wall_ + (At(t) - MediaTime{});
      const std::vector<Track> seen = Move(walkers, tracks, t);
      input.tracks = seen;
      const auto objects = still ? still(t) : std::vector<StillObject>{};
      const auto findings = tamper ? tamper(t) : std::vector<TamperFinding>{};
      input.still_objects = objects;
      input.tamper = findings;
      for (proto::Event& event : (*engine)->Evaluate(input)) events.push_back(std::move(event));
      pending_at_end = (*engine)->pending();
    }
    return events;
  }
  bool pending_at_end = false;

 private:
  static std::vector<Track> Move(const std::vector<Walker>& walkers,
                                 std::map<uint64_t, Track>& tracks, double t) {
    std::vector<Track> seen;
    for (const Walker& walker : walkers) {
      if (t < walker.from || t > walker.until) continue;
      const Step step = walker.place(t);
      const bool fresh = !tracks.contains(walker.id);
      Track& track = tracks[walker.id];
      if (fresh) {
        track.id = walker.id;
        track.began = At(t);
      }
      track.object_class = walker.object_class;
      track.confirmed = true;
      track.score = 0.9F;
      track.measured = step.seen;
      track.jumped = step.jumped;
      track.box = {step.x - 0.2F * walker.height, step.y - walker.height, 0.4F * walker.height,
                   walker.height};
      if (step.seen) {
        track.seen = At(t);
        AddToPath(track.path, {At(t), track.box.foot()});
      }
      seen.push_back(track);
    }
    std::sort(seen.begin(), seen.end(),
              [](const Track& a, const Track& b) { return a.id < b.id; });
    return seen;
  }

  proto::CameraConfig camera_;
  std::vector<proto::HolidayConfig> holidays_;
  std::string zone_ = "UTC";
  WallTime wall_{};
  double fps_ = 10;
};

inline double SecondsOf(const proto::Event& event) {
  return static_cast<double>(event.media_time_us()) * 1e-6;
}

}  // namespace cordon::testing
