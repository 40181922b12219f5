// SPDX-License-Identifier: Apache-2.0
#include "dispatch/search.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace cordon {
namespace {

// Labels are put into buckets of this width. Few edges are shorter, so that inside a bucket hardly
// anything has to be done twice, and a 10-minute search has few buckets.
constexpr uint32_t kBucketShift = 9;  // 512 ms
// A limit of more than this is a mistake of units.
constexpr uint32_t kMostLimitMs = 24 * 3600 * 1000;

}  // namespace

void BoundedSearch::Reset(const TravelGraph& graph, SearchDirection direction, uint32_t limit_ms) {
  const RoadNetwork& network = graph.network();
  if (label_.size() != network.edge_count() || checksum_ != network.checksum()) {
    checksum_ = network.checksum();
    label_.assign(network.edge_count(), kUnreached);
    junctions_.assign(network.junction_count() + 1, Junction{});
    for (size_t j = 0; j < junctions_.size(); ++j)
      junctions_[j].first_arc = network.first_out()[j];
  } else {
    for (const uint32_t slot : touched_) label_[slot] = kUnreached;
    for (const uint32_t junction : closed_) junctions_[junction].no_use_from = kUnreached;
  }
  touched_.clear();
  closed_.clear();
  folded_.clear();
  for (size_t b = 0; b < buckets_used_; ++b) buckets_[b].clear();
  buckets_used_ = 0;
  graph_ = &graph;
  direction_ = direction;
  arcs_ = direction == SearchDirection::kForward ? &graph.forward() : &graph.reverse();
  limit_ms_ = std::min(limit_ms, kMostLimitMs);
  least_turn_ms_ = *std::min_element(arcs_->turn_ms.begin(), arcs_->turn_ms.end());
  const size_t needed = (limit_ms_ >> kBucketShift) + 1;
  if (buckets_.size() < needed) buckets_.resize(needed);
}

// The label is set in any case; the edge waits in a bucket only if leaving it may improve another's.
inline void BoundedSearch::Push(uint32_t time, uint32_t slot, Arc arc) {
  uint32_t& label = label_[slot];
  if (label == kUnreached) touched_.push_back(slot);
  label = time;
  const uint32_t far = time + arc.time_ms();
  if (far > limit_ms_) return;
  const Junction& end = junctions_[arc.head()];
  if (far + least_turn_ms_ >= end.no_use_from && !arc.ruled()) return;
  const size_t bucket = time >> kBucketShift;
  buckets_[bucket].push_back({time, slot, end.first_arc});
  if (bucket >= buckets_used_) buckets_used_ = bucket + 1;
}

// `latest_label`: of the arcs that may be entered there.
inline void BoundedSearch::CloseJunction(uint32_t junction, uint32_t latest_label) {
  uint32_t& from = junctions_[junction].no_use_from;
  if (from == kUnreached) closed_.push_back(junction);
  from = std::min(latest_label, limit_ms_ + 1);
}

inline void BoundedSearch::Leave(uint32_t slot, uint32_t time) {
  const Arc arc = arcs_->arcs[slot];
  if (arc.ruled()) [[unlikely]]
    return LeaveRuled(slot, time);
  const Junction* junction = &junctions_[arc.head()];
  if (time + least_turn_ms_ >= junction->no_use_from) return;
  const uint32_t* turns = arcs_->turn_ms.data();
  const Arc* arcs = arcs_->arcs.data();
  const uint32_t arriving = arc.arriving();
  const uint32_t end = junction[1].first_arc;
  uint32_t latest = 0;
  for (uint32_t next = junction->first_arc; next < end; ++next) {
    const Arc to = arcs[next];
    if (to.blocked()) continue;
    const uint32_t reached = time + turns[(to.entry() - arriving) & 63];
    uint32_t label = label_[next];
    if (reached < label && reached <= limit_ms_) {
      Push(reached, next, to);
      label = reached;
    }
    latest = std::max(latest, label);
  }
  CloseJunction(arc.head(), latest);
}

void BoundedSearch::LeaveRuled(uint32_t slot, uint32_t time) {
  const Arc arc = arcs_->arcs[slot];
  const TurnException& rules = arcs_->ExceptionOf(slot);
  const uint32_t begin = arcs_->first[arc.head()];
  const uint32_t end = arcs_->first[arc.head() + 1];
  for (uint32_t next = begin; next < end; ++next) {
    const uint32_t bit = next - begin < 32 ? 1U << (next - begin) : 0;
    if (rules.forbidden & bit) continue;
    const Arc to = arcs_->arcs[next];
    uint32_t entry = to.entry();
    if (rules.entry & bit) entry &= 63;
    uint32_t reached = time + arcs_->turn_ms[((entry - arc.arriving()) & 63) | (entry & 64)];
    if (rules.priced & bit) reached += arcs_->forbidden_ms;
    if (reached < label_[next] && reached <= limit_ms_) Push(reached, next, to);
  }
}

void BoundedSearch::Run(const TravelGraph& graph, SearchDirection direction,
                        std::span<const SearchSeed> seeds, uint32_t limit_ms,
                        std::span<const EdgeId> until) {
  Reset(graph, direction, limit_ms);
  seeds_.assign(seeds.begin(), seeds.end());
  for (const SearchSeed& seed : seeds_) {
    CORDON_CHECK(seed.at.edge.value < label_.size(), "a seed lies on the network");
    const uint32_t part = graph.PartMs(seed.at.edge, seed.at.offset_cm);
    const uint32_t rest =
        direction == SearchDirection::kForward ? graph.EdgeMs(seed.at.edge) - part : part;
    if (seed.delay_ms > limit_ms_ || rest > limit_ms_ - seed.delay_ms) continue;
    Leave(Slot(seed.at.edge), seed.delay_ms + rest);
  }
  Drain(until);
  if (direction == SearchDirection::kForward) FoldGhosts();
}

// Label-setting between buckets, label-correcting inside one: an item whose label has been improved
// since is skipped. Most time would be spent waiting for the arcs and labels of a junction that is
// met for the first time: they are asked for one bucket ahead.
inline void BoundedSearch::DrainBucket(size_t b) {
  const Arc* arcs = arcs_->arcs.data();
  if (b + 1 < buckets_used_) {
    for (const Item& soon : buckets_[b + 1]) {
      __builtin_prefetch(arcs + soon.next);
      __builtin_prefetch(label_.data() + soon.next);
    }
  }
  for (size_t i = 0; i < buckets_[b].size(); ++i) {
    const Item item = buckets_[b][i];
    if (label_[item.slot] != item.time) continue;
    Leave(item.slot, item.time + arcs[item.slot].time_ms());
  }
}

void BoundedSearch::Drain(std::span<const EdgeId> until) {
  size_t settled_targets = 0;
  for (size_t b = 0; b < buckets_used_; ++b) {
    DrainBucket(b);
    if (until.empty()) continue;
    const auto final_before = static_cast<uint32_t>((b + 1) << kBucketShift);
    while (settled_targets < until.size() && label_[Slot(until[settled_targets])] < final_before)
      ++settled_targets;
    if (settled_targets == until.size()) return ForgetFrom(final_before);
  }
}

// What lies in later buckets is not final.
void BoundedSearch::ForgetFrom(uint32_t time) {
  std::erase_if(touched_, [&](uint32_t slot) {
    if (label_[slot] < time) return false;
    label_[slot] = kUnreached;
    return true;
  });
}

// Forward, reaching a copy is reaching the road. Backward the original, which has all exits, is
// never later than its copies.
void BoundedSearch::FoldGhosts() {
  const RoadNetwork& n = graph_->network();
  for (const PieceId ghost : n.ghost_pieces())
    for (const EdgeId copy : n.piece(ghost).edge) {
      const uint32_t time = label_[copy.value];
      const EdgeId road = n.original(copy);
      if (time < label_[road.value]) folded_.push_back({time, road.value});
    }
}

uint32_t BoundedSearch::FoldedLabel(EdgeId e, uint32_t label) const {
  for (const Folded& item : folded_)
    if (item.slot == e.value) label = std::min(label, item.time);
  return label;
}

uint32_t BoundedSearch::SeedTime(const SearchSeed& seed, const RoadPosition& position) const {
  if (seed.at.edge != position.edge) return kUnreached;
  const bool forward = direction_ == SearchDirection::kForward;
  const uint32_t from =
      graph_->PartMs(position.edge, forward ? seed.at.offset_cm : position.offset_cm);
  const uint32_t to =
      graph_->PartMs(position.edge, forward ? position.offset_cm : seed.at.offset_cm);
  const bool ahead =
      forward ? position.offset_cm >= seed.at.offset_cm : position.offset_cm <= seed.at.offset_cm;
  if (!ahead) return kUnreached;
  return seed.delay_ms + (to - from);
}

uint32_t BoundedSearch::TimeAt(const RoadPosition& position) const {
  uint32_t best = kUnreached;
  for (const SearchSeed& seed : seeds_) best = std::min(best, SeedTime(seed, position));
  const uint32_t label = Label(position.edge);
  if (label != kUnreached) {
    const uint32_t part = graph_->PartMs(position.edge, position.offset_cm);
    const uint32_t rest =
        direction_ == SearchDirection::kForward ? part : graph_->EdgeMs(position.edge) - part;
    best = std::min(best, label + rest);
  }
  return best <= limit_ms_ ? best : kUnreached;
}

uint32_t BoundedSearch::SeedOffset(EdgeId e, uint32_t from_cm) const {
  uint32_t nearest = graph_->network().length_cm(e);
  for (const SearchSeed& seed : seeds_)
    if (graph_->network().original(seed.at.edge) == e && seed.at.offset_cm >= from_cm)
      nearest = std::min(nearest, seed.at.offset_cm);
  return nearest;
}

}  // namespace cordon
