// SPDX-License-Identifier: Apache-2.0
// What the road commands read: road files, places, times; units are in cli/units_file.h. Errors name the file, the entry
// and what is expected.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "dispatch/coverage.h"
#include "dispatch/road_network.h"
#include "dispatch/unit_board.h"

namespace cordon::cli {

// A road file, or "demo" for the embedded city.
absl::StatusOr<std::shared_ptr<const RoadNetwork>> OpenRoads(const std::string& path);

// "LAT,LON" in WGS-84 degrees.
absl::StatusOr<LatLon> ParseLatLon(const std::string& text);

// "60,180,300" in seconds, ascending.
absl::StatusOr<std::vector<uint32_t>> ParseTiers(const std::string& text);

// JSON array of {id, lat, lon, name?, hours?: ["mon-fri 07:00-17:00"], require: [{tier_s, kinds?,
// count?}]}; or "map": schools, hospitals, police and stations of the road file, one unit of any
// kind within `map_tier_s`.
absl::StatusOr<std::vector<ProtectedPlace>> ReadPlaces(const std::string& path,
                                                       const RoadNetwork& roads,
                                                       uint32_t map_tier_s,
                                                       const std::string& time_zone);

// Which units count for coverage or a cordon, and why the others do not.
struct LeftOutUnit {
  UnitId id;
  std::string reason;
};
struct AvailableUnits {
  std::vector<CoverageUnit> units;
  std::vector<LatLon> places;  // of the same
  std::vector<LeftOutUnit> left_out;
};
AvailableUnits SelectAvailable(std::span<const UnitState> states, const TravelModel& model);

}  // namespace cordon::cli
