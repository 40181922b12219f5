// SPDX-License-Identifier: Apache-2.0
// Patrols that drive, park, turn round, get busy and come back, while roads are closed and opened:
// whatever happened before, the answer is that of a fresh start.
#include <gtest/gtest.h>

#include <random>

#include "dispatch/coverage.h"
#include "tests/unit/dispatch/road_cities.h"

namespace cordon {
namespace {

constexpr uint64_t kSeed = 31415;
constexpr uint32_t kLimitMs = 300'000;

// A fleet that moves as patrols do, second by second.
class Patrols {
 public:
  Patrols(std::shared_ptr<const RoadNetwork> network, size_t count)
      : network_(std::move(network)),
        conditions_(std::make_shared<RoadConditions>(network_)),
        model_(conditions_),
        patrols_(count) {
    const auto graph = model_.Graph({});
    for (Patrol& patrol : patrols_) {
      do patrol.edge = {static_cast<uint32_t>(random_() % network_->edge_count())};
      while (!graph->Passable(patrol.edge) || network_->original(patrol.edge) != patrol.edge);
      patrol.offset_cm = network_->length_cm(patrol.edge) / 2;
    }
  }
  const TravelModel& model() const { return model_; }
  const std::shared_ptr<const RoadNetwork>& network() const { return network_; }

  void Second() {
    for (Patrol& patrol : patrols_) {
      const uint64_t dice = random_() % 100;
      if (dice < 5) patrol.parked = !patrol.parked;
      if (dice >= 5 && dice < 8) patrol.busy = !patrol.busy;
      if (dice == 8) TurnRound(patrol);
      if (!patrol.parked) Drive(patrol, 300 + static_cast<uint32_t>(random_() % 2'500));
    }
  }
  void ChangeRoads(uint32_t tick) {
    const Patrol& near = patrols_[random_() % patrols_.size()];
    const std::string id = "road-" + std::to_string(tick % 5);
    if (random_() % 3 == 0) {
      (void)conditions_->Reopen(id);
    } else {
      const RoadPosition ahead{near.edge, network_->length_cm(near.edge) / 2};
      ASSERT_TRUE(
          conditions_->Close({id, network_->PointAt(ahead), std::nullopt, "test", false}).ok());
    }
  }
  // Both directions, the other one at the price of turning round; none while busy.
  std::vector<SearchSeed> Seeds(size_t i) const {
    const Patrol& patrol = patrols_[i];
    if (patrol.busy) return {};
    std::vector<SearchSeed> seeds = {{{patrol.edge, patrol.offset_cm}, 0}};
    const auto graph = model_.Graph({});
    if (const EdgeId back = network_->twin(patrol.edge); graph->Passable(back))
      seeds.push_back({{back, network_->length_cm(back) - patrol.offset_cm},
                       graph->turn_costs().mid_edge_u_turn_ms});
    return seeds;
  }
  std::vector<UnitSeeds> AllSeeds() const {
    std::vector<UnitSeeds> all;
    for (UnitSlot slot = 0; slot < patrols_.size(); ++slot) all.push_back({slot, Seeds(slot)});
    return all;
  }
  // The busy ones are not among them.
  std::vector<CoverageUnit> Available() const {
    std::vector<CoverageUnit> units;
    for (size_t i = 0; i < patrols_.size(); ++i)
      if (!patrols_[i].busy)
        units.push_back({UnitId(std::to_string(i)), TravelKind::kCar, true, Seeds(i)});
    return units;
  }

 private:
  struct Patrol {
    EdgeId edge;
    uint32_t offset_cm = 0;
    bool parked = false;
    bool busy = false;
  };
  void TurnRound(Patrol& patrol) {
    patrol = {network_->twin(patrol.edge), network_->length_cm(patrol.edge) - patrol.offset_cm,
              patrol.parked, patrol.busy};
  }
  void Drive(Patrol& patrol, uint32_t cm) {
    const auto graph = model_.Graph({});
    patrol.offset_cm += cm;
    while (patrol.offset_cm > network_->length_cm(patrol.edge)) {
      patrol.offset_cm -= network_->length_cm(patrol.edge);
      std::vector<EdgeId> ways;
      const uint32_t at = network_->head(patrol.edge).value;
      for (uint32_t e = network_->first_out()[at]; e < network_->first_out()[at + 1]; ++e)
        if (graph->Passable({e}) && graph->TurnMs(patrol.edge, {e}) != kUnreached)
          ways.push_back(network_->original({e}));
      patrol.edge = ways.empty() ? network_->twin(patrol.edge) : ways[random_() % ways.size()];
    }
  }

  std::mt19937_64 random_{kSeed};
  const std::shared_ptr<const RoadNetwork> network_;
  const std::shared_ptr<RoadConditions> conditions_;
  const TravelModel model_;
  std::vector<Patrol> patrols_;
};

void ExpectLabelsOfAFreshSearch(Patrols& patrols, uint32_t ticks, uint32_t compare_every) {
  NearestTwo kept;
  kept.Reset(patrols.model().Graph({}), kLimitMs);
  std::vector<UnitSeeds> before;
  for (uint32_t tick = 0; tick < ticks; ++tick) {
    patrols.Second();
    if (tick % 9 == 4) patrols.ChangeRoads(tick);
    kept.ChangeGraph(patrols.model().Graph({}));
    const std::vector<UnitSeeds> now = patrols.AllSeeds();
    kept.Update(now);
    if (tick % compare_every != compare_every - 1) continue;
    NearestTwo fresh;
    fresh.Reset(patrols.model().Graph({}), kLimitMs);
    fresh.Update(now);
    for (uint32_t e = 0; e < patrols.network()->edge_count(); ++e)
      ASSERT_EQ(kept.At({e}), fresh.At({e}))
          << "tick " << tick << " edge " << e << " seed " << kSeed;
  }
}

TEST(CoverageWalkTest, LabelsAfterEachSecondAreThoseOfAFreshSearch) {
  Patrols patrols(testing::DemoNetwork(), 20);
  ExpectLabelsOfAFreshSearch(patrols, 400, 1);
}

// Few units: most labels have nobody behind them. Many: everywhere a third waits for its turn.
TEST(CoverageWalkTest, LabelsOfFewAndOfManyAreThoseOfAFreshSearch) {
  for (const size_t count : {2U, 3U, 150U}) {
    Patrols patrols(testing::DemoNetwork(), count);
    ExpectLabelsOfAFreshSearch(patrols, 100, 1);
  }
}

TEST(CoverageWalkTest, LabelsOnPortoAreThoseOfAFreshSearch) {
  SKIP_WITHOUT(testing::TestData("osm/porto_portugal.osm.pbf"));
  Patrols patrols(testing::ExtractNetwork("porto_portugal.osm.pbf"), 60);
  ExpectLabelsOfAFreshSearch(patrols, 40, 5);
}

TEST(CoverageWalkTest, CoverageAfterEachSecondIsThatOfAFreshStart) {
  Patrols patrols(testing::DemoNetwork(), 25);
  auto kept = *Coverage::Create(patrols.network(), {});
  for (uint32_t tick = 0; tick < 150; ++tick) {
    patrols.Second();
    if (tick % 9 == 4) patrols.ChangeRoads(tick);
    const std::vector<CoverageUnit> units = patrols.Available();
    ASSERT_TRUE(kept->Update(patrols.model(), units).ok());
    if (tick % 3 != 2) continue;
    auto fresh = *Coverage::Create(patrols.network(), {});
    ASSERT_TRUE(fresh->Update(patrols.model(), units).ok());
    for (size_t tier = 0; tier < kept->tiers().size(); ++tier) {
      ASSERT_EQ(kept->tiers()[tier].covered_cm, fresh->tiers()[tier].covered_cm) << tick;
      ASSERT_EQ(kept->tiers()[tier].twice_cm, fresh->tiers()[tier].twice_cm) << tick;
      for (uint32_t p = 0; p < patrols.network()->piece_count(); ++p)
        ASSERT_EQ(kept->CoveredCm({p}, tier), fresh->CoveredCm({p}, tier))
            << "tick " << tick << " piece " << p << " seed " << kSeed;
    }
  }
}

// A road is marked every 25 m for both directions together: a drive along it changes what is
// reached once for each mark, not once for each direction.
TEST(CoverageWalkTest, AUnitIsSearchedAgainOncePerMarkOfItsRoad) {
  const auto network = testing::DemoNetwork();
  const TravelModel model(std::make_shared<RoadConditions>(network));
  const auto graph = model.Graph({});
  EdgeId edge;
  for (edge.value = 0; edge.value < network->edge_count(); ++edge.value)
    if (network->length_cm(edge) > 12'000 && graph->Passable(edge) &&
        graph->Passable(network->twin(edge)))
      break;
  ASSERT_LT(edge.value, network->edge_count());
  for (const EdgeId driven : {edge, network->twin(edge)}) {
    auto coverage = *Coverage::Create(network, {});
    uint32_t searched = 0;
    const uint32_t length = network->length_cm(driven);
    for (uint32_t offset = 10; offset < length; offset += 100) {
      const CoverageUnit unit{
          UnitId("u"),
          TravelKind::kCar,
          true,
          {{{driven, offset}, 0}, {{network->twin(driven), length - offset}, 0}}};
      searched += coverage->Update(model, {&unit, 1})->searched;
    }
    EXPECT_EQ(searched, (length + 2'499) / 2'500) << "of " << length << " cm";
  }
}

}  // namespace
}  // namespace cordon
