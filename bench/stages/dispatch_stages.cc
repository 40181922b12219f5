// SPDX-License-Identifier: Apache-2.0
// From the record to the console: positions, ETAs, circles, the page's message. On the demo city;
// bench_roads measures whole cities.
#include <random>

#include "base/clock.h"
#include "base/metrics.h"
#include "bench/stages/stage.h"
#include "console/feed.h"
#include "dispatch/circles.h"
#include "dispatch/demo_city.h"
#include "dispatch/position_parser.h"
#include "dispatch/road_draft.h"
#include "dispatch/travel_graph.h"

namespace cordon::bench {
namespace {

using std::chrono::microseconds;

constexpr size_t kUnits = 200;
constexpr LatLon kScene{34.0, 113.0};
const std::vector<uint32_t> kTiers = {60, 180, 300};

struct City {
  std::shared_ptr<const TravelModel> travel;
  std::vector<UnitState> units;
};

// The demo city with `kUnits` patrols around the scene.
const City& DemoCity() {
  static const City* const city = [] {
    auto* const made = new City;
    std::shared_ptr<const RoadNetwork> network =
        *RoadNetwork::FromImage(*BuildRoadImage(DrawDemoCity()));
    made->travel = std::make_shared<TravelModel>(std::make_shared<RoadConditions>(network));
    std::mt19937 random(1);
    std::uniform_real_distribution<double> round(0, 360), away(0, 3000);
    for (size_t i = 0; i < kUnits; ++i) {
      UnitState unit;
      unit.id = UnitId("car-" + std::to_string(i));
      unit.place = Offset(kScene, round(random), Metres{away(random)});
      unit.freshness = Freshness::kFresh;
      made->units.push_back(std::move(unit));
    }
    return made;
  }();
  return *city;
}

void TakeOnePosition(benchmark::State& state) {
  Metrics metrics;
  UnitBoard board(SystemClock(), metrics, {});
  const std::string query =
      "id=car-1&lat=34.000100&lon=113.000200&speed=12.5&bearing=90&accuracy=5&timestamp=";
  int64_t seconds = 1'700'000'000;
  RunStage(state, microseconds(50), [&] {
    const auto parameters = ParseQuery(query + std::to_string(++seconds));
    benchmark::DoNotOptimize(board.Report(*ParseOsmAndQuery(*parameters)));
  });
}
BENCHMARK(TakeOnePosition)->Unit(benchmark::kMicrosecond);

void EtasOfTwoHundredUnits(benchmark::State& state) {
  const City& city = DemoCity();
  EtaEngine engine(city.travel, {});
  RunStage(state, microseconds(10'000), [&] {
    benchmark::DoNotOptimize(
        engine.ToScene({.scene = kScene, .needs = {}, .routes_for = 6}, city.units));
  });
}
BENCHMARK(EtasOfTwoHundredUnits)->Unit(benchmark::kMicrosecond);

void CirclesOfAScene(benchmark::State& state) {
  CircleMaker maker(DemoCity().travel);
  RunStage(state, microseconds(25'000),
           [&] { benchmark::DoNotOptimize(maker.OfScene(kScene, {}, kTiers)); });
}
BENCHMARK(CirclesOfAScene)->Unit(benchmark::kMicrosecond);

void ShowCirclesOnTheFeed(benchmark::State& state) {
  const City& city = DemoCity();
  EtaEngine engine(city.travel, {});
  CircleMaker maker(city.travel);
  const auto answer =
      Need(state, engine.ToScene({.scene = kScene, .needs = {}, .routes_for = 6}, city.units));
  if (!answer) return;
  const Circles areas = maker.OfScene(kScene, {}, kTiers);
  Metrics metrics;
  Feed feed(SystemClock(), metrics);
  proto::Incident incident;  // an unknown one would be shown to nobody
  incident.set_id("incident");
  feed.OnIncident({incident, {}});
  bool moved = false;
  RunStage(state, microseconds(15'000), [&] {
    proto::ResponseCircles circles = ToResponseCircles(kScene, *answer, city.units);
    circles.set_incident_id("incident");
    circles.set_alert_id("alert");
    feed.OnCircles(circles);
    AddAreas(areas, circles);
    // Areas that are as before would not be sent again.
    circles.mutable_tiers(0)->set_reached_road_m((moved = !moved) ? 1 : 2);
    feed.OnAreas(circles);
  });
}
BENCHMARK(ShowCirclesOnTheFeed)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace cordon::bench
