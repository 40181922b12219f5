// SPDX-License-Identifier: Apache-2.0
#include "dispatch/coverage.h"

#include <gtest/gtest.h>

#include <random>

#include "dispatch/demo_city.h"
#include "dispatch/road_geometry.h"
#include "dispatch/snap.h"

namespace cordon {
namespace {

constexpr uint64_t kSeed = 77;

class CoverageTest : public ::testing::Test {
 protected:
  CoverageTest() {
    network_ = *RoadNetwork::FromImage(*BuildRoadImage(DrawDemoCity()));
    conditions_ = std::make_shared<RoadConditions>(network_);
    model_ = std::make_unique<TravelModel>(conditions_);
  }
  LatLon AnyPlace() {
    const EdgeId e{static_cast<uint32_t>(random_() % network_->edge_count())};
    return network_->PointAt({e, network_->length_cm(e) / 3});
  }
  // Where an urgent car may drive.
  LatLon AnyStreet() {
    const auto graph = model_->Graph({});
    for (;;) {
      const EdgeId e{static_cast<uint32_t>(random_() % network_->edge_count())};
      if (graph->Passable(e)) return network_->PointAt({e, network_->length_cm(e) / 3});
    }
  }
  // Metres to the nearest road that an urgent car may drive, looking at all of them.
  double ToNearestStreet(const LatLon& place) {
    const auto graph = model_->Graph({});
    const LocalPlane plane(place);
    double nearest = 1e9;
    for (uint32_t p = 0; p < network_->piece_count(); ++p) {
      const RoadPiece& piece = network_->piece(PieceId{p});
      if (!graph->Passable(piece.edge[0]) && !graph->Passable(piece.edge[1])) continue;
      const auto shape = network_->shape(PieceId{p});
      for (size_t i = 1; i < shape.size(); ++i)
        nearest = std::min(
            nearest, NearestOnSegment(plane(shape[i - 1]), plane(shape[i]), {0, 0}).distance);
    }
    return nearest;
  }
  CoverageUnit UnitAt(const std::string& id, const LatLon& place,
                      TravelKind kind = TravelKind::kCar, bool fresh = true) {
    const auto graph = model_->Graph({kind, TravelMode::kUrgent});
    return {UnitId(id), kind, fresh, SnapUnit(*graph, {.place = place}).seeds};
  }
  std::unique_ptr<Coverage> Make(std::vector<ProtectedPlace> places = {}) {
    auto coverage = Coverage::Create(network_, {});
    EXPECT_TRUE(coverage.ok()) << coverage.status();
    (*coverage)->SetPlaces(std::move(places), *model_);
    return *std::move(coverage);
  }
  ProtectedPlace AnyProtectedPlace(int i) {
    ProtectedPlace place{.id = PlaceId("p" + std::to_string(i)),
                         .name = "",
                         .place = AnyPlace(),
                         .require = {},
                         .hours = {}};
    place.require.push_back({60'000, {}, 1});
    place.require.push_back({180'000, {TravelKind::kCar}, 1 + static_cast<uint32_t>(i % 4)});
    place.require.push_back({300'000, {TravelKind::kMotorcycle, TravelKind::kFoot}, 1});
    return place;
  }
  // Everything that a user sees.
  static std::string Describe(Coverage& coverage, const TravelModel& model) {
    std::string text;
    for (const TierCoverage& tier : coverage.tiers())
      text += fmt::format("{}: {} {}\n", tier.tier_ms, tier.covered_cm, tier.twice_cm);
    for (uint32_t p = 0; p < coverage.network().piece_count(); ++p)
      for (size_t t = 0; t < coverage.tiers().size(); ++t)
        text += fmt::format("{} ", coverage.CoveredCm({p}, t));
    for (uint32_t e = 0; e < coverage.network().edge_count(); e += 7)
      for (const EdgeReach& reach : coverage.At({e}))
        text += fmt::format("{}@{}+{} ", coverage.unit_id(reach.unit).str(), reach.time_ms,
                            reach.from_cm);
    for (const CoverageGap& gap : coverage.Gaps(2, 20))
      text += fmt::format("\n{} {} {}", gap.weight, gap.road, gap.heaviest.value);
    for (const PlaceStatus& status : coverage.Places(WallTime{}, model, 100, 600'000)) {
      text += fmt::format("\n{} {}", status.place->id.str(), PlaceStateName(status.state));
      for (const auto& tier : status.tiers)
        text += fmt::format(" {}:{}:{}:{}", PlaceStateName(tier.state), tier.have, tier.eta_ms,
                            tier.unit == kNoUnit ? "-" : coverage.unit_id(tier.unit).str());
    }
    return text;
  }

  std::mt19937_64 random_{kSeed};
  std::shared_ptr<const RoadNetwork> network_;
  std::shared_ptr<RoadConditions> conditions_;
  std::unique_ptr<TravelModel> model_;
};

TEST_F(CoverageTest, TicksGiveWhatAFreshStartGives) {
  std::vector<ProtectedPlace> places;
  for (int i = 0; i < 12; ++i) places.push_back(AnyProtectedPlace(i));
  auto kept = Make(places);
  std::vector<CoverageUnit> units;
  for (int i = 0; i < 25; ++i)
    units.push_back(UnitAt("u" + std::to_string(i), AnyPlace(),
                           i % 5 == 0   ? TravelKind::kMotorcycle
                           : i % 7 == 0 ? TravelKind::kFoot
                                        : TravelKind::kCar));
  for (int tick = 0; tick < 25; ++tick) {
    for (CoverageUnit& unit : units) {
      if (random_() % 5 == 0)
        unit = UnitAt(unit.id.str(), AnyPlace(), unit.kind, random_() % 3 != 0);
    }
    if (tick == 8) units.pop_back();
    if (tick == 12) {
      ASSERT_TRUE(conditions_->Close({"c", AnyPlace(), std::nullopt, "test", false}).ok());
    }
    if (tick == 18) conditions_->SetHour(5);
    ASSERT_TRUE(kept->Update(*model_, units).ok());
    if (tick % 4 != 0) continue;
    auto fresh = Make(places);
    ASSERT_TRUE(fresh->Update(*model_, units).ok());
    ASSERT_EQ(Describe(*kept, *model_), Describe(*fresh, *model_))
        << "tick " << tick << " seed " << kSeed;
  }
}

TEST_F(CoverageTest, AParkedFleetCostsNothing) {
  auto coverage = Make();
  std::vector<CoverageUnit> units;
  for (int i = 0; i < 20; ++i) units.push_back(UnitAt("u" + std::to_string(i), AnyStreet()));
  const auto first = coverage->Update(*model_, units);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->searched, 20U);
  EXPECT_EQ(first->off_network, 0U);
  const auto second = coverage->Update(*model_, units);
  EXPECT_EQ(second->searched, 0U);
  EXPECT_EQ(second->pieces_recounted, 0U);
}

// Paths of a park may lie farther from every street than a car can be taken to stand on one.
TEST_F(CoverageTest, ACarIsOffTheNetworkExactlyWhereNoStreetIsWithinFiftyMetres) {
  auto coverage = Make();
  std::vector<CoverageUnit> units;
  uint32_t far = 0;
  for (int i = 0; i < 150; ++i) {
    const LatLon place = AnyPlace();
    units.push_back(UnitAt("u" + std::to_string(i), place));
    const double metres = ToNearestStreet(place);
    EXPECT_EQ(units.back().seeds.empty(), metres > kVehicleSnapLimit.value)
        << metres << " m at " << place.lat << "," << place.lon;
    far += metres > kVehicleSnapLimit.value ? 1 : 0;
  }
  const auto tick = coverage->Update(*model_, units);
  ASSERT_TRUE(tick.ok());
  EXPECT_EQ(tick->off_network, far);
  EXPECT_EQ(tick->searched, 150 - far);
  EXPECT_GT(far, 0U) << "seed " << kSeed;
}

TEST_F(CoverageTest, TiersAreNestedAndTwiceIsPartOfOnce) {
  auto coverage = Make();
  std::vector<CoverageUnit> units;
  for (int i = 0; i < 30; ++i) units.push_back(UnitAt("u" + std::to_string(i), AnyPlace()));
  ASSERT_TRUE(coverage->Update(*model_, units).ok());
  uint64_t below = 0;
  for (const TierCoverage& tier : coverage->tiers()) {
    EXPECT_GT(tier.covered_cm, below);
    EXPECT_LE(tier.twice_cm, tier.covered_cm);
    EXPECT_LE(tier.covered_cm, coverage->total_cm());
    below = tier.covered_cm;
  }
  for (uint32_t p = 0; p < network_->piece_count(); ++p)
    for (size_t t = 1; t < 3; ++t)
      ASSERT_GE(coverage->CoveredCm({p}, t), coverage->CoveredCm({p}, t - 1));
}

TEST_F(CoverageTest, CoveredLengthIsThatOfTheUnitsOwnSearch) {
  auto coverage = Make();
  const CoverageUnit unit = UnitAt("only", AnyPlace());
  ASSERT_TRUE(coverage->Update(*model_, {&unit, 1}).ok());
  BoundedSearch search;
  search.Run(*model_->Graph({}), SearchDirection::kForward, unit.seeds, 300'000);
  std::vector<std::vector<std::pair<uint32_t, uint32_t>>> reached(network_->piece_count());
  for (const ReachedStretch& s : search.Stretches()) {
    const PieceId piece = network_->piece_of(s.edge);
    const uint32_t length = network_->length_cm(s.edge);
    reached[piece.value].push_back(network_->is_forward(s.edge)
                                       ? std::pair(s.from_cm, s.to_cm)
                                       : std::pair(length - s.to_cm, length - s.from_cm));
  }
  uint64_t sum = 0;
  for (auto& list : reached) {
    std::sort(list.begin(), list.end());
    uint32_t end = 0;
    for (const auto& [from, to] : list) {
      if (to > std::max(end, from)) sum += to - std::max(end, from);
      end = std::max(end, to);
    }
  }
  // The step of 25 m makes the unit start a little earlier on its edge.
  EXPECT_NEAR(static_cast<double>(coverage->tiers()[2].covered_cm), static_cast<double>(sum),
              0.02 * static_cast<double>(sum));
}

TEST_F(CoverageTest, AClosureThatIsolatesAUnitLeavesItOnlyItsOwnStreet) {
  auto coverage = Make();
  // A dead end: the piece whose far junction has no other road.
  for (uint32_t j = 0; j < network_->junction_count(); ++j) {
    if (network_->first_out()[j + 1] - network_->first_out()[j] != 1) continue;
    const EdgeId out{network_->first_out()[j]};
    if (network_->length_cm(out) < 5'000 || !coverage->Counts(network_->piece_of(out))) continue;
    const LatLon place = network_->PointAt({out, network_->length_cm(out) / 4});
    const CoverageUnit unit = UnitAt("u", place);
    ASSERT_TRUE(coverage->Update(*model_, {&unit, 1}).ok());
    const uint64_t before = coverage->tiers()[2].covered_cm;
    const JunctionId other = network_->head(out);
    for (uint32_t e = network_->first_out()[other.value];
         e < network_->first_out()[other.value + 1]; ++e) {
      if (network_->piece_of({e}) == network_->piece_of(out)) continue;
      const LatLon at = network_->PointAt({{e}, network_->length_cm({e}) / 2});
      ASSERT_TRUE(
          conditions_->Close({"c" + std::to_string(e), at, std::nullopt, "test", false}).ok());
    }
    ASSERT_TRUE(coverage->Update(*model_, {&unit, 1}).ok());
    EXPECT_LT(coverage->tiers()[2].covered_cm, before);
    EXPECT_GT(coverage->tiers()[2].covered_cm, 0U);
    EXPECT_LE(coverage->tiers()[2].covered_cm, network_->length_cm(out));
    return;
  }
  FAIL() << "the demo city has dead ends";
}

TEST_F(CoverageTest, AUnitInTheSeaIsCountedAndCoversNothing) {
  auto coverage = Make();
  const CoverageUnit unit = UnitAt("boat", {1, 1});
  const auto tick = coverage->Update(*model_, {&unit, 1});
  ASSERT_TRUE(tick.ok());
  EXPECT_EQ(tick->off_network, 1U);
  EXPECT_EQ(coverage->tiers()[2].covered_cm, 0U);
}

TEST_F(CoverageTest, NoUnitsAndTenThousandUnitsAreFine) {
  auto coverage = Make();
  ASSERT_TRUE(coverage->Update(*model_, {}).ok());
  EXPECT_EQ(coverage->tiers()[0].covered_cm, 0U);
  std::vector<CoverageUnit> units;
  for (int i = 0; i < 10'000; ++i) units.push_back(UnitAt("u" + std::to_string(i), AnyPlace()));
  ASSERT_TRUE(coverage->Update(*model_, units).ok());
  EXPECT_GT(coverage->tiers()[2].twice_cm, coverage->total_cm() / 2);
  units.push_back(UnitAt("one-more", AnyPlace()));
  EXPECT_EQ(coverage->Update(*model_, units).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(CoverageTest, RefusesTiersThatDoNotAscendAndUnitsGivenTwice) {
  for (const std::vector<uint32_t>& tiers : std::vector<std::vector<uint32_t>>{
           {}, {0}, {60, 60}, {180, 60}, {1, 2, 3, 4, 5, 6, 7, 8, 9}})
    EXPECT_EQ(Coverage::Create(network_, {.tiers_ms = tiers}).status().code(),
              absl::StatusCode::kInvalidArgument);
  auto coverage = Make();
  const std::vector<CoverageUnit> twins(2, UnitAt("same", AnyPlace()));
  EXPECT_EQ(coverage->Update(*model_, twins).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(CoverageTest, PlacesSayWhoIsMissing) {
  const LatLon school = AnyPlace();
  ProtectedPlace place{.id = PlaceId("school"),
                       .name = "School",
                       .place = school,
                       .require = {{60'000, {}, 1}, {300'000, {TravelKind::kCar}, 2}},
                       .hours = {}};
  ProtectedPlace island{.id = PlaceId("island"),
                        .name = "Island",
                        .place = {1, 1},
                        .require = {{60'000, {}, 1}},
                        .hours = {}};
  auto coverage = Make({place, island});
  CoverageUnit unit = UnitAt("u1", school);
  ASSERT_TRUE(coverage->Update(*model_, {&unit, 1}).ok());
  auto status = coverage->Places(WallTime{}, *model_, 10, 600'000);
  EXPECT_EQ(status[0].tiers[0].state, PlaceState::kMet);
  EXPECT_EQ(status[0].tiers[0].unit, 0U);
  EXPECT_EQ(status[0].tiers[1].state, PlaceState::kGap);
  EXPECT_EQ(status[0].tiers[1].have, 1U);
  EXPECT_EQ(status[0].tiers[1].unit, kNoUnit);
  EXPECT_EQ(status[0].state, PlaceState::kGap);
  EXPECT_EQ(status[1].state, PlaceState::kOffNetwork);
  unit.fresh = false;
  ASSERT_TRUE(coverage->Update(*model_, {&unit, 1}).ok());
  status = coverage->Places(WallTime{}, *model_, 10, 600'000);
  EXPECT_EQ(status[0].tiers[0].state, PlaceState::kMetStale);
}

}  // namespace
}  // namespace cordon
