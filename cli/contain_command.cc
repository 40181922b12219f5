// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/dispatch_inputs.h"
#include "cli/map_output.h"
#include "cli/units_file.h"
#include "dispatch/circles.h"
#include "dispatch/containment.h"
#include "dispatch/containment_drawing.h"
#include "dispatch/map_drawing_roads.h"

namespace cordon::cli {
namespace {

using Json = nlohmann::json;

std::string Text(uint32_t ms) { return MinutesText(Milliseconds(ms)); }

struct ContainCommand {
  std::string roads = "demo";
  UnitsSource units;
  std::string at;
  uint32_t age_s = 0;
  uint32_t horizon_s = 1200;
  uint32_t set_up_s = 60;
  uint32_t margin_s = 0;
  uint64_t seed = 1;
  bool json = false;
  MapOutput map;
};

struct Answer {
  Sighting sighting;
  CordonOptions options;
  std::vector<CordonUnit> units;
  std::vector<LatLon> places;
  std::vector<LeftOutUnit> left_out;
  std::vector<std::string> refused;
  CordonPlan plan;
};

// Null where it never comes.
Json SecondsOrNull(uint32_t ms) { return ms == kUnreached ? Json() : Json(ms / 1000.0); }

Json ToJson(const Answer& answer) {
  const CordonPlan& plan = answer.plan;
  Json points = Json::array(), leaks = Json::array(), robustness = Json::array(),
       left_out = Json::array();
  for (const CordonPoint& point : plan.points)
    points.push_back({{"lat", point.place.lat},
                      {"lon", point.place.lon},
                      {"roads", point.roads},
                      {"unit", answer.units[point.unit].id.str()},
                      {"eta_s", point.eta_ms / 1000.0},
                      {"closed_s", point.closed_ms / 1000.0},
                      {"suspect_s", SecondsOrNull(point.suspect_ms)},
                      {"slack_s", static_cast<double>(point.slack_ms) / 1000.0}});
  for (const CordonLeak& leak : plan.leaks)
    leaks.push_back({{"lat", leak.place.lat},
                     {"lon", leak.place.lon},
                     {"roads", leak.roads},
                     {"suspect_s", SecondsOrNull(leak.suspect_ms)},
                     {"best_closed_s", SecondsOrNull(leak.best_closed_ms)},
                     {"route_share", leak.route_share}});
  for (const auto& r : plan.robustness)
    robustness.push_back(
        {{"adversary", r.adversary}, {"closed", r.closed}, {"caught_share", r.caught_share}});
  for (const LeftOutUnit& unit : answer.left_out)
    left_out.push_back({{"id", unit.id.str()}, {"reason", unit.reason}});
  return {{"outcome", CordonOutcomeName(plan.outcome)},
          {"proven", plan.proven},
          {"covered_probability", plan.covered_probability},
          {"expires_s", plan.expires_ms / 1000.0},
          {"ring_s", plan.ring_ms / 1000.0},
          {"points", points},
          {"leaks", leaks},
          {"robustness", robustness},
          {"assumptions", plan.assumptions},
          {"left_out", left_out},
          {"refused", answer.refused}};
}

void PrintPoints(const Answer& answer) {
  if (answer.plan.points.empty()) return;
  std::printf("\n  unit         arrives  holds   suspect   spare   where\n");
  for (const CordonPoint& point : answer.plan.points)
    std::printf("  %-12s %6s  %6s   %6s  %4lld s   %.5f,%.5f  %s\n",
                answer.units[point.unit].id.str().c_str(), Text(point.eta_ms).c_str(),
                Text(point.closed_ms).c_str(),
                point.suspect_ms == kUnreached ? "never" : Text(point.suspect_ms).c_str(),
                static_cast<long long>(point.slack_ms / 1000), point.place.lat, point.place.lon,
                point.roads.empty() ? "(unnamed roads)" : point.roads.c_str());
}

// Without a unit nothing is held, whatever the roads are like.
std::string LeakText(const Answer& answer) {
  const CordonPlan& plan = answer.plan;
  if (answer.units.empty())
    return "no available unit can take part; nothing is held. The roads below lead out";
  return fmt::format(
      "{}. The points below catch {:.0f} % of likely escapes; set off within {} s",
      plan.proven ? "these units cannot close any cordon in time" : "no closed cordon was found",
      100 * plan.covered_probability, plan.expires_ms / 1000);
}

void Print(const Answer& answer) {
  const CordonPlan& plan = answer.plan;
  switch (plan.outcome) {
    case CordonPlan::Outcome::kClosed:
      std::printf("Closed: %zu points hold the suspect inside; set off within %u s.\n",
                  plan.points.size(), plan.expires_ms / 1000);
      break;
    case CordonPlan::Outcome::kLeaking:
      std::printf("Leaking: %s.\n", LeakText(answer).c_str());
      break;
    case CordonPlan::Outcome::kEnclosed:
      std::printf("Enclosed: no road leads out; there is nothing to hold.\n");
      break;
    case CordonPlan::Outcome::kOffNetwork:
      std::printf("No road lies within 100 m of the sighting.\n");
      return;
  }
  PrintPoints(answer);
  if (!plan.leaks.empty()) std::printf("\n  still open\n");
  for (const CordonLeak& leak : plan.leaks)
    std::printf("  %4.0f %% of routes  suspect at %6s, nearest unit at %6s  %.5f,%.5f  %s\n",
                100 * leak.route_share,
                leak.suspect_ms == kUnreached ? "-" : Text(leak.suspect_ms).c_str(),
                leak.best_closed_ms == kUnreached ? "-" : Text(leak.best_closed_ms).c_str(),
                leak.place.lat, leak.place.lon,
                leak.roads.empty() ? "(unnamed roads)" : leak.roads.c_str());
  std::printf("\n");
  for (const auto& r : plan.robustness)
    std::printf("  against a %-14s %s%.0f %%\n", (r.adversary + ":").c_str(),
                r.closed ? "closed, " : "open, ", 100 * r.caught_share);
  std::printf("\nAssumed:\n");
  for (const std::string& text : plan.assumptions) std::printf("  - %s\n", text.c_str());
  for (const LeftOutUnit& unit : answer.left_out)
    std::printf("Left out: %s, %s\n", unit.id.str().c_str(), unit.reason.c_str());
}

absl::Status WriteMaps(const ContainCommand& command, const Answer& answer,
                       const TravelModel& model) {
  if (command.map.geojson.empty() && !command.map.wants_picture()) return absl::OkStatus();
  const CordonPlan& plan = answer.plan;
  const auto ways = CordonWays(plan, model, answer.units);
  Json features = Json::array();
  features.push_back(GeoFeature(GeoPointJson(answer.sighting.place), {{"layer", "sighting"}}));
  for (size_t i = 0; i < plan.points.size(); ++i) {
    const CordonPoint& point = plan.points[i];
    const std::string unit = answer.units[point.unit].id.str();
    features.push_back(GeoFeature(GeoPointJson(point.place),
                                  {{"layer", "point"},
                                   {"unit", unit},
                                   {"roads", point.roads},
                                   {"eta_s", point.eta_ms / 1000.0},
                                   {"slack_s", static_cast<double>(point.slack_ms) / 1000.0}}));
    if (ways[i].size() > 1)
      features.push_back(GeoFeature(GeoLineJson(ways[i]), {{"layer", "way"}, {"unit", unit}}));
  }
  for (const CordonLeak& leak : plan.leaks)
    features.push_back(
        GeoFeature(GeoPointJson(leak.place),
                   {{"layer", "leak"}, {"roads", leak.roads}, {"route_share", leak.route_share}}));
  for (size_t i = 0; i < answer.units.size(); ++i)
    features.push_back(GeoFeature(GeoPointJson(answer.places[i]),
                                  {{"layer", "unit"}, {"id", answer.units[i].id.str()}}));
  RETURN_IF_ERROR(WriteGeoJson(command.map, model.network(), std::move(features)));
  if (!command.map.wants_picture()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Bounds frame,
                   FrameOf(command.map, CordonFrame(plan, answer.sighting, answer.places)));
  MapDrawing drawing(frame, command.map.size_px);
  const auto suspect = SuspectRoads(plan, *model.conditions(), answer.sighting, answer.options);
  DrawCordon(plan, model.network(), answer.sighting, suspect, ways, answer.units, answer.places,
             drawing);
  return WritePictures(command.map, drawing);
}

absl::Status Run(const ContainCommand& command) {
  ASSIGN_OR_RETURN(const auto roads, OpenRoads(command.roads));
  const TravelModel model(std::make_shared<RoadConditions>(roads));
  Answer answer;
  ASSIGN_OR_RETURN(answer.sighting.place, ParseLatLon(command.at));
  answer.sighting.age_ms = command.age_s * 1000;
  answer.options.horizon_ms = command.horizon_s * 1000;
  answer.options.set_up_ms = command.set_up_s * 1000;
  answer.options.margin_ms = command.margin_s * 1000;
  answer.options.seed = command.seed;
  ASSIGN_OR_RETURN(UnitsFile file, ReadUnits(command.units, SystemClock().Wall()));
  answer.refused = std::move(file.refused);
  TellRefused(answer.refused);
  AvailableUnits available = SelectAvailable(file.units, model);
  answer.places = std::move(available.places);
  answer.left_out = std::move(available.left_out);
  for (CoverageUnit& unit : available.units)
    answer.units.push_back({unit.id, unit.kind, std::move(unit.seeds), std::nullopt});
  CordonPlanner planner(model.conditions());
  ASSIGN_OR_RETURN(answer.plan, planner.Plan(model, answer.sighting, answer.units, answer.options));
  if (command.json) {
    std::printf("%s\n", ToJson(answer).dump(2).c_str());
  } else {
    Print(answer);
  }
  return WriteMaps(command, answer, model);
}

}  // namespace

void RegisterContain(CLI::App& app, Outcome& outcome) {
  auto command = std::make_shared<ContainCommand>();
  CLI::App* sub = app.add_subcommand(
      "contain",
      "Where to hold the roads so that a fleeing vehicle does not get out, and by which unit");
  sub->add_option("--roads", command->roads, "Road file, or demo for the embedded city")
      ->capture_default_str();
  sub->add_option("--units", command->units.path,
                  "JSON array of {id, lat, lon, kind?, status?, fix_time?, ...}")
      ->required()
      ->type_name("FILE");
  sub->add_option("--at", command->at, "Where the suspect was seen")
      ->required()
      ->type_name("LAT,LON");
  sub->add_option("--age", command->age_s, "How long ago, seconds")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  sub->add_option("--horizon", command->horizon_s,
                  "Must not get out within this time from now, seconds")
      ->check(CLI::Range(60, 3600))
      ->capture_default_str();
  sub->add_option("--set-up", command->set_up_s, "From arriving to holding a point, seconds")
      ->check(CLI::Range(0, 900))
      ->capture_default_str();
  sub->add_option("--margin", command->margin_s, "Spare time wanted at every point, seconds")
      ->check(CLI::Range(0, 900))
      ->capture_default_str();
  sub->add_option("--seed", command->seed, "Of the sampled escape routes")->capture_default_str();
  sub->add_flag(
      "--json", command->json,
      "Print JSON: outcome (closed, leaking, enclosed, off-network), proven, covered_probability, "
      "expires_s, ring_s, points[lat, lon, roads, unit, eta_s, closed_s, suspect_s, slack_s], "
      "leaks[lat, lon, roads, suspect_s, best_closed_s, route_share], robustness[adversary, "
      "closed, caught_share], assumptions, left_out[id, reason], refused[sentence]");
  AddMapOptions(*sub, command->map);
  sub->footer(
      "Example: cordon contain --roads city.roads --units units.json --at 41.1496,-8.6110 --age 30 "
      "--png cordon.png");
  sub->callback([command, &outcome] {
    const absl::Status status = Run(*command);
    if (!status.ok()) outcome.exit_code = Report(status);
  });
}

}  // namespace cordon::cli
