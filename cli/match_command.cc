// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>

#include "absl/time/time.h"
#include "base/file_util.h"
#include "cli/commands.h"
#include "cli/dispatch_inputs.h"
#include "cli/map_output.h"
#include "dispatch/datum.h"
#include "dispatch/map_drawing_roads.h"
#include "dispatch/map_match.h"

namespace cordon::cli {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostTrackBytes = 256 * 1024 * 1024;

struct MatchCommand {
  std::string roads = "demo";
  std::string track;
  std::string datum = "wgs84";
  std::string kind = "car";
  bool json = false;
  MapOutput map;
};

absl::StatusOr<TrackFix> ReadFix(const Json& entry, proto::Datum datum) {
  const auto number = [&](const char* key) -> std::optional<double> {
    const auto at = entry.find(key);
    if (at == entry.end() || !at->is_number()) return std::nullopt;
    return at->get<double>();
  };
  if (!entry.is_object() || !number("lat") || !number("lon"))
    return absl::InvalidArgumentError("lat and lon are needed");
  TrackFix fix;
  const auto time = entry.find("time");
  absl::Time parsed;
  std::string error;
  if (time != entry.end() && time->is_number()) {
    fix.time = WallFromMicros(static_cast<int64_t>(time->get<double>() * 1e6));
  } else if (time != entry.end() && time->is_string() &&
             absl::ParseTime(absl::RFC3339_full, time->get<std::string>(), &parsed, &error)) {
    fix.time = WallFromMicros(absl::ToUnixMicros(parsed));
  } else {
    return absl::InvalidArgumentError("time is needed, as 2026-03-01T06:00:00Z or Unix seconds");
  }
  fix.place = ToWgs84({*number("lat"), *number("lon")}, datum);
  if (const auto accuracy = number("accuracy_m")) fix.accuracy = Metres{*accuracy};
  fix.speed_mps = number("speed_mps");
  fix.course_deg = number("course_deg");
  return fix;
}

absl::StatusOr<std::vector<TrackFix>> ReadTrack(const MatchCommand& command) {
  const proto::Datum datum = command.datum == "gcj02"  ? proto::DATUM_GCJ02
                             : command.datum == "bd09" ? proto::DATUM_BD09
                                                       : proto::DATUM_WGS84;
  ASSIGN_OR_RETURN(const std::string text, ReadFile(command.track, kMostTrackBytes));
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_array())
    return absl::InvalidArgumentError(
        command.track + ": expected a JSON array of {\"time\", \"lat\", \"lon\", ...}");
  std::vector<TrackFix> fixes;
  for (size_t i = 0; i < json.size(); ++i) {
    auto fix = ReadFix(json[i], datum);
    if (!fix.ok())
      return absl::InvalidArgumentError(
          fmt::format("{}: entry {}: {}", command.track, i + 1, MessageOf(fix.status())));
    fixes.push_back(*fix);
  }
  return fixes;
}

struct Answer {
  std::vector<TrackFix> fixes;
  std::vector<MatchedFix> matches;
};

bool OnRoad(const MatchedFix& match) {
  return match.state == MatchState::kMatched || match.state == MatchState::kStarted;
}

std::string RoadOf(const RoadNetwork& network, EdgeId edge) {
  return std::string(network.name(network.piece_of(edge)));
}

Json ToJson(const RoadNetwork& network, const Answer& answer) {
  Json all = Json::array();
  for (size_t i = 0; i < answer.matches.size(); ++i) {
    const MatchedFix& match = answer.matches[i];
    Json json = {{"time", FormatWall(answer.fixes[i].time)},
                 {"state", MatchStateName(match.state)}};
    if (OnRoad(match)) {
      const LatLon at = network.PointAt(match.position);
      json.update({{"lat", at.lat},
                   {"lon", at.lon},
                   {"road", RoadOf(network, match.position.edge)},
                   {"edge", match.position.edge.value},
                   {"offset_m", match.position.offset_cm / 100.0},
                   {"distance_m", match.distance.value},
                   {"confidence", match.confidence}});
      if (match.alternative)
        json["alternative"] = {{"road", RoadOf(network, match.alternative->edge)},
                               {"edge", match.alternative->edge.value},
                               {"offset_m", match.alternative->offset_cm / 100.0},
                               {"confidence", match.alternative_confidence}};
    }
    all.push_back(std::move(json));
  }
  return all;
}

void Print(const RoadNetwork& network, const Answer& answer) {
  size_t counts[4] = {};
  std::vector<double> distances;
  for (const MatchedFix& match : answer.matches) {
    ++counts[static_cast<size_t>(match.state)];
    if (OnRoad(match)) distances.push_back(match.distance.value);
  }
  std::printf("%zu fixes: %zu matched, %zu started anew, %zu off the network, %zu out of order\n",
              answer.matches.size(), counts[0], counts[1], counts[2], counts[3]);
  if (!distances.empty()) {
    std::nth_element(distances.begin(),
                     distances.begin() + static_cast<ptrdiff_t>(distances.size() / 2),
                     distances.end());
    const double median = distances[distances.size() / 2];
    std::printf("Median distance from fix to road %.1f m.%s\n", median,
                median > 30 ? " That is much: is the datum right (--datum gcj02, bd09)?" : "");
  }
  const auto name = [&network](EdgeId edge) {
    std::string road = RoadOf(network, edge);
    return road.empty() ? std::string("unnamed road") : road;
  };
  std::string road = "?";
  for (size_t i = 0; i < answer.matches.size(); ++i) {
    const MatchedFix& match = answer.matches[i];
    const std::string now =
        OnRoad(match) ? name(match.position.edge) : MatchStateName(match.state);
    if (now == road) continue;
    road = now;
    const std::string other = match.alternative ? name(match.alternative->edge) : now;
    std::printf("  %s  %s%s\n", FormatWall(answer.fixes[i].time).c_str(), now.c_str(),
                other == now ? "" : fmt::format("  (or {})", other).c_str());
  }
}

absl::Status WriteMaps(const MatchCommand& command, const RoadNetwork& network,
                       const Answer& answer) {
  std::vector<std::vector<LatLon>> lines;
  Bounds bounds;
  Json features = Json::array();
  std::optional<RoadPosition> before;
  for (size_t i = 0; i < answer.matches.size(); ++i) {
    const MatchedFix& match = answer.matches[i];
    features.push_back(
        GeoFeature(GeoPointJson(answer.fixes[i].place), {{"layer", "fix"},
                                                         {"time", FormatWall(answer.fixes[i].time)},
                                                         {"state", MatchStateName(match.state)}}));
    if (!OnRoad(match)) continue;
    bounds.Include(network.PointAt(match.position));
    if (match.state == MatchState::kStarted || !before) {
      lines.emplace_back();
    } else {
      for (size_t e = 0; e < match.way.size(); ++e) {
        const uint32_t from = e == 0 && match.way[e] == before->edge ? before->offset_cm : 0;
        const uint32_t to = e + 1 == match.way.size() && match.way[e] == match.position.edge
                                ? match.position.offset_cm
                                : network.length_cm(match.way[e]);
        if (to <= from) continue;
        const auto part = ShapeOf(network, match.way[e], from, to);
        lines.back().insert(lines.back().end(), part.begin(), part.end());
      }
    }
    before = match.position;
  }
  std::erase_if(lines, [](const auto& line) { return line.size() < 2; });
  features.push_back(GeoFeature(GeoMultiLineJson(lines), {{"layer", "way"}}));
  RETURN_IF_ERROR(WriteGeoJson(command.map, network, std::move(features)));
  if (!command.map.wants_picture()) return absl::OkStatus();
  if (bounds.empty())
    return absl::InvalidArgumentError("no fix is on the map; there is nothing to draw");
  bounds.Grow({200});
  ASSIGN_OR_RETURN(const Bounds frame, FrameOf(command.map, bounds));
  MapDrawing drawing(frame, command.map.size_px);
  DrawRoads(network, drawing);
  for (const auto& line : lines)
    drawing.AddLine(Layer::kOverlay, line,
                    {.colour = palette::kUnit.WithAlpha(0.8), .width_px = 5});
  for (const TrackFix& fix : answer.fixes)
    drawing.AddMarker(fix.place, Symbol::kPoint, palette::kScene, 6);
  drawing.AddLegendLine("driven way, matched", {.colour = palette::kUnit, .width_px = 5});
  drawing.AddLegendSymbol("fix as received", Symbol::kPoint, palette::kScene);
  drawing.SetTitle("Map matching", fmt::format("{} fixes", answer.fixes.size()));
  return WritePictures(command.map, drawing);
}

absl::Status Run(const MatchCommand& command) {
  ASSIGN_OR_RETURN(const auto roads, OpenRoads(command.roads));
  const TravelModel model(std::make_shared<RoadConditions>(roads));
  const TravelKind kind = *TravelKindFromName(command.kind);  // one of them, by the option's check
  Answer answer;
  ASSIGN_OR_RETURN(answer.fixes, ReadTrack(command));
  MapMatcher matcher(model.Graph({kind, TravelMode::kUrgent}));
  for (const TrackFix& fix : answer.fixes) answer.matches.push_back(matcher.Add(fix));
  if (command.json) {
    std::printf("%s\n", ToJson(*roads, answer).dump(1).c_str());
  } else {
    Print(*roads, answer);
  }
  return WriteMaps(command, *roads, answer);
}

}  // namespace

void RegisterMatch(CLI::App& app, Outcome& outcome) {
  auto command = std::make_shared<MatchCommand>();
  CLI::App* sub = app.add_subcommand("match", "Puts the fixes of one device on the roads it drove");
  sub->add_option("track", command->track,
                  "JSON array of {time, lat, lon, accuracy_m?, speed_mps?, course_deg?}, in the "
                  "order of receipt")
      ->required()
      ->type_name("FILE");
  sub->add_option("--roads", command->roads, "Road file, or demo for the embedded city")
      ->capture_default_str();
  sub->add_option("--datum", command->datum, "Datum of the fixes")
      ->check(CLI::IsMember({"wgs84", "gcj02", "bd09"}))
      ->capture_default_str();
  sub->add_option("--kind", command->kind, "How the device moves")
      ->check(CLI::IsMember({"car", "motorcycle", "foot"}))
      ->capture_default_str();
  sub->add_flag("--json", command->json,
                "Print JSON: for each fix time, state (matched, started, off-network, "
                "out-of-order), lat, lon, road, edge, offset_m, distance_m, confidence, "
                "alternative{road, edge, offset_m, confidence}");
  AddMapOptions(*sub, command->map);
  sub->footer("Example: cordon match car-7.json --roads city.roads --datum gcj02 --png drive.png");
  sub->callback([command, &outcome] {
    const absl::Status status = Run(*command);
    if (!status.ok()) outcome.exit_code = Report(status);
  });
}

}  // namespace cordon::cli
