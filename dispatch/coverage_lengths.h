// SPDX-License-Identifier: Apache-2.0
// How much of one piece of road is reached within a tier, by at least one unit and by at least two
// different ones. Pure functions on integers, so that sums never depend on their order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dispatch/coverage_labels.h"

namespace cordon {

struct ReachedLengths {
  uint32_t once_cm = 0;
  uint32_t twice_cm = 0;
  friend bool operator==(const ReachedLengths&, const ReachedLengths&) = default;
};

// The labels of one of a piece's edges and the time to drive that edge.
struct PairOnEdge {
  NearestPair pair;
  uint32_t edge_ms = 1;
};

// Both directions of a piece with one profile and nobody standing on it.
ReachedLengths LengthsOfPairs(uint32_t length_cm, uint32_t tier_ms, const PairOnEdge& forward,
                              const PairOnEdge& backward);

// One way in which a unit reaches (part of) an edge: it is `from_cm` behind the edge's tail at
// `time_ms` and drives on to the head.
struct EdgeReach {
  UnitSlot unit = kNoUnit;
  uint32_t time_ms = 0;
  uint32_t edge_ms = 1;
  uint32_t from_cm = 0;
  bool forward = true;  // the piece's forward edge
};

// The general case: any number of reaches.
ReachedLengths LengthsOfReaches(uint32_t length_cm, uint32_t tier_ms,
                                std::span<const EdgeReach> reaches);

}  // namespace cordon
