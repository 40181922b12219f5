// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>

#include "base/clock.h"
#include "base/file_util.h"
#include "cli/commands.h"
#include "cli/dispatch_inputs.h"
#include "cli/map_output.h"
#include "cli/units_file.h"
#include "dispatch/coverage_drawing.h"
#include "dispatch/map_drawing_roads.h"
#include "dispatch/placement_roads.h"

namespace cordon::cli {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostAlertBytes = 256 * 1024 * 1024;

struct PlaceCommand {
  std::string roads = "demo";
  std::string alerts;
  UnitsSource present;
  int32_t count = 4;
  uint32_t tier_s = 180;
  std::string kind = "car";
  bool json = false;
  MapOutput map;
};

absl::StatusOr<std::vector<PlacedDemand>> ReadAlerts(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMostAlertBytes));
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_array())
    return absl::InvalidArgumentError(path +
                                      ": expected a JSON array of {\"lat\", \"lon\", \"weight\"?}");
  std::vector<PlacedDemand> demands;
  for (size_t i = 0; i < json.size(); ++i) {
    const Json& entry = json[i];
    if (!entry.is_object() || !entry.contains("lat") || !entry["lat"].is_number() ||
        !entry.contains("lon") || !entry["lon"].is_number())
      return absl::InvalidArgumentError(
          fmt::format("{}: entry {}: lat and lon are needed", path, i + 1));
    PlacedDemand demand{{entry["lat"].get<double>(), entry["lon"].get<double>()}, 1};
    if (const auto weight = entry.find("weight"); weight != entry.end() && weight->is_number())
      demand.weight = weight->get<double>();
    demands.push_back(demand);
  }
  return demands;
}

struct Answer {
  WaitingAnswer waiting;
  std::vector<PlacedDemand> demands;
  AvailableUnits present;
};

double Gap(const WaitingAnswer& w) { return w.upper_bound > 0 ? 1 - w.covered / w.upper_bound : 0; }

std::string RoadOf(const RoadNetwork& network, PieceId piece) {
  return std::string(network.name(piece));
}

void Print(const PlaceCommand& command, const RoadNetwork& network, const Answer& answer) {
  const WaitingAnswer& w = answer.waiting;
  std::printf(
      "%zu waiting places cover %.1f of %.1f (%.1f %%) within %s; no choice covers more than %.1f "
      "(gap %.1f %%)\n",
      w.places.size(), w.covered, w.total, w.total > 0 ? 100 * w.covered / w.total : 0.0,
      TierText(command.tier_s * 1000).c_str(), w.upper_bound, 100 * Gap(w));
  if (w.already_covered > 0)
    std::printf("%.1f is covered already by %zu units.\n", w.already_covered,
                answer.present.units.size());
  if (w.off_network > 0)
    std::printf("%zu alerts have no road within 50 m and do not count.\n", w.off_network);
  if (w.places.size() < static_cast<size_t>(command.count))
    std::printf("More units would add nothing.\n");
  for (size_t i = 0; i < w.places.size(); ++i)
    std::printf("  %2zu  +%.1f  %.5f,%.5f  %s\n", i + 1, w.places[i].weight, w.places[i].place.lat,
                w.places[i].place.lon, RoadOf(network, w.places[i].piece).c_str());
}

Json ToJson(const RoadNetwork& network, const Answer& answer) {
  const WaitingAnswer& w = answer.waiting;
  Json places = Json::array();
  for (const WaitingPlace& p : w.places)
    places.push_back({{"lat", p.place.lat},
                      {"lon", p.place.lon},
                      {"road", RoadOf(network, p.piece)},
                      {"weight", p.weight}});
  return {{"places", places},
          {"covered", w.covered},
          {"total", w.total},
          {"upper_bound", w.upper_bound},
          {"gap", Gap(w)},
          {"already_covered", w.already_covered},
          {"off_network", w.off_network},
          {"candidates", w.candidates}};
}

// The alerts and the places, with the surroundings that the places reach.
Bounds BoundsOfAnswer(const Answer& answer) {
  Bounds bounds;
  for (const PlacedDemand& d : answer.demands) bounds.Include(d.place);
  for (const WaitingPlace& w : answer.waiting.places) bounds.Include(w.place);
  bounds.Grow({500 + 0.08 * Distance(bounds.south_west, bounds.north_east).value});
  return bounds;
}

absl::Status WriteMaps(const PlaceCommand& command, const TravelModel& model,
                       const TravelProfile& profile, const Answer& answer) {
  if (command.map.geojson.empty() && !command.map.wants_picture()) return absl::OkStatus();
  const RoadNetwork& network = model.network();
  Json features = Json::array();
  for (size_t i = 0; i < answer.waiting.places.size(); ++i)
    features.push_back(GeoFeature(GeoPointJson(answer.waiting.places[i].place),
                                  {{"layer", "waiting-place"},
                                   {"rank", i + 1},
                                   {"weight", answer.waiting.places[i].weight}}));
  for (const PlacedDemand& d : answer.demands)
    features.push_back(
        GeoFeature(GeoPointJson(d.place), {{"layer", "alert"}, {"weight", d.weight}}));
  RETURN_IF_ERROR(WriteGeoJson(command.map, network, std::move(features)));
  if (!command.map.wants_picture()) return absl::OkStatus();
  // The places as if units stood there already.
  ASSIGN_OR_RETURN(const auto coverage, Coverage::Create(model.conditions()->network(),
                                                         {.tiers_ms = {command.tier_s * 1000}}));
  std::vector<CoverageUnit> units = answer.present.units;
  std::vector<DrawnUnit> drawn;
  for (size_t i = 0; i < units.size(); ++i)
    drawn.push_back({answer.present.places[i], units[i].kind, units[i].id.str(), false});
  for (size_t i = 0; i < answer.waiting.places.size(); ++i) {
    const RoadPiece& piece = network.piece(answer.waiting.places[i].piece);
    CoverageUnit unit{UnitId(fmt::format("#{}", i + 1)), profile.kind, true, {}};
    for (const EdgeId e : piece.edge) unit.seeds.push_back({{e, piece.length_cm / 2}, 0});
    drawn.push_back({answer.waiting.places[i].place, profile.kind, unit.id.str(), true});
    units.push_back(std::move(unit));
  }
  if (const auto tick = coverage->Update(model, units); !tick.ok()) return tick.status();
  ASSIGN_OR_RETURN(const Bounds frame, FrameOf(command.map, BoundsOfAnswer(answer)));
  MapDrawing drawing(frame, command.map.size_px);
  for (const PlacedDemand& d : answer.demands)
    drawing.AddMarker(d.place, Symbol::kPoint, palette::kScene.WithAlpha(0.7), 5);
  DrawCoverage(*coverage, TierStretches(*coverage), drawn, {}, {}, drawing,
               "where to wait, by rank");
  drawing.AddLegendSymbol("alert of the past", Symbol::kPoint, palette::kScene);
  drawing.SetTitle(
      "Where units should wait",
      fmt::format(
          "{:.0f} % of the alerts' weight within {}",
          answer.waiting.total > 0 ? 100 * answer.waiting.covered / answer.waiting.total : 0.0,
          TierText(command.tier_s * 1000)));
  return WritePictures(command.map, drawing);
}

absl::Status Run(const PlaceCommand& command) {
  ASSIGN_OR_RETURN(const auto roads, OpenRoads(command.roads));
  const TravelModel model(std::make_shared<RoadConditions>(roads));
  TravelProfile profile;
  profile.kind = *TravelKindFromName(command.kind);  // one of them, by the option's check
  Answer answer;
  ASSIGN_OR_RETURN(answer.demands, ReadAlerts(command.alerts));
  if (!command.present.path.empty()) {
    ASSIGN_OR_RETURN(const UnitsFile file, ReadUnits(command.present, SystemClock().Wall()));
    TellRefused(file.refused);
    answer.present = SelectAvailable(file.units, model);
  }
  std::vector<UnitSeeds> present;
  for (const CoverageUnit& unit : answer.present.units)
    present.push_back({static_cast<UnitSlot>(present.size()), unit.seeds});
  WaitingOptions options;
  options.units = command.count;
  options.tier_ms = command.tier_s * 1000;
  options.profile = profile;
  ASSIGN_OR_RETURN(answer.waiting,
                   FindWaitingPlaces(*model.Graph(profile), answer.demands, present, options));
  if (command.json) {
    std::printf("%s\n", ToJson(*roads, answer).dump(2).c_str());
  } else {
    Print(command, *roads, answer);
  }
  return WriteMaps(command, model, profile, answer);
}

}  // namespace

void RegisterPlaceUnits(CLI::App& app, Outcome& outcome) {
  auto command = std::make_shared<PlaceCommand>();
  CLI::App* sub = app.add_subcommand(
      "place-units",
      "Where spare units should wait so that most of the past alerts would have been in reach");
  sub->add_option("--roads", command->roads, "Road file, or demo for the embedded city")
      ->capture_default_str();
  sub->add_option("--alerts", command->alerts, "JSON array of {lat, lon, weight?}")
      ->required()
      ->type_name("FILE");
  sub->add_option("--count", command->count, "Units to place")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  sub->add_option("--tier", command->tier_s, "Reach, seconds")
      ->check(CLI::Range(10, 3600))
      ->capture_default_str();
  sub->add_option("--kind", command->kind, "How they move")
      ->check(CLI::IsMember({"car", "motorcycle", "foot"}))
      ->capture_default_str();
  sub->add_option("--present", command->present.path,
                  "Units that stay where they are: JSON as for coverage")
      ->type_name("FILE");
  sub->add_flag("--json", command->json,
                "Print JSON: places[lat, lon, road, weight], covered, total, upper_bound, gap, "
                "already_covered, off_network, candidates");
  AddMapOptions(*sub, command->map);
  sub->footer(
      "Example: cordon place-units --roads city.roads --alerts last-month.json --count 6 --png "
      "waiting.png");
  sub->callback([command, &outcome] {
    const absl::Status status = Run(*command);
    if (!status.ok()) outcome.exit_code = Report(status);
  });
}

}  // namespace cordon::cli
