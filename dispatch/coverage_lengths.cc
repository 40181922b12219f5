// SPDX-License-Identifier: Apache-2.0
#include "dispatch/coverage_lengths.h"

#include <algorithm>

namespace cordon {
namespace {

struct Interval {
  uint32_t from, to;
  UnitSlot unit;
};

}  // namespace

ReachedLengths LengthsOfReaches(uint32_t length, uint32_t tier_ms,
                                std::span<const EdgeReach> reaches) {
  std::vector<Interval> intervals;
  std::vector<uint32_t> cuts;
  for (const EdgeReach& reach : reaches) {
    const uint32_t progress = ProgressCm(length, reach.edge_ms, reach.time_ms, tier_ms);
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
