// SPDX-License-Identifier: Apache-2.0
// Cordons in whole cities against simulated fugitives: where "closed" is reported, nobody gets out.
#include <gtest/gtest.h>

#include <random>

#include "dispatch/containment.h"
#include "dispatch/containment_reach.h"
#include "dispatch/demo_city.h"
#include "dispatch/osm_import.h"
#include "dispatch/snap.h"
#include "tests/support/test_data.h"

namespace cordon {
namespace {

constexpr uint64_t kSeed = 10'000;

class Fugitives {
 public:
  explicit Fugitives(std::shared_ptr<const RoadNetwork> network)
      : network_(std::move(network)),
        conditions_(std::make_shared<RoadConditions>(network_)),
        model_(conditions_),
        planner_(conditions_),
        exits_(FindMapExits(*network_)) {
    for (const Adversary& adversary : options_.adversaries)
      graphs_.push_back(TravelGraph::Build(network_, *conditions_->Snapshot(), adversary.drive));
  }

  // Plans until `wanted` drives have been made against closed cordons, at most `plans` plans.
  void Run(int wanted, int plans) {
    for (int i = 0; i < plans && drives < wanted; ++i) {
      const Sighting sighting{AnyPlace(), static_cast<uint32_t>(random_() % 30) * 1000};
      const auto units = UnitsAround(sighting.place, 40 + random_() % 80,
                                     400 + static_cast<double>(random_() % 2500));
      options_.set_up_ms = static_cast<uint32_t>(random_() % 30) * 1000;
      const auto plan = planner_.Plan(model_, sighting, units, options_);
      ASSERT_TRUE(plan.ok()) << plan.status();
      if (plan->outcome != CordonPlan::Outcome::kClosed) continue;
      ++closed;
      points += plan->points.size();
      // Where anybody can be by the horizon; a closed cordon keeps them inside for good.
      inside_.assign(network_->junction_count(), 0);
      for (const auto& graph : graphs_) {
        FugitiveReach reach;
        reach.Run(graph, SnapScene(*graph, sighting.place, {100}).seeds,
                  sighting.age_ms + options_.horizon_ms);
        for (const uint32_t j : reach.reached()) inside_[j] = 1;
      }
      for (int drive = 0; drive < 300 && drives < wanted; ++drive, ++drives)
        ASSERT_NO_FATAL_FAILURE(
            DriveOnce(*plan, sighting, static_cast<size_t>(drive) % graphs_.size()));
    }
  }

  int drives = 0;
  int closed = 0;
  size_t points = 0;

 private:
  LatLon AnyPlace() {
    for (;;) {
      const EdgeId e{static_cast<uint32_t>(random_() % network_->edge_count())};
      const RoadPiece& piece = network_->piece(e);
      if (!(piece.flags & (kFlagGhost | kFlagIsland)) && model_.Graph({})->Passable(e))
        return network_->PointAt({e, piece.length_cm / 2});
    }
  }
  std::vector<CordonUnit> UnitsAround(const LatLon& middle, size_t count, double radius) {
    std::vector<CordonUnit> units;
    for (size_t tries = 0; units.size() < count && tries < 20 * count; ++tries) {
      const LatLon at = Offset(middle, static_cast<double>(random_() % 360),
                               {radius * static_cast<double>(random_() % 1000) / 1000});
      UnitSnap snap = SnapUnit(*model_.Graph({}), {.place = at});
      if (!snap.seeds.empty())
        units.push_back({UnitId(std::to_string(units.size())), TravelKind::kCar,
                         std::move(snap.seeds), std::nullopt});
    }
    return units;
  }
  // At random but rarely back, half of the drivers drawn outwards.
  void DriveOnce(const CordonPlan& plan, const Sighting& sighting, size_t adversary) {
    const TravelGraph& graph = *graphs_[adversary];
    const auto seeds = SnapScene(graph, sighting.place, {100}).seeds;
    if (seeds.empty()) return;
    const bool outwards = random_() % 2 == 0;
    const SearchSeed& start = seeds[random_() % seeds.size()];
    EdgeId e = start.at.edge;
    uint32_t time = graph.EdgeMs(e) - graph.PartMs(e, start.at.offset_cm);
    const uint32_t end = 2 * (sighting.age_ms + options_.horizon_ms);
    while (time <= end) {
      const JunctionId at = network_->head(e);
      for (const CordonPoint& point : plan.points)
        if (point.junction == at && time >= point.closed_ms + sighting.age_ms) return;  // caught
      ASSERT_FALSE(exits_[at.value])
          << options_.adversaries[adversary].name << " left the map, seed " << kSeed;
      ASSERT_TRUE(inside_[at.value])
          << options_.adversaries[adversary].name << " is outside, seed " << kSeed;
      std::vector<EdgeId> ways;
      for (uint32_t s = network_->first_out()[at.value]; s < network_->first_out()[at.value + 1];
           ++s)
        if (graph.Passable({s}) && (EdgeId{s} != network_->twin(e) || random_() % 20 == 0))
          ways.push_back({s});
      if (ways.empty()) {
        e = network_->twin(e);
        if (!graph.Passable(e)) return;
      } else {
        e = ways[random_() % ways.size()];
        if (outwards)
          for (const EdgeId way : ways)
            if (Farther(way, e, sighting.place)) e = way;
      }
      time += graph.EdgeMs(e);
    }
  }
  bool Farther(EdgeId a, EdgeId b, const LatLon& from) {
    if (random_() % 4 == 0) return false;
    return Distance(network_->point(network_->head(a)).ToLatLon(), from) >
           Distance(network_->point(network_->head(b)).ToLatLon(), from);
  }

  std::shared_ptr<const RoadNetwork> network_;
  std::shared_ptr<RoadConditions> conditions_;
  TravelModel model_;
  CordonPlanner planner_;
  CordonOptions options_;
  std::vector<uint8_t> exits_;
  std::vector<uint8_t> inside_;
  std::vector<std::shared_ptr<const TravelGraph>> graphs_;
  std::mt19937_64 random_{kSeed};
};

TEST(ContainmentCityTest, NobodyLeavesAClosedCordonInTheDemoCity) {
  Fugitives fugitives(*RoadNetwork::FromImage(*BuildRoadImage(DrawDemoCity())));
  ASSERT_NO_FATAL_FAILURE(fugitives.Run(10'000, 400));
  RecordProperty("drives", fugitives.drives);
  std::printf(
      "%d closed cordons, %.1f points each, %d drives\n", fugitives.closed,
      fugitives.closed == 0 ? 0.0 : static_cast<double>(fugitives.points) / fugitives.closed,
      fugitives.drives);
  EXPECT_EQ(fugitives.drives, 10'000);
}

TEST(ContainmentCityTest, NobodyLeavesAClosedCordonInRealCities) {
  for (const char* extract : {"osm/monaco.osm.pbf", "osm/porto_portugal.osm.pbf"}) {
    const std::string path = testing::TestData(extract);
    SKIP_WITHOUT(path);
    const auto draft = ImportOsm(path);
    ASSERT_TRUE(draft.ok()) << draft.status();
    Fugitives fugitives(*RoadNetwork::FromImage(*BuildRoadImage(*draft)));
    ASSERT_NO_FATAL_FAILURE(fugitives.Run(10'000, 150)) << extract;
    std::printf(
        "%s: %d closed cordons, %.1f points each, %d drives\n", extract, fugitives.closed,
        fugitives.closed == 0 ? 0.0 : static_cast<double>(fugitives.points) / fugitives.closed,
        fugitives.drives);
    EXPECT_GT(fugitives.drives, 0) << extract;
  }
}

}  // namespace
}  // namespace cordon
