// SPDX-License-Identifier: Apache-2.0
#include "cli/dispatch_inputs.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "absl/strings/str_split.h"
#include "base/file_util.h"
#include "dispatch/demo_city.h"
#include "dispatch/eta.h"
#include "dispatch/road_draft.h"
#include "dispatch/snap.h"

namespace cordon::cli {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostInputBytes = 64 * 1024 * 1024;

absl::Status Bad(const std::string& path, size_t entry, std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("{}: entry {}: {}", path, entry + 1, what));
}

absl::StatusOr<Json> ReadArray(const std::string& path, std::string_view expected) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMostInputBytes));
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded())
    return absl::InvalidArgumentError(fmt::format("{}: not valid JSON", path));
  if (!json.is_array())
    return absl::InvalidArgumentError(fmt::format("{}: expected an array of {}", path, expected));
  return json;
}

std::optional<double> Number(const Json& entry, const char* key) {
  const auto at = entry.find(key);
  if (at == entry.end() || !at->is_number()) return std::nullopt;
  return at->get<double>();
}

std::string Text(const Json& entry, const char* key) {
  const auto at = entry.find(key);
  return at != entry.end() && at->is_string() ? at->get<std::string>() : std::string();
}

absl::StatusOr<ProtectedPlace> ReadPlace(const Json& entry, const std::string& time_zone) {
  if (!entry.is_object())
    return absl::InvalidArgumentError("expected an object with id, lat, lon and require");
  const auto lat = Number(entry, "lat");
  const auto lon = Number(entry, "lon");
  ProtectedPlace place;
  place.id = PlaceId(Text(entry, "id"));
  place.name = Text(entry, "name");
  if (place.id.empty() || !lat || !lon)
    return absl::InvalidArgumentError("id, lat and lon are needed");
  place.place = {*lat, *lon};
  const auto require = entry.find("require");
  if (require == entry.end() || !require->is_array() || require->empty())
    return absl::InvalidArgumentError(place.id.str() +
                                      ": require is needed, as [{\"tier_s\": 180, \"count\": 1}]");
  for (const Json& one : *require) {
    const auto tier = Number(one, "tier_s");
    if (!tier || *tier < 10 || *tier > 3600)
      return absl::InvalidArgumentError(place.id.str() + ": tier_s must be 10 to 3600 seconds");
    ProtectedPlace::Requirement need{
        .tier_ms = static_cast<uint32_t>(*tier * 1000), .kinds = {}, .count = 1};
    if (const auto count = Number(one, "count"))
      need.count = static_cast<uint32_t>(std::clamp(*count, 1.0, 100.0));
    for (const Json& name : one.value("kinds", Json::array())) {
      const auto kind =
          name.is_string() ? TravelKindFromName(name.get<std::string>()) : std::nullopt;
      if (!kind)
        return absl::InvalidArgumentError(place.id.str() + ": kinds are car, motorcycle and foot");
      need.kinds.push_back(*kind);
    }
    place.require.push_back(std::move(need));
  }
  std::vector<std::string> hours;
  for (const Json& line : entry.value("hours", Json::array()))
    if (line.is_string()) hours.push_back(line.get<std::string>());
  ASSIGN_OR_RETURN(place.hours, Schedule::Parse(hours, time_zone, {}));
  return place;
}

std::vector<ProtectedPlace> PlacesOfMap(const RoadNetwork& roads, uint32_t tier_s) {
  std::vector<ProtectedPlace> places;
  for (const RoadSite& site : roads.sites()) {
    if (site.kind == SiteKind::kOther) continue;
    ProtectedPlace place;
    place.id = PlaceId(fmt::format("map-{}", places.size() + 1));
    place.name = std::string(roads.NameAt(site.name));
    place.place = site.point.ToLatLon();
    place.require = {{.tier_ms = tier_s * 1000, .kinds = {}, .count = 1}};
    places.push_back(std::move(place));
  }
  return places;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const RoadNetwork>> OpenRoads(const std::string& path) {
  if (path != "demo") return RoadNetwork::Open(path);
  ASSIGN_OR_RETURN(std::string image, BuildRoadImage(DrawDemoCity()));
  return RoadNetwork::FromImage(std::move(image));
}

absl::StatusOr<LatLon> ParseLatLon(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ',');
  LatLon p;
  const auto number = [](const std::string& part, double& into) {
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), into);
    return error == std::errc() && end == part.data() + part.size();
  };
  if (parts.size() != 2 || !number(parts[0], p.lat) || !number(parts[1], p.lon) || !IsPlausible(p))
    return absl::InvalidArgumentError(
        fmt::format("'{}' is not a place; expected LAT,LON as in 41.1496,-8.6110", text));
  return p;
}

absl::StatusOr<std::vector<uint32_t>> ParseTiers(const std::string& text) {
  std::vector<uint32_t> tiers;
  for (const std::string& part : std::vector<std::string>(absl::StrSplit(text, ','))) {
    uint32_t tier = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), tier);
    if (error != std::errc() || end != part.data() + part.size() || tier < 10 || tier > 3600)
      return absl::InvalidArgumentError(
          fmt::format("--tiers: '{}' is not a time of 10 to 3600 s", part));
    if (!tiers.empty() && tier <= tiers.back())
      return absl::InvalidArgumentError(
          fmt::format("--tiers: {} does not ascend; write them as 60,180,300", text));
    tiers.push_back(tier);
  }
  if (tiers.size() > 8) return absl::InvalidArgumentError("--tiers: at most 8");
  return tiers;
}

absl::StatusOr<std::vector<ProtectedPlace>> ReadPlaces(const std::string& path,
                                                       const RoadNetwork& roads,
                                                       uint32_t map_tier_s,
                                                       const std::string& time_zone) {
  if (path.empty()) return std::vector<ProtectedPlace>{};
  if (path == "map") return PlacesOfMap(roads, map_tier_s);
  ASSIGN_OR_RETURN(const Json json,
                   ReadArray(path, "places {\"id\", \"lat\", \"lon\", \"require\"}"));
  std::vector<ProtectedPlace> places;
  for (size_t i = 0; i < json.size(); ++i) {
    auto place = ReadPlace(json[i], time_zone);
    if (!place.ok()) return Bad(path, i, MessageOf(place.status()));
    places.push_back(*std::move(place));
  }
  return places;
}

AvailableUnits SelectAvailable(std::span<const UnitState> states, const TravelModel& model) {
  AvailableUnits available;
  for (const UnitState& state : states) {
    if (state.status != proto::UNIT_STATUS_AVAILABLE &&
        state.status != proto::UNIT_STATUS_RETURNING) {
      available.left_out.push_back({state.id, "its status is " + UnitStatusName(state.status)});
      continue;
    }
    if (state.freshness == Freshness::kStale || state.freshness == Freshness::kNever) {
      available.left_out.push_back(
          {state.id, fmt::format("its fix is {} s old",
                                 std::chrono::duration_cast<Seconds>(state.age).count())});
      continue;
    }
    const TravelKind kind = TravelKindOf(state.kind);
    const auto graph = model.Graph({kind, TravelMode::kUrgent});
    UnitSnap snap = SnapUnit(*graph, {state.place, state.accuracy.value_or(Metres{0}),
                                      state.course_deg, state.speed_mps});
    if (snap.seeds.empty()) {
      available.left_out.push_back({state.id, "it is off the road network"});
      continue;
    }
    available.units.push_back(
        {state.id, kind, state.freshness == Freshness::kFresh, std::move(snap.seeds)});
    available.places.push_back(state.place);
  }
  return available;
}

}  // namespace cordon::cli
