// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "dispatch/coverage_labels.h"
#include "dispatch/placement.h"
#include "dispatch/travel_graph.h"

namespace cordon {

// An alert of the past, or any other reason to be near.
struct PlacedDemand {
  LatLon place;
  double weight = 1;  // >= 0, at most 1e6
};

struct WaitingOptions {
  int32_t units = 1;
  uint32_t tier_ms = 180'000;
  TravelProfile profile;
  // Waiting places are at least this far apart: the finest that is worth telling.
  Metres spacing{150};
};

// A place to wait at.
struct WaitingPlace {
  LatLon place;
  PieceId piece;
  double weight = 0;  // reached from here and from none of the places before
};

struct WaitingAnswer {
  std::vector<WaitingPlace> places;
  double covered = 0;          // weight within the tier of some place
  double already_covered = 0;  // within the tier of units that are there anyway
  double upper_bound = 0;      // no choice of as many places covers more
  double total = 0;            // of demand on the network, what is covered already left out
  size_t off_network = 0;      // demands with no road near
  size_t candidates = 0;
};

// Where spare units should wait so that as much demand as possible is within the tier. Each demand
// is searched backwards once; candidate places are mid-street, never on motorways, links, bridges
// or in tunnels. `present` are units that stay where they are. INVALID_ARGUMENT: no demand, or a
// weight out of range.
absl::StatusOr<WaitingAnswer> FindWaitingPlaces(const TravelGraph& graph,
                                                std::span<const PlacedDemand> demands,
                                                std::span<const UnitSeeds> present,
                                                const WaitingOptions& options);

}  // namespace cordon
