// SPDX-License-Identifier: Apache-2.0
// What holds for every rule: arming, schedules, severity, the explanation, the place on the map.
#include "analytics/rule_engine.h"

#include "tests/unit/analytics/calibrated_yard.h"
#include "tests/unit/analytics/rule_kit.h"

namespace cordon::testing {
namespace {

Config AnyIntrusion() {
  Config rule = PlainRule(Config::KIND_INTRUSION);
  rule.set_id("yard");
  rule.set_severity(Config::SEVERITY_HIGH);
  rule.set_dwell_s(1);
  return rule;
}

std::vector<Walker> Someone(double from = 0) {
  return {{.from = from, .place = Straight({0.5F, 0.6F}, {0.6F, 0.6F}, from, from + 5)}};
}

TEST(Arming, ADisarmedRuleRaisesNothing) {
  Config rule = AnyIntrusion();
  rule.set_arming(Config::ARMING_DISARMED);
  EXPECT_TRUE(Stage(rule).Play(Someone(), 10).empty());
}

TEST(Arming, ABypassEndsAtItsTime) {
  Config rule = AnyIntrusion();
  rule.set_arming(Config::ARMING_BYPASSED);
  rule.set_bypass_reason("roof repair");
  rule.set_bypass_until("2026-03-01T06:00:00Z");
  EXPECT_TRUE(Stage(rule).Wall("2026-03-01T05:59:00Z").Play(Someone(), 10).empty());
  EXPECT_EQ(Stage(rule).Wall("2026-03-01T06:00:00Z").Play(Someone(), 10).size(), 1U);
  const auto events = Stage(rule).Wall("2026-03-01T05:59:50Z").Play(Someone(), 30);
  ASSERT_EQ(events.size(), 1U) << "who came in during the bypass and is still there when it ends";
  EXPECT_NEAR(SecondsOf(events[0]), 10, 0.15);
}

TEST(Arming, ABypassWithoutReasonOrEndIsRefused) {
  Config rule = AnyIntrusion();
  rule.set_arming(Config::ARMING_BYPASSED);
  rule.set_bypass_until("2026-03-01T06:00:00Z");
  proto::CameraConfig camera;
  *camera.add_rules() = rule;
  EXPECT_FALSE(RuleEngine::Create(camera, "UTC", {}, "", "").ok()) << "no reason";
  camera.mutable_rules(0)->set_bypass_reason("roof repair");
  EXPECT_TRUE(RuleEngine::Create(camera, "UTC", {}, "", "").ok());
  camera.mutable_rules(0)->clear_bypass_until();
  EXPECT_FALSE(RuleEngine::Create(camera, "UTC", {}, "", "").ok()) << "no end";
  camera.mutable_rules(0)->set_bypass_until("tomorrow");
  EXPECT_FALSE(RuleEngine::Create(camera, "UTC", {}, "", "").ok()) << "no time";
}

TEST(Schedule, IsReadInTheSitesTimeZone) {
  Config rule = AnyIntrusion();
  rule.add_schedule("mon-fri 22:00-06:00");
  // Monday 2026-03-02, 23:30 in Shanghai is 15:30 UTC.
  EXPECT_EQ(Stage(rule).Wall("2026-03-02T15:30:00Z", "Asia/Shanghai").Play(Someone(), 10).size(),
            1U);
  EXPECT_EQ(Stage(rule).Wall("2026-03-02T15:30:00Z", "UTC").Play(Someone(), 10).size(), 0U);
  // Saturday 05:00 still belongs to Friday's night.
  EXPECT_EQ(Stage(rule).Wall("2026-03-07T05:00:00Z").Play(Someone(), 10).size(), 1U);
  EXPECT_EQ(Stage(rule).Wall("2026-03-07T23:00:00Z").Play(Someone(), 10).size(), 0U);
}

TEST(Schedule, OnAHolidayTheHolidayEntriesCount) {
  Config rule = AnyIntrusion();
  rule.add_schedule("mon-fri 22:00-06:00");
  rule.add_schedule("holiday 00:00-24:00");
  EXPECT_TRUE(Stage(rule).Wall("2026-03-03T12:00:00Z").Play(Someone(), 10).empty());
  EXPECT_EQ(Stage(rule).Wall("2026-03-03T12:00:00Z").Holiday("2026-03-03").Play(Someone(), 10).size(),
            1U);
}

TEST(RuleEngine, AnEventSaysWhyItWasRaised) {
  const auto events = Stage(AnyIntrusion()).Play(Someone(2), 10);
  ASSERT_EQ(events.size(), 1U);
  const proto::Event& event = events[0];
  EXPECT_EQ(event.camera_id(), "yard-1");
  EXPECT_EQ(event.rule_id(), "yard");
  EXPECT_EQ(event.severity(), Config::SEVERITY_HIGH);
  EXPECT_EQ(event.object_class(), "person");
  EXPECT_TRUE(event.has_box());
  const proto::Explanation& why = event.explanation();
  EXPECT_EQ(why.detector(), "a detector");
  EXPECT_EQ(why.detector_sha256(), "0123456789abcdef");
  EXPECT_FLOAT_EQ(why.score(), 0.9F);
  EXPECT_DOUBLE_EQ(why.thresholds().at("dwell_s"), 1);
  EXPECT_NEAR(why.measured().at("stayed_s"), 1, 0.11);
  EXPECT_NE(why.rule_text().find("rule yard, dwell 1 s"), std::string::npos) << why.rule_text();
  ASSERT_GE(why.path_size(), 8);
  EXPECT_NEAR(why.path(0).foot().x(), 0.5, 1e-3) << "from where it began";
}

TEST(RuleEngine, WithoutCalibrationAnEventIsAtTheCamerasPlaceWithUnknownError) {
  Stage stage(AnyIntrusion());
  stage.camera().set_lat(31.5);
  stage.camera().set_lon(121.25);
  const auto events = stage.Play(Someone(), 10);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_DOUBLE_EQ(events[0].place().lat(), 31.5);
  EXPECT_DOUBLE_EQ(events[0].place_error_m(), 0);
  EXPECT_FALSE(events[0].has_speed_mps());
}

TEST(RuleEngine, ACalibratedCameraSaysWhereHowFastAndWhither) {
  Stage stage(AnyIntrusion());
  CalibrateYard(stage.camera());
  // North at 1.5 m/s, from 5 m before the yard's origin on.
  const auto walk = [](double t) {
    const PicturePoint p = YardPicture(3, -5 + 1.5 * t);
    return Step{p.x, p.y};
  };
  const auto events = stage.Play({{.height = 0.2F, .place = walk}}, 10);
  ASSERT_EQ(events.size(), 1U);
  const double t = SecondsOf(events[0]);
  const LatLon truth = YardPlace(3, -5 + 1.5 * t);
  const LatLon found{events[0].place().lat(), events[0].place().lon()};
  EXPECT_LT(Distance(truth, found).value, 0.5);
  EXPECT_GT(events[0].place_error_m(), 0.05);
  EXPECT_LT(events[0].place_error_m(), 3);
  EXPECT_NEAR(events[0].speed_mps(), 1.5, 0.1);
  EXPECT_NEAR(std::remainder(events[0].heading_deg(), 360), 0, 3);
}

}  // namespace
}  // namespace cordon::testing
