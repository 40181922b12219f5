// SPDX-License-Identifier: Apache-2.0
#include "dispatch/coverage_labels.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "dispatch/coverage_turns.h"

namespace cordon {
namespace {

constexpr uint32_t kNil = 0xFFFF'FFFF;
// About the time of a short edge: a label is then hardly ever improved after it left its bucket.
// Any width is correct.
constexpr uint32_t kBucketShift = 9;
// From this share of changed edges on, searching everything again is cheaper.
constexpr size_t kChangedShareForAll = 200;

}  // namespace

void NearestTwo::Reset(std::shared_ptr<const TravelGraph> graph, uint32_t limit_ms) {
  CORDON_CHECK(limit_ms < kUnreached / 4, "a limit that leaves room for sums");
  graph_ = std::move(graph);
  arcs_ = &graph_->forward();
  limit_ms_ = limit_ms;
  pairs_.assign(arcs_->arcs.size(), Pair{});
  arrivals_.assign(graph_->network().junction_count(), 0);
  heads_.assign((limit_ms >> kBucketShift) + 1, kNil);
  twins_.resize(arcs_->arcs.size());
  for (uint32_t edge = 0; edge < twins_.size(); ++edge)
    twins_[edge] = graph_->network().twin(EdgeId{edge}).value;
  touched_.Reset(arcs_->arcs.size());
  seeds_.clear();
  parity_.clear();
  standing_.clear();
  items_.clear();
  emptied_.clear();
  lowest_bucket_ = static_cast<uint32_t>(heads_.size());
}

inline bool NearestTwo::Compete(Pair& pair, Key key) {
  if (key >= pair.second) return false;
  if (key < pair.first) {
    if (UnitOf(pair.first) != UnitOf(key)) pair.second = pair.first;
    pair.first = key;
  } else {
    if (UnitOf(pair.first) == UnitOf(key)) return false;
    pair.second = key;
  }
  return true;
}

// A third unit comes in only if the pair was full and the new label is the later of the two and
// later than the old one.
inline bool NearestTwo::Replace(uint32_t edge, Pair& pair, Key key) {
  const uint32_t stale = OwnerOf(key) ^ 1;
  Key old;
  if (OwnerOf(pair.first) == stale) {
    old = std::exchange(pair.first, pair.second);
  } else if (OwnerOf(pair.second) == stale) {
    old = pair.second;
  } else {
    return Compete(pair, key);
  }
  if (key < pair.first) {
    pair.second = std::exchange(pair.first, key);
  } else {
    pair.second = key;
    if (TimeOf(key) > TimeOf(old)) emptied_.push_back(edge);
  }
  const uint32_t edge_ms = arcs_->arcs[edge].time_ms();
  if (TimeOf(key) + edge_ms > limit_ms_ && TimeOf(old) + edge_ms <= limit_ms_) NoteSuccessors(edge);
  return true;
}

void NearestTwo::NoteSuccessors(uint32_t edge) {
  const uint32_t junction = arcs_->arcs[edge].head();
  for (uint32_t next = arcs_->first[junction]; next < arcs_->first[junction + 1]; ++next)
    stack_.push_back(next);
}

template <NearestTwo::Offers offers>
inline void NearestTwo::Offer(uint32_t edge, Key key) {
  Pair& pair = pairs_[edge];
  if (!(offers == Offers::kMoving ? Replace(edge, pair, key) : Compete(pair, key))) return;
  touched_.Insert(edge);
  ++labels_set_;
  if (TimeOf(key) + arcs_->arcs[edge].time_ms() > limit_ms_) return;  // leads on to nothing
  const uint32_t bucket = TimeOf(key) >> kBucketShift;
  items_.push_back({key, edge, heads_[bucket]});
  heads_[bucket] = static_cast<uint32_t>(items_.size() - 1);
  lowest_bucket_ = std::min(lowest_bucket_, bucket);
}

template <NearestTwo::Offers offers>
void NearestTwo::Leave(uint32_t edge, Key key) {
  const uint32_t time = TimeOf(key);
  ForContinuations(*arcs_, edge, [&](uint32_t next, uint32_t turn_ms) {
    const uint32_t entered = time + turn_ms;
    if (entered <= limit_ms_)
      Offer<offers>(next, MakeKey(entered, OwnerOf(key)));
    else if (offers == Offers::kMoving)
      stack_.push_back(next);
  });
}

uint32_t NearestTwo::HeadTime(const SearchSeed& seed) const {
  const uint32_t rest =
      graph_->EdgeMs(seed.at.edge) - graph_->PartMs(seed.at.edge, seed.at.offset_cm);
  const uint64_t time = uint64_t{seed.delay_ms} + rest;
  return time <= limit_ms_ ? static_cast<uint32_t>(time) : kUnreached;
}

template <NearestTwo::Offers offers>
void NearestTwo::LeaveSeeds(UnitSlot unit) {
  for (const SearchSeed& seed : seeds_[unit])
    if (const uint32_t time = HeadTime(seed); time != kUnreached)
      Leave<offers>(seed.at.edge.value, MakeKey(time, Owner(unit)));
}

template <NearestTwo::Offers offers>
void NearestTwo::Drain() {
  for (uint32_t bucket = lowest_bucket_; bucket < heads_.size(); ++bucket) {
    while (heads_[bucket] != kNil) {
      const Item item = items_[heads_[bucket]];
      heads_[bucket] = item.next;
      const Pair& pair = pairs_[item.edge];
      if (pair.first != item.key && pair.second != item.key) continue;  // overtaken meanwhile
      const uint32_t far = TimeOf(item.key) + arcs_->arcs[item.edge].time_ms();
      Leave<offers>(item.edge, MakeKey(far, OwnerOf(item.key)));
    }
  }
  items_.clear();
  lowest_bucket_ = static_cast<uint32_t>(heads_.size());
}

// The search has replaced the unit's labels wherever it came. Those it did not reach hang together
// with the old seeds' edges, with turns that now come too late and with edges that now lead on to
// nothing: all of that is on the stack.
void NearestTwo::DropStale(uint32_t stale_owner) {
  while (!stack_.empty()) {
    const uint32_t edge = stack_.back();
    stack_.pop_back();
    Pair& pair = pairs_[edge];
    if (OwnerOf(pair.first) == stale_owner) {
      pair.first = pair.second;
    } else if (OwnerOf(pair.second) != stale_owner) {
      continue;
    }
    pair.second = kNoKey;
    // With nobody else here there is no third: it would have been the second.
    if (pair.first != kNoKey) emptied_.push_back(edge);
    touched_.Insert(edge);
    NoteSuccessors(edge);
  }
}

// A unit's labels hang together: each was reached from its seeds or from another of its labels. So
// they are found by walking from the seeds, and need not be listed anywhere.
void NearestTwo::TakeAway(UnitSlot unit) {
  for (const SearchSeed& seed : seeds_[unit]) NoteSuccessors(seed.at.edge.value);
  while (!stack_.empty()) {
    const uint32_t edge = stack_.back();
    stack_.pop_back();
    Pair& pair = pairs_[edge];
    if (UnitOf(pair.first) == unit) {
      pair.first = pair.second;
    } else if (UnitOf(pair.second) != unit) {
      continue;
    }
    pair.second = kNoKey;
    emptied_.push_back(edge);
    touched_.Insert(edge);
    NoteSuccessors(edge);
  }
}

void NearestTwo::OfferFromPredecessors(uint32_t edge) {
  const uint32_t junction = arcs_->arcs[twins_[edge]].head();
  for (uint32_t out = arcs_->first[junction]; out < arcs_->first[junction + 1]; ++out) {
    const uint32_t before = twins_[out];
    const Pair pair = pairs_[before];
    const bool stands = arrivals_[junction] > 0 && standing_.contains(before);
    if (pair.first == kNoKey && !stands) continue;
    const uint32_t turn = TurnMsOf(*arcs_, before, edge);
    if (turn >= kImpossibleTurnMs) continue;
    const uint32_t edge_ms = arcs_->arcs[before].time_ms();
    for (const Key key : {pair.first, pair.second}) {
      if (key == kNoKey || TimeOf(key) + edge_ms + turn > limit_ms_) continue;
      Offer<Offers::kCompeting>(edge, MakeKey(TimeOf(key) + edge_ms + turn, OwnerOf(key)));
    }
    if (!stands) continue;
    for (const UnitSlot unit : standing_.find(before)->second) {
      for (const SearchSeed& seed : seeds_[unit]) {
        const uint32_t time = seed.at.edge.value == before ? HeadTime(seed) : kUnreached;
        if (time != kUnreached && time + turn <= limit_ms_)
          Offer<Offers::kCompeting>(edge, MakeKey(time + turn, Owner(unit)));
      }
    }
  }
}

void NearestTwo::Repair() {
  for (const uint32_t edge : emptied_) OfferFromPredecessors(edge);
  emptied_.clear();
}

void NearestTwo::SetSeeds(const UnitSeeds& change) {
  const auto unit = change.unit;
  for (const SearchSeed& seed : seeds_[unit]) {
    const auto place = standing_.find(seed.at.edge.value);
    if (place == standing_.end()) continue;
    std::erase(place->second, unit);
    if (place->second.empty()) standing_.erase(place);
    // 255 stands for "many" and is never lowered: the flag may only be true too often.
    uint8_t& count = arrivals_[arcs_->arcs[seed.at.edge.value].head()];
    if (count < std::numeric_limits<uint8_t>::max()) --count;
  }
  seeds_[unit] = change.seeds;
  for (const SearchSeed& seed : change.seeds) {
    CORDON_CHECK(seed.at.edge.value < pairs_.size(), "a seed on the network");
    standing_[seed.at.edge.value].push_back(unit);
    uint8_t& count = arrivals_[arcs_->arcs[seed.at.edge.value].head()];
    if (count < std::numeric_limits<uint8_t>::max()) ++count;
  }
}

void NearestTwo::Move(const UnitSeeds& change) {
  const UnitSlot unit = change.unit;
  const uint32_t stale_owner = Owner(unit);
  for (const SearchSeed& seed : seeds_[unit]) NoteSuccessors(seed.at.edge.value);
  SetSeeds(change);
  parity_[unit] ^= 1;
  LeaveSeeds<Offers::kMoving>(unit);
  Drain<Offers::kMoving>();
  DropStale(stale_owner);
  Repair();
  Drain<Offers::kCompeting>();
}

void NearestTwo::Update(std::span<const UnitSeeds> changes) {
  for (const UnitSeeds& change : changes) {
    CORDON_CHECK(change.unit < kNoUnit >> 1, "a unit has a slot, one bit shorter than a key's");
    if (change.unit >= seeds_.size()) {
      seeds_.resize(change.unit + 1);
      parity_.resize(change.unit + 1, 0);
    }
    // One after the other: the area of one unit stays in the cache.
    Move(change);
  }
}

void NearestTwo::ChangeGraph(std::shared_ptr<const TravelGraph> graph) {
  if (graph == graph_) return;
  const ArcGraph& now = graph->forward();
  CORDON_CHECK(now.arcs.size() == arcs_->arcs.size(), "the same network");
  std::vector<uint32_t> changed;
  for (uint32_t edge = 0; edge < now.arcs.size(); ++edge)
    if (!SameArc(now.arcs[edge], arcs_->arcs[edge])) changed.push_back(edge);
  const bool all =
      changed.size() > now.arcs.size() / kChangedShareForAll || !SameTurns(now, *arcs_);
  for (const uint32_t edge : changed)
    touched_.Insert(edge);  // lengths within a tier change even where labels do not
  std::vector<bool> affected(seeds_.size(), all);
  if (!all) {
    const auto mark = [&](uint32_t edge) {
      for (const Key key : {pairs_[edge].first, pairs_[edge].second})
        if (key != kNoKey) affected[UnitOf(key)] = true;
      if (const auto place = standing_.find(edge); place != standing_.end())
        for (const UnitSlot unit : place->second) affected[unit] = true;
    };
    for (const uint32_t edge : changed) {
      mark(edge);
      const uint32_t junction = arcs_->arcs[twins_[edge]].head();
      for (uint32_t out = arcs_->first[junction]; out < arcs_->first[junction + 1]; ++out)
        mark(twins_[out]);
    }
  }
  for (UnitSlot unit = 0; unit < seeds_.size(); ++unit)
    if (affected[unit]) TakeAway(unit);
  graph_ = std::move(graph);
  arcs_ = &graph_->forward();
  Repair();
  for (UnitSlot unit = 0; unit < seeds_.size(); ++unit)
    if (affected[unit]) LeaveSeeds<Offers::kCompeting>(unit);
  Drain<Offers::kCompeting>();
}

std::span<const SearchSeed> NearestTwo::SeedsOf(UnitSlot unit) const {
  if (unit >= seeds_.size()) return {};
  return seeds_[unit];
}

}  // namespace cordon
