// SPDX-License-Identifier: Apache-2.0
#include "dispatch/containment.h"

#include <gtest/gtest.h>

#include <random>

#include "dispatch/containment_matching.h"
#include "dispatch/containment_reach.h"
#include "dispatch/snap.h"
#include "tests/support/drawn_roads.h"
#include "tests/unit/dispatch/road_oracle.h"

namespace cordon {
namespace {

using testing::DrawnRoads;

constexpr uint64_t kSeed = 31;

// A square of streets with gaps, and stubs that lead out of the map.
std::string RandomPicture(std::mt19937_64& random) {
  constexpr int kColumns = 4, kRows = 4;
  std::string picture;
  for (int row = -1; row <= kRows; ++row) {
    std::string streets, links;
    for (int column = -1; column <= kColumns; ++column) {
      const bool inside_row = row >= 0 && row < kRows;
      const bool inside_column = column >= 0 && column < kColumns;
      const bool node = inside_row && inside_column;
      const bool stub = inside_row != inside_column && random() % 6 == 0;
      streets += node ? '+' : stub ? '+' : ' ';
      if (column < kColumns)
        streets += inside_row && random() % 4 != 0 ? (random() % 8 == 0 ? "->-" : "---") : "   ";
      links += inside_column && row < kRows && random() % 4 != 0 ? '|' : ' ';
      links += "   ";
    }
    picture += streets + "\n" + links + "\n";
  }
  return picture;
}

struct Oracle {
  const RoadNetwork& network;
  std::vector<uint32_t> suspect;                // by junction, fastest adversary
  std::vector<std::vector<uint32_t>> adjacent;  // passable for any
  std::vector<std::vector<uint32_t>> closed;    // by unit and junction
  std::vector<uint32_t> sources;
  std::vector<uint8_t> exits;
  uint32_t ring_ms = 0;
  uint32_t age_ms = 0;

  // Flooding from the sources past the points must not lead out.
  bool Separates(const std::vector<uint32_t>& points) const {
    std::vector<bool> seen(suspect.size(), false);
    std::vector<uint32_t> stack;
    for (const uint32_t j : sources) stack.push_back(j);
    while (!stack.empty()) {
      const uint32_t j = stack.back();
      stack.pop_back();
      if (seen[j] || std::find(points.begin(), points.end(), j) != points.end()) continue;
      seen[j] = true;
      if (exits[j] || suspect[j] > ring_ms) return false;
      for (const uint32_t next : adjacent[j]) stack.push_back(next);
    }
    return true;
  }
  bool Matched(const std::vector<uint32_t>& points) const {
    MatchingOptions options;
    for (const uint32_t j : points) {
      options.emplace_back();
      for (size_t u = 0; u < closed.size(); ++u)
        if (suspect[j] != kUnreached && closed[u][j] != kUnreached &&
            uint64_t{closed[u][j]} + age_ms <= suspect[j])
          options.back().push_back({static_cast<int32_t>(u), 0});
    }
    return MaximumMatching(options, static_cast<int32_t>(closed.size())).perfect();
  }
  bool Exists(std::vector<uint32_t>& points, uint32_t first) const {
    if (Separates(points)) return Matched(points);
    if (points.size() == closed.size()) return false;
    for (uint32_t j = first; j < suspect.size(); ++j) {
      points.push_back(j);
      if (Matched(points) && Exists(points, j + 1)) return true;
      points.pop_back();
    }
    return false;
  }
};

class ContainmentTest : public ::testing::Test {
 protected:
  std::vector<CordonUnit> AnyUnits(const RoadNetwork& network, const TravelModel& model,
                                   size_t count) {
    std::vector<CordonUnit> units;
    for (size_t u = 0; u < count; ++u) {
      const EdgeId e{static_cast<uint32_t>(random_() % network.edge_count())};
      const LatLon place = network.PointAt({e, network.length_cm(e) / 2});
      units.push_back({UnitId(std::to_string(u)), TravelKind::kCar,
                       SnapUnit(*model.Graph({}), {.place = place}).seeds, std::nullopt});
    }
    return units;
  }
  Oracle MakeOracle(const RoadConditions& conditions, const TravelModel& model,
                    const Sighting& sighting, const std::vector<CordonUnit>& units,
                    const CordonOptions& options) {
    const RoadNetwork& network = *conditions.network();
    Oracle oracle{
        network,        {}, {}, {}, {}, FindMapExits(network), options.horizon_ms + sighting.age_ms,
        sighting.age_ms};
    oracle.suspect.assign(network.junction_count(), kUnreached);
    oracle.adjacent.resize(network.junction_count());
    for (const Adversary& adversary : options.adversaries) {
      const auto graph =
          TravelGraph::Build(conditions.network(), *conditions.Snapshot(), adversary.drive);
      std::vector<uint32_t> time(network.junction_count(), kUnreached);
      for (const SearchSeed& seed : SnapScene(*graph, sighting.place, {100}).seeds) {
        const uint32_t head = network.head(seed.at.edge).value;
        time[head] = std::min(time[head], graph->EdgeMs(seed.at.edge) -
                                              graph->PartMs(seed.at.edge, seed.at.offset_cm));
        oracle.sources.push_back(head);
      }
      for (uint32_t round = 0; round < network.junction_count(); ++round)  // Bellman-Ford
        for (uint32_t e = 0; e < network.edge_count(); ++e)
          if (graph->Passable({e}) && time[network.tail({e}).value] != kUnreached)
            time[network.head({e}).value] = std::min(
                time[network.head({e}).value], time[network.tail({e}).value] + graph->EdgeMs({e}));
      for (uint32_t e = 0; e < network.edge_count(); ++e)
        if (graph->Passable({e}))
          oracle.adjacent[network.tail({e}).value].push_back(network.head({e}).value);
      for (uint32_t j = 0; j < time.size(); ++j)
        if (time[j] <= oracle.ring_ms) oracle.suspect[j] = std::min(oracle.suspect[j], time[j]);
    }
    const auto graph = model.Graph({});
    for (const CordonUnit& unit : units) {
      const auto labels =
          testing::PlainDijkstra(*graph, SearchDirection::kForward, unit.seeds, options.horizon_ms);
      std::vector<uint32_t> closed(network.junction_count(), kUnreached);
      const auto arrive = [&](EdgeId e, uint32_t time) {
        uint32_t& best = closed[network.head(e).value];
        if (time + options.set_up_ms <= options.horizon_ms)
          best = std::min(best, time + options.set_up_ms);
      };
      for (uint32_t e = 0; e < labels.size(); ++e)
        if (labels[e] != kUnreached) arrive({e}, labels[e] + graph->EdgeMs({e}));
      for (const SearchSeed& seed : unit.seeds)
        arrive(seed.at.edge, seed.delay_ms + graph->EdgeMs(seed.at.edge) -
                                 graph->PartMs(seed.at.edge, seed.at.offset_cm));
      oracle.closed.push_back(std::move(closed));
    }
    return oracle;
  }

  std::mt19937_64 random_{kSeed};
};

TEST_F(ContainmentTest, ClosesExactlyWhenBruteForceFindsACordon) {
  int closed = 0, leaking = 0, enclosed = 0, unproven = 0;
  for (int round = 0; round < 2000; ++round) {
    const DrawnRoads roads(RandomPicture(random_));
    const auto conditions = std::make_shared<RoadConditions>(roads.network());
    const TravelModel model(conditions);
    CordonPlanner planner(conditions);
    CordonOptions options;
    options.set_up_ms = static_cast<uint32_t>(random_() % 3) * 2'000;
    options.horizon_ms = 60'000 + static_cast<uint32_t>(random_() % 60) * 1'000;
    options.adversaries.resize(1 + round % 3);
    options.most_cuts = 400;
    const EdgeId seen{static_cast<uint32_t>(random_() % roads.network()->edge_count())};
    const Sighting sighting{roads.network()->PointAt({seen, roads.network()->length_cm(seen) / 3}),
                            static_cast<uint32_t>(random_() % 3) * 4'000};
    const auto units = AnyUnits(*roads.network(), model, 2 + random_() % 5);
    const auto plan = planner.Plan(model, sighting, units, options);
    ASSERT_TRUE(plan.ok()) << plan.status();
    const Oracle oracle = MakeOracle(*conditions, model, sighting, units, options);
    std::vector<uint32_t> points;
    const bool open_before = !oracle.Separates({});
    const bool exists = oracle.Exists(points, 0);
    const std::string where = "seed " + std::to_string(kSeed) + " round " + std::to_string(round);
    switch (plan->outcome) {
      case CordonPlan::Outcome::kEnclosed:
        ++enclosed;
        ASSERT_FALSE(open_before) << where;
        break;
      case CordonPlan::Outcome::kClosed: {
        ++closed;
        std::vector<uint32_t> held;
        std::vector<bool> used(units.size(), false);
        for (const CordonPoint& point : plan->points) {
          held.push_back(point.junction.value);
          ASSERT_FALSE(used[point.unit]) << where;
          used[point.unit] = true;
          ASSERT_EQ(point.closed_ms, oracle.closed[point.unit][point.junction.value]) << where;
          ASSERT_EQ(point.slack_ms, int64_t{oracle.suspect[point.junction.value]} -
                                        sighting.age_ms - point.closed_ms)
              << where;
          ASSERT_GE(point.slack_ms, 0) << where;
        }
        ASSERT_TRUE(oracle.Separates(held)) << where;
        ASSERT_TRUE(exists) << where;
        ASSERT_EQ(plan->covered_probability, 1) << where;
        for (const auto& robustness : plan->robustness) ASSERT_TRUE(robustness.closed) << where;
        break;
      }
      case CordonPlan::Outcome::kLeaking:
        ++leaking;
        unproven += plan->proven ? 0 : 1;
        ASSERT_FALSE(exists && plan->proven) << where;
        break;
      case CordonPlan::Outcome::kOffNetwork:
        FAIL() << where;
    }
  }
  // The maps must exercise every answer.
  EXPECT_GT(closed, 30);
  EXPECT_GT(leaking, 30);
  EXPECT_GT(enclosed, 2);
  EXPECT_LE(unproven, 10);
}

TEST_F(ContainmentTest, ASimulatedFugitiveNeverEscapesAClosedCordon) {
  int drives = 0;
  for (int round = 0; round < 200; ++round) {
    const std::string picture = RandomPicture(random_);
    const DrawnRoads roads(picture);
    const RoadNetwork& network = *roads.network();
    const auto conditions = std::make_shared<RoadConditions>(roads.network());
    const TravelModel model(conditions);
    CordonPlanner planner(conditions);
    CordonOptions options;
    options.set_up_ms = 5'000;
    options.horizon_ms = 90'000;
    const EdgeId seen{static_cast<uint32_t>(random_() % network.edge_count())};
    const Sighting sighting{network.PointAt({seen, network.length_cm(seen) / 2}), 3'000};
    const auto units = AnyUnits(network, model, 4);
    const auto plan = planner.Plan(model, sighting, units, options);
    ASSERT_TRUE(plan.ok());
    if (plan->outcome != CordonPlan::Outcome::kClosed) continue;
    std::vector<uint32_t> held_from(network.junction_count(), kUnreached);
    for (const CordonPoint& point : plan->points)
      held_from[point.junction.value] = point.closed_ms + sighting.age_ms;
    const auto exits = FindMapExits(network);
    for (const Adversary& adversary : options.adversaries) {
      const auto graph =
          TravelGraph::Build(roads.network(), *conditions->Snapshot(), adversary.drive);
      for (int drive = 0; drive < 40; ++drive, ++drives) {
        const auto seeds = SnapScene(*graph, sighting.place).seeds;
        if (seeds.empty()) break;
        const SearchSeed& start = seeds[random_() % seeds.size()];
        uint32_t at = network.head(start.at.edge).value;
        uint32_t time =
            graph->EdgeMs(start.at.edge) - graph->PartMs(start.at.edge, start.at.offset_cm);
        // Drives at random until the horizon or until it runs into a held point.
        while (time <= options.horizon_ms + sighting.age_ms && held_from[at] > time) {
          ASSERT_FALSE(exits[at]) << adversary.name << " escaped, seed " << kSeed << " round "
                                  << round << picture;
          std::vector<uint32_t> ways;
          for (uint32_t e = network.first_out()[at]; e < network.first_out()[at + 1]; ++e)
            if (graph->Passable({e})) ways.push_back(e);
          if (ways.empty()) break;
          const EdgeId e{ways[random_() % ways.size()]};
          time += graph->EdgeMs(e);
          at = network.head(e).value;
        }
      }
    }
  }
  EXPECT_GT(drives, 1'000);
}

}  // namespace
}  // namespace cordon
