// SPDX-License-Identifier: Apache-2.0
// The fewest junctions to hold between a suspect and the outside, and whether units can take them
// one each.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
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

// Minimum cuts of one ground: the plain one, then others in which some junctions cost more or may
// not be held. They start from the plain cut's flow, so that each costs a part of it.
class ContainmentCut {
 public:
  enum class Result { kCut, kNone, kEnclosed };
  static constexpr int32_t kPrice = 8;            // of holding a junction
  static constexpr int32_t kForbidden = 1 << 28;  // a price that is never paid

  // kNone: an open way leads out, or more than `most` junctions would have to be held. kEnclosed:
  // nothing leads out, no cut is needed. `ground` must outlive the object.
  Result Prepare(const CutGround& ground, int32_t most);
  // After a kCut: the cheapest cut when these junctions cost so much more. kNone: none of at most
  // `limit` in price.
  Result Find(std::span<const std::pair<uint32_t, int32_t>> dearer, int32_t limit);

  // The minimum cut nearest to the suspect and the one farthest from it.
  const std::vector<uint32_t>& nearest() const { return nearest_; }
  const std::vector<uint32_t>& farthest();

 private:
  static constexpr MaxFlow::Vertex kSource = 0;
  static constexpr MaxFlow::Vertex kSink = 1;
  bool Outside(uint32_t junction) const;
  // Junctions that the suspect reaches past nothing that can be held; false when that leads out.
  bool FloodCore();
  void NumberVertices();
  void BuildFlow();
  void ReadNearest();
  template <class Fn>
  void ForNeighbours(uint32_t junction, Fn&& fn) const;

  const CutGround* ground_ = nullptr;
  bool leads_out_ = false;
  std::vector<uint32_t> core_;     // junctions of the core
  std::vector<uint32_t> members_;  // other junctions inside, in the order of discovery
  std::vector<int32_t>
      vertex_;  // by junction: -1 unknown, kSource for the core, else the vertex that is entered
  absl::flat_hash_map<uint32_t, int32_t> hold_arc_;  // junction that may be held -> its arc
  std::optional<MaxFlow> flow_;
  MaxFlow::Saved base_;
  int32_t base_flow_ = 0;
  std::vector<uint32_t> nearest_;
  std::vector<uint32_t> farthest_;
  bool farthest_known_ = false;  // of the present flow
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
