// SPDX-License-Identifier: Apache-2.0
#include "dispatch/search.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/dispatch/road_cities.h"
#include "tests/unit/dispatch/road_oracle.h"

namespace cordon {
namespace {

constexpr TravelProfile kProfiles[] = {
    {TravelKind::kCar, TravelMode::kUrgent},
    {TravelKind::kCar, TravelMode::kRoutine},
    {TravelKind::kMotorcycle, TravelMode::kUrgent},
    {TravelKind::kFoot, TravelMode::kRoutine},
};

RoadPosition RandomPlace(const TravelGraph& graph, std::mt19937_64& random) {
  const RoadNetwork& n = graph.network();
  while (true) {
    const EdgeId e{static_cast<uint32_t>(random() % n.edge_count())};
    if (graph.Passable(e)) return {e, static_cast<uint32_t>(random() % (n.length_cm(e) + 1))};
  }
}

// Time at a position by the oracle's labels and the definition.
uint32_t OracleTimeAt(const TravelGraph& graph, SearchDirection direction,
                      const std::vector<uint32_t>& labels, const SearchSeed& seed,
                      const RoadPosition& at, uint32_t limit_ms) {
  const bool forward = direction == SearchDirection::kForward;
  uint64_t best = kUnreached;
  const uint32_t part = graph.PartMs(at.edge, at.offset_cm);
  if (labels[at.edge.value] != kUnreached)
    best = uint64_t{labels[at.edge.value]} + (forward ? part : graph.EdgeMs(at.edge) - part);
  if (forward)
    for (const PieceId ghost : graph.network().ghost_pieces())
      for (const EdgeId copy : graph.network().piece(ghost).edge)
        if (graph.network().original(copy) == at.edge && labels[copy.value] != kUnreached)
          best = std::min(best, uint64_t{labels[copy.value]} + part);
  const uint32_t seed_part = graph.PartMs(seed.at.edge, seed.at.offset_cm);
  if (seed.at.edge == at.edge &&
      (forward ? at.offset_cm >= seed.at.offset_cm : at.offset_cm <= seed.at.offset_cm))
    best =
        std::min<uint64_t>(best, seed.delay_ms + (forward ? part - seed_part : seed_part - part));
  return best <= limit_ms ? static_cast<uint32_t>(best) : kUnreached;
}

// `searches` searches with 85 queries each against plain Dijkstra; returns the number of queries.
size_t Compare(const std::shared_ptr<const RoadNetwork>& network, int searches,
               uint64_t seed_number) {
  SCOPED_TRACE("seed " + std::to_string(seed_number));
  std::mt19937_64 random(seed_number);
  BoundedSearch search;
  size_t queries = 0;
  RoadState state;
  for (int i = 0; i < 20; ++i)
    state.closed[EdgeId{static_cast<uint32_t>(random() % network->edge_count())}] = i % 2 == 0;
  for (int round = 0; round < searches; ++round) {
    const auto graph = TravelGraph::Build(network, state, kProfiles[round % 4]);
    const auto limit = static_cast<uint32_t>(1000 + random() % 900'000);
    const SearchSeed seed{RandomPlace(*graph, random), static_cast<uint32_t>(random() % 5000)};
    const auto direction = round % 3 == 0 ? SearchDirection::kForward : SearchDirection::kReverse;
    search.Run(*graph, direction, {&seed, 1}, limit);
    const auto expected = testing::PlainDijkstra(*graph, direction, {&seed, 1}, limit);
    for (int query = 0; query < 85; ++query, ++queries) {
      const RoadPosition at =
          query % 5 == 0
              ? RoadPosition{seed.at.edge, static_cast<uint32_t>(
                                               random() % (network->length_cm(seed.at.edge) + 1))}
              : RandomPlace(*graph, random);
      const uint32_t want = OracleTimeAt(*graph, direction, expected, seed, at, limit);
      EXPECT_EQ(search.TimeAt(at), want) << "round " << round << " edge " << at.edge.value;
    }
    for (uint32_t e = 0; e < network->edge_count(); ++e)
      if (!network->is_ghost(EdgeId{e}) && direction == SearchDirection::kReverse &&
          search.Label(EdgeId{e}) != expected[e]) {
        ADD_FAILURE() << "round " << round << " edge " << e << ": " << search.Label(EdgeId{e})
                      << " instead of " << expected[e];
        return queries;
      }
  }
  return queries;
}

TEST(RoadSearchTest, EqualsPlainDijkstraOnTheDemoCity) {
  EXPECT_GE(Compare(testing::DemoNetwork(), 42, 7), 3500U);
}

TEST(RoadSearchTest, EqualsPlainDijkstraOnMonaco) {
  SKIP_WITHOUT(testing::TestData("osm/monaco.osm.pbf"));
  EXPECT_GE(Compare(testing::ExtractNetwork("monaco.osm.pbf"), 42, 8), 3500U);
}

TEST(RoadSearchTest, EqualsPlainDijkstraOnPorto) {
  SKIP_WITHOUT(testing::TestData("osm/porto_portugal.osm.pbf"));
  EXPECT_GE(Compare(testing::ExtractNetwork("porto_portugal.osm.pbf"), 36, 9), 3000U);
}

// Random streets with many restrictions, also via ways and overlapping: where ghosts are dense.
RoadDraft RandomTown(std::mt19937_64& random) {
  RoadDraft draft;
  constexpr int kSide = 6;
  for (int i = 0; i < kSide * kSide; ++i)
    draft.points.push_back(
        {RoadPoint{500'000'000 + i / kSide * 9000, 100'000'000 + i % kSide * 14000}});
  const auto add = [&](uint32_t a, uint32_t b) {
    DraftWay way;
    way.id = static_cast<int64_t>(draft.ways.size()) + 1;
    way.points = {a, b};
    way.access = BothWays(kAccessFoot);
    const bool one_way = random() % 4 == 0;
    for (const AccessBit bit : {kAccessCar, kAccessMotorcycle, kAccessEmergency})
      way.access |= one_way ? AccessOf(bit, true) : BothWays(bit);
    if (one_way) way.access |= AccessOf(kAccessContraflow, false);
    way.name = std::to_string(draft.ways.size());
    draft.ways.push_back(std::move(way));
  };
  for (uint32_t r = 0; r < kSide; ++r)
    for (uint32_t c = 0; c < kSide; ++c) {
      if (c + 1 < kSide && random() % 8 != 0) add(r * kSide + c, r * kSide + c + 1);
      if (r + 1 < kSide && random() % 8 != 0) add(r * kSide + c, (r + 1) * kSide + c);
    }
  for (int i = 0; i < 40; ++i) {
    // A random walk over ways gives a plausible sequence.
    std::vector<size_t> walk = {random() % draft.ways.size()};
    uint32_t at = draft.ways[walk[0]].points[1];
    for (size_t steps = 1 + random() % 3; walk.size() <= steps;) {
      std::vector<size_t> next;
      for (size_t w = 0; w < draft.ways.size(); ++w)
        if (w != walk.back() && (draft.ways[w].points[0] == at || draft.ways[w].points[1] == at))
          next.push_back(w);
      if (next.empty()) break;
      walk.push_back(next[random() % next.size()]);
      const auto& points = draft.ways[walk.back()].points;
      at = points[0] == at ? points[1] : points[0];
    }
    if (walk.size() < 2) continue;
    DraftRestriction r;
    r.from = walk.front();
    r.to = walk.back();
    r.only = random() % 4 == 0;
    r.except_emergency = random() % 4 == 0;
    if (walk.size() == 2) {
      r.via_point = draft.ways[walk[0]].points[1];
    } else {
      r.via_ways.assign(walk.begin() + 1, walk.end() - 1);
    }
    draft.restrictions.push_back(std::move(r));
  }
  return draft;
}

TEST(RoadSearchTest, EqualsPlainDijkstraOnTownsFullOfRestrictions) {
  size_t ghosts = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    std::mt19937_64 random(seed);
    const auto network = testing::Built(RandomTown(random));
    ghosts += network->ghost_pieces().size();
    Compare(network, 8, seed);
    if (HasFailure()) break;
  }
  EXPECT_GT(ghosts, 200U);
}

// The automaton of ghosts against the restrictions' own words: no way of the search contains a
// forbidden sequence.
TEST(RoadSearchTest, RoutineWaysContainNoForbiddenSequence) {
  size_t checked = 0;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    std::mt19937_64 random(seed);
    const RoadDraft draft = RandomTown(random);
    const auto network = testing::Built(draft);
    const auto graph =
        TravelGraph::Build(network, RoadState{}, {TravelKind::kCar, TravelMode::kRoutine});
    BoundedSearch search;
    for (int i = 0; i < 20; ++i) {
      const SearchSeed from{RandomPlace(*graph, random), 0};
      const auto direction = i % 2 == 0 ? SearchDirection::kForward : SearchDirection::kReverse;
      search.Run(*graph, direction, {&from, 1}, 3'600'000);
      for (int k = 0; k < 10; ++k) {
        const auto path = search.Path(RandomPlace(*graph, random));
        std::vector<size_t> ways;  // names are the positions of the ways
        for (const EdgeId e : path)
          ways.push_back(std::stoul(std::string(network->name(network->piece_of(e)))));
        for (const DraftRestriction& r : draft.restrictions) {
          if (r.only) continue;
          std::vector<size_t> forbidden = {r.from};
          forbidden.insert(forbidden.end(), r.via_ways.begin(), r.via_ways.end());
          forbidden.push_back(r.to);
          const auto found =
              std::search(ways.begin(), ways.end(), forbidden.begin(), forbidden.end());
          if (found == ways.end()) continue;
          if (r.via_point != kNoIndex) {
            const auto at = static_cast<size_t>(found - ways.begin());
            if (!(network->point(network->head(path[at])) == draft.points[r.via_point].at))
              continue;
          }
          FAIL() << "seed " << seed << ": way over " << r.from << " ... " << r.to;
        }
        ++checked;
      }
    }
  }
  EXPECT_EQ(checked, 6000U);
}

TEST(RoadSearchTest, StopsEarlyWithTheSameTimesOnceAllTargetsAreSettled) {
  const auto graph = TravelGraph::Build(testing::DemoNetwork(), RoadState{}, TravelProfile{});
  std::mt19937_64 random(5);
  BoundedSearch whole, early;
  for (int round = 0; round < 50; ++round) {
    const SearchSeed seed{RandomPlace(*graph, random), 0};
    std::vector<RoadPosition> places;
    std::vector<EdgeId> targets;
    for (int i = 0; i < 10; ++i) {
      places.push_back(RandomPlace(*graph, random));
      targets.push_back(places.back().edge);
    }
    whole.Run(*graph, SearchDirection::kReverse, {&seed, 1}, 400'000);
    early.Run(*graph, SearchDirection::kReverse, {&seed, 1}, 400'000, targets);
    EXPECT_LE(early.settled(), whole.settled());
    for (const RoadPosition& at : places) EXPECT_EQ(early.TimeAt(at), whole.TimeAt(at));
  }
}

TEST(RoadSearchTest, AWaysTimeIsTheSumOfItsParts) {
  const auto graph = TravelGraph::Build(testing::DemoNetwork(), RoadState{}, TravelProfile{});
  std::mt19937_64 random(6);
  BoundedSearch search;
  for (int round = 0; round < 100; ++round) {
    const SearchSeed goal{RandomPlace(*graph, random), 0};
    search.Run(*graph, SearchDirection::kReverse, {&goal, 1}, 1'200'000);
    const RoadPosition from = RandomPlace(*graph, random);
    const auto path = search.Path(from);
    if (path.size() < 2) continue;
    uint64_t sum = graph->EdgeMs(from.edge) - graph->PartMs(from.edge, from.offset_cm);
    for (size_t i = 1; i < path.size(); ++i) {
      sum += graph->TurnMs(path[i - 1], path[i]);
      sum += i + 1 < path.size() ? graph->EdgeMs(path[i])
                                 : graph->PartMs(goal.at.edge, goal.at.offset_cm);
    }
    EXPECT_EQ(sum, search.TimeAt(from));
    EXPECT_EQ(path.front(), from.edge);
    EXPECT_EQ(path.back(), goal.at.edge);
  }
}

}  // namespace
}  // namespace cordon
