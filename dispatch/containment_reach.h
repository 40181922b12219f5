// SPDX-License-Identifier: Apache-2.0
// How soon a fleeing driver can be at each junction. Junction-based, without turn costs: a lower
// bound for any driver of the profile.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include "dispatch/search.h"
#include "dispatch/travel_graph.h"

namespace cordon {

// Earliest times of one adversary. Reused; one thread.
class FugitiveReach {
 public:
  // Up to and including `limit_ms`, from seeds as SnapScene gives them.
  void Run(std::shared_ptr<const TravelGraph> graph, std::span<const SearchSeed> seeds,
           uint32_t limit_ms);
  uint32_t TimeAt(JunctionId j) const { return time_[j.value]; }
  // Junctions within the limit in the order of their times.
  const std::vector<uint32_t>& reached() const { return order_; }
  // Where it can be first: the ends of the seeds' edges.
  const std::vector<uint32_t>& sources() const { return sources_; }
  const TravelGraph& graph() const { return *graph_; }
  uint32_t limit_ms() const { return limit_ms_; }

 private:
  struct Item {
    uint32_t time;
    uint32_t junction;
  };
  void Push(uint32_t time, uint32_t junction);

  std::shared_ptr<const TravelGraph> graph_;
  uint32_t limit_ms_ = 0;
  std::vector<uint32_t> time_;
  std::vector<uint32_t> touched_;
  std::vector<uint32_t> order_;
  std::vector<uint32_t> sources_;
  std::vector<std::vector<Item>> buckets_;
};

// Junctions at which roads leave the map: ends of main roads (tertiary and above), and any dead end
// within 300 m of the map's bounding box. They count as ways out, whatever the horizon.
std::vector<uint8_t> FindMapExits(const RoadNetwork& network);

// One way of fleeing: junctions with the time of passing them.
struct FleeingRoute {
  struct Stop {
    uint32_t junction;
    uint32_t time_ms;
  };
  std::vector<Stop> stops;
  double share = 0;
  uint32_t adversary = 0;
};

// Random routes that lead away from the seeds until they leave `inside` or come to an exit; main
// roads are likelier. Times are those of the reach's own profile on the way actually taken.
std::vector<FleeingRoute> SampleRoutes(const FugitiveReach& reach,
                                       const std::vector<uint8_t>& exits, uint32_t ring_ms,
                                       uint32_t count, std::mt19937_64& random);

}  // namespace cordon
