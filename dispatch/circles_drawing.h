// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>

#include "dispatch/circles.h"
#include "dispatch/map_drawing.h"

namespace cordon {

// Response circles as a picture: the area of each tier, the reached roads coloured by tier, the
// scene, units with their arrival times, routes where the answer has them, and a legend. `scene`
// may be left out for circles of units.
void DrawCircles(const TravelModel& model, const Circles& circles,
                 const std::optional<LatLon>& scene, std::span<const UnitArrival> arrivals,
                 std::span<const UnitState> units, MapDrawing& drawing);

// What the picture should show: the areas, or what lies around the scene.
Bounds CirclesFrame(const RoadNetwork& network, const Circles& circles,
                    const std::optional<LatLon>& scene);

}  // namespace cordon
