// SPDX-License-Identifier: Apache-2.0
// A city repeated side by side: the size of a metropolis from an extract of a town.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "dispatch/osm_import.h"
#include "dispatch/road_draft.h"
#include "dispatch/road_network.h"

namespace cordon::bench {

inline absl::StatusOr<std::shared_ptr<const RoadNetwork>> OpenTiled(const std::string& pbf,
                                                                    int copies) {
  ASSIGN_OR_RETURN(const RoadDraft town, ImportOsm(pbf));
  RoadDraft all;
  all.drives_left = town.drives_left;
  all.notes = town.notes;
  constexpr int32_t kApartE7 = 4'500'000;  // 0.45 degrees: the extract is 0.42 wide and high
  for (int copy = 0; copy < copies; ++copy) {
    const auto point = static_cast<uint32_t>(all.points.size());
    const size_t way = all.ways.size();
    for (DraftPoint p : town.points) {
      p.at.lon_e7 += copy % 4 * kApartE7;
      p.at.lat_e7 += copy / 4 * kApartE7;
      all.points.push_back(p);
    }
    for (DraftWay w : town.ways) {
      for (uint32_t& p : w.points) p += point;
      all.ways.push_back(std::move(w));
    }
    for (DraftRestriction r : town.restrictions) {
      r.from += way;
      r.to += way;
      for (size_t& via : r.via_ways) via += way;
      if (r.via_point != kNoIndex) r.via_point += point;
      all.restrictions.push_back(std::move(r));
    }
  }
  ASSIGN_OR_RETURN(std::string image, BuildRoadImage(all));
  return RoadNetwork::FromImage(std::move(image));
}

}  // namespace cordon::bench
