// SPDX-License-Identifier: Apache-2.0
// Plain textbook Dijkstra on edges, written against the definitions (EdgeMs, TurnMs) and nothing
// else of the fast search.
#pragma once

#include <algorithm>
#include <map>
#include <queue>
#include <span>
#include <vector>

#include "dispatch/search.h"

namespace cordon::testing {

// Forward: time of entering each edge at its tail; reverse: time from each edge's head to the goal.
// kUnreached beyond.
inline std::vector<uint32_t> PlainDijkstra(const TravelGraph& graph, SearchDirection direction,
                                           std::span<const SearchSeed> seeds, uint32_t limit_ms) {
  const RoadNetwork& n = graph.network();
  const bool forward = direction == SearchDirection::kForward;
  std::vector<uint32_t> label(n.edge_count(), kUnreached);
  using Entry = std::pair<uint32_t, uint32_t>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;
  const auto leave = [&](EdgeId e, uint64_t time) {
    const JunctionId at = forward ? n.head(e) : n.tail(e);
    for (uint32_t s = n.first_out()[at.value]; s < n.first_out()[at.value + 1]; ++s) {
      const EdgeId next = forward ? EdgeId{s} : n.twin(EdgeId{s});
      // An edge that may not be driven has no label, in either direction.
      if (!graph.Passable(n.original(next))) continue;
      const uint32_t turn = forward ? graph.TurnMs(e, next) : graph.TurnMs(next, e);
      if (turn == kUnreached) continue;
      const uint64_t reached = time + turn;
      if (reached > limit_ms || reached >= label[next.value]) continue;
      label[next.value] = static_cast<uint32_t>(reached);
      queue.emplace(static_cast<uint32_t>(reached), next.value);
    }
  };
  for (const SearchSeed& seed : seeds) {
    const uint32_t part = graph.PartMs(seed.at.edge, seed.at.offset_cm);
    leave(seed.at.edge,
          uint64_t{seed.delay_ms} + (forward ? graph.EdgeMs(seed.at.edge) - part : part));
  }
  while (!queue.empty()) {
    const auto [time, edge] = queue.top();
    queue.pop();
    if (time != label[edge]) continue;
    leave(EdgeId{edge}, uint64_t{time} + graph.EdgeMs(EdgeId{edge}));
  }
  return label;
}

}  // namespace cordon::testing
