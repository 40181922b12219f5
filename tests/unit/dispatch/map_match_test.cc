// SPDX-License-Identifier: Apache-2.0
#include "dispatch/map_match.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "dispatch/demo_city.h"
#include "dispatch/road_draft.h"
#include "tests/support/drawn_roads.h"

namespace cordon {
namespace {

using testing::DrawnRoads;

constexpr uint64_t kSeed = 2009;

std::shared_ptr<const TravelGraph> UrgentGraph(const std::shared_ptr<const RoadNetwork>& network) {
  return TravelGraph::Build(network, *RoadConditions(network).Snapshot(), TravelProfile{});
}

WallTime At(double seconds) { return WallTime(Microseconds(static_cast<int64_t>(seconds * 1e6))); }

struct TrueFix {
  RoadPosition position;
  double bearing = 0;
  double second = 0;
};

// Drives at 12 m/s, straight on or turning at random, never back; one fix a second.
std::vector<TrueFix> Drive(const TravelGraph& graph, int seconds, std::mt19937_64& random) {
  const RoadNetwork& network = graph.network();
  EdgeId e{0};
  do e = {static_cast<uint32_t>(random() % network.edge_count())};
  while (!graph.Passable(e) || network.is_ghost(e) || network.length_cm(e) < 3000);
  uint32_t offset = 0;
  std::vector<TrueFix> fixes;
  for (int second = 0; second < seconds; ++second) {
    offset += 1200;
    while (offset > network.length_cm(e)) {
      std::vector<EdgeId> ways;
      for (uint32_t s = network.first_out()[network.head(e).value];
           s < network.first_out()[network.head(e).value + 1]; ++s)
        if (EdgeId{s} != network.twin(e) && graph.TurnMs(e, {s}) != kUnreached &&
            network.allows({s}, kAccessCar))
          ways.push_back({s});
      if (ways.empty()) return fixes;
      offset -= network.length_cm(e);
      e = ways[random() % ways.size()];
    }
    const uint32_t ahead = std::min(network.length_cm(e), offset + 200);
    fixes.push_back(
        {{network.original(e), offset},
         BearingDegrees(network.PointAt({e, ahead - 200 > offset ? offset : ahead - 200}),
                        network.PointAt({e, ahead})),
         static_cast<double>(second)});
  }
  return fixes;
}

LatLon Blurred(const LatLon& p, double sigma, std::mt19937_64& random) {
  std::normal_distribution<double> noise(0, sigma);
  return Offset(Offset(p, 0, {noise(random)}), 90, {noise(random)});
}

class MapMatchTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    network_ = *RoadNetwork::FromImage(*BuildRoadImage(DrawDemoCity()));
  }
  static void TearDownTestSuite() { network_.reset(); }
  static std::shared_ptr<const RoadNetwork> network_;
  std::mt19937_64 random_{kSeed};
};
std::shared_ptr<const RoadNetwork> MapMatchTest::network_;

TEST_F(MapMatchTest, FollowsNoisyDrivesThroughTheCity) {
  const auto graph = UrgentGraph(network_);
  int all = 0, right = 0, right_alone = 0;
  for (int drive = 0; drive < 40; ++drive) {
    MapMatcher matcher(graph);
    for (const TrueFix& fix : Drive(*graph, 120, random_)) {
      const LatLon seen = Blurred(network_->PointAt(fix.position), 8, random_);
      const MatchedFix match = matcher.Add({At(fix.second), seen, Metres{8}, 12.0, fix.bearing});
      if (fix.second < 3) continue;
      ++all;
      right += match.position.edge == fix.position.edge ? 1 : 0;
      const auto nearest = Snap(*graph, {.place = seen, .accuracy = {8}}, kVehicleSnapLimit, 1);
      right_alone += !nearest.empty() && nearest[0].position.edge == fix.position.edge ? 1 : 0;
    }
  }
  ASSERT_GT(all, 2000);
  // Beside a junction the neighbouring edge is often as near; the nearest road alone is much worse.
  EXPECT_GT(right, all * 88 / 100)
      << right << " of " << all << ", nearest road alone " << right_alone;
  EXPECT_GT(right, right_alone + all / 10);
}

TEST_F(MapMatchTest, SurvivesATunnel) {
  const auto graph = UrgentGraph(network_);
  int reappeared = 0, right = 0;
  for (int drive = 0; drive < 40; ++drive) {
    MapMatcher matcher(graph);
    const auto fixes = Drive(*graph, 90, random_);
    if (fixes.size() < 90) continue;
    for (const TrueFix& fix : fixes) {
      if (fix.second > 20 && fix.second < 60) continue;  // no sky
      const MatchedFix match =
          matcher.Add({At(fix.second), Blurred(network_->PointAt(fix.position), 6, random_),
                       Metres{6}, 12.0, fix.bearing});
      if (fix.second != 60) continue;
      ++reappeared;
      right +=
          match.state == MatchState::kMatched && match.position.edge == fix.position.edge ? 1 : 0;
    }
  }
  EXPECT_GT(reappeared, 20);
  EXPECT_GT(right, reappeared * 8 / 10) << right << " of " << reappeared;
}

TEST_F(MapMatchTest, AJumpStartsAnewAndOldFixesAreIgnored) {
  const auto graph = UrgentGraph(network_);
  MapMatcher matcher(graph);
  const auto fixes = Drive(*graph, 60, random_);
  for (const TrueFix& fix : fixes)
    matcher.Add({At(fix.second), network_->PointAt(fix.position), Metres{5}, 12.0, fix.bearing});
  EXPECT_EQ(matcher.Add({At(2), network_->PointAt(fixes[2].position), Metres{5}, 12.0, 0.0}).state,
            MatchState::kOutOfOrder);
  const EdgeId far{network_->edge_count() / 2};
  LatLon place = network_->PointAt({far, network_->length_cm(far) / 2});
  if (Distance(place, network_->PointAt(fixes.back().position)).value < 3000)
    place = network_->PointAt({{7}, 0});
  EXPECT_EQ(matcher.Add({At(61), place, Metres{5}, 12.0, std::nullopt}).state,
            MatchState::kStarted);
  EXPECT_EQ(matcher.Add({At(101), {1, 1}, Metres{5}, 12.0, std::nullopt}).state,
            MatchState::kOffNetwork);
  EXPECT_EQ(matcher.Add({At(102), {NAN, 1}, {}, {}, {}}).state, MatchState::kOffNetwork);
}

// Two main roads 200 m apart cannot be confused, two carriageways 20 m apart can: a flyover and the
// street below it.
TEST(MapMatchScenario, KeepsToItsRoadAlongParallelRoads) {
  const DrawnRoads roads(R"(
  A-----B-----C-----D-----E
  |                       |
  F-----G-----H-----I-----J
)");
  const auto graph = UrgentGraph(roads.network());
  MapMatcher matcher(graph);
  std::mt19937_64 random(kSeed);
  // Along A to E, with every fix pulled 45 m towards F to J: 90 m would be the middle.
  const LatLon start = roads.Place('A');
  MatchedFix match;
  for (int second = 0; second < 90; ++second) {
    const LatLon on_road = Offset(start, 90, {20 + 12.0 * second});
    match = matcher.Add(
        {At(second), Blurred(Offset(on_road, 180, {30}), 5, random), Metres{15}, 12.0, 90.0});
    ASSERT_NE(match.state, MatchState::kOffNetwork);
    ASSERT_EQ(roads.network()
                  ->name(roads.network()->piece_of(match.position.edge))
                  .find_first_of("FGHIJ"),
              std::string_view::npos);
  }
  // The direction of travel is known.
  EXPECT_NEAR(
      BearingDegrees(roads.network()->PointAt({match.position.edge, 0}),
                     roads.network()->PointAt(
                         {match.position.edge, roads.network()->length_cm(match.position.edge)})),
      90, 5);
}

TEST(MapMatchScenario, NamesTheOtherRoadWhereItMayBe) {
  // Built by hand: two roads 18 m apart, joined far away only.
  RoadDraft draft;
  const LatLon origin{50, 10};
  const auto add = [&](double north, double east) {
    draft.points.push_back({.at = RoadPoint::From(Offset(Offset(origin, 0, {north}), 90, {east}))});
    return static_cast<uint32_t>(draft.points.size() - 1);
  };
  const uint32_t a = add(0, 0), b = add(0, 1500), c = add(18, 0), d = add(18, 1500),
                 e = add(9, 1800), f = add(9, -300);
  for (const auto& [points, name] :
       std::vector<std::pair<std::vector<uint32_t>, std::string>>{{{a, b}, "Street"},
                                                                  {{c, d}, "Flyover"},
                                                                  {{b, e}, "East"},
                                                                  {{d, e}, "East ramp"},
                                                                  {{f, a}, "West"},
                                                                  {{f, c}, "West ramp"}}) {
    DraftWay way;
    way.id = static_cast<int64_t>(draft.ways.size()) + 1;
    way.points = points;
    way.name = name;
    way.access = BothWays(kAccessCar) | BothWays(kAccessEmergency) | BothWays(kAccessMotorcycle) |
                 BothWays(kAccessFoot);
    draft.ways.push_back(std::move(way));
  }
  const auto network = *RoadNetwork::FromImage(*BuildRoadImage(draft));
  const auto graph = UrgentGraph(network);
  MapMatcher matcher(graph);
  MatchedFix match;
  for (int second = 0; second < 20; ++second)
    match = matcher.Add({At(second), Offset(Offset(origin, 0, {8}), 90, {400 + 12.0 * second}),
                         Metres{10}, 12.0, 90.0});
  ASSERT_TRUE(match.alternative.has_value());
  const auto name = [&](const RoadPosition& p) {
    return std::string(network->name(network->piece_of(p.edge)));
  };
  EXPECT_EQ(name(match.position), "Street");
  EXPECT_EQ(name(*match.alternative), "Flyover");
  const UnitSnap snap = SnapOfMatch(*graph, match);
  EXPECT_FALSE(snap.seeds.empty());
  EXPECT_FALSE(snap.alternative.empty());
  // Having come from the ramp settles it, however near the street is.
  MapMatcher came(graph);
  for (int second = 0; second < 60; ++second) {
    const double east = -290 + 12.0 * second;
    const double north = east < 0 ? 9 + 9 * (300 + east) / 300 : 18;
    match = came.Add(
        {At(second), Offset(Offset(origin, 0, {north}), 90, {east}), Metres{5}, 12.0, 90.0});
  }
  EXPECT_EQ(name(match.position), "Flyover");
}

TEST(MapMatchScenario, AStandingUnitStaysWhereItIs) {
  const DrawnRoads roads("  A--------B--------C\n");
  const auto graph = UrgentGraph(roads.network());
  MapMatcher matcher(graph);
  std::mt19937_64 random(kSeed);
  for (int second = 0; second < 10; ++second)
    matcher.Add(
        {At(second), Offset(roads.Place('A'), 90, {100 + 12.0 * second}), Metres{5}, 12.0, 90.0});
  const LatLon stop = Offset(roads.Place('A'), 90, {230});
  const EdgeId edge = matcher.Add({At(11), stop, Metres{5}, 0.0, std::nullopt}).position.edge;
  for (int second = 12; second < 300; ++second) {
    const MatchedFix match =
        matcher.Add({At(second), Blurred(stop, 4, random), Metres{5}, 0.2, std::nullopt});
    ASSERT_EQ(match.state, MatchState::kMatched);
    ASSERT_EQ(match.position.edge, edge) << second;
  }
  EXPECT_LE(matcher.Recent().size(), kMatchMemory);
}

}  // namespace
}  // namespace cordon
