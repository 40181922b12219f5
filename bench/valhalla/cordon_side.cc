// SPDX-License-Identifier: Apache-2.0
// Cordon's half of the comparison with Valhalla: draws the places, answers them and writes both
// down.
//
//   valhalla_cordon_side CITY.roads QUERIES.json ANSWERS.json [ORIGINS] [SCENES]
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <random>

#include "base/clock.h"
#include "base/file_util.h"
#include "dispatch/circles.h"
#include "dispatch/search.h"
#include "dispatch/snap.h"

namespace cordon {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kSeed = 3;
constexpr size_t kUnits = 200;
constexpr uint32_t kWholeCityMs = 3'600'000;

template <class Fn>
double Milliseconds64(Fn&& fn) {
  const BootTime began = SystemClock().Boot();
  fn();
  return std::chrono::duration<double, std::milli>(SystemClock().Boot() - began).count();
}

class Places {
 public:
  explicit Places(const TravelGraph& graph) : graph_(graph) {}
  LatLon Any() {
    const RoadNetwork& network = graph_.network();
    for (;;) {
      const EdgeId e{static_cast<uint32_t>(random_() % network.edge_count())};
      const RoadPiece& piece = network.piece(e);
      const bool plain = !(piece.flags & (kFlagIsland | kFlagGhost)) &&
                         piece.road_class <= RoadClass::kResidential;
      if (plain && graph_.Passable(e)) return network.PointAt({e, piece.length_cm / 2});
    }
  }
  std::vector<LatLon> Draw(size_t count) {
    std::vector<LatLon> places;
    while (places.size() < count) places.push_back(Any());
    return places;
  }

 private:
  const TravelGraph& graph_;
  std::mt19937_64 random_{kSeed};
};

Json ToJson(const std::vector<LatLon>& places) {
  Json json = Json::array();
  for (const LatLon& p : places) json.push_back({p.lat, p.lon});
  return json;
}

// Routine driving, as Valhalla's "auto" does.
absl::Status Run(const char* city, const char* queries_file, const char* answers_file,
                 size_t origins, size_t scenes) {
  ASSIGN_OR_RETURN(const auto roads, RoadNetwork::Open(city));
  const auto model = std::make_shared<TravelModel>(std::make_shared<RoadConditions>(roads));
  constexpr TravelProfile kRoutine{TravelKind::kCar, TravelMode::kRoutine};
  const auto graph = model->Graph(kRoutine);
  Places places(*graph);
  const auto origin_places = places.Draw(origins);
  const auto unit_places = places.Draw(kUnits);
  const auto scene_places = places.Draw(scenes);
  RETURN_IF_ERROR(WriteFileDurably(queries_file,
                                   Json{{"origins", ToJson(origin_places)},
                                        {"units", ToJson(unit_places)},
                                        {"scenes", ToJson(scene_places)}}
                                       .dump(),
                                   0644));

  Json isochrone_ms = Json::array(), matrix_ms = Json::array(), matrix_s = Json::array();
  CircleMaker circles(model);
  constexpr uint32_t kTiers[] = {60, 180, 300};
  circles.Prepare();  // as the dispatcher does while it is idle
  (void)circles.OfScene(origin_places.front(), kRoutine, kTiers);  // sizes its arrays once
  // Polygons, and then also their GeoJSON text: Valhalla answers with text.
  size_t bytes = 0;
  Json text_ms = Json::array();
  for (const LatLon& origin : origin_places) {
    Circles drawn;
    const double polygons =
        Milliseconds64([&] { drawn = circles.OfScene(origin, kRoutine, kTiers); });
    const double text = Milliseconds64([&] { bytes += CirclesGeoJson(drawn).size(); });
    isochrone_ms.push_back(polygons);
    text_ms.push_back(polygons + text);
  }
  // Snapping is part of the work on both sides.
  BoundedSearch search;
  for (const LatLon& scene : scene_places) {
    std::vector<uint32_t> times(kUnits, kUnreached);
    matrix_ms.push_back(Milliseconds64([&] {
      std::vector<UnitSnap> snaps;
      for (const LatLon& unit : unit_places) snaps.push_back(SnapUnit(*graph, {.place = unit}));
      // As the dispatcher asks: until every unit's road has its time.
      std::vector<EdgeId> targets;
      for (const UnitSnap& snap : snaps)
        for (const SearchSeed& seed : snap.seeds) targets.push_back(seed.at.edge);
      search.Run(*graph, SearchDirection::kReverse, SnapScene(*graph, scene).seeds, kWholeCityMs,
                 targets);
      for (size_t u = 0; u < kUnits; ++u)
        for (const SearchSeed& seed : snaps[u].seeds)
          times[u] = std::min(times[u], search.TimeAt(seed.at));
    }));
    Json row = Json::array();
    for (const uint32_t time : times)
      row.push_back(time == kUnreached ? Json() : Json(time / 1000.0));
    matrix_s.push_back(std::move(row));
  }
  return WriteFileDurably(
      answers_file,
      Json{{"isochrone_ms", isochrone_ms},
           {"isochrone_text_ms", text_ms},
           {"isochrone_bytes", bytes / std::max<size_t>(1, origins)},
           {"matrix_ms", matrix_ms}, {"matrix_s", matrix_s}}.dump(),
      0644);
}

}  // namespace
}  // namespace cordon

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr,
                 "usage: valhalla_cordon_side CITY.roads QUERIES.json ANSWERS.json [ORIGINS] "
                 "[SCENES]\n");
    return 2;
  }
  const auto number = [&](int at, size_t otherwise) {
    return argc > at ? std::strtoul(argv[at], nullptr, 10) : otherwise;
  };
  const absl::Status status = cordon::Run(argv[1], argv[2], argv[3], number(4, 300), number(5, 60));
  if (status.ok()) return 0;
  std::fprintf(stderr, "valhalla_cordon_side: %s\n",
               std::string(cordon::MessageOf(status)).c_str());
  return 2;
}
