// SPDX-License-Identifier: Apache-2.0
#include "cli/simulated_unit.h"

#include <gtest/gtest.h>

#include "dispatch/demo_city.h"
#include "dispatch/road_draft.h"
#include "dispatch/unit_board.h"

namespace cordon::cli {
namespace {

class SimulatedUnitTest : public ::testing::Test {
 protected:
  static std::shared_ptr<const RoadNetwork> Roads() {
    static const auto* const network = new std::shared_ptr<const RoadNetwork>(
        RoadNetwork::FromImage(BuildRoadImage(DrawDemoCity()).value()).value());
    return *network;
  }
  SimulatedCity city_{Roads()};
};

TEST_F(SimulatedUnitTest, SameSeedDrivesTheSameWay) {
  SimulatedUnit one("a", proto::UnitConfig::KIND_CAR, city_, 7);
  SimulatedUnit other("b", proto::UnitConfig::KIND_CAR, city_, 7);
  for (int i = 0; i < 300; ++i) {
    one.Drive(Seconds(1));
    other.Drive(Seconds(1));
    ASSERT_EQ(one.place(), other.place()) << "second " << i;
  }
}

TEST_F(SimulatedUnitTest, PatrolMovesOnRoadsAtSpeedsThatReceiversBelieve) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    SimulatedUnit unit("a", proto::UnitConfig::KIND_CAR, city_, seed);
    const LatLon start = unit.place();
    double farthest = 0;
    for (int i = 0; i < 300; ++i) {
      const LatLon before = unit.place();
      unit.Drive(Seconds(1));
      ASSERT_LE(Distance(before, unit.place()).value, UnitBoard::kMaxUnitSpeedMps)
          << "seed " << seed << ", second " << i;
      ASSERT_TRUE(FindNearestPiece(city_.network(), unit.place(), Metres{1}))
          << "off the road, seed " << seed;
      farthest = std::max(farthest, Distance(start, unit.place()).value);
    }
    EXPECT_GT(farthest, 200) << "seed " << seed << ": five minutes of patrol lead somewhere";
  }
}

TEST_F(SimulatedUnitTest, RespondsArrivesAndStaysUntilItPatrolsAgain) {
  SimulatedUnit unit("a", proto::UnitConfig::KIND_MOTORCYCLE, city_, 3);
  const LatLon scene = DemoCityCentre();
  ASSERT_TRUE(unit.Respond(scene));
  int seconds = 0;
  for (; !unit.arrived() && seconds < 3600; ++seconds) unit.Drive(Seconds(1));
  ASSERT_TRUE(unit.arrived());
  EXPECT_LT(seconds, 1200);
  EXPECT_LT(Distance(unit.place(), scene).value, 100);
  const LatLon there = unit.place();
  unit.Drive(Seconds(10));
  EXPECT_EQ(unit.place(), there);
  EXPECT_EQ(unit.Observe().speed_mps, 0);
  unit.Patrol();
  for (int i = 0; i < 60; ++i) unit.Drive(Seconds(1));
  EXPECT_GT(Distance(unit.place(), there).value, 0);
}

TEST_F(SimulatedUnitTest, ReceiverScattersByMetresOnly) {
  SimulatedUnit unit("a", proto::UnitConfig::KIND_CAR, city_, 3);
  for (int i = 0; i < 100; ++i) EXPECT_LT(Distance(unit.Observe().place, unit.place()).value, 20);
}

}  // namespace
}  // namespace cordon::cli
