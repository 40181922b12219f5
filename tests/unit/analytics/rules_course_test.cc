// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/analytics/calibrated_yard.h"
#include "tests/unit/analytics/rule_kit.h"

namespace cordon::testing {
namespace {

Config WrongWay(double dwell_s = 1) {
  Config rule = PlainRule(Config::KIND_WRONG_WAY);
  rule.set_heading_deg(90);  // to the right is permitted
  rule.set_dwell_s(dwell_s);
  return rule;
}

TEST(WrongWay, WhoMovesAgainstThePermittedDirectionRaisesOnce) {
  const auto events =
      Stage(WrongWay()).Play({{.place = Straight({0.9F, 0.6F}, {0.1F, 0.6F}, 0, 8)}}, 10);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind(), proto::EVENT_KIND_WRONG_WAY);
  EXPECT_NEAR(events[0].explanation().measured().at("against_deg"), 180, 1);
}

TEST(WrongWay, WhoMovesWithItOrAcrossItDoesNot) {
  EXPECT_TRUE(
      Stage(WrongWay()).Play({{.place = Straight({0.1F, 0.6F}, {0.9F, 0.6F}, 0, 8)}}, 10).empty());
  EXPECT_TRUE(
      Stage(WrongWay()).Play({{.place = Straight({0.5F, 0.9F}, {0.5F, 0.2F}, 0, 8)}}, 10).empty());
}

TEST(WrongWay, AShortBackwardMoveIsForgiven) {
  const auto parks = [](double t) {
    return t < 4 ? Step{static_cast<float>(0.2 + 0.1 * t), 0.6F}
                 : Step{static_cast<float>(0.6 - 0.1 * std::min(t - 4, 1.2)), 0.6F};
  };
  EXPECT_TRUE(Stage(WrongWay(2)).Play({{.place = parks}}, 12).empty());
}

TEST(WrongWay, WhoHardlyMovesHasNoCourse) {
  const auto shuffles = [](double t) { return Step{static_cast<float>(0.5 - 0.003 * t), 0.6F}; };
  EXPECT_TRUE(Stage(WrongWay(0)).Play({{.place = shuffles}}, 20).empty());
}

Config Stopped(double dwell_s, double rearm_s = 0) {
  Config rule = PlainRule(Config::KIND_STOPPED_VEHICLE);
  rule.set_dwell_s(dwell_s);
  rule.set_rearm_s(rearm_s);
  return rule;
}
const auto kArrives = Straight({0.1F, 0.6F}, {0.5F, 0.6F}, 0, 2);

TEST(StoppedVehicle, RaisesOnceAfterTheDwellOfStandingStill) {
  const auto events = Stage(Stopped(5)).Play({{.object_class = "truck", .place = kArrives}}, 30);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_NEAR(SecondsOf(events[0]), 7, 0.3);
}

TEST(StoppedVehicle, APersonWhoStandsIsNoVehicle) {
  EXPECT_TRUE(Stage(Stopped(5)).Play({{.place = kArrives}}, 30).empty());
}

TEST(StoppedVehicle, SlowTrafficDoesNotStand) {
  const auto crawls = Straight({0.1F, 0.6F}, {0.9F, 0.6F}, 0, 60);
  EXPECT_TRUE(Stage(Stopped(5)).Play({{.object_class = "car", .place = crawls}}, 40).empty());
}

TEST(StoppedVehicle, OneThatGoesOnAndStopsAgainRaisesAgain) {
  const auto twice = [](double t) {
    return Step{static_cast<float>(t < 20 ? 0.3 : std::min(0.3 + 0.2 * (t - 20), 0.7)), 0.6F};
  };
  EXPECT_EQ(Stage(Stopped(5)).Play({{.object_class = "car", .place = twice}}, 40).size(), 2U);
  EXPECT_EQ(Stage(Stopped(5, 300)).Play({{.object_class = "car", .place = twice}}, 40).size(), 1U);
}

TEST(Speeding, IsRaisedAboveTheLimitByMoreThanTheErrorOfTheMeasurement) {
  // The yard is 40 m wide at the picture's lower third; a car crosses it in 2 s: 72 km/h.
  Config rule = PlainRule(Config::KIND_SPEEDING);
  rule.set_dwell_s(0.3);
  const auto drives = [&](double limit_kmh) {
    rule.set_speed_kmh(limit_kmh);
    Stage stage(rule);
    CalibrateYard(stage.camera());
    return stage.Play({{.object_class = "car",
                        .place = Straight(YardPicture(-20, 10), YardPicture(20, 10), 0, 2)}},
                      1.9);
  };
  const auto events = drives(50);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_NEAR(events[0].explanation().measured().at("speed_kmh"), 72, 4);
  EXPECT_NEAR(events[0].speed_mps(), 20, 1.2);
  EXPECT_NEAR(events[0].heading_deg(), 90, 2);
  EXPECT_TRUE(drives(70).empty()) << "2 km/h above the limit is within the measurement's error";
}

TEST(Speeding, NeedsACalibratedCamera) {
  proto::CameraConfig camera;
  *camera.add_rules() = PlainRule(Config::KIND_SPEEDING);
  const auto engine = RuleEngine::Create(camera, "UTC", {}, "", "");
  ASSERT_FALSE(engine.ok());
  EXPECT_NE(engine.status().message().find("calibration"), std::string::npos);
}

}  // namespace
}  // namespace cordon::testing
