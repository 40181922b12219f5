// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dispatch/road_draft.h"

namespace cordon {

// A city that does not exist, the same on every machine: about 10 x 8 km, a river with few bridges,
// a ring road, one-ways, dead ends, parks, named streets and protected places. The embedded default
// when there is no road file.
RoadDraft DrawDemoCity();

// Its river, as rings for drawing.
std::vector<std::vector<LatLon>> DemoCityWater();

// Its middle, where demos put their cameras.
LatLon DemoCityCentre();

}  // namespace cordon
