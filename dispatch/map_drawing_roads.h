// SPDX-License-Identifier: Apache-2.0
// Road networks and units in a MapDrawing: the shared look of all of Cordon's pictures.
#pragma once

#include <optional>
#include <vector>

#include "dispatch/map_drawing.h"
#include "dispatch/road_network.h"
#include "dispatch/travel_profile.h"

namespace cordon {

// Everything that is drawn on, with 2 % around it.
Bounds BoundsOf(const RoadNetwork& network);

// The roads within the frame by class, quietly, and the water and attribution of the map where
// known. Small roads are left out where the picture is too coarse to show them.
void DrawRoads(const RoadNetwork& network, MapDrawing& drawing);

// Shape of a piece between two offsets of its forward edge.
std::vector<LatLon> ShapeOf(const RoadNetwork& network, PieceId piece);
std::vector<LatLon> ShapeOf(const RoadNetwork& network, EdgeId edge, uint32_t from_cm,
                            uint32_t to_cm);

// Width of a road of this class as an overlay, in pixels.
double OverlayWidth(RoadClass road_class, double metres_per_px);

Symbol SymbolOf(TravelKind kind);

// "(c) ..." of the road file, with a proper sign; empty when the file says nothing.
std::string AttributionOf(const RoadNetwork& network);

}  // namespace cordon
