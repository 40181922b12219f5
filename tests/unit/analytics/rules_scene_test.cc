// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/analytics/rule_kit.h"

namespace cordon::testing {
namespace {

Config Still(Config::Kind kind, double dwell_s) {
  Config rule = PlainRule(kind);
  rule.set_dwell_s(dwell_s);
  SetZone(rule, {"0.4,0.5", "0.8,0.5", "0.8,0.9", "0.4,0.9"});
  return rule;
}

// A thing of this height at (x, 0.7), there from second 2 to second `until`.
std::function<std::vector<StillObject>(double)> Thing(float x, float height, bool removed = false,
                                                      double until = 1e9) {
  return [=](double t) -> std::vector<StillObject> {
    if (t < 2 || t > until) return {};
    return {{1, {x - height / 2, 0.7F - height / 2, height, height}, At(2), removed}};
  };
}

std::vector<proto::Event> Rest(const Config& rule,
                               std::function<std::vector<StillObject>(double)> things,
                               double seconds) {
  Stage stage(rule);
  stage.still = std::move(things);
  return stage.Play({}, seconds);
}

TEST(AbandonedObject, RaisesOnceWhenItHasLainForTheDwell) {
  const auto events = Rest(Still(Config::KIND_ABANDONED_OBJECT, 10), Thing(0.6F, 0.1F), 60);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_NEAR(SecondsOf(events[0]), 12, 0.15);
  EXPECT_EQ(events[0].kind(), proto::EVENT_KIND_ABANDONED_OBJECT);
  EXPECT_NEAR(events[0].box().x(), 0.55, 1e-5);
}

TEST(AbandonedObject, WhatIsTakenAwayBeforeTheDwellRaisesNothing) {
  EXPECT_TRUE(
      Rest(Still(Config::KIND_ABANDONED_OBJECT, 10), Thing(0.6F, 0.1F, false, 11), 60).empty());
}

TEST(AbandonedObject, OnlyThingsInTheZoneOfTheSizeAskedFor) {
  EXPECT_TRUE(Rest(Still(Config::KIND_ABANDONED_OBJECT, 1), Thing(0.2F, 0.1F), 20).empty());
  Config rule = Still(Config::KIND_ABANDONED_OBJECT, 1);
  rule.set_min_height(0.08);
  rule.set_max_height(0.15);
  EXPECT_TRUE(Rest(rule, Thing(0.6F, 0.05F), 20).empty());
  EXPECT_TRUE(Rest(rule, Thing(0.6F, 0.2F), 20).empty());
  EXPECT_EQ(Rest(rule, Thing(0.6F, 0.1F), 20).size(), 1U);
}

TEST(RemovedObject, IsNotAnAbandonedOne) {
  const auto gone = Thing(0.6F, 0.1F, true);
  EXPECT_TRUE(Rest(Still(Config::KIND_ABANDONED_OBJECT, 1), gone, 20).empty());
  const auto events = Rest(Still(Config::KIND_REMOVED_OBJECT, 5), gone, 20);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind(), proto::EVENT_KIND_REMOVED_OBJECT);
}

// Covered during these seconds.
std::function<std::vector<TamperFinding>(double)> Covered(
    std::vector<std::pair<double, double>> spans) {
  return [spans = std::move(spans)](double t) -> std::vector<TamperFinding> {
    for (const auto& [from, until] : spans) {
      if (t >= from && t < until)
        return {{proto::EVENT_KIND_TAMPER_COVERED, At(from), 0.1, 0.5, "the view is covered"}};
    }
    return {};
  };
}

std::vector<proto::Event> Tamper(double dwell_s, double rearm_s,
                                 std::vector<std::pair<double, double>> spans) {
  Config rule = PlainRule(Config::KIND_TAMPER);
  rule.set_dwell_s(dwell_s);
  rule.set_rearm_s(rearm_s);
  Stage stage(rule);
  stage.tamper = Covered(std::move(spans));
  return stage.Play({}, 100);
}

TEST(Tamper, RaisesOnceForAsLongAsItLasts) {
  const auto events = Tamper(1, 10, {{20, 60}});
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind(), proto::EVENT_KIND_TAMPER_COVERED);
  EXPECT_NEAR(SecondsOf(events[0]), 21, 0.15);
  EXPECT_DOUBLE_EQ(events[0].explanation().thresholds().at("share"), 0.5);
}

TEST(Tamper, ShorterThanTheDwellRaisesNothing) {
  EXPECT_TRUE(Tamper(5, 10, {{20, 24}}).empty());
}

TEST(Tamper, RaisesAgainOnlyWhenItWasGoneForTheReArmTime) {
  EXPECT_EQ(Tamper(1, 10, {{20, 30}, {35, 45}}).size(), 1U);
  EXPECT_EQ(Tamper(1, 10, {{20, 30}, {45, 55}}).size(), 2U);
}

}  // namespace
}  // namespace cordon::testing
