// SPDX-License-Identifier: Apache-2.0
#include "dispatch/coverage_labels.h"

#include <gtest/gtest.h>

#include <random>

#include "dispatch/demo_city.h"
#include "tests/unit/dispatch/road_oracle.h"

namespace cordon {
namespace {

constexpr uint64_t kSeed = 4242;
constexpr uint32_t kLimitMs = 180'000;

class CoverageLabelsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto image = BuildRoadImage(DrawDemoCity());
    ASSERT_TRUE(image.ok()) << image.status();
    network_ = *RoadNetwork::FromImage(*std::move(image));
  }
  static void TearDownTestSuite() { network_.reset(); }

  RoadPosition AnyPosition() {
    const EdgeId e{static_cast<uint32_t>(random_() % network_->edge_count())};
    const EdgeId road = network_->original(e);
    return {road, static_cast<uint32_t>(random_() % (network_->length_cm(road) + 1))};
  }
  // Standing, direction unknown: two seeds; or moving: one.
  UnitSeeds AnyUnit(UnitSlot slot) {
    const RoadPosition at = AnyPosition();
    UnitSeeds unit{slot, {{at, 0}}};
    if (random_() % 2 == 0)
      unit.seeds.push_back(
          {{network_->twin(at.edge), network_->length_cm(at.edge) - at.offset_cm}, 3000});
    return unit;
  }
  std::shared_ptr<const TravelGraph> GraphOf(const RoadConditions& conditions) {
    return TravelGraph::Build(network_, *conditions.Snapshot(),
                              TravelProfile{TravelKind::kCar, TravelMode::kUrgent});
  }

  // By definition: every unit on its own with plain Dijkstra, then the two best.
  std::vector<NearestPair> Expected(const TravelGraph& graph, const std::vector<UnitSeeds>& units) {
    std::vector<NearestPair> pairs(network_->edge_count());
    for (const UnitSeeds& unit : units) {
      const auto labels =
          testing::PlainDijkstra(graph, SearchDirection::kForward, unit.seeds, kLimitMs);
      for (uint32_t e = 0; e < labels.size(); ++e) {
        const NearestPair::Label label{labels[e], unit.unit};
        if (labels[e] == kUnreached) continue;
        const auto before = [](const NearestPair::Label& a, const NearestPair::Label& b) {
          return std::pair(a.time_ms, a.unit) < std::pair(b.time_ms, b.unit);
        };
        if (before(label, pairs[e].first)) {
          pairs[e].second = pairs[e].first;
          pairs[e].first = label;
        } else if (before(label, pairs[e].second)) {
          pairs[e].second = label;
        }
      }
    }
    return pairs;
  }
  void ExpectSame(const NearestTwo& nearest, const std::vector<NearestPair>& expected,
                  const std::string& when) {
    for (uint32_t e = 0; e < expected.size(); ++e)
      ASSERT_EQ(nearest.At({e}), expected[e])
          << when << ", edge " << e << ": " << nearest.At({e}).first.time_ms << " by "
          << nearest.At({e}).first.unit << ", " << nearest.At({e}).second.time_ms << " by "
          << nearest.At({e}).second.unit << " instead of " << expected[e].first.time_ms << " by "
          << expected[e].first.unit << ", " << expected[e].second.time_ms << " by "
          << expected[e].second.unit << " (seed " << kSeed << ")";
  }

  static std::shared_ptr<const RoadNetwork> network_;
  std::mt19937_64 random_{kSeed};
};
std::shared_ptr<const RoadNetwork> CoverageLabelsTest::network_;

std::vector<EdgeId> Touched(NearestTwo& nearest) {
  std::vector<EdgeId> edges;
  nearest.TakeTouched([&](EdgeId e) { edges.push_back(e); });
  return edges;
}

TEST_F(CoverageLabelsTest, EqualsPlainDijkstraOfEachUnit) {
  RoadConditions conditions(network_);
  const auto graph = GraphOf(conditions);
  for (const uint32_t count : {1U, 2U, 3U, 15U}) {
    std::vector<UnitSeeds> units;
    for (UnitSlot slot = 0; slot < count; ++slot) units.push_back(AnyUnit(slot));
    NearestTwo nearest;
    nearest.Reset(graph, kLimitMs);
    nearest.Update(units);
    ExpectSame(nearest, Expected(*graph, units), std::to_string(count) + " units");
  }
}

TEST_F(CoverageLabelsTest, MovesComingsAndGoingsGiveWhatAFreshSearchGives) {
  RoadConditions conditions(network_);
  const auto graph = GraphOf(conditions);
  std::vector<UnitSeeds> units;
  for (UnitSlot slot = 0; slot < 20; ++slot) units.push_back(AnyUnit(slot));
  NearestTwo kept;
  kept.Reset(graph, kLimitMs);
  kept.Update(units);
  for (int round = 0; round < 60; ++round) {
    std::vector<UnitSeeds> changes;
    for (UnitSlot slot = 0; slot < units.size(); ++slot) {
      if (random_() % 6 != 0) continue;
      units[slot] = random_() % 5 == 0 ? UnitSeeds{slot, {}} : AnyUnit(slot);
      changes.push_back(units[slot]);
    }
    kept.Update(changes);
    NearestTwo fresh;
    fresh.Reset(graph, kLimitMs);
    fresh.Update(units);
    for (uint32_t e = 0; e < network_->edge_count(); ++e)
      ASSERT_EQ(kept.At({e}), fresh.At({e}))
          << "round " << round << " edge " << e << " seed " << kSeed;
  }
  ExpectSame(kept, Expected(*graph, units), "after all rounds");
}

TEST_F(CoverageLabelsTest, ClosuresAndSlowRoadsGiveWhatAFreshSearchGives) {
  RoadConditions conditions(network_);
  std::vector<UnitSeeds> units;
  for (UnitSlot slot = 0; slot < 15; ++slot) units.push_back(AnyUnit(slot));
  NearestTwo kept;
  kept.Reset(GraphOf(conditions), kLimitMs);
  kept.Update(units);
  for (int round = 0; round < 30; ++round) {
    const LatLon place = network_->PointAt(AnyPosition());
    const std::string id = "change-" + std::to_string(round % 7);
    if (round % 3 == 0) {
      RoadSpeedFactor factor{id, place, {}};
      factor.factor.fill(round % 2 == 0 ? 0.3F : 2.0F);
      ASSERT_TRUE(conditions.SetSpeedFactor(factor).ok());
    } else {
      ASSERT_TRUE(conditions.Close({id, place, std::nullopt, "test", false}).ok());
    }
    if (round % 5 == 4) (void)conditions.Reopen("change-" + std::to_string(round % 3));
    const auto graph = GraphOf(conditions);
    kept.ChangeGraph(graph);
    NearestTwo fresh;
    fresh.Reset(graph, kLimitMs);
    fresh.Update(units);
    for (uint32_t e = 0; e < network_->edge_count(); ++e)
      ASSERT_EQ(kept.At({e}), fresh.At({e}))
          << "round " << round << " edge " << e << " seed " << kSeed;
  }
  conditions.SetHour(3);
  std::array<std::array<float, kRoadClasses>, 24> factors;
  for (auto& hour : factors) hour.fill(0.8F);
  conditions.SetClassFactors(factors);
  const auto graph = GraphOf(conditions);
  kept.ChangeGraph(graph);
  ExpectSame(kept, Expected(*graph, units), "after all speeds changed");
}

TEST_F(CoverageLabelsTest, AParkedUnitCostsNothing) {
  RoadConditions conditions(network_);
  NearestTwo nearest;
  nearest.Reset(GraphOf(conditions), kLimitMs);
  std::vector<UnitSeeds> units;
  for (UnitSlot slot = 0; slot < 10; ++slot) units.push_back(AnyUnit(slot));
  nearest.Update(units);
  EXPECT_FALSE(Touched(nearest).empty());
  const uint64_t before = nearest.labels_set();
  nearest.Update({});
  EXPECT_EQ(nearest.labels_set(), before);
  EXPECT_TRUE(Touched(nearest).empty());
}

TEST_F(CoverageLabelsTest, TouchedEdgesAreAllThatChanged) {
  RoadConditions conditions(network_);
  NearestTwo nearest;
  nearest.Reset(GraphOf(conditions), kLimitMs);
  std::vector<UnitSeeds> units;
  for (UnitSlot slot = 0; slot < 10; ++slot) units.push_back(AnyUnit(slot));
  nearest.Update(units);
  (void)Touched(nearest);
  std::vector<NearestPair> before;
  for (uint32_t e = 0; e < network_->edge_count(); ++e) before.push_back(nearest.At({e}));
  const UnitSeeds moved = AnyUnit(3);
  nearest.Update({&moved, 1});
  std::vector<bool> touched(network_->edge_count(), false);
  for (const EdgeId e : Touched(nearest)) {
    EXPECT_FALSE(touched[e.value]) << "listed twice";
    touched[e.value] = true;
  }
  for (uint32_t e = 0; e < network_->edge_count(); ++e)
    ASSERT_TRUE(touched[e] || nearest.At({e}) == before[e]) << e;
}

}  // namespace
}  // namespace cordon
