// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "dispatch/road_conditions.h"
#include "dispatch/road_network.h"
#include "dispatch/travel_profile.h"

namespace cordon {

// An edge as the search sees it, in eight bytes, so that a junction's edges share a cache line.
class Arc {
 public:
  static constexpr uint32_t kMaxTimeMs = 0xFF'FFFF;
  Arc() = default;
  Arc(uint32_t head, uint32_t time_ms, uint32_t leaving, uint32_t arriving, bool blocked,
      bool ruled)
      : bits_(static_cast<uint64_t>(head) | static_cast<uint64_t>(time_ms) << 24 |
              static_cast<uint64_t>(leaving) << 48 | static_cast<uint64_t>(blocked) << 54 |
              static_cast<uint64_t>(arriving) << 55 | static_cast<uint64_t>(ruled) << 61) {}
  uint32_t head() const { return static_cast<uint32_t>(bits_ & 0xFF'FFFF); }
  uint32_t time_ms() const { return static_cast<uint32_t>(bits_ >> 24 & 0xFF'FFFF); }
  // 0..63, plus 64 when the arc may not be entered by a turn.
  uint32_t entry() const { return static_cast<uint32_t>(bits_ >> 48 & 127); }
  uint32_t arriving() const { return static_cast<uint32_t>(bits_ >> 55 & 63); }
  bool blocked() const { return bits_ >> 54 & 1; }
  bool ruled() const { return bits_ >> 61 & 1; }  // has a row in the graph's TurnExceptions

 private:
  uint64_t bits_ = 0;
};
static_assert(sizeof(Arc) == 8);

// Exceptions from the turn table for leaving one arc; bit i is the i-th arc at its head.
struct TurnException {
  uint32_t arc = kNoIndex;
  uint32_t forbidden = 0;
  uint32_t priced = 0;  // costs TurnCosts::forbidden_ms more
  uint32_t entry = 0;   // may be entered although marked as blocked
};

// One direction of travel, ready to search. In the reverse graph slot s stands for the edge that s
// is the twin of.
struct ArcGraph {
  std::span<const uint32_t> first;  // arcs of junction j: first[j] .. first[j + 1]
  std::vector<Arc> arcs;
  std::array<uint32_t, 128>
      turn_ms{};  // by (entry of next - arriving of this) with the blocked bit on top
  uint32_t forbidden_ms = 0;
  std::vector<TurnException> exceptions;  // by arc
  std::vector<uint32_t> first_exception;  // of each kExceptionBlock arcs
  static constexpr uint32_t kExceptionBlock = 32;
  // Of a ruled arc.
  const TurnException& ExceptionOf(uint32_t arc) const {
    const TurnException* row = &exceptions[first_exception[arc / kExceptionBlock]];
    while (row->arc != arc) ++row;
    return *row;
  }
};

// Travel times of one profile in one state of the roads, both directions. Immutable, thread-safe.
// 16 bytes per edge.
class TravelGraph {
 public:
  static std::shared_ptr<const TravelGraph> Build(std::shared_ptr<const RoadNetwork> network,
                                                  const RoadState& state,
                                                  const TravelProfile& profile);
  static std::shared_ptr<const TravelGraph> Build(std::shared_ptr<const RoadNetwork> network,
                                                  const RoadState& state,
                                                  const FugitiveProfile& profile);

  const RoadNetwork& network() const { return *network_; }
  const ArcGraph& forward() const { return forward_; }
  const ArcGraph& reverse() const { return reverse_; }
  const TurnCosts& turn_costs() const { return turn_costs_; }
  uint64_t state_version() const { return state_version_; }

  // Whole edge, in ms; defined also for edges that may not be entered now (a unit may stand on
  // one).
  uint32_t EdgeMs(EdgeId e) const { return forward_.arcs[e.value].time_ms(); }
  bool Passable(EdgeId e) const { return !forward_.arcs[e.value].blocked(); }
  // From the tail to `offset_cm`, rounded down; PartMs(length) == EdgeMs.
  uint32_t PartMs(EdgeId e, uint32_t offset_cm) const {
    return static_cast<uint32_t>(static_cast<uint64_t>(EdgeMs(e)) * offset_cm /
                                 network_->length_cm(e));
  }
  // Cost of going from `from` directly to `to` (to leaves where from arrives); kUnreached when not
  // permitted. By definition, without the arrays above: the yardstick of tests and the way back
  // through a search's labels.
  uint32_t TurnMs(EdgeId from, EdgeId to) const;

 private:
  TravelGraph() = default;
  friend class TravelGraphBuilder;
  std::shared_ptr<const RoadNetwork> network_;
  ArcGraph forward_;
  ArcGraph reverse_;
  TurnCosts turn_costs_;
  bool vehicle_ = true;  // restrictions hold
  bool pays_ = false;    // urgent: forbidden turns at a price
  bool contraflow_limited_ = false;
  uint64_t state_version_ = 0;
};

// Keeps the travel graphs of the six profiles in step with the conditions; builds each on first use
// and again after a change. Thread-safe; readers keep what they hold.
class TravelModel {
 public:
  explicit TravelModel(std::shared_ptr<const RoadConditions> conditions)
      : conditions_(std::move(conditions)) {}
  std::shared_ptr<const TravelGraph> Graph(const TravelProfile& profile) const;
  const RoadNetwork& network() const { return *conditions_->network(); }
  const std::shared_ptr<const RoadConditions>& conditions() const { return conditions_; }

 private:
  const std::shared_ptr<const RoadConditions> conditions_;
  mutable absl::Mutex mutex_;
  mutable std::array<std::shared_ptr<const TravelGraph>, 6> graphs_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cordon
