// SPDX-License-Identifier: Apache-2.0
// What a finished search says about roads and ways: reached stretches and paths.
#include <algorithm>

#include "base/check.h"
#include "dispatch/search.h"

namespace cordon {
namespace {

// Longest distance from the near end of an edge that `budget_ms` pays for, in cm; PartMs rounds
// down, so does this.
uint32_t ReachCm(const TravelGraph& graph, EdgeId e, uint32_t budget_ms, bool forward) {
  const uint64_t length = graph.network().length_cm(e);
  const uint64_t total = graph.EdgeMs(e);
  if (budget_ms >= total) return static_cast<uint32_t>(length);
  // Forward: PartMs(x) <= budget. Backward: total - PartMs(length - x) <= budget.
  if (forward)
    return static_cast<uint32_t>(
        std::min(length, ((uint64_t{budget_ms} + 1) * length - 1) / total));
  return static_cast<uint32_t>(uint64_t{budget_ms} * length / total);
}

}  // namespace

std::vector<ReachedStretch> BoundedSearch::Stretches() const {
  std::vector<ReachedStretch> all;
  all.reserve(seeds_.size() + touched_.size() + folded_.size());
  const TravelGraph& graph = *graph_;
  const RoadNetwork& n = graph.network();
  const bool forward = direction_ == SearchDirection::kForward;
  // From offset `start` on along the edge (forward) or back towards its tail (reverse), `begin_ms`
  // being the time there.
  const auto add = [&](EdgeId e, uint32_t start, uint32_t begin_ms) {
    if (begin_ms > limit_ms_) return;
    const uint32_t length = n.length_cm(e);
    const uint32_t whole_ms = graph.EdgeMs(e);
    // Nearly all: the whole edge from its near end.
    if (start == (forward ? 0 : length) && whole_ms <= limit_ms_ - begin_ms) {
      const uint32_t far_ms = begin_ms + whole_ms;
      all.push_back({e, 0, length, forward ? begin_ms : far_ms, forward ? far_ms : begin_ms});
      return;
    }
    const uint32_t part = graph.PartMs(e, start);
    ReachedStretch s;
    s.edge = e;
    if (forward) {
      s.from_cm = start;
      s.to_cm = std::min(length, ReachCm(graph, e, part + (limit_ms_ - begin_ms), true));
      s.from_ms = begin_ms;
      s.to_ms = begin_ms + (graph.PartMs(e, s.to_cm) - part);
    } else {
      const uint32_t back = ReachCm(graph, e, (whole_ms - part) + (limit_ms_ - begin_ms), false);
      s.to_cm = start;
      s.from_cm = length - std::min(length, back);
      s.to_ms = begin_ms;
      s.from_ms = begin_ms + (part - graph.PartMs(e, s.from_cm));
    }
    if (s.from_cm < s.to_cm) all.push_back(s);
  };
  for (const SearchSeed& seed : seeds_)
    add(n.original(seed.at.edge), seed.at.offset_cm, seed.delay_ms);
  for (const uint32_t slot : touched_) {
    const EdgeId e = EdgeOf(slot);
    if (!n.is_ghost(e)) add(e, forward ? 0 : n.length_cm(e), label_[slot]);
  }
  for (const Folded& item : folded_) add(EdgeId{item.slot}, 0, item.time);
  return all;
}

// Labels are exact, so equality identifies what an edge's label came from.
BoundedSearch::Origin BoundedSearch::OriginOf(EdgeId e) const {
  const RoadNetwork& n = graph_->network();
  const bool forward = direction_ == SearchDirection::kForward;
  const uint32_t label = label_[Slot(e)];
  const uint32_t at = (forward ? n.tail(e) : n.head(e)).value;
  const auto turn = [&](EdgeId other) {
    return forward ? graph_->TurnMs(other, e) : graph_->TurnMs(e, other);
  };
  for (size_t i = 0; i < seeds_.size(); ++i) {
    const RoadPosition& seed = seeds_[i].at;
    if ((forward ? n.head(seed.edge) : n.tail(seed.edge)).value != at) continue;
    const uint32_t cost = turn(seed.edge);
    const uint32_t part = graph_->PartMs(seed.edge, seed.offset_cm);
    const uint32_t rest = forward ? graph_->EdgeMs(seed.edge) - part : part;
    if (cost != kUnreached && seeds_[i].delay_ms + rest + cost == label) return {kNoEdge, i};
  }
  for (uint32_t s = n.first_out()[at]; s < n.first_out()[at + 1]; ++s) {
    const EdgeId other = forward ? n.twin(EdgeId{s}) : EdgeId{s};
    const uint32_t before = label_[Slot(other)];
    if (before == kUnreached) continue;
    const uint32_t cost = turn(other);
    if (cost != kUnreached && before + graph_->EdgeMs(other) + cost == label)
      return {other, kNoIndex};
  }
  CORDON_CHECK(false, "every label has an origin");
}

std::vector<EdgeId> BoundedSearch::Path(const RoadPosition& to) const {
  const RoadNetwork& n = graph_->network();
  const uint32_t time = TimeAt(to);
  if (time == kUnreached) return {};
  for (const SearchSeed& seed : seeds_)
    if (SeedTime(seed, to) == time) return {to.edge};
  EdgeId e = to.edge;
  for (const PieceId ghost : folded_.empty() ? std::span<const PieceId>() : n.ghost_pieces())
    for (const EdgeId copy : n.piece(ghost).edge)
      if (n.original(copy) == to.edge && label_[copy.value] == Label(to.edge)) e = copy;
  std::vector<EdgeId> path;
  while (true) {
    path.push_back(n.original(e));
    const Origin origin = OriginOf(e);
    if (origin.seed != kNoIndex) {
      path.push_back(n.original(seeds_[origin.seed].at.edge));
      break;
    }
    e = origin.edge;
    CORDON_CHECK(path.size() <= touched_.size(), "a way visits no edge twice");
  }
  if (direction_ == SearchDirection::kForward) std::reverse(path.begin(), path.end());
  return path;
}

}  // namespace cordon
