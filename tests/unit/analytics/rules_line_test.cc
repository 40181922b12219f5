// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/analytics/rule_kit.h"

namespace cordon::testing {
namespace {

// The line runs upwards at x = 0.5: its left is the picture's left.
Config Line(Config::Direction direction = Config::DIRECTION_BOTH, double rearm_s = 0) {
  Config rule = PlainRule(Config::KIND_LINE_CROSSING);
  rule.add_line("0.5,1");
  rule.add_line("0.5,0");
  rule.set_direction(direction);
  rule.set_rearm_s(rearm_s);
  return rule;
}

const auto kEast = Straight({0.2F, 0.6F}, {0.8F, 0.6F}, 0, 3);
const auto kWest = Straight({0.8F, 0.6F}, {0.2F, 0.6F}, 0, 3);

TEST(LineCrossing, SaysWhichWayAndHowManySoFar) {
  const auto events = Stage(Line()).Play(
      {{.id = 1, .place = kEast},
       {.id = 2, .from = 5, .place = Straight({0.2F, 0.3F}, {0.8F, 0.3F}, 5, 8)},
       {.id = 3, .from = 9, .place = Straight({0.8F, 0.8F}, {0.2F, 0.8F}, 9, 12)}},
      15);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].direction(), proto::CROSSING_DIRECTION_LEFT_TO_RIGHT);
  EXPECT_EQ(events[0].count(), 1U);
  EXPECT_EQ(events[1].direction(), proto::CROSSING_DIRECTION_LEFT_TO_RIGHT);
  EXPECT_EQ(events[1].count(), 2U) << "the second in";
  EXPECT_EQ(events[2].direction(), proto::CROSSING_DIRECTION_RIGHT_TO_LEFT);
  EXPECT_EQ(events[2].count(), 1U) << "the first out";
  EXPECT_EQ(events[2].explanation().measured().at("left_to_right_total"), 2);
}

TEST(LineCrossing, OnlyTheDirectionAskedForCounts) {
  EXPECT_EQ(Stage(Line(Config::DIRECTION_LEFT_TO_RIGHT)).Play({{.place = kEast}}, 5).size(), 1U);
  EXPECT_EQ(Stage(Line(Config::DIRECTION_LEFT_TO_RIGHT)).Play({{.place = kWest}}, 5).size(), 0U);
  EXPECT_EQ(Stage(Line(Config::DIRECTION_RIGHT_TO_LEFT)).Play({{.place = kWest}}, 5).size(), 1U);
}

TEST(LineCrossing, AStepBackBeforeBeingClearOfTheLineUndoesIt) {
  const auto hesitates = [](double t) {
    return t < 2 ? Step{0.495F, 0.6F} : t < 3 ? Step{0.503F, 0.6F} : Step{0.4F, 0.6F};
  };
  EXPECT_TRUE(Stage(Line()).Play({{.place = hesitates}}, 6).empty());
}

TEST(LineCrossing, WhoStandsOnTheLineAndWaversIsNotCountedAgainAndAgain) {
  const auto waver = [](double t) {
    return Step{0.5F + 0.005F * static_cast<float>(std::sin(11 * t)), 0.6F};
  };
  EXPECT_TRUE(Stage(Line()).Play({{.place = waver}}, 20).empty());
}

TEST(LineCrossing, WhoWalksAlongTheLineIsNotCountedByTheNoiseOfHisBox) {
  // An eighth of his height to either side: more than a detector's boxes waver.
  const auto along = [](double t) {
    return Step{0.5F + 0.0125F * static_cast<float>(std::sin(9 * t)),
                0.95F - 0.03F * static_cast<float>(t)};
  };
  EXPECT_TRUE(Stage(Line()).Play({{.place = along}}, 20).empty());
}

TEST(LineCrossing, ABoxThatJumpsAcrossDoesNotCount) {
  const auto jump = [](double t) {
    return t > 2 ? Step{0.7F, 0.6F, true, t < 2.15} : Step{0.3F, 0.6F};
  };
  EXPECT_TRUE(Stage(Line()).Play({{.place = jump}}, 6).empty());
}

TEST(LineCrossing, TheSameObjectRaisesAgainAfterTheReArmTimeButEveryCrossingIsCounted) {
  const auto there_and_back = [](double t) {
    const double s = std::fmod(t, 8.0);
    return Step{static_cast<float>(s < 4 ? 0.3 + 0.1 * s : 0.7 - 0.1 * (s - 4)), 0.6F};
  };
  const auto events =
      Stage(Line(Config::DIRECTION_LEFT_TO_RIGHT, 20)).Play({{.place = there_and_back}}, 30);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].count(), 1U);
  EXPECT_EQ(events[1].count(), 4U) << "crossings at 2, 10, 18 and 26 s; those between fall into "
                                      "the re-arm time";
}

TEST(LineCrossing, OneWhoVanishesOnTheLineAndReturnsUnderANewNumberIsCountedOnce) {
  const auto events = Stage(Line()).Play(
      {{.id = 1, .until = 1.45, .place = kEast}, {.id = 2, .from = 1.9, .place = kEast}}, 6);
  EXPECT_EQ(events.size(), 1U);
}

TEST(LineCrossing, CountsDoNotDependOnTheFrameRate) {
  for (const double fps : {2.0, 5.0, 25.0}) {
    EXPECT_EQ(Stage(Line()).Fps(fps).Play({{.place = kEast}}, 5).size(), 1U) << fps;
  }
}

TEST(LineCrossing, WhoPassesBesideTheEndDoesNotCount) {
  Config rule = Line();
  rule.clear_line();
  rule.add_line("0.5,1");
  rule.add_line("0.5,0.7");
  EXPECT_TRUE(Stage(rule).Play({{.place = kEast}}, 5).empty());
}

}  // namespace
}  // namespace cordon::testing
