// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "dispatch/number_set.h"
#include "dispatch/search.h"
#include "dispatch/travel_graph.h"

namespace cordon {

// Which unit, as a small number that its owner gives out. Ties in time go to the lower slot.
using UnitSlot = uint32_t;
inline constexpr UnitSlot kNoUnit = 0xFFFF'FFFF;

// Who enters an edge first and who second, and when: the two best labels with distinct owners.
struct NearestPair {
  struct Label {
    uint32_t time_ms = kUnreached;
    UnitSlot unit = kNoUnit;
    bool reached() const { return time_ms != kUnreached; }
    friend bool operator==(const Label&, const Label&) = default;
  };
  Label first;
  Label second;
  friend bool operator==(const NearestPair&, const NearestPair&) = default;
};

// A unit and where it sets off from; several seeds when its direction of travel is not known.
struct UnitSeeds {
  UnitSlot unit = kNoUnit;
  std::vector<SearchSeed> seeds;
};

// The network Voronoi diagram of depth two, for one travel profile: for each edge the two units
// that can enter it first within a limit, kept up to date as units move.
//
// Why it is exact. An owner is among the best two of an edge only if it is among the best two of
// the edge before on its fastest way: two better ones there would also be better here. Hence the
// pair of an edge follows from the pairs of its predecessors, a search may stop wherever two
// distinct owners are ahead of it, and after an owner's labels are taken away it is enough to offer
// the emptied edges what their predecessors still hold. A set of units therefore has one result,
// whatever the order of the changes (tests/unit/dispatch/coverage_labels_test.cc).
//
// A move is searched over the unit's old labels, each of which gives way to the new one of its
// edge. A third unit can be better than the new label only where that is the later of two and
// later than it was; those edges, and the few that the unit no longer reaches, are offered what
// their predecessors hold.
//
// Cost: a unit that did not move costs nothing; one that moved costs one search of its own area
// and what its borders with others shift. 20 bytes per edge. A unit's own edge is not labelled by
// its standing there, only by coming back to it. One thread at a time.
class NearestTwo {
 public:
  // Forgets everything. Labels up to and including `limit_ms`.
  void Reset(std::shared_ptr<const TravelGraph> graph, uint32_t limit_ms);

  // Places, moves or removes (no seeds) the given units; a unit occurs once. Others stay.
  void Update(std::span<const UnitSeeds> changes);

  // The same places, other travel times. Only units whose labels lie on or before a changed edge
  // are searched again; when much has changed, all are.
  void ChangeGraph(std::shared_ptr<const TravelGraph> graph);

  NearestPair At(EdgeId e) const {
    const Pair& pair = pairs_[e.value];
    return {LabelOf(pair.first), LabelOf(pair.second)};
  }
  // At and graph().EdgeMs of this edge will be asked soon.
  void AskAhead(EdgeId e) const {
    __builtin_prefetch(&pairs_[e.value]);
    __builtin_prefetch(&arcs_->arcs[e.value]);
  }
  const TravelGraph& graph() const { return *graph_; }
  const std::shared_ptr<const TravelGraph>& shared_graph() const { return graph_; }
  uint32_t limit_ms() const { return limit_ms_; }
  std::span<const SearchSeed> SeedsOf(UnitSlot unit) const;

  // fn(EdgeId) for the edges whose pair may have changed since the last call, each once, ascending.
  template <class Fn>
  void TakeTouched(Fn&& fn) {
    touched_.Drain([&](uint32_t edge) { fn(EdgeId{edge}); });
  }

  // Labels set so far; the measure of work.
  uint64_t labels_set() const { return labels_set_; }

 private:
  // Time, owner and the parity of the owner's moves in one number that orders as needed: during a
  // move the labels from before it differ in their parity, otherwise nobody's do.
  using Key = uint64_t;
  static constexpr Key kNoKey = ~Key{0};
  struct Pair {
    Key first = kNoKey;
    Key second = kNoKey;
  };
  struct Item {
    Key key;
    uint32_t edge;
    uint32_t next;
  };
  static Key MakeKey(uint32_t time_ms, uint32_t owner) { return Key{time_ms} << 32 | owner; }
  static uint32_t TimeOf(Key key) { return static_cast<uint32_t>(key >> 32); }
  static uint32_t OwnerOf(Key key) { return static_cast<uint32_t>(key); }
  static UnitSlot UnitOf(Key key) { return OwnerOf(key) >> 1; }
  static NearestPair::Label LabelOf(Key key) {
    return key == kNoKey ? NearestPair::Label{} : NearestPair::Label{TimeOf(key), UnitOf(key)};
  }

  // The unit and its parity now, as its keys have it.
  uint32_t Owner(UnitSlot unit) const { return unit << 1 | parity_[unit]; }

  // Labels that simply compete, and those of a unit on the move, which first replace its old ones.
  enum class Offers { kCompeting, kMoving };
  template <Offers>
  void Offer(uint32_t edge, Key key);
  // Whether the pair changed.
  static bool Compete(Pair& pair, Key key);
  bool Replace(uint32_t edge, Pair& pair, Key key);
  // Leaves `edge`, at whose head the unit of `key` is at the time of `key`.
  template <Offers>
  void Leave(uint32_t edge, Key key);
  template <Offers>
  void LeaveSeeds(UnitSlot unit);
  // Time at the head of a seed's edge; beyond the limit: kUnreached.
  uint32_t HeadTime(const SearchSeed& seed) const;
  template <Offers>
  void Drain();
  void Move(const UnitSeeds& change);
  void NoteSuccessors(uint32_t edge);
  void DropStale(uint32_t stale_owner);
  void TakeAway(UnitSlot unit);
  void Repair();
  void OfferFromPredecessors(uint32_t edge);
  void SetSeeds(const UnitSeeds& change);

  std::shared_ptr<const TravelGraph> graph_;
  const ArcGraph* arcs_ = nullptr;
  uint32_t limit_ms_ = 0;
  std::vector<Pair> pairs_;                     // by edge
  std::vector<uint32_t> twins_;                 // by edge; nearer to hand than the network's
  std::vector<std::vector<SearchSeed>> seeds_;  // by unit
  std::vector<uint8_t> parity_;                 // by unit: of the number of its moves
  absl::flat_hash_map<uint32_t, std::vector<UnitSlot>>
      standing_;                   // edge -> units with a seed on it
  std::vector<uint8_t> arrivals_;  // by junction: how many seeds' edges end there (<= 255)
  std::vector<uint32_t> emptied_;  // edges where a third unit may come in; they await Repair
  std::vector<uint32_t> heads_;    // bucket queue by time: first item of each bucket
  std::vector<Item> items_;
  uint32_t lowest_bucket_ = 0;
  std::vector<uint32_t> stack_;  // edges that may hold a label to be taken away
  NumberSet touched_;
  uint64_t labels_set_ = 0;
};

}  // namespace cordon
