// SPDX-License-Identifier: Apache-2.0
// cordon circles: who can be at a place in 1, 3 and 5 minutes.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/dispatch_inputs.h"
#include "cli/map_output.h"
#include "cli/units_file.h"
#include "dispatch/circles.h"
#include "dispatch/circles_drawing.h"

namespace cordon::cli {
namespace {

using nlohmann::json;

struct CirclesOptions {
  std::string roads = "demo";
  UnitsSource units;
  std::string at;
  std::vector<uint32_t> tiers = {60, 180, 300};
  uint32_t limit_s = 1200;
  size_t routes = 3;
  std::vector<std::string> needs;
  std::string of = "scene";
  bool routine = false;
  bool as_json = false;
  MapOutput map;
};

struct Result {
  std::shared_ptr<const RoadNetwork> network;
  std::shared_ptr<const TravelModel> model;
  LatLon scene;
  std::vector<UnitState> units;
  std::vector<std::string> refused;
  EtaAnswer answer;
  Circles circles;
};

// "car:2", "motorcycle", "any:3".
absl::StatusOr<UnitNeed> ParseNeed(const std::string& text) {
  const size_t colon = text.find(':');
  const std::string name = text.substr(0, colon);
  UnitNeed need;
  const auto kind = TravelKindFromName(name);
  if (kind) need.kinds = {*kind};
  if (colon != std::string::npos) {
    const std::string count = text.substr(colon + 1);
    const auto [end, error] =
        std::from_chars(count.data(), count.data() + count.size(), need.count);
    if (error != std::errc() || end != count.data() + count.size()) need.count = 0;
  }
  if ((!kind && name != "any") || need.count < 1 || need.count > 100)
    return absl::InvalidArgumentError(
        fmt::format("--need: '{}' is not like car:2, motorcycle or any:3 (1 to 100 units)", text));
  return need;
}

absl::StatusOr<Result> Compute(const CirclesOptions& options) {
  Result result;
  RETURN_IF_ERROR(CircleMaker::CheckTiers(options.tiers));
  ASSIGN_OR_RETURN(result.scene, ParseLatLon(options.at));
  ASSIGN_OR_RETURN(result.network, OpenRoads(options.roads));
  ASSIGN_OR_RETURN(UnitsFile file, ReadUnits(options.units, SystemClock().Wall()));
  result.units = std::move(file.units);
  result.refused = std::move(file.refused);
  const auto model =
      std::make_shared<TravelModel>(std::make_shared<RoadConditions>(result.network));
  result.model = model;
  EtaOptions eta;
  eta.tiers_s = options.tiers;
  eta.search_limit = Seconds(options.limit_s);
  eta.mode = options.routine ? TravelMode::kRoutine : TravelMode::kUrgent;
  EtaEngine engine(model, eta);
  SceneQuery query;
  query.scene = result.scene;
  query.routes_for = options.routes;
  for (const std::string& need : options.needs) {
    ASSIGN_OR_RETURN(UnitNeed parsed, ParseNeed(need));
    query.needs.push_back(std::move(parsed));
  }
  ASSIGN_OR_RETURN(result.answer, engine.ToScene(query, result.units));
  CircleMaker maker(model);
  result.circles = options.of == "units"
                       ? maker.OfUnits(result.units, eta.mode, options.tiers)
                       : maker.OfScene(result.scene, {TravelKind::kCar, eta.mode}, options.tiers);
  return result;
}

json RouteJson(const EtaRoute& route) {
  json points = json::array();
  for (const RoadPoint& p : route.points) points.push_back({p.lon_e7 * 1e-7, p.lat_e7 * 1e-7});
  json steps = json::array();
  for (const RouteStep& s : route.steps)
    steps.push_back(
        {{"name", s.name}, {"distance_m", s.distance.value}, {"duration_ms", s.duration.count()}});
  return {{"distance_m", route.distance.value}, {"steps", steps}, {"points", points}};
}

json UnitJson(const UnitArrival& a, const UnitState& unit) {
  json out = {{"id", a.id.str()},
              {"kind", TravelKindName(a.kind)},
              {"status", UnitStatusName(unit.status)},
              {"fix_age_ms", std::chrono::duration_cast<Milliseconds>(unit.age).count()},
              {"counts", a.left_out == LeftOut::kNo}};
  if (a.has_eta) {
    out["eta_ms"] = a.eta.count();
    out["eta_low_ms"] = a.low.count();
    out["eta_high_ms"] = a.high.count();
    out["tier_s"] = a.tier_s;
  }
  if (a.left_out != LeftOut::kNo) {
    out["left_out"] = LeftOutName(a.left_out);
    out["reason"] = a.reason;
  }
  if (!a.route.points.empty()) out["route"] = RouteJson(a.route);
  return out;
}

void PrintJson(const Result& r) {
  json units = json::array();
  for (const UnitArrival& a : r.answer.units) units.push_back(UnitJson(a, r.units[a.unit]));
  for (const size_t i : r.answer.recommended) units[i]["recommended"] = true;
  const json out = {{"scene", {{"lat", r.scene.lat}, {"lon", r.scene.lon}}},
                    {"scene_snap_m", r.answer.scene_snap.value},
                    {"off_network", r.answer.off_network},
                    {"units", units},
                    {"shortfalls", r.answer.shortfalls},
                    {"refused", r.refused},
                    {"circles", json::parse(CirclesGeoJson(r.circles))}};
  std::printf("%s\n", out.dump().c_str());
}

// The circles, then the scene, the units and the routes.
absl::Status WriteFeatures(const MapOutput& output, const Result& r) {
  if (output.geojson.empty()) return absl::OkStatus();
  json features = json::parse(CirclesGeoJson(r.circles))["features"];
  features.push_back(GeoFeature(GeoPointJson(r.scene), {{"role", "scene"}}));
  for (const UnitArrival& a : r.answer.units) {
    const UnitState& unit = r.units[a.unit];
    json properties = UnitJson(a, unit);
    properties.erase("route");
    properties["role"] = "unit";
    features.push_back(GeoFeature(GeoPointJson(unit.place), std::move(properties)));
    if (a.route.points.size() < 2) continue;
    const json line = {{"type", "LineString"}, {"coordinates", RouteJson(a.route)["points"]}};
    features.push_back(GeoFeature(line, {{"role", "route"}, {"id", a.id.str()}}));
  }
  return WriteGeoJson(output, *r.network, std::move(features));
}

void PrintTable(const Result& r) {
  if (r.answer.off_network) {
    std::printf(
        "The scene is off the network: no road within 50 m of it, so there is no arrival time.\n");
  } else {
    std::printf("Scene %.6f,%.6f, %.0f m from the road.\n", r.scene.lat, r.scene.lon,
                r.answer.scene_snap.value);
  }
  for (const CircleTier& tier : r.circles.tiers)
    std::printf("  within %4u s  %8.1f km of road\n", tier.tier_s, tier.reached_road_m / 1000);
  if (r.answer.units.empty()) std::printf("No units.\n");
  int rank = 0;
  const std::set<size_t> recommended(r.answer.recommended.begin(), r.answer.recommended.end());
  for (size_t i = 0; i < r.answer.units.size(); ++i) {
    const UnitArrival& a = r.answer.units[i];
    const std::string band =
        a.has_eta ? fmt::format("{} ({} to {})", MinutesText(a.eta), MinutesText(a.low),
                                MinutesText(a.high))
                  : "-";
    const std::string tier = !a.has_eta      ? ""
                             : a.tier_s == 0 ? "beyond"
                                             : fmt::format("{} s", a.tier_s);
    std::string way;
    for (size_t s = 0; s < a.route.steps.size() && s < 4; ++s)
      if (!a.route.steps[s].name.empty()) way += (way.empty() ? "" : " > ") + a.route.steps[s].name;
    const bool counts = a.left_out == LeftOut::kNo;
    std::printf("%s%3s  %-14s %-10s %-22s %-7s %s\n",
                recommended.contains(i) ? "*" : " ",
                counts ? fmt::format("{}", ++rank).c_str() : "-", a.id.str().c_str(),
                TravelKindName(a.kind), band.c_str(), tier.c_str(),
                counts ? way.c_str() : a.reason.c_str());
  }
  if (!recommended.empty()) std::printf("* meets a need first\n");
  for (const std::string& shortfall : r.answer.shortfalls)
    std::printf("Short: %s.\n", shortfall.c_str());
}

absl::Status Draw(const CirclesOptions& options, const Result& r) {
  if (!options.map.wants_picture()) return absl::OkStatus();
  const std::optional<LatLon> scene =
      options.of == "scene" ? std::optional<LatLon>(r.scene) : std::nullopt;
  ASSIGN_OR_RETURN(const Bounds frame,
                   FrameOf(options.map, CirclesFrame(*r.network, r.circles, scene)));
  MapDrawing map(frame, options.map.size_px);
  DrawCircles(*r.model, r.circles, scene, r.answer.units, r.units, map);
  return WritePictures(options.map, map);
}

absl::Status Run(const CirclesOptions& options) {
  ASSIGN_OR_RETURN(const Result result, Compute(options));
  TellRefused(result.refused);
  RETURN_IF_ERROR(WriteFeatures(options.map, result));
  RETURN_IF_ERROR(Draw(options, result));
  if (options.as_json) {
    PrintJson(result);
  } else {
    PrintTable(result);
  }
  return absl::OkStatus();
}

}  // namespace

void RegisterCircles(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<CirclesOptions>();
  CLI::App* circles =
      app.add_subcommand("circles", "Who can be at a place in 1, 3 and 5 minutes, and from where");
  circles->add_option("--roads", options->roads, "Road file, or demo for the embedded city")
      ->capture_default_str();
  circles
      ->add_option("--units", options->units.path,
                   "UNITS.json: [{id, lat, lon, kind?, status?, fix_time?, accuracy_m?, "
                   "speed_mps?, course_deg?}]")
      ->required();
  circles->add_option("--at", options->at, "The scene, LAT,LON")->required();
  circles->add_option("--tiers", options->tiers, "Tiers in seconds, ascending")->delimiter(',');
  circles->add_option("--limit", options->limit_s, "How far to look for units, in seconds")
      ->check(CLI::Range(1, 7200));
  circles->add_option("--need", options->needs,
                      "Units that are needed, as car:2 or any:3; several are met in order")
      ->type_name("KIND[:COUNT]");
  circles->add_option("--routes", options->routes, "So many of the first units get their route");
  circles
      ->add_option("--of", options->of, "scene: from where it is reached; units: where they can be")
      ->check(CLI::IsMember({"scene", "units"}));
  circles->add_flag("--routine", options->routine,
                    "Obey all rules; otherwise with siren and lights");
  circles->add_flag("--json", options->as_json, "As JSON (docs/roads.md names the fields)");
  AddMapOptions(*circles, options->map);
  circles->footer(
      "Example: cordon circles --roads demo.roads --units units.json --at 34.0031,113.0042 --tiers "
      "60,180,300 --json");
  circles->callback([options, &outcome] {
    const absl::Status status = Run(*options);
    if (!status.ok()) outcome.exit_code = Report(status);
  });
}

}  // namespace cordon::cli
