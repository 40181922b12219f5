// SPDX-License-Identifier: Apache-2.0
#include "dispatch/snap.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/drawn_roads.h"
#include "tests/unit/dispatch/road_cities.h"

namespace cordon {
namespace {

using testing::DrawnRoads;

std::shared_ptr<const TravelGraph> Urgent(const std::shared_ptr<const RoadNetwork>& network) {
  return TravelGraph::Build(network, RoadState{}, TravelProfile{});
}

TEST(SnapTest, AMovingUnitIsPutIntoItsDirectionAndTurningBackCosts) {
  const DrawnRoads roads("A--------B");
  const auto graph = Urgent(roads.network());
  const LatLon middle = Offset(roads.Place('A'), 90, {450});
  for (const double course : {90.0, 270.0}) {
    const UnitSnap snap = SnapUnit(*graph, {middle, {5}, course, 10.0});
    ASSERT_EQ(snap.seeds.size(), 2U);
    const auto heads = roads.network()->head(snap.seeds[0].at.edge);
    EXPECT_EQ(heads, roads.Junction(course == 90 ? 'B' : 'A'));
    EXPECT_EQ(snap.seeds[0].delay_ms, 0U);
    EXPECT_EQ(snap.seeds[1].delay_ms, graph->turn_costs().mid_edge_u_turn_ms);
    EXPECT_NEAR(snap.seeds[0].at.offset_cm, 45'000, 200);
  }
  // Parked: either direction.
  const UnitSnap parked = SnapUnit(*graph, {middle, {5}, 90.0, 0.0});
  EXPECT_EQ(parked.seeds[0].delay_ms + parked.seeds[1].delay_ms, 0U);
}

TEST(SnapTest, FartherThanFiftyMetresIsOffTheNetworkForVehicles) {
  const DrawnRoads roads("A--------B");
  const auto graph = Urgent(roads.network());
  const LatLon middle = Offset(roads.Place('A'), 90, {450});
  EXPECT_FALSE(SnapUnit(*graph, {Offset(middle, 0, {40}), {0}, {}, {}}).seeds.empty());
  EXPECT_TRUE(SnapUnit(*graph, {Offset(middle, 0, {60}), {0}, {}, {}}).seeds.empty());
  EXPECT_TRUE(SnapUnit(*graph, {Offset(middle, 0, {60}), {500}, {}, {}}).seeds.empty());
  const auto walk =
      TravelGraph::Build(roads.network(), RoadState{}, {TravelKind::kFoot, TravelMode::kUrgent});
  EXPECT_FALSE(SnapUnit(*walk, {Offset(middle, 0, {150}), {0}, {}, {}}).seeds.empty());
  EXPECT_TRUE(SnapUnit(*graph, {{std::nan(""), 0}, {0}, {}, {}}).seeds.empty());
  EXPECT_TRUE(SnapScene(*graph, {10, 10}).seeds.empty());
}

TEST(SnapTest, BesideAParallelRoadTheOtherIsAnAlternative) {
  // Two roads 20 m apart.
  RoadDraft draft;
  const LatLon west{50, 10};
  for (const double north : {0.0, 20.0})
    for (const double east : {0.0, 1000.0})
      draft.points.push_back({RoadPoint::From(Offset(Offset(west, 0, {north}), 90, {east}))});
  for (uint32_t i = 0; i < 2; ++i) {
    DraftWay way;
    way.points = {2 * i, 2 * i + 1};
    way.access = BothWays(kAccessCar) | BothWays(kAccessEmergency);
    draft.ways.push_back(way);
  }
  const auto graph = Urgent(testing::Built(draft));
  const UnitSnap between = SnapUnit(*graph, {Offset(Offset(west, 0, {8}), 90, {500}), {5}, {}, {}});
  EXPECT_EQ(between.seeds.size(), 2U);
  EXPECT_EQ(between.alternative.size(), 2U);
  const UnitSnap clear =
      SnapUnit(*graph, {Offset(Offset(west, 180, {15}), 90, {500}), {5}, {}, {}});
  EXPECT_TRUE(clear.alternative.empty());
}

TEST(SnapTest, TheNearestPieceIsTheNearestOfAll) {
  const auto network = testing::DemoNetwork();
  std::mt19937_64 random(2);
  for (int i = 0; i < 40; ++i) {
    const EdgeId e{static_cast<uint32_t>(random() % network->edge_count())};
    const LatLon at =
        Offset(network->PointAt({e, network->length_cm(e) / 2}),
               static_cast<double>(random() % 360), {static_cast<double>(random() % 45)});
    const auto nearest = FindNearestPiece(*network, at, {50});
    ASSERT_TRUE(nearest.has_value());
    double least = 1e9;
    for (uint32_t p = 0; p < network->piece_count(); ++p) {
      const EdgeId f = network->piece(PieceId{p}).edge[0];
      for (uint32_t k = 0; k <= 40; ++k)
        least = std::min(
            least,
            Distance(at, network->PointAt(
                             {f, static_cast<uint32_t>(uint64_t{network->length_cm(f)} * k / 40)}))
                .value);
    }
    EXPECT_LE(nearest->distance.value, least + 0.2);
  }
}

}  // namespace
}  // namespace cordon
