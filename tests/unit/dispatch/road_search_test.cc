// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>

#include "dispatch/demo_city.h"
#include "dispatch/search.h"
#include "tests/unit/dispatch/road_oracle.h"

namespace cordon {
namespace {

constexpr TravelProfile kProfiles[] = {
    {TravelKind::kCar, TravelMode::kUrgent},
    {TravelKind::kCar, TravelMode::kRoutine},
    {TravelKind::kMotorcycle, TravelMode::kUrgent},
    {TravelKind::kFoot, TravelMode::kRoutine},
};

std::shared_ptr<const RoadNetwork> DemoNetwork() {
  auto image = BuildRoadImage(DrawDemoCity());
  EXPECT_TRUE(image.ok()) << image.status();
  auto network = RoadNetwork::FromImage(*std::move(image));
  EXPECT_TRUE(network.ok()) << network.status();
  return *std::move(network);
}

SearchSeed RandomSeed(const TravelGraph& graph, std::mt19937_64& random) {
  const RoadNetwork& n = graph.network();
  while (true) {
    const EdgeId e{static_cast<uint32_t>(random() % n.edge_count())};
    if (graph.Passable(e))
      return {{e, static_cast<uint32_t>(random() % (n.length_cm(e) + 1))},
              static_cast<uint32_t>(random() % 5000)};
  }
}

TEST(RoadSearchTest, EqualsPlainDijkstraOnTheDemoCity) {
  const auto network = DemoNetwork();
  std::mt19937_64 random(7);
  BoundedSearch search;
  for (const TravelProfile& profile : kProfiles) {
    const auto graph = TravelGraph::Build(network, RoadState{}, profile);
    for (int round = 0; round < 60; ++round) {
      const std::vector<SearchSeed> seeds = {RandomSeed(*graph, random),
                                             RandomSeed(*graph, random)};
      const auto limit = static_cast<uint32_t>(1000 + random() % 900'000);
      for (const SearchDirection direction :
           {SearchDirection::kForward, SearchDirection::kReverse}) {
        search.Run(*graph, direction, seeds, limit);
        const auto expected = testing::PlainDijkstra(*graph, direction, seeds, limit);
        for (uint32_t e = 0; e < network->edge_count(); ++e) {
          if (network->is_ghost(EdgeId{e})) continue;
          ASSERT_EQ(search.Label(EdgeId{e}), expected[e]) << "edge " << e << " round " << round;
        }
      }
    }
  }
}

}  // namespace
}  // namespace cordon
