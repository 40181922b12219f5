// SPDX-License-Identifier: Apache-2.0
// When units hold junctions: arrival on the network plus set-up, counted from the sighting.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "dispatch/containment.h"
#include "dispatch/containment_intercept.h"
#include "dispatch/coverage_labels.h"
#include "dispatch/search.h"

namespace cordon {

// One search from all units gives the two earliest of each kind at every junction; who else could
// be there is searched backwards from the junction when asked. All closings are from now and at
// most the horizon. One thread.
class UnitTimes {
 public:
  // Units set off `age_ms` after the sighting, which is now.
  void Run(const TravelModel& model, std::span<const CordonUnit> units, uint32_t age_ms,
           uint32_t horizon_ms, uint32_t set_up_ms);
  // kUnreached: no unit within the horizon.
  uint32_t EarliestClosed(uint32_t junction) const;
  // The two earliest units of each kind.
  std::vector<UnitClosing> EarliestTwo(uint32_t junction) const;
  // Every unit that holds the junction at `latest_closed_ms` or before.
  std::vector<UnitClosing> AllClosings(uint32_t junction, uint32_t latest_closed_ms);

 private:
  template <class Fn>
  void ForArrivals(uint32_t junction, Fn&& fn) const;

  std::span<const CordonUnit> units_;
  uint32_t latest_ms_ = 0;      // age and horizon
  uint32_t held_after_ms_ = 0;  // age and set-up: from a drive's length to its closing
  std::array<std::shared_ptr<const TravelGraph>, 3> graphs_;
  std::array<NearestTwo, 3> nearest_;
  // Units that need no more than the rest of their own edge, or hold the junction already.
  absl::flat_hash_map<uint32_t, std::vector<UnitClosing>> direct_;
  BoundedSearch search_;
};

}  // namespace cordon
