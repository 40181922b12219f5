// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/dispatch_inputs.h"
#include "cli/map_output.h"
#include "cli/units_file.h"
#include "dispatch/circles.h"
#include "dispatch/coverage.h"
#include "dispatch/coverage_drawing.h"
#include "dispatch/eta.h"
#include "dispatch/map_drawing_roads.h"

namespace cordon::cli {
namespace {

using Json = nlohmann::json;

constexpr uint32_t kFarLimitMs = 1'200'000;
constexpr size_t kFarLooks = 200;

struct CoverageCommand {
  std::string roads = "demo";
  UnitsSource units;
  std::string places;
  std::string tiers = "60,180,300";
  std::string time_zone = "UTC";
  size_t gaps = 10;
  bool json = false;
  MapOutput map;
};

struct Answer {
  std::vector<UnitState> states;
  std::vector<std::string> refused;
  AvailableUnits available;
  std::unique_ptr<Coverage> coverage;
  std::vector<PlaceStatus> places;
  std::vector<CoverageGap> gaps;
};

double Km(uint64_t cm) { return static_cast<double>(cm) / 1e5; }

double Share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string UnitOr(const Coverage& coverage, UnitSlot unit, const char* otherwise) {
  return unit == kNoUnit ? otherwise : coverage.unit_id(unit).str();
}

absl::StatusOr<Answer> Compute(const CoverageCommand& command, const TravelModel& model,
                               WallTime now) {
  Answer answer;
  ASSIGN_OR_RETURN(const std::vector<uint32_t> tiers, ParseTiers(command.tiers));
  ASSIGN_OR_RETURN(UnitsFile units, ReadUnits(command.units, now));
  answer.states = std::move(units.units);
  answer.refused = std::move(units.refused);
  CoverageOptions options;
  options.tiers_ms.clear();
  for (const uint32_t tier : tiers) options.tiers_ms.push_back(tier * 1000);
  ASSIGN_OR_RETURN(answer.coverage, Coverage::Create(model.conditions()->network(), options));
  ASSIGN_OR_RETURN(auto places,
                   ReadPlaces(command.places, model.network(), tiers.back(), command.time_zone));
  answer.coverage->SetPlaces(std::move(places), model);
  answer.available = SelectAvailable(answer.states, model);
  const auto tick = answer.coverage->Update(model, answer.available.units);
  if (!tick.ok()) return tick.status();
  answer.places = answer.coverage->Places(now, model, kFarLooks, kFarLimitMs);
  answer.gaps = answer.coverage->Gaps(tiers.size() - 1, command.gaps);
  return answer;
}

Json RequirementJson(const Coverage& coverage, const PlaceStatus::Tier& tier) {
  Json kinds = Json::array();
  for (const TravelKind kind : tier.require.kinds) kinds.push_back(TravelKindName(kind));
  Json json = {{"tier_s", tier.require.tier_ms / 1000},
               {"kinds", kinds},
               {"count", tier.require.count},
               {"state", PlaceStateName(tier.state)},
               {"have", tier.have}};
  if (tier.unit != kNoUnit) {
    json["unit"] = coverage.unit_id(tier.unit).str();
    json["eta_s"] = tier.eta_ms / 1000.0;
  }
  return json;
}

Json ToJson(const Answer& answer) {
  const Coverage& coverage = *answer.coverage;
  Json tiers = Json::array(), gaps = Json::array(), places = Json::array(),
       left_out = Json::array();
  for (const TierCoverage& tier : coverage.tiers())
    tiers.push_back({{"tier_s", tier.tier_ms / 1000},
                     {"road_km", Km(tier.covered_cm)},
                     {"share", Share(tier.covered_cm, coverage.total_cm())},
                     {"twice_km", Km(tier.twice_cm)}});
  for (const CoverageGap& gap : answer.gaps)
    gaps.push_back({{"lat", gap.middle.lat},
                    {"lon", gap.middle.lon},
                    {"road", gap.road},
                    {"uncovered_km", Km(gap.uncovered_cm)},
                    {"weight", gap.weight}});
  for (const PlaceStatus& status : answer.places) {
    Json require = Json::array();
    for (const auto& tier : status.tiers) require.push_back(RequirementJson(coverage, tier));
    places.push_back({{"id", status.place->id.str()},
                      {"name", status.place->name},
                      {"lat", status.place->place.lat},
                      {"lon", status.place->place.lon},
                      {"state", PlaceStateName(status.state)},
                      {"require", require}});
  }
  for (const LeftOutUnit& unit : answer.available.left_out)
    left_out.push_back({{"id", unit.id.str()}, {"reason", unit.reason}});
  return {{"units", answer.available.units.size()},
          {"total_km", Km(coverage.total_cm())},
          {"tiers", tiers},
          {"gaps", gaps},
          {"places", places},
          {"left_out", left_out},
          {"refused", answer.refused}};
}

void PrintPlaces(const Answer& answer) {
  if (answer.places.empty()) return;
  size_t count[5] = {};
  for (const PlaceStatus& status : answer.places) ++count[static_cast<size_t>(status.state)];
  std::printf(
      "\nProtected places: %zu met, %zu met with old fixes, %zu gaps, %zu outside their hours, %zu "
      "off the network\n",
      count[1], count[2], count[3], count[0], count[4]);
  for (const PlaceStatus& status : answer.places) {
    for (const PlaceStatus::Tier& tier : status.tiers) {
      if (tier.state != PlaceState::kGap) continue;
      std::printf(
          "  gap  %s: %u of %u within %s; next: %s%s%s\n",
          status.place->name.empty() ? status.place->id.str().c_str() : status.place->name.c_str(),
          tier.have, tier.require.count, TierText(tier.require.tier_ms).c_str(),
          UnitOr(*answer.coverage, tier.unit, "nobody within 20 min").c_str(),
          tier.unit == kNoUnit ? "" : " in ",
          tier.unit == kNoUnit ? "" : MinutesText(Milliseconds(tier.eta_ms)).c_str());
    }
  }
}

void Print(const Answer& answer) {
  const Coverage& coverage = *answer.coverage;
  std::printf("%zu units, %.0f km of road:\n\n  within      road km   share   by two units\n",
              answer.available.units.size(), Km(coverage.total_cm()));
  for (const TierCoverage& tier : coverage.tiers())
    std::printf("  %-8s %10.1f  %5.1f %%        %5.1f %%\n", TierText(tier.tier_ms).c_str(),
                Km(tier.covered_cm), 100 * Share(tier.covered_cm, coverage.total_cm()),
                100 * Share(tier.twice_cm, coverage.total_cm()));
  for (const LeftOutUnit& unit : answer.available.left_out)
    std::printf("  left out: %s, %s\n", unit.id.str().c_str(), unit.reason.c_str());
  PrintPlaces(answer);
  if (answer.gaps.empty()) return;
  std::printf("\nWhere nobody is within %s, most road first:\n",
              TierText(coverage.tiers().back().tier_ms).c_str());
  for (size_t i = 0; i < answer.gaps.size(); ++i) {
    const CoverageGap& gap = answer.gaps[i];
    std::printf("  %2zu  %5.1f km  %.5f,%.5f  %s\n", i + 1, Km(gap.uncovered_cm), gap.middle.lat,
                gap.middle.lon, gap.road.empty() ? "(unnamed roads)" : gap.road.c_str());
  }
}

Json Features(const Answer& answer, std::span<const TierStretch> stretches) {
  const Coverage& coverage = *answer.coverage;
  const RoadNetwork& roads = coverage.network();
  Json features = Json::array();
  for (size_t step = 0; step <= coverage.tiers().size(); ++step) {
    const bool uncovered = step == coverage.tiers().size();
    std::vector<std::vector<LatLon>> lines;
    for (const TierStretch& s : stretches)
      if (s.tier == (uncovered ? TierStretch::kUncovered : step))
        lines.push_back(ShapeOf(roads, roads.piece(s.piece).edge[0], s.from_cm, s.to_cm));
    Json properties = {{"layer", uncovered ? "uncovered" : "tier"}};
    if (!uncovered) properties["tier_s"] = coverage.tiers()[step].tier_ms / 1000;
    features.push_back(GeoFeature(GeoMultiLineJson(lines), std::move(properties)));
  }
  for (size_t i = 0; i < answer.available.units.size(); ++i)
    features.push_back(GeoFeature(GeoPointJson(answer.available.places[i]),
                                  {{"layer", "unit"},
                                   {"id", answer.available.units[i].id.str()},
                                   {"kind", TravelKindName(answer.available.units[i].kind)}}));
  for (const PlaceStatus& status : answer.places)
    features.push_back(
        GeoFeature(GeoPointJson(status.place->place), {{"layer", "place"},
                                                       {"id", status.place->id.str()},
                                                       {"name", status.place->name},
                                                       {"state", PlaceStateName(status.state)}}));
  for (const CoverageGap& gap : answer.gaps)
    features.push_back(
        GeoFeature(GeoPointJson(gap.middle),
                   {{"layer", "gap"}, {"road", gap.road}, {"uncovered_km", Km(gap.uncovered_cm)}}));
  return features;
}

absl::Status WriteMaps(const CoverageCommand& command, const Answer& answer) {
  if (command.map.geojson.empty() && !command.map.wants_picture()) return absl::OkStatus();
  const Coverage& coverage = *answer.coverage;
  const auto stretches = TierStretches(coverage);
  RETURN_IF_ERROR(WriteGeoJson(command.map, coverage.network(), Features(answer, stretches)));
  if (!command.map.wants_picture()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Bounds frame, FrameOf(command.map, BoundsOf(coverage.network())));
  MapDrawing drawing(frame, command.map.size_px);
  std::vector<DrawnUnit> units;
  for (const UnitState& state : answer.states) {
    const bool counts = std::any_of(answer.available.units.begin(), answer.available.units.end(),
                                    [&](const CoverageUnit& unit) { return unit.id == state.id; });
    units.push_back({state.place, TravelKindOf(state.kind),
                     answer.states.size() > 60 ? "" : state.id.str(), counts});
  }
  DrawCoverage(coverage, stretches, units, answer.places, answer.gaps, drawing);
  drawing.SetTitle("Coverage", fmt::format("{} available units, {:.0f} km of road",
                                           answer.available.units.size(), Km(coverage.total_cm())));
  return WritePictures(command.map, drawing);
}

absl::Status Run(const CoverageCommand& command) {
  ASSIGN_OR_RETURN(const auto roads, OpenRoads(command.roads));
  const TravelModel model(std::make_shared<RoadConditions>(roads));
  ASSIGN_OR_RETURN(const Answer answer, Compute(command, model, SystemClock().Wall()));
  TellRefused(answer.refused);
  if (command.json) {
    std::printf("%s\n", ToJson(answer).dump(2).c_str());
  } else {
    Print(answer);
  }
  return WriteMaps(command, answer);
}

}  // namespace

void RegisterCoverage(CLI::App& app, Outcome& outcome) {
  auto command = std::make_shared<CoverageCommand>();
  CLI::App* sub = app.add_subcommand(
      "coverage", "Which roads and places the available units reach in time, and the gaps");
  sub->add_option("--roads", command->roads, "Road file, or demo for the embedded city")
      ->capture_default_str();
  sub->add_option("--units", command->units.path,
                  "JSON array of {id, lat, lon, kind?, status?, fix_time?, accuracy_m?, "
                  "speed_mps?, course_deg?}")
      ->required()
      ->type_name("FILE");
  sub->add_option(
         "--places", command->places,
         "Protected places: JSON array of {id, lat, lon, name?, hours?, require: [{tier_s, kinds?, "
         "count?}]}, or map for the schools, hospitals, police and stations of the road file")
      ->type_name("FILE|map");
  sub->add_option("--tiers", command->tiers, "Response tiers in seconds, ascending")
      ->capture_default_str();
  sub->add_option("--gaps", command->gaps, "List so many gaps, squares of 500 m")
      ->capture_default_str();
  sub->add_option("--time-zone", command->time_zone, "IANA time zone of the places' hours")
      ->capture_default_str();
  sub->add_flag("--json", command->json,
                "Print JSON: units, total_km, tiers[tier_s, road_km, share, twice_km], gaps[lat, "
                "lon, road, uncovered_km, weight], places[id, name, state, require[state, have, "
                "unit, eta_s]], left_out[id, reason], refused[sentence]");
  AddMapOptions(*sub, command->map);
  sub->footer(
      "Example: cordon coverage --roads city.roads --units units.json --places map --png "
      "coverage.png");
  sub->callback([command, &outcome] {
    const absl::Status status = Run(*command);
    if (!status.ok()) outcome.exit_code = Report(status);
  });
}

}  // namespace cordon::cli
