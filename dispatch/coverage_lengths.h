// SPDX-License-Identifier: Apache-2.0
// How much of one piece of road is reached within a tier, by at least one unit and by at least two
// different ones. Pure functions on integers, so that sums never depend on their order.
#pragma once

#include <algorithm>
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

// How far along an edge one gets in what is left of the tier.
inline uint32_t ProgressCm(uint32_t length_cm, uint32_t edge_ms, uint32_t time_ms,
                           uint32_t tier_ms) {
  if (time_ms >= tier_ms) return 0;
  const uint32_t left = tier_ms - time_ms;
  if (left >= edge_ms) return length_cm;
  return static_cast<uint32_t>(uint64_t{length_cm} * left / edge_ms);
}

// Both directions of a piece with one profile and nobody standing on it. In the header: a whole
// city's pieces go through here.
inline ReachedLengths LengthsOfPairs(uint32_t length, uint32_t tier_ms, const PairOnEdge& forward,
                                     const PairOnEdge& backward) {
  const auto reach = [&](const PairOnEdge& edge, const NearestPair::Label& label) {
    return ProgressCm(length, edge.edge_ms, label.time_ms, tier_ms);
  };
  // From the tail [0, f1] and [0, f2]; from the head the last b1 and the last b2.
  const uint32_t f1 = reach(forward, forward.pair.first);
  const uint32_t b1 = reach(backward, backward.pair.first);
  if (f1 == 0 && b1 == 0) return {};
  const uint32_t f2 = reach(forward, forward.pair.second);
  const uint32_t b2 = reach(backward, backward.pair.second);
  ReachedLengths lengths;
  lengths.once_cm = std::min(length, f1 + b1);
  // Twice: where the second from either side comes, and where the two first ones overlap if they
  // are different units.
  const bool meet = f1 + b1 > length && forward.pair.first.unit != backward.pair.first.unit;
  const bool joins_left = meet && length - b1 <= f2;
  const bool joins_right = meet && f1 >= length - b2;
  const uint32_t left_end = joins_left ? f1 : f2;
  const uint32_t right_begin = length - (joins_right ? b1 : b2);
  lengths.twice_cm = left_end >= right_begin ? length : left_end + length - right_begin;
  if (meet && !joins_left && !joins_right) lengths.twice_cm += f1 + b1 - length;
  return lengths;
}

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
