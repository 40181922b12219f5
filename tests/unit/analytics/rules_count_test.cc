// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/analytics/rule_kit.h"

namespace cordon::testing {
namespace {

Config Crowd(uint32_t count, double dwell_s = 0) {
  Config rule = PlainRule(Config::KIND_CROWDING);
  rule.set_count(count);
  rule.set_dwell_s(dwell_s);
  return rule;
}

// `n` people beside each other from second `from` on.
std::vector<Walker> Row(int n, float apart = 0.1F, double from = 0, double until = 1e9) {
  std::vector<Walker> people;
  for (int i = 0; i < n; ++i) {
    const PicturePoint spot{0.1F + apart * static_cast<float>(i), 0.6F};
    people.push_back({.id = static_cast<uint64_t>(i) + 1, .from = from, .until = until,
                      .place = Straight(spot, spot, 0, 1)});
  }
  return people;
}

TEST(Crowding, RaisesFromTheCountOnAndNotBelow) {
  EXPECT_TRUE(Stage(Crowd(5)).Play(Row(4), 5).empty());
  const auto events = Stage(Crowd(5)).Play(Row(6), 5);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].count(), 6U);
  EXPECT_EQ(events[0].kind(), proto::EVENT_KIND_CROWDING);
}

TEST(Crowding, MustLastForTheDwell) {
  EXPECT_TRUE(Stage(Crowd(5, 4)).Play(Row(5, 0.1F, 0, 3), 10).empty());
  EXPECT_EQ(Stage(Crowd(5, 4)).Play(Row(5, 0.1F, 0, 6), 10).size(), 1U);
}

TEST(Crowding, OneWhoLeavesAndReturnsMakesNoSecondEvent) {
  std::vector<Walker> people = Row(5);
  people[4].place = [](double t) {
    return std::fmod(t, 4.0) < 2 ? Step{0.5F, 0.6F} : Step{0.5F, 0.05F};
  };
  Config rule = Crowd(5);
  SetZone(rule, {"0,0.3", "1,0.3", "1,1", "0,1"});
  EXPECT_EQ(Stage(rule).Play(people, 30).size(), 1U);
}

TEST(Crowding, ACrowdThatDissolvedRaisesAgain) {
  std::vector<Walker> people = Row(5, 0.1F, 0, 5);
  for (Walker walker : Row(5, 0.1F, 15)) {
    walker.id += 10;
    people.push_back(walker);
  }
  EXPECT_EQ(Stage(Crowd(5)).Play(people, 20).size(), 2U);
}

TEST(Crowding, TheDensityAskedForMustBeThereToo) {
  Config rule = Crowd(5);
  rule.set_density(0.3);
  std::vector<Walker> apart = Row(6);
  for (size_t i = 0; i < apart.size(); ++i) {
    const PicturePoint spot{0.1F + 0.3F * static_cast<float>(i % 3), i < 3 ? 0.4F : 0.9F};
    apart[i].place = Straight(spot, spot, 0, 1);
  }
  EXPECT_TRUE(Stage(rule).Play(apart, 5).empty()) << "six people all over the place";
  std::vector<Walker> close = Row(6, 0.03F);
  const auto events = Stage(rule).Play(close, 5);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_GE(events[0].explanation().measured().at("density"), 0.3);
  EXPECT_DOUBLE_EQ(events[0].explanation().thresholds().at("density"), 0.3);
}

TEST(Crowding, WhoIsOutOfSightForLongIsNotCounted) {
  std::vector<Walker> people = Row(5);
  people[0].place = [](double t) { return Step{0.1F, 0.6F, t < 0.5}; };
  EXPECT_TRUE(Stage(Crowd(5, 3)).Play(people, 10).empty());
}

TEST(QueueLength, CountsThoseWhoStandNotThoseWhoPass) {
  Config rule = PlainRule(Config::KIND_QUEUE_LENGTH);
  rule.set_count(3);
  rule.set_dwell_s(3);
  std::vector<Walker> people = Row(2);
  people.push_back({.id = 9, .place = Straight({0, 0.6F}, {1, 0.6F}, 0, 8)});
  EXPECT_TRUE(Stage(rule).Play(people, 8).empty());
  const auto events = Stage(rule).Play(Row(3), 8);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind(), proto::EVENT_KIND_QUEUE_LENGTH);
}

}  // namespace
}  // namespace cordon::testing
