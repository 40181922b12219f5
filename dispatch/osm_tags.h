// SPDX-License-Identifier: Apache-2.0
// What OpenStreetMap's tags mean for driving. Pure functions; the wiki pages Key:highway,
// Key:access, Key:oneway, Key:maxspeed, Key:barrier and Relation:restriction are their source.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "dispatch/road_draft.h"

namespace cordon {

using OsmTags = std::map<std::string, std::string, std::less<>>;

// Limits that hold where no sign stands.
struct CountryLimits {
  const char* country;
  uint8_t motorway_kmh;
  uint8_t rural_kmh;
  uint8_t urban_kmh;
  bool drives_left;
};
// By ISO 3166-1 alpha-2; a generic row (120, 90, 50, right) for unknown ones.
const CountryLimits& LimitsOf(std::string_view country);

// A way with its class, access, flags, layer, name and posted speeds; no points. speed_kmh 0: not
// posted, see DefaultLimit. Empty: not a road (building site, ferry, race track, ...).
std::optional<DraftWay> RoadOf(const OsmTags& tags, const CountryLimits& limits);

// The limit that holds without a sign.
uint8_t DefaultLimit(RoadClass road_class, uint16_t flags, bool urban, const CountryLimits& limits);

// "50", "30 mph", "PT:urban", "walk", "none" to km/h; 0: not understood.
uint8_t ParseMaxspeed(std::string_view text, const CountryLimits& limits);

// Country of a zone code such as "PT:urban" or "DE:zone:30"; empty: none.
std::string CountryOfZone(const OsmTags& tags);

// Signals and barriers of a point of a road. False: nothing of interest.
bool ReadPoint(const OsmTags& tags, DraftPoint& into);

// The kind of a possible protected place.
std::optional<SiteKind> SiteOf(const OsmTags& tags);

// What a restriction relation forbids for the vehicles of this product.
struct RestrictionMeaning {
  bool only = false;
  bool u_turn = false;
  bool except_emergency = false;
};
enum class RestrictionUse { kApplies, kOtherVehicles, kConditional, kUnknown };
RestrictionUse ReadRestriction(const OsmTags& tags, RestrictionMeaning& into);

}  // namespace cordon
