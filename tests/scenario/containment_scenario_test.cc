// SPDX-License-Identifier: Apache-2.0
// Cordons on maps that can be checked by eye. S is where the suspect was seen, digits are units.
#include <gtest/gtest.h>

#include "dispatch/containment.h"
#include "dispatch/snap.h"
#include "tests/support/drawn_roads.h"

namespace cordon {
namespace {

using testing::DrawnRoads;

class CordonScenario {
 public:
  explicit CordonScenario(std::string_view picture)
      : roads(picture),
        conditions(std::make_shared<RoadConditions>(roads.network())),
        model(conditions),
        planner(conditions) {
    options.set_up_ms = 10'000;
    options.horizon_ms = 600'000;
  }
  CordonPlan Plan(const std::string& units, uint32_t age_ms = 0) {
    std::vector<CordonUnit> list;
    for (const char digit : units) {
      const auto graph = model.Graph({});
      list.push_back({UnitId(std::string(1, digit)), TravelKind::kCar,
                      SnapUnit(*graph, {.place = roads.Place(digit)}).seeds, std::nullopt});
    }
    auto plan = planner.Plan(model, {roads.Place('S'), age_ms}, list, options);
    EXPECT_TRUE(plan.ok()) << plan.status();
    return *std::move(plan);
  }
  // The letters of the points, sorted.
  std::string Points(const CordonPlan& plan) const {
    std::string letters;
    for (const CordonPoint& point : plan.points) letters += roads.Letter(point.junction);
    std::sort(letters.begin(), letters.end());
    return letters;
  }

  DrawnRoads roads;
  std::shared_ptr<RoadConditions> conditions;
  TravelModel model;
  CordonPlanner planner;
  CordonOptions options;
};

// A river with two bridges east and west of the suspect's quarter.
constexpr std::string_view kRiver = R"(
  W-----1-----A-----+-----+-----B-----2-----E
              |     |     |     |
              +-----S-----+-----+
              |     |     |     |
              +-----+-----+-----+
)";

TEST(ContainmentScenarioTest, TwoUnitsCloseTwoBridges) {
  CordonScenario scenario(kRiver);
  const CordonPlan plan = scenario.Plan("12");
  EXPECT_EQ(plan.outcome, CordonPlan::Outcome::kClosed);
  ASSERT_EQ(plan.points.size(), 2U);
  for (const CordonPoint& point : plan.points) EXPECT_GE(point.slack_ms, 0);
  EXPECT_EQ(plan.covered_probability, 1);
  for (const auto& robustness : plan.robustness)
    EXPECT_TRUE(robustness.closed) << robustness.adversary;
  EXPECT_NE(plan.points[0].unit, plan.points[1].unit);
}

TEST(ContainmentScenarioTest, OneUnitLeavesABridgeOpenAndTheBridgeIsNamed) {
  CordonScenario scenario(kRiver);
  const CordonPlan plan = scenario.Plan("1");
  EXPECT_EQ(plan.outcome, CordonPlan::Outcome::kLeaking);
  EXPECT_TRUE(plan.proven);
  ASSERT_EQ(plan.points.size(), 1U);
  EXPECT_GT(plan.covered_probability, 0.2);
  EXPECT_LT(plan.covered_probability, 0.8);
  ASSERT_EQ(plan.leaks.size(), 1U);
  EXPECT_NE(plan.leaks[0].roads.find("2"), std::string::npos) << plan.leaks[0].roads;
}

TEST(ContainmentScenarioTest, AnOldSightingLetsTheSuspectPass) {
  CordonScenario scenario(kRiver);
  EXPECT_EQ(scenario.Plan("12", 30'000).outcome, CordonPlan::Outcome::kClosed);
  const CordonPlan late = scenario.Plan("12", 400'000);
  EXPECT_EQ(late.outcome, CordonPlan::Outcome::kLeaking);
  EXPECT_TRUE(late.proven);
}

// Both units are at the west end: each could hold it, neither gets to the east in time.
TEST(ContainmentScenarioTest, UnitsThatAllStandOnOneSideDoNotCloseTheOther) {
  CordonScenario scenario(R"(
  W--1-----2--A--S--B--------------E
)");
  const CordonPlan plan = scenario.Plan("12");
  EXPECT_EQ(plan.outcome, CordonPlan::Outcome::kLeaking);
  EXPECT_TRUE(plan.proven);
}

// One unit is near both exits of the south, the other only near one of them: the matching decides.
TEST(ContainmentScenarioTest, AUnitHoldsOnePointOnly) {
  CordonScenario scenario(R"(
  A--------S--------B
  |                 |
  1                 |
  |                 |
  W                 E
)");
  EXPECT_EQ(scenario.Plan("1").outcome, CordonPlan::Outcome::kLeaking);
}

TEST(ContainmentScenarioTest, ADeadEndQuarterWithOneWayOutNeedsOneUnit) {
  CordonScenario scenario(R"(
  +--+--+
  |  |  |
  +--S--+-----A-----1-----E
  |  |  |
  +--+--+
)");
  const CordonPlan plan = scenario.Plan("1");
  // The quarter's own dead ends are none: everything but the road to the east is a block.
  EXPECT_EQ(plan.outcome, CordonPlan::Outcome::kClosed);
  EXPECT_EQ(plan.points.size(), 1U);
}

TEST(ContainmentScenarioTest, WithoutAWayOutThereIsNothingToHold) {
  CordonScenario scenario(R"(
  +-----+
  |     |
  +--S--+
)");
  const CordonPlan plan = scenario.Plan("");
  EXPECT_EQ(plan.outcome, CordonPlan::Outcome::kEnclosed);
  EXPECT_TRUE(plan.points.empty());
}

TEST(ContainmentScenarioTest, AOneWayStopsACautiousCarOnly) {
  CordonScenario scenario(R"(
  +-----S--<--A-----E
  |     |
  +-----+
)");
  const CordonPlan plan = scenario.Plan("");
  EXPECT_EQ(plan.outcome, CordonPlan::Outcome::kLeaking);
  for (const auto& robustness : plan.robustness)
    EXPECT_EQ(robustness.closed, robustness.adversary == "cautious car") << robustness.adversary;
}

TEST(ContainmentScenarioTest, AUnitThatAlreadyHoldsAPointKeepsIt) {
  CordonScenario scenario(kRiver);
  const CordonPlan first = scenario.Plan("12");
  ASSERT_EQ(first.outcome, CordonPlan::Outcome::kClosed);
  std::vector<CordonUnit> units;
  for (const char digit : std::string("12")) {
    CordonUnit unit{
        UnitId(std::string(1, digit)), TravelKind::kCar,
        SnapUnit(*scenario.model.Graph({}), {.place = scenario.roads.Place(digit)}).seeds,
        std::nullopt};
    for (const CordonPoint& point : first.points)
      if (point.unit == units.size()) unit.holding = {point.junction, 120'000 - point.closed_ms};
    units.push_back(unit);
  }
  // Two minutes later nobody could get there any more, but they are there.
  const auto later = scenario.planner.Plan(scenario.model, {scenario.roads.Place('S'), 120'000},
                                           units, scenario.options);
  ASSERT_TRUE(later.ok());
  EXPECT_EQ(later->outcome, CordonPlan::Outcome::kClosed);
  EXPECT_EQ(scenario.Points(*later), scenario.Points(first));
  for (const CordonPoint& point : later->points) EXPECT_EQ(point.eta_ms, 0U);
}

TEST(ContainmentScenarioTest, BadInputIsRefusedInOneSentence) {
  CordonScenario scenario(kRiver);
  EXPECT_EQ(scenario.planner.Plan(scenario.model, {{1, 1}, 0}, {}, scenario.options)->outcome,
            CordonPlan::Outcome::kOffNetwork);
  scenario.options.horizon_ms = 0;
  EXPECT_FALSE(
      scenario.planner.Plan(scenario.model, {scenario.roads.Place('S'), 0}, {}, scenario.options)
          .ok());
  scenario.options.horizon_ms = 600'000;
  scenario.options.adversaries.clear();
  EXPECT_FALSE(
      scenario.planner.Plan(scenario.model, {scenario.roads.Place('S'), 0}, {}, scenario.options)
          .ok());
}

}  // namespace
}  // namespace cordon
