// SPDX-License-Identifier: Apache-2.0
#include "dispatch/osm_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <osmium/io/pbf_input.hpp>
#include <osmium/io/xml_input.hpp>
#include <osmium/osm.hpp>

#include "absl/container/flat_hash_map.h"
#include "dispatch/osm_tags.h"
#include "dispatch/road_geometry.h"

namespace cordon {
namespace {

// Where roads are this dense the urban limits hold: a suburb has 8 to 15 km of street per km2, open
// country 2 to 4.
constexpr double kUrbanKmPerKm2 = 6;
constexpr double kDensityCellMetres = 500;

OsmTags Copy(const osmium::TagList& list) {
  OsmTags tags;
  for (const auto& tag : list) tags.emplace(tag.key(), tag.value());
  return tags;
}

struct Counts {
  size_t highways = 0;
  size_t not_roads = 0;
  size_t missing_points = 0;
  size_t restrictions_used = 0;
  size_t restrictions_via_ways = 0;
  size_t restrictions_incomplete = 0;
  size_t restrictions_conditional = 0;
  size_t restrictions_other_vehicles = 0;
  size_t restrictions_unknown = 0;
  size_t barriers = 0;
  size_t barriers_on_main_roads = 0;
  size_t signals = 0;
  size_t maxspeed = 0;
  size_t oneway_changes = 0;
};

class Importer {
 public:
  explicit Importer(const OsmImportOptions& options)
      : options_(options), limits_(&LimitsOf(options.country)) {}

  absl::StatusOr<RoadDraft> Run(const std::string& path) {
    if (!std::filesystem::exists(path))
      return absl::NotFoundError(fmt::format("{}: no such file; check the path", path));
    try {
      ReadRelationsAndWays(path);
      if (pending_.empty())
        return absl::InvalidArgumentError(
            fmt::format("{}: there are no roads in it; take an extract with highways", path));
      ReadNodes(path);
    } catch (const std::exception& e) {
      return absl::DataLossError(fmt::format(
          "{}: cut off or not an OpenStreetMap file ({}); download it again", path, e.what()));
    }
    BuildWays();
    if (draft_.ways.empty())
      return absl::InvalidArgumentError(
          fmt::format("{}: none of its roads has its points; it is not a complete extract", path));
    SetDefaultLimits();
    CheckBarriers();
    BuildRestrictions();
    BuildSites();
    Note(path);
    return std::move(draft_);
  }

 private:
  struct PendingWay {
    int64_t id;
    DraftWay way;
    std::vector<int64_t> nodes;
  };
  struct PendingRestriction {
    RestrictionMeaning meaning;
    std::vector<int64_t> from;
    std::vector<int64_t> to;
    std::vector<int64_t> via_ways;
    int64_t via_node = 0;
  };
  struct PendingSite {
    DraftSite site;
    std::vector<int64_t> nodes;  // an area: its middle
  };

  // Any order of the objects in the file is fine: the nodes come in a second pass.
  void ReadRelationsAndWays(const std::string& path) {
    osmium::io::Reader reader(path,
                              osmium::osm_entity_bits::way | osmium::osm_entity_bits::relation);
    while (const osmium::memory::Buffer buffer = reader.read())
      for (const auto& item : buffer) {
        if (item.type() == osmium::item_type::way) TakeWay(static_cast<const osmium::Way&>(item));
        if (item.type() == osmium::item_type::relation)
          TakeRelation(static_cast<const osmium::Relation&>(item));
      }
    reader.close();
  }

  void TakeWay(const osmium::Way& way) {
    const bool highway = way.tags().has_key("highway");
    if (!highway && !way.tags().has_key("amenity") && !way.tags().has_key("railway") &&
        !way.tags().has_key("public_transport"))
      return;
    const OsmTags tags = Copy(way.tags());
    std::vector<int64_t> nodes;
    for (const auto& node : way.nodes()) nodes.push_back(node.ref());
    if (const auto kind = SiteOf(tags); kind && !highway) {
      PendingSite site;
      site.site.kind = *kind;
      if (const auto at = tags.find("name"); at != tags.end()) site.site.name = at->second;
      for (const int64_t n : nodes) wanted_.emplace(n, kNoIndex);
      site.nodes = std::move(nodes);
      sites_.push_back(std::move(site));
      return;
    }
    if (!highway) return;
    ++counts_.highways;
    if (const std::string country = CountryOfZone(tags); !country.empty())
      ++zone_countries_[country];
    auto road = RoadOf(tags, *limits_);
    if (!road || nodes.size() < 2) {
      ++counts_.not_roads;
      return;
    }
    if (const auto at = tags.find("oneway");
        at != tags.end() && (at->second == "reversible" || at->second == "alternating"))
      ++counts_.oneway_changes;
    counts_.maxspeed += (road->flags & kFlagMaxspeedTagged) != 0;
    road->id = way.id();
    for (const int64_t n : nodes) wanted_.emplace(n, kNoIndex);
    pending_.push_back({way.id(), *std::move(road), std::move(nodes)});
  }

  void TakeRelation(const osmium::Relation& relation) {
    const char* type = relation.tags()["type"];
    if (type == nullptr || !std::string_view(type).starts_with("restriction")) return;
    PendingRestriction r;
    switch (ReadRestriction(Copy(relation.tags()), r.meaning)) {
      case RestrictionUse::kApplies:
        break;
      case RestrictionUse::kOtherVehicles:
        ++counts_.restrictions_other_vehicles;
        return;
      case RestrictionUse::kConditional:
        ++counts_.restrictions_conditional;
        return;
      case RestrictionUse::kUnknown:
        ++counts_.restrictions_unknown;
        return;
    }
    for (const auto& member : relation.members()) {
      const std::string_view role = member.role();
      const bool way = member.type() == osmium::item_type::way;
      if (role == "from" && way) r.from.push_back(member.ref());
      if (role == "to" && way) r.to.push_back(member.ref());
      if (role == "via" && way) r.via_ways.push_back(member.ref());
      if (role == "via" && member.type() == osmium::item_type::node) r.via_node = member.ref();
    }
    restrictions_.push_back(std::move(r));
  }

  void ReadNodes(const std::string& path) {
    osmium::io::Reader reader(path, osmium::osm_entity_bits::node);
    while (const osmium::memory::Buffer buffer = reader.read())
      for (const auto& node : buffer.select<osmium::Node>()) TakeNode(node);
    reader.close();
  }

  void TakeNode(const osmium::Node& node) {
    if (!node.location().valid()) return;
    const RoadPoint at{node.location().y(), node.location().x()};
    const bool tagged = !node.tags().empty();
    if (tagged)
      if (const OsmTags tags = Copy(node.tags()); const auto kind = SiteOf(tags)) {
        PendingSite site;
        site.site.at = at;
        site.site.kind = *kind;
        if (const auto name = tags.find("name"); name != tags.end()) site.site.name = name->second;
        sites_.push_back(std::move(site));
      }
    const auto wanted = wanted_.find(node.id());
    if (wanted == wanted_.end() || wanted->second != kNoIndex) return;
    DraftPoint point;
    point.at = at;
    if (tagged) ReadPoint(Copy(node.tags()), point);
    counts_.signals += point.signal_forward || point.signal_backward;
    wanted->second = static_cast<uint32_t>(draft_.points.size());
    draft_.points.push_back(point);
  }

  // Points that the extract lacks (its border) are left out; the way goes on behind them as
  // another.
  void BuildWays() {
    for (PendingWay& pending : pending_) {
      std::vector<uint32_t> points;
      const auto close = [&] {
        if (points.size() >= 2) {
          DraftWay way = pending.way;
          way.points = points;
          ways_of_[pending.id].push_back(draft_.ways.size());
          draft_.ways.push_back(std::move(way));
        }
        points.clear();
      };
      for (const int64_t n : pending.nodes) {
        const uint32_t point = wanted_.at(n);
        if (point == kNoIndex) {
          ++counts_.missing_points;
          close();
        } else if (points.empty() || points.back() != point) {
          points.push_back(point);
        }
      }
      close();
    }
    pending_.clear();
  }

  void SetDefaultLimits() {
    if (options_.country.empty() && !zone_countries_.empty()) {
      const auto most =
          std::max_element(zone_countries_.begin(), zone_countries_.end(),
                           [](const auto& a, const auto& b) { return a.second < b.second; });
      limits_ = &LimitsOf(most->first);
    }
    draft_.drives_left = limits_->drives_left;
    CountDensity();
    for (DraftWay& way : draft_.ways) {
      const RoadPoint middle = draft_.points[way.points[way.points.size() / 2]].at;
      const bool urban = IsUrban(middle);
      if (urban) way.flags |= kFlagUrban;
      for (uint8_t& kmh : way.speed_kmh)
        if (kmh == 0) kmh = DefaultLimit(way.road_class, way.flags, urban, *limits_);
    }
  }

  std::pair<int, int> DensityCell(const RoadPoint& p) const {
    const double y = p.lat_e7 * kMetresPerE7;
    const double x = p.lon_e7 * kMetresPerE7 * std::cos(mean_lat_);
    return {static_cast<int>(std::floor(y / kDensityCellMetres)),
            static_cast<int>(std::floor(x / kDensityCellMetres))};
  }

  void CountDensity() {
    double sum = 0;
    for (const DraftPoint& p : draft_.points) sum += p.at.lat_e7 * 1e-7;
    mean_lat_ = sum / static_cast<double>(draft_.points.size()) * std::numbers::pi / 180;
    for (const DraftWay& way : draft_.ways) {
      if (way.road_class >= RoadClass::kService && way.road_class != RoadClass::kPedestrian)
        continue;
      for (size_t i = 1; i < way.points.size(); ++i) {
        const RoadPoint& a = draft_.points[way.points[i - 1]].at;
        density_[DensityCell(a)] += SegmentMetres(a, draft_.points[way.points[i]].at);
      }
    }
  }

  bool IsUrban(const RoadPoint& p) const {
    const auto [y, x] = DensityCell(p);
    double metres = 0;
    for (int dy = -1; dy <= 1; ++dy)
      for (int dx = -1; dx <= 1; ++dx)
        if (const auto at = density_.find({y + dy, x + dx}); at != density_.end())
          metres += at->second;
    const double km2 = 9 * kDensityCellMetres * kDensityCellMetres / 1e6;
    return metres / 1000 / km2 >= kUrbanKmPerKm2;
  }

  // A bollard on the crossing of a main road with a path stands beside the road, whatever the map
  // says.
  void CheckBarriers() {
    std::vector<uint8_t> main_road(draft_.points.size());
    for (const DraftWay& way : draft_.ways)
      if (way.road_class <= RoadClass::kTertiary)
        for (const uint32_t p : way.points) main_road[p] = 1;
    for (uint32_t p = 0; p < draft_.points.size(); ++p) {
      DraftPoint& point = draft_.points[p];
      if (!point.barrier) continue;
      ++counts_.barriers;
      if (!main_road[p] || (point.barrier_access & kAccessCar)) continue;
      ++counts_.barriers_on_main_roads;
      point.barrier = false;
    }
  }

  void BuildRestrictions() {
    for (const PendingRestriction& r : restrictions_) {
      size_t built = 0;
      for (const int64_t from : r.from)
        for (const int64_t to : r.to) built += AddRestriction(r, from, to);
      if (built == 0) ++counts_.restrictions_incomplete;
      counts_.restrictions_used += built > 0;
      counts_.restrictions_via_ways += built > 0 && !r.via_ways.empty();
    }
  }

  bool AddRestriction(const PendingRestriction& r, int64_t from, int64_t to) {
    DraftRestriction restriction;
    restriction.only = r.meaning.only;
    restriction.u_turn = r.meaning.u_turn;
    restriction.except_emergency = r.meaning.except_emergency;
    const auto single = [&](int64_t id, size_t& into) {
      const auto at = ways_of_.find(id);
      if (at == ways_of_.end() || at->second.size() != 1) return false;
      into = at->second.front();
      return true;
    };
    if (!single(from, restriction.from) || !single(to, restriction.to)) return false;
    if (!r.via_ways.empty()) {
      for (const int64_t via : r.via_ways) {
        size_t way = 0;
        if (!single(via, way)) return false;
        restriction.via_ways.push_back(way);
      }
    } else {
      const auto at = wanted_.find(r.via_node);
      if (at == wanted_.end() || at->second == kNoIndex) return false;
      restriction.via_point = at->second;
    }
    draft_.restrictions.push_back(std::move(restriction));
    return true;
  }

  void BuildSites() {
    for (PendingSite& pending : sites_) {
      if (!pending.nodes.empty() && !MiddleOf(pending.nodes, pending.site.at)) continue;
      // The same place is often both a point and a building.
      const bool known =
          std::any_of(draft_.sites.begin(), draft_.sites.end(), [&](const DraftSite& other) {
            return other.kind == pending.site.kind && other.name == pending.site.name &&
                   SegmentMetres(other.at, pending.site.at) < 150;
          });
      if (!known) draft_.sites.push_back(std::move(pending.site));
    }
  }

  bool MiddleOf(const std::vector<int64_t>& nodes, RoadPoint& into) const {
    int64_t lat = 0;
    int64_t lon = 0;
    int64_t count = 0;
    for (const int64_t n : nodes) {
      const uint32_t point = wanted_.at(n);
      if (point == kNoIndex) continue;
      lat += draft_.points[point].at.lat_e7;
      lon += draft_.points[point].at.lon_e7;
      ++count;
    }
    if (count == 0) return false;
    into = {static_cast<int32_t>(lat / count), static_cast<int32_t>(lon / count)};
    return true;
  }

  void Note(const std::string& path) {
    const auto put = [&](const char* key, size_t n) { draft_.notes[key] = fmt::format("{}", n); };
    draft_.notes["source"] = std::filesystem::path(path).filename().string();
    draft_.notes["attribution"] = "(c) OpenStreetMap contributors, ODbL 1.0";
    draft_.notes["country"] = limits_->country[0] != '\0' ? limits_->country : "generic";
    put("highway_ways", counts_.highways);
    put("ways_not_roads", counts_.not_roads);
    put("points_missing", counts_.missing_points);
    put("maxspeed_ways", counts_.maxspeed);
    put("restrictions_used", counts_.restrictions_used);
    put("restrictions_via_ways", counts_.restrictions_via_ways);
    put("restrictions_incomplete", counts_.restrictions_incomplete);
    put("restrictions_conditional", counts_.restrictions_conditional);
    put("restrictions_other_vehicles", counts_.restrictions_other_vehicles);
    put("restrictions_unknown", counts_.restrictions_unknown);
    put("signals", counts_.signals);
    put("barriers", counts_.barriers);
    put("barriers_on_main_roads_ignored", counts_.barriers_on_main_roads);
    put("one_ways_by_hour", counts_.oneway_changes);
  }

  const OsmImportOptions& options_;
  const CountryLimits* limits_;
  RoadDraft draft_;
  Counts counts_;
  double mean_lat_ = 0;
  std::vector<PendingWay> pending_;
  std::vector<PendingRestriction> restrictions_;
  std::vector<PendingSite> sites_;
  absl::flat_hash_map<int64_t, uint32_t> wanted_;              // OSM node -> draft point
  absl::flat_hash_map<int64_t, std::vector<size_t>> ways_of_;  // OSM way -> draft ways
  std::map<std::pair<int, int>, double> density_;              // metres of road
  std::map<std::string, size_t> zone_countries_;
};

}  // namespace

absl::StatusOr<RoadDraft> ImportOsm(const std::string& path, const OsmImportOptions& options) {
  return Importer(options).Run(path);
}

}  // namespace cordon
