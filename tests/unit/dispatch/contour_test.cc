// SPDX-License-Identifier: Apache-2.0
#include "dispatch/contour.h"

#include <geos_c.h>
#include <gtest/gtest.h>

#include <cstdarg>
#include <random>

#include "dispatch/circles.h"
#include "tests/support/drawn_roads.h"
#include "tests/unit/dispatch/road_cities.h"

namespace cordon {
namespace {

using testing::DrawnRoads;

constexpr uint32_t kTiersMs[] = {60'000, 180'000, 300'000};

struct Drawing {
  std::vector<ReachedStretch> stretches;
  std::vector<ContourTier> tiers;
};

Drawing DrawFrom(const TravelGraph& graph, ContourDrawer& drawer, const RoadPosition& at,
                 SearchDirection direction, std::span<const uint32_t> limits) {
  BoundedSearch search;
  const SearchSeed seed{at, 0};
  search.Run(graph, direction, {&seed, 1}, limits.back());
  Drawing drawing;
  drawing.stretches = search.Stretches();
  drawing.tiers = drawer.Draw(drawing.stretches, limits);
  return drawing;
}

std::string WellKnownText(const std::vector<ContourPolygon>& polygons) {
  std::string text = "MULTIPOLYGON(";
  const auto ring = [](const ContourRing& points) {
    std::string out = "(";
    for (size_t i = 0; i <= points.size(); ++i) {
      const RoadPoint& p = points[i % points.size()];
      out += (i == 0 ? "" : ",") + std::to_string(p.lon_e7) + " " + std::to_string(p.lat_e7);
    }
    return out + ")";
  };
  for (size_t i = 0; i < polygons.size(); ++i) {
    text += (i == 0 ? "(" : ",(") + ring(polygons[i].outer);
    for (const ContourRing& hole : polygons[i].holes) text += "," + ring(hole);
    text += ")";
  }
  return text + ")";
}

// Asks GEOS, the library behind most GIS.
class Geos {
 public:
  Geos() {
    initGEOS(Ignore, Ignore);
  }
  ~Geos() { finishGEOS(); }
  static void Ignore(const char*, ...) {}
  static bool Valid(const std::vector<ContourPolygon>& polygons) {
    GEOSGeometry* geometry = GEOSGeomFromWKT(WellKnownText(polygons).c_str());
    const bool valid = geometry != nullptr && GEOSisValid(geometry) == 1;
    GEOSGeom_destroy(geometry);
    return valid;
  }
  static bool Covers(const std::vector<ContourPolygon>& outer,
                     const std::vector<ContourPolygon>& inner) {
    GEOSGeometry* a = GEOSGeomFromWKT(WellKnownText(outer).c_str());
    GEOSGeometry* b = GEOSGeomFromWKT(WellKnownText(inner).c_str());
    const bool covers = GEOSCovers(a, b) == 1;
    GEOSGeom_destroy(a);
    GEOSGeom_destroy(b);
    return covers;
  }
};

RoadPosition RandomStreet(const TravelGraph& graph, std::mt19937_64& random) {
  const RoadNetwork& n = graph.network();
  while (true) {
    const EdgeId e{static_cast<uint32_t>(random() % n.edge_count())};
    if (graph.Passable(e) && n.piece(e).road_class <= RoadClass::kResidential &&
        !(n.piece(e).flags & kFlagIsland))
      return {e, n.length_cm(e) / 2};
  }
}

// The cells' sizes were chosen on scenes of this seed ...
constexpr uint64_t kTunedSeed = 11;
// ... and on none of these.
constexpr uint64_t kHeldOutSeed = 20'291'107;

void CheckCity(const std::shared_ptr<const RoadNetwork>& network, int scenes, bool geos_nesting,
               uint64_t seed) {
  const auto graph = TravelGraph::Build(network, RoadState{}, TravelProfile{});
  ContourDrawer drawer(network, ContourDrawer::Roads::kDriven);
  const Geos geos;
  std::mt19937_64 random(seed);
  ContourQuality sum[3];
  for (int i = 0; i < scenes; ++i) {
    const auto direction = i % 2 == 0 ? SearchDirection::kReverse : SearchDirection::kForward;
    const Drawing drawing =
        DrawFrom(*graph, drawer, RandomStreet(*graph, random), direction, kTiersMs);
    for (size_t t = 0; t < 3; ++t) {
      EXPECT_TRUE(Geos::Valid(drawing.tiers[t].polygons)) << "scene " << i << " tier " << t;
      const ContourQuality q = MeasureContour(*graph, drawing.stretches, drawing.tiers[t], {5});
      EXPECT_EQ(q.reached_outside_m, 0) << "scene " << i << " tier " << t;
      sum[t].inside_m += q.inside_m;
      sum[t].unreached_inside_m += q.unreached_inside_m;
    }
    if (geos_nesting) {
      EXPECT_TRUE(Geos::Covers(drawing.tiers[1].polygons, drawing.tiers[0].polygons))
          << "scene " << i;
      EXPECT_TRUE(Geos::Covers(drawing.tiers[2].polygons, drawing.tiers[1].polygons))
          << "scene " << i;
    }
  }
  for (size_t t = 0; t < 3; ++t) {
    const double share = sum[t].unreached_inside_m / sum[t].inside_m;
    std::printf("tier %zu s: falsely inside %.2f %% of the road inside (seed %zu)\n",
                kTiersMs[t] / 1000UL, 100 * share, size_t{seed});
    EXPECT_LT(share, 0.03) << "tier " << t;
  }
}

TEST(ContourTest, IsValidNestedAndTrueOnTheDemoCity) {
  CheckCity(testing::DemoNetwork(), 12, true, kTunedSeed);
}

TEST(ContourTest, IsValidNestedAndTrueOnHeldOutScenesOfTheDemoCity) {
  CheckCity(testing::DemoNetwork(), 12, true, kHeldOutSeed);
}

TEST(ContourTest, IsValidAndTrueOnPorto) {
  SKIP_WITHOUT(testing::TestData("osm/porto_portugal.osm.pbf"));
  CheckCity(testing::ExtractNetwork("porto_portugal.osm.pbf"), 12, false, kTunedSeed);
}

TEST(ContourTest, IsValidAndTrueOnHeldOutScenesOfPorto) {
  SKIP_WITHOUT(testing::TestData("osm/porto_portugal.osm.pbf"));
  CheckCity(testing::ExtractNetwork("porto_portugal.osm.pbf"), 24, false, kHeldOutSeed);
}

TEST(ContourTest, IsValidNestedAndTrueOnHeldOutScenesOfMonaco) {
  SKIP_WITHOUT(testing::TestData("osm/monaco.osm.pbf"));
  CheckCity(testing::ExtractNetwork("monaco.osm.pbf"), 12, true, kHeldOutSeed);
}

TEST(ContourTest, TheSameInputGivesTheSameBytesWhateverWasDrawnBefore) {
  const auto network = testing::DemoNetwork();
  const auto graph = TravelGraph::Build(network, RoadState{}, TravelProfile{});
  ContourDrawer used(network, ContourDrawer::Roads::kDriven);
  std::mt19937_64 random(12);
  const RoadPosition at = RandomStreet(*graph, random);
  for (int i = 0; i < 3; ++i)
    DrawFrom(*graph, used, RandomStreet(*graph, random), SearchDirection::kForward, kTiersMs);
  ContourDrawer fresh(network, ContourDrawer::Roads::kDriven);
  const Drawing one = DrawFrom(*graph, used, at, SearchDirection::kReverse, kTiersMs);
  const Drawing other = DrawFrom(*graph, fresh, at, SearchDirection::kReverse, kTiersMs);
  for (size_t t = 0; t < 3; ++t)
    EXPECT_EQ(GeoJsonMultiPolygon(one.tiers[t].polygons),
              GeoJsonMultiPolygon(other.tiers[t].polygons));
}

// Asking for other tiers beside it does not change a tier.
TEST(ContourTest, ATierDoesNotDependOnTheOthers) {
  const auto network = testing::DemoNetwork();
  const auto graph = TravelGraph::Build(network, RoadState{}, TravelProfile{});
  ContourDrawer drawer(network, ContourDrawer::Roads::kDriven);
  std::mt19937_64 random(13);
  const RoadPosition at = RandomStreet(*graph, random);
  const uint32_t alone[] = {180'000};
  EXPECT_EQ(
      GeoJsonMultiPolygon(
          DrawFrom(*graph, drawer, at, SearchDirection::kForward, alone).tiers[0].polygons),
      GeoJsonMultiPolygon(
          DrawFrom(*graph, drawer, at, SearchDirection::kForward, kTiersMs).tiers[1].polygons));
}

// Three limits a second apart differ by what is driven in a second: no jumps at round numbers.
void CheckSeconds(const std::shared_ptr<const RoadNetwork>& network, uint32_t middle_ms) {
  const auto graph = TravelGraph::Build(network, RoadState{}, TravelProfile{});
  ContourDrawer drawer(network, ContourDrawer::Roads::kDriven);
  std::mt19937_64 random(14);
  const RoadPosition at = RandomStreet(*graph, random);
  double length[3];
  double inside[3];
  for (uint32_t i = 0; i < 3; ++i) {
    const uint32_t limit[] = {middle_ms - 1000 + i * 1000};
    const Drawing drawing = DrawFrom(*graph, drawer, at, SearchDirection::kForward, limit);
    length[i] = ReachedLength(network).Metres(drawing.stretches, limit)[0];
    inside[i] = MeasureContour(*graph, drawing.stretches, drawing.tiers[0], {5}).inside_m;
  }
  for (int i = 1; i < 3; ++i) {
    EXPECT_GT(length[i], length[i - 1]);
    EXPECT_LT(length[i], length[i - 1] * 1.03);
    EXPECT_NEAR(inside[i], inside[i - 1], inside[i - 1] * 0.03);
  }
}

TEST(ContourTest, ASecondMoreChangesLittle) { CheckSeconds(testing::DemoNetwork(), 300'000); }

TEST(ContourTest, ASecondMoreChangesLittleAtTenMinutes) {
  SKIP_WITHOUT(testing::TestData("osm/porto_portugal.osm.pbf"));
  CheckSeconds(testing::ExtractNetwork("porto_portugal.osm.pbf"), 600'000);
}

TEST(ContourTest, ARiverWithoutABridgeIsNotCrossed) {
  const DrawnRoads roads(R"(
    A----B----C----D

    E----F----G----H
  )");
  const auto graph = TravelGraph::Build(roads.network(), RoadState{}, TravelProfile{});
  ContourDrawer drawer(roads.network(), ContourDrawer::Roads::kDriven);
  const EdgeId e = roads.network()
                       ->piece(FindNearestPiece(*roads.network(), roads.Place('B'), {10})->piece)
                       .edge[0];
  const Drawing drawing = DrawFrom(*graph, drawer, {e, 0}, SearchDirection::kForward, kTiersMs);
  ASSERT_EQ(drawing.tiers[2].polygons.size(), 1U);
  for (const RoadPoint& p : drawing.tiers[2].polygons[0].outer)
    EXPECT_GT(p.ToLatLon().lat, roads.Place('A').lat - 100 / 111'000.0);
}

TEST(ContourTest, ABigBlockIsAHoleAndFarRoadsAreIslands) {
  const DrawnRoads roads(R"(
    A-----B
    |     |
    |     |
    C-----D
  )");
  const auto graph = TravelGraph::Build(roads.network(), RoadState{}, TravelProfile{});
  ContourDrawer drawer(roads.network(), ContourDrawer::Roads::kDriven);
  BoundedSearch search;
  const SearchSeed seed{{EdgeId{0}, 0}, 0};
  search.Run(*graph, SearchDirection::kForward, {&seed, 1}, 300'000);
  auto drawn = drawer.Draw(search.Stretches(), kTiersMs);
  ASSERT_EQ(drawn[2].polygons.size(), 1U);
  EXPECT_EQ(drawn[2].polygons[0].holes.size(), 1U);
  // Two stretches apart: two polygons.
  const uint32_t length = roads.network()->length_cm(EdgeId{0});
  const std::vector<ReachedStretch> apart = {{EdgeId{0}, 0, 3000, 0, 1000},
                                             {EdgeId{0}, length - 3000, length, 1000, 2000}};
  EXPECT_EQ(drawer.Draw(apart, kTiersMs)[0].polygons.size(), 2U);
}

TEST(ContourTest, NothingReachedDrawsNothing) {
  ContourDrawer drawer(testing::DemoNetwork(), ContourDrawer::Roads::kDriven);
  const auto tiers = drawer.Draw({}, kTiersMs);
  ASSERT_EQ(tiers.size(), 3U);
  for (const ContourTier& tier : tiers) EXPECT_TRUE(tier.polygons.empty());
  EXPECT_EQ(GeoJsonMultiPolygon({}), R"({"type":"MultiPolygon","coordinates":[]})");
}

TEST(CirclesTest, TiersMustAscend) {
  for (const std::vector<uint32_t>& bad :
       {std::vector<uint32_t>{}, {60, 60}, {180, 60}, {0, 60}, {60, 99'999}})
    EXPECT_FALSE(CircleMaker::CheckTiers(bad).ok());
  EXPECT_TRUE(CircleMaker::CheckTiers(std::vector<uint32_t>{60, 180, 300}).ok());
}

TEST(CirclesTest, WhereUnitsCanBeAndFromWhereASceneIsReachedDifferOnOneWays) {
  const DrawnRoads roads("A--->B--->C");
  const auto model =
      std::make_shared<TravelModel>(std::make_shared<RoadConditions>(roads.network()));
  CircleMaker maker(model);
  const std::vector<uint32_t> tiers = {20};
  UnitState unit;
  unit.id = UnitId("1");
  unit.place = Offset(roads.Place('B'), 90, {50});
  unit.freshness = Freshness::kFresh;
  const std::vector<UnitState> units = {unit};
  const Circles ahead = maker.OfUnits(units, TravelMode::kRoutine, tiers);
  const Circles behind = maker.OfScene(unit.place, {TravelKind::kCar, TravelMode::kRoutine}, tiers);
  EXPECT_GT(ahead.tiers[0].reached_road_m, 100);
  EXPECT_GT(behind.tiers[0].reached_road_m, 100);
  for (const ReachedStretch& s : ahead.stretches)
    EXPECT_GE(roads.network()->PointAt({s.edge, s.from_cm}).lon, unit.place.lon - 1e-5);
  for (const ReachedStretch& s : behind.stretches)
    EXPECT_LE(roads.network()->PointAt({s.edge, s.to_cm}).lon, unit.place.lon + 1e-5);
  unit.status = proto::UNIT_STATUS_BUSY;
  EXPECT_TRUE(maker.OfUnits(std::vector<UnitState>{unit}, TravelMode::kRoutine, tiers).off_network);
}

}  // namespace
}  // namespace cordon
