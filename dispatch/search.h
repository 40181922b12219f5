// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "dispatch/travel_graph.h"

namespace cordon {

// Where a search begins: forward, somebody at `at` who sets off after `delay_ms`; reverse, the
// place to reach.
struct SearchSeed {
  RoadPosition at;
  uint32_t delay_ms = 0;
};

// A part of an edge that was reached, with the times at its two ends; in between the time is
// linear. Forward: time from the seeds to that point; reverse: time from that point to the seeds.
struct ReachedStretch {
  EdgeId edge;
  uint32_t from_cm = 0;  // offsets from the edge's tail, from < to
  uint32_t to_cm = 0;
  uint32_t from_ms = 0;
  uint32_t to_ms = 0;
};

enum class SearchDirection { kForward, kReverse };

// Bounded label-setting search on edges with turn costs and restrictions, from one or many seeds.
// One object per thread, reused: its arrays are sized once and undone by what was touched. Times
// are exact to the millisecond and equal those of plain Dijkstra (tests/unit/dispatch). A search of
// everything within 5 minutes costs some hundred microseconds in a city.
//
// The label of an edge is the time at its near end: forward, the moment it is entered (turn
// included) at its tail; reverse, the time from its head to the goal. The seeds' own edges have a
// label only if they can be entered again.
class BoundedSearch {
 public:
  // Labels up to and including limit_ms. When `until` is given, stops as soon as every edge of it
  // has its final label (those beyond the limit stay kUnreached). The graph must outlive the next
  // Run.
  void Run(const TravelGraph& graph, SearchDirection direction, std::span<const SearchSeed> seeds,
           uint32_t limit_ms, std::span<const EdgeId> until = {});

  // The label of an edge; kUnreached beyond the limit. A road that was entered over a ghost has the
  // ghost's label.
  uint32_t Label(EdgeId e) const {
    const uint32_t label = label_[Slot(e)];
    return folded_.empty() ? label : FoldedLabel(e, label);
  }
  // Time at a position on an edge: forward, arrival there; reverse, from there to the goal (leaving
  // along the edge). Seeds on the same edge are taken into account. Beyond the limit: kUnreached.
  uint32_t TimeAt(const RoadPosition& position) const;

  // Edges with a label, in no particular but reproducible order. Ghosts come as themselves;
  // forward, a road entered over a ghost comes once more with that time: the least counts.
  template <class Fn>  // Fn(EdgeId, uint32_t label)
  void ForReached(Fn&& fn) const {
    for (const uint32_t slot : touched_) fn(EdgeOf(slot), label_[slot]);
    for (const Folded& item : folded_) fn(EdgeId{item.slot}, item.time);
  }
  // Every reached part of every edge, seeds' edges included, ghosts folded into what they copy; an
  // edge comes at most once for each way it was reached. Reproducible order.
  std::vector<ReachedStretch> Stretches() const;

  // The edges of the fastest way: forward from a seed to `to`, reverse from `to` to the goal; in
  // order of travel, with the edge of `to` and the seed's edge. Ghosts come as what they copy.
  // Empty when not reached.
  std::vector<EdgeId> Path(const RoadPosition& to) const;

  // Where on edge `e` a way that comes from `from_cm` ends: the nearest seed on it at or after that
  // offset; the edge's length when there is none. For drawing the last edge of a reverse search's
  // way.
  uint32_t SeedOffset(EdgeId e, uint32_t from_cm) const;

  // How many edges have a label; the measure of work.
  size_t settled() const { return touched_.size(); }

 private:
  struct Item {
    uint32_t time;
    uint32_t slot;
    uint32_t next;  // first of the arcs that its end leads on to
  };
  struct Folded {
    uint32_t time;
    uint32_t slot;
  };
  struct Junction {
    uint32_t first_arc = 0;
    // Arriving at or after this time improves nothing. Until it has been left for the first time:
    // kUnreached.
    uint32_t no_use_from = kUnreached;
  };
  uint32_t Slot(EdgeId e) const {
    return direction_ == SearchDirection::kForward ? e.value : graph_->network().twin(e).value;
  }
  EdgeId EdgeOf(uint32_t slot) const {
    return direction_ == SearchDirection::kForward ? EdgeId{slot}
                                                   : graph_->network().twin(EdgeId{slot});
  }
  void Reset(const TravelGraph& graph, SearchDirection direction, uint32_t limit_ms);
  void Push(uint32_t time, uint32_t slot, Arc arc);
  void Leave(uint32_t slot, uint32_t time_at_far_end);
  void LeaveRuled(uint32_t slot, uint32_t time_at_far_end);
  void CloseJunction(uint32_t junction, uint32_t latest_label);
  void Drain(std::span<const EdgeId> until);
  void DrainBucket(size_t bucket);
  void ForgetFrom(uint32_t time);
  void FoldGhosts();
  uint32_t FoldedLabel(EdgeId e, uint32_t label) const;
  // Where an edge's label came from: another edge, or a seed.
  struct Origin {
    EdgeId edge = kNoEdge;
    size_t seed = kNoIndex;
  };
  Origin OriginOf(EdgeId e) const;
  uint32_t SeedTime(const SearchSeed& seed, const RoadPosition& position) const;

  const TravelGraph* graph_ = nullptr;
  const ArcGraph* arcs_ = nullptr;
  SearchDirection direction_ = SearchDirection::kForward;
  uint32_t limit_ms_ = 0;
  std::vector<SearchSeed> seeds_;
  std::vector<uint32_t> label_;    // by slot
  std::vector<uint32_t> touched_;  // slots with a label
  std::vector<Folded> folded_;  // forward: roads that a ghost reached earlier than their own edge
  std::vector<std::vector<Item>> buckets_;  // by time / kBucketMs
  size_t buckets_used_ = 0;
  uint64_t checksum_ = 0;            // of the network that the arrays are for
  std::vector<Junction> junctions_;  // and one more, for the end of the last one's arcs
  std::vector<uint32_t> closed_;     // junctions whose no_use_from is set
  uint32_t least_turn_ms_ = 0;
};

}  // namespace cordon
