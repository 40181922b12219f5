// SPDX-License-Identifier: Apache-2.0
// Catching the most when not everything can be caught: units to junctions so that the share of
// fleeing routes that run into a held junction is large. Greedy over (unit, junction) pairs, then
// each unit's best move (a 1/2-approximation of a matroid-constrained coverage; the exact problem
// is NP-hard).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "dispatch/containment_reach.h"

namespace cordon {

struct UnitClosing {
  uint32_t unit = 0;
  uint32_t closed_ms = 0;  // from the sighting, set up
};
// Which units could hold a junction and from when on; a few of the earliest suffice.
using ClosingOptions = std::function<std::vector<UnitClosing>(uint32_t junction)>;

struct Interception {
  uint32_t junction = 0;
  uint32_t unit = 0;
  uint32_t closed_ms = 0;
};

// All times are from the sighting.
std::vector<Interception> PlaceInterceptions(std::span<const FleeingRoute> routes, uint32_t units,
                                             const ClosingOptions& options);

// True where a route comes to a point after it is held.
bool Intercepted(const FleeingRoute& route, std::span<const Interception> points);

struct OpenWay {
  uint32_t junction = 0;
  double share = 0;
};
// Few junctions in the outer part of the routes that all but a rest of 5 % of `open` routes pass.
std::vector<OpenWay> NameOpenWays(std::span<const FleeingRoute* const> open, size_t most);

}  // namespace cordon
