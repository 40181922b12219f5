// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/analytics/rule_kit.h"

namespace cordon::testing {
namespace {

//   0         0.4       0.8   1
//   +----------+---------+----+
//   |          |  zone   |    |  0.5
//   |          |         |    |
//   +----------+---------+----+  0.9
Config Zone(Config::Kind kind, double dwell_s, double rearm_s = 0) {
  Config rule = PlainRule(kind);
  SetZone(rule, {"0.4,0.5", "0.8,0.5", "0.8,0.9", "0.4,0.9"});
  rule.set_dwell_s(dwell_s);
  rule.set_rearm_s(rearm_s);
  return rule;
}

TEST(Intrusion, RaisesOnceWhenTheDwellIsOver) {
  const auto events = Stage(Zone(Config::KIND_INTRUSION, 2))
                          .Play({{.place = Straight({0.2F, 0.7F}, {0.6F, 0.7F}, 0, 4)}}, 20);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_NEAR(SecondsOf(events[0]), 4.0, 0.15) << "in the zone from second 2, dwell 2 s";
  EXPECT_NEAR(static_cast<double>(events[0].began_media_time_us()) * 1e-6, 2, 0.15);
  EXPECT_EQ(events[0].kind(), proto::EVENT_KIND_INTRUSION);
}

TEST(Intrusion, AStayShorterThanTheDwellRaisesNothing) {
  const auto events = Stage(Zone(Config::KIND_INTRUSION, 3))
                          .Play({{.place = Straight({0.2F, 0.7F}, {1.0F, 0.7F}, 0, 4)}}, 10);
  EXPECT_TRUE(events.empty()) << "crosses 0.4 of the picture at 0.2 a second: 2 s";
}

TEST(Intrusion, TheFootDecidesNotTheBox) {
  // The box reaches from 0.05 to 0.45 and its upper half lies in the zone; the foot never does.
  Walker tall{.height = 0.4F, .place = Straight({0.6F, 0.45F}, {0.6F, 0.45F}, 0, 1)};
  EXPECT_TRUE(Stage(Zone(Config::KIND_INTRUSION, 0)).Play({tall}, 5).empty());
  tall.place = Straight({0.6F, 0.95F}, {0.6F, 0.95F}, 0, 1);
  EXPECT_TRUE(Stage(Zone(Config::KIND_INTRUSION, 0)).Play({tall}, 5).empty());
  tall.place = Straight({0.6F, 0.88F}, {0.6F, 0.88F}, 0, 1);
  EXPECT_EQ(Stage(Zone(Config::KIND_INTRUSION, 0)).Play({tall}, 5).size(), 1U);
}

TEST(Intrusion, ABoxThatJumpsIntoTheZoneAndOutAgainDoesNotCount) {
  const auto jump = [](double t) {
    if (t > 2 && t <= 2.5) return Step{0.6F, 0.7F, true, t < 2.15};
    return Step{0.2F, 0.7F, true, t > 2.5 && t < 2.65};
  };
  EXPECT_TRUE(Stage(Zone(Config::KIND_INTRUSION, 0)).Play({{.place = jump}}, 10).empty());
}

TEST(Intrusion, AfterAJumpTheStayBeginsOnlyWhenTheBoxHasSettled) {
  const auto jump = [](double t) {
    return t > 2 ? Step{0.6F, 0.7F, true, t < 2.15} : Step{0.2F, 0.7F};
  };
  const auto events = Stage(Zone(Config::KIND_INTRUSION, 1)).Play({{.place = jump}}, 10);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_GT(SecondsOf(events[0]), 3.6) << "0.7 s to settle, then the dwell";
}

TEST(Intrusion, WhoWaversOnTheBorderRaisesOnce) {
  const auto waver = [](double t) {
    return Step{0.4F + 0.006F * static_cast<float>(std::sin(9 * t)), 0.7F};
  };
  EXPECT_EQ(Stage(Zone(Config::KIND_INTRUSION, 0.3)).Play({{.place = waver}}, 30).size(), 1U);
}

TEST(Intrusion, WhoReturnsRaisesAgainOnlyAfterTheReArmTime) {
  // In the zone during the first half of every 6 seconds.
  const auto comes_and_goes = [](double t) {
    return std::fmod(t, 6.0) < 3 ? Step{0.6F, 0.7F} : Step{0.2F, 0.7F};
  };
  EXPECT_EQ(Stage(Zone(Config::KIND_INTRUSION, 1, 10)).Play({{.place = comes_and_goes}}, 23).size(),
            2U)
      << "at 1 and at 13; the visits at 6 and at 18 fall into the re-arm time";
  EXPECT_EQ(Stage(Zone(Config::KIND_INTRUSION, 1, 0)).Play({{.place = comes_and_goes}}, 23).size(),
            4U);
}

TEST(Intrusion, OnlyTheClassesAndSizesAskedForCount) {
  Config rule = Zone(Config::KIND_INTRUSION, 0);
  rule.add_classes("vehicle");
  rule.set_min_height(0.2);
  rule.set_max_height(0.3);
  const auto stand = Straight({0.6F, 0.7F}, {0.6F, 0.7F}, 0, 1);
  EXPECT_TRUE(Stage(rule).Play({{.height = 0.25F, .place = stand}}, 5).empty()) << "a person";
  const auto car = [&](float height) {
    return Stage(rule)
        .Play({{.object_class = "car", .height = height, .place = stand}}, 5)
        .size();
  };
  EXPECT_EQ(car(0.25F), 1U) << "a car is a vehicle";
  EXPECT_EQ(car(0.15F), 0U) << "too small";
  EXPECT_EQ(car(0.35F), 0U) << "too large";
}

TEST(Intrusion, WhatIsHiddenWhenTheDwellEndsIsRaisedWhenItIsSeenAgain) {
  const auto hides = [](double t) { return Step{0.6F, 0.7F, t < 1 || t > 3}; };
  const auto events = Stage(Zone(Config::KIND_INTRUSION, 2)).Play({{.place = hides}}, 10);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_GT(SecondsOf(events[0]), 3.0);
}

TEST(Intrusion, AnObjectFoundAgainUnderANewNumberRaisesNoSecondEvent) {
  const auto stand = Straight({0.6F, 0.7F}, {0.6F, 0.7F}, 0, 1);
  const auto events =
      Stage(Zone(Config::KIND_INTRUSION, 1, 60))
          .Play({{.id = 1, .until = 4, .place = stand}, {.id = 2, .from = 5, .place = stand}}, 20);
  EXPECT_EQ(events.size(), 1U);
}

TEST(Intrusion, ResultsDoNotDependOnTheFrameRate) {
  for (const double fps : {5.0, 10.0, 25.0}) {
    const auto events = Stage(Zone(Config::KIND_INTRUSION, 2))
                            .Fps(fps)
                            .Play({{.place = Straight({0.2F, 0.7F}, {0.6F, 0.7F}, 0, 4)}}, 10);
    ASSERT_EQ(events.size(), 1U) << fps;
    EXPECT_NEAR(SecondsOf(events[0]), 4.0, 0.3) << fps;
  }
}

// Three seconds in, two seconds out, again and again.
Step Pacing(double t) {
  return std::fmod(t, 5.0) < 3 ? Step{0.6F, 0.7F} : Step{0.2F, 0.7F};
}

TEST(Loitering, ShortStepsOutsideDoNotEndTheStay) {
  const auto events = Stage(Zone(Config::KIND_LOITERING, 12, 60)).Play({{.place = Pacing}}, 40);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind(), proto::EVENT_KIND_LOITERING);
  EXPECT_NEAR(SecondsOf(events[0]), 12, 0.2);
}

TEST(Loitering, ALongAbsenceDoes) {
  const auto away = [](double t) {
    return std::fmod(t, 10.0) < 5 ? Step{0.6F, 0.7F} : Step{0.2F, 0.7F};
  };
  EXPECT_TRUE(Stage(Zone(Config::KIND_LOITERING, 8, 60)).Play({{.place = away}}, 60).empty());
}

TEST(Loitering, AnIntrusionRuleForgivesNoStepOutside) {
  EXPECT_TRUE(Stage(Zone(Config::KIND_INTRUSION, 12, 60)).Play({{.place = Pacing}}, 40).empty());
}

TEST(Motion, ManyMoversMakeOneEventUntilItHasBeenQuiet) {
  std::vector<Walker> walkers;
  for (uint64_t id = 1; id <= 5; ++id) {
    const double from = 2.0 * static_cast<double>(id);
    walkers.push_back({.id = id, .from = from, .until = from + 1,
                       .place = Straight({0.5F, 0.6F}, {0.6F, 0.8F}, from, from + 1)});
  }
  walkers.push_back({.id = 9, .from = 40, .place = Straight({0.5F, 0.6F}, {0.6F, 0.8F}, 40, 41)});
  EXPECT_EQ(Stage(Zone(Config::KIND_MOTION, 0, 10)).Play(walkers, 50).size(), 2U);
}

TEST(ZoneRule, IsPendingWhileADwellRuns) {
  Stage stage(Zone(Config::KIND_INTRUSION, 60));
  EXPECT_TRUE(stage.Play({{.place = Straight({0.6F, 0.7F}, {0.6F, 0.7F}, 0, 1)}}, 5).empty());
  EXPECT_TRUE(stage.pending_at_end) << "adaptive decode must not skip pictures now";
}

TEST(ZoneRule, AnObjectOutOfSightKeepsItPendingOnlyAsLongAsItIsLookedFor) {
  const auto pending_after = [](double hidden) {
    Stage stage(Zone(Config::KIND_INTRUSION, 60));
    const auto hides = [hidden](double t) { return Step{0.6F, 0.7F, t <= 5 - hidden}; };
    EXPECT_TRUE(stage.Play({{.place = hides}}, 5).empty());
    return stage.pending_at_end;
  };
  const double looked_for = static_cast<double>(kLookedFor.count()) / 1e6;
  EXPECT_TRUE(pending_after(looked_for - 0.2));
  EXPECT_FALSE(pending_after(looked_for + 0.2)) << "a quiet scene wakes up when it is seen again";
}

}  // namespace
}  // namespace cordon::testing
