// SPDX-License-Identifier: Apache-2.0
// The fewest junctions to hold between a suspect and the outside, and whether units can take them
// one each.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "dispatch/containment_matching.h"
#include "dispatch/max_flow.h"
#include "dispatch/travel_graph.h"

namespace cordon {

// The roads between the suspect and the outside, for a given ring. Spans are by junction and
// outlive the object.
struct CutGround {
  std::span<const uint32_t> first;         // arcs of a junction
  std::vector<std::span<const Arc>> arcs;  // of each adversary; an arc is passable if it is for any
  std::span<const uint32_t> sources;       // where the suspect is first
  std::span<const uint32_t> suspect_ms;    // earliest arrival; kUnreached beyond the horizon
  std::span<const uint8_t> exits;          // ways out of the map
  std::span<const uint8_t> holdable;
  uint32_t ring_ms = 0;  // junctions that are reached later are outside
};

// A minimum cut of the ground. Rebuilt for each change of what may be held.
class ContainmentCut {
 public:
  enum class Result { kCut, kNone, kTooLarge, kEnclosed };

  // Junctions in `forbidden` count as not holdable. `capacity(junction)` >= 1 is what holding one
  // costs; `limit` the most that may be spent. kNone: an open way leads out. kEnclosed: nothing
  // leads out, no cut is needed.
  Result Find(const CutGround& ground, const absl::flat_hash_set<uint32_t>& forbidden,
              const std::function<int32_t(uint32_t)>& capacity, int32_t limit);

  // The minimum cut nearest to the suspect and the one farthest from it.
  const std::vector<uint32_t>& nearest() const { return nearest_; }
  const std::vector<uint32_t>& farthest() const { return farthest_; }

 private:
  static constexpr MaxFlow::Vertex kSource = 0;
  static constexpr MaxFlow::Vertex kSink = 1;
  bool Holdable(uint32_t junction) const;
  bool Outside(uint32_t junction) const;
  // Junctions that the suspect reaches past nothing that can be held; false when that leads out.
  bool FloodCore();
  void NumberVertices();
  MaxFlow BuildFlow(const std::function<int32_t(uint32_t)>& capacity) const;
  template <class Fn>
  void ForNeighbours(uint32_t junction, Fn&& fn) const;

  const CutGround* ground_ = nullptr;
  const absl::flat_hash_set<uint32_t>* forbidden_ = nullptr;
  bool leads_out_ = false;
  std::vector<uint32_t> core_;     // junctions of the core
  std::vector<uint32_t> members_;  // other junctions inside, in the order of discovery
  std::vector<int32_t>
      vertex_;  // by junction: -1 unknown, kSource for the core, else the vertex that is entered
  std::vector<uint32_t> nearest_;
  std::vector<uint32_t> farthest_;
};

// Which units could hold a junction in time. `few` is cheap and may leave units out; `all` has
// every one.
struct HoldOptions {
  std::function<std::vector<InTime>(uint32_t junction)> few;
  std::function<std::vector<InTime>(uint32_t junction)> all;
};

struct HeldCut {
  std::vector<uint32_t> junctions;
  std::vector<int32_t> units;  // one for each
  bool found = false;
  bool proven = true;     // when not found: none exists
  bool enclosed = false;  // nothing to hold
  uint32_t cuts = 0;
};

// A cut whose junctions can be taken by distinct units, each in time. Exact within `most_cuts`
// minimum cuts.
HeldCut FindHeldCut(const CutGround& ground, int32_t units, const HoldOptions& options,
                    uint32_t most_cuts);

}  // namespace cordon
