// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "dispatch/containment.h"
#include "dispatch/map_drawing.h"

namespace cordon {

// The way of each point's unit to its point; empty where it is there already.
std::vector<std::vector<LatLon>> CordonWays(const CordonPlan& plan, const TravelModel& model,
                                            std::span<const CordonUnit> units);

// A stretch of road with the minute in which the suspect may be there first.
struct SuspectStretch {
  PieceId piece;
  uint32_t from_sighting_ms = 0;
};
// The roads on which the suspect can be while the plan's points are held, by the fastest adversary,
// within the horizon.
std::vector<SuspectStretch> SuspectRoads(const CordonPlan& plan, const RoadConditions& conditions,
                                         const Sighting& sighting, const CordonOptions& options);

// Everything that fits the answer: points, ways, leaks, the sighting, units.
Bounds CordonFrame(const CordonPlan& plan, const Sighting& sighting,
                   std::span<const LatLon> unit_places);

void DrawCordon(const CordonPlan& plan, const RoadNetwork& network, const Sighting& sighting,
                std::span<const SuspectStretch> suspect, std::span<const std::vector<LatLon>> ways,
                std::span<const CordonUnit> units, std::span<const LatLon> unit_places,
                MapDrawing& drawing);

}  // namespace cordon
