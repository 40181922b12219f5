// SPDX-License-Identifier: Apache-2.0
// Rules see the same walk at different frame rates: what they say may not depend on it.
#include <gtest/gtest.h>

#include <cmath>

#include "analytics/rule_engine.h"
#include "analytics/tracker.h"

namespace cordon {
namespace {

constexpr float kAspect = 16.0F / 9;

// Events of someone who walks from left to right at `speed` (picture widths a second) through a
// zone 0.2 wide, tracked from boxes every `step` seconds, the first one at `phase`.
size_t EventsOfAWalk(double speed, double dwell, double step, double phase) {
  proto::CameraConfig camera;
  camera.set_id("gate");
  proto::RuleConfig& rule = *camera.add_rules();
  rule.set_id("strip");
  rule.set_kind(proto::RuleConfig::KIND_INTRUSION);
  rule.set_max_height(1);
  rule.set_dwell_s(dwell);
  for (const char* corner : {"0.4,0", "0.6,0", "0.6,1", "0.4,1"}) rule.add_zone(corner);
  auto rules = RuleEngine::Create(camera, "UTC", {}, "test", "");
  EXPECT_TRUE(rules.ok()) << rules.status();
  TrackerOptions options;
  options.confirm_after = Milliseconds(200);
  options.confirm_hits = 3;
  Tracker tracker(options);
  size_t events = 0;
  for (double t = phase; speed * t < 0.9; t += step) {
    const auto x = static_cast<float>(0.05 + speed * t);
    const Detection person{{x - 0.02F, 0.5F, 0.04F, 0.16F}, kPerson, 0.9F};
    RuleInput input;
    input.now = MediaFromMicros(std::llround(t * 1e6));
    input.aspect = kAspect;
    std::vector<Track> believed;
    for (const Track& track : tracker.Update(input.now, {{person}}, kAspect)) {
      if (track.confirmed) believed.push_back(track);
    }
    input.tracks = believed;
    events += (*rules)->Evaluate(input).size();
  }
  return events;
}

// The way out is longer by the margin that makes one clear of the zone, 0.2 of it at the most.
TEST(FrameRate, AStayJustLongEnoughIsRaisedAtEveryRate) {
  for (const double step : {0.04, 0.1, 0.2}) {
    for (const double phase : {0.0, 0.03, 0.07, 0.11, 0.17}) {
      EXPECT_EQ(EventsOfAWalk(0.2, 0.95, step, phase), 1U) << step << " s, from " << phase;
    }
  }
}

TEST(FrameRate, AStayTooShortIsRaisedAtNone) {
  for (const double step : {0.04, 0.1, 0.2}) {
    for (const double phase : {0.0, 0.03, 0.07, 0.11, 0.17}) {
      EXPECT_EQ(EventsOfAWalk(0.2, 1.3, step, phase), 0U) << step << " s, from " << phase;
    }
  }
}

}  // namespace
}  // namespace cordon
