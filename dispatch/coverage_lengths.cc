// SPDX-License-Identifier: Apache-2.0
#include "dispatch/coverage_lengths.h"

#include <algorithm>

namespace cordon {
namespace {

// How far along the edge one gets in what is left of the tier.
uint32_t Progress(uint32_t length_cm, uint32_t edge_ms, uint32_t time_ms, uint32_t tier_ms) {
  if (time_ms >= tier_ms) return 0;
  const uint32_t left = tier_ms - time_ms;
  if (left >= edge_ms) return length_cm;
  return static_cast<uint32_t>(uint64_t{length_cm} * left / edge_ms);
}

struct Interval {
  uint32_t from, to;
  UnitSlot unit;
};

}  // namespace

ReachedLengths LengthsOfPairs(uint32_t length, uint32_t tier_ms, const PairOnEdge& forward,
                              const PairOnEdge& backward) {
  const auto reach = [&](const PairOnEdge& edge, const NearestPair::Label& label) {
    return Progress(length, edge.edge_ms, label.time_ms, tier_ms);
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

ReachedLengths LengthsOfReaches(uint32_t length, uint32_t tier_ms,
                                std::span<const EdgeReach> reaches) {
  std::vector<Interval> intervals;
  std::vector<uint32_t> cuts;
  for (const EdgeReach& reach : reaches) {
    const uint32_t progress = Progress(length, reach.edge_ms, reach.time_ms, tier_ms);
    const uint32_t to = std::min(length, reach.from_cm + progress);
    if (to <= reach.from_cm) continue;
    intervals.push_back(reach.forward ? Interval{reach.from_cm, to, reach.unit}
                                      : Interval{length - to, length - reach.from_cm, reach.unit});
    cuts.push_back(intervals.back().from);
    cuts.push_back(intervals.back().to);
  }
  std::sort(cuts.begin(), cuts.end());
  ReachedLengths lengths;
  for (size_t i = 0; i + 1 < cuts.size(); ++i) {
    UnitSlot one = kNoUnit;
    bool two = false;
    for (const Interval& interval : intervals) {
      if (interval.from > cuts[i] || interval.to < cuts[i + 1]) continue;
      two |= one != kNoUnit && one != interval.unit;
      one = interval.unit;
    }
    if (one == kNoUnit) continue;
    lengths.once_cm += cuts[i + 1] - cuts[i];
    if (two) lengths.twice_cm += cuts[i + 1] - cuts[i];
  }
  return lengths;
}

}  // namespace cordon
