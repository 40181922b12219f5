// SPDX-License-Identifier: Apache-2.0
// Going from one edge to the next in an ArcGraph, with turn costs and exceptions: the inner step of
// the searches that keep more than one label per edge. Same rules as BoundedSearch.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "dispatch/travel_graph.h"

namespace cordon {

// A turn that costs this or more cannot be made (TravelGraph puts blocked arcs beyond any limit).
inline constexpr uint32_t kImpossibleTurnMs = 0x2000'0000;

inline uint32_t PlainTurnMs(const ArcGraph& graph, uint32_t arriving, uint32_t entry) {
  return graph.turn_ms[((entry - arriving) & 63) | (entry & 64)];
}

// With the exceptions of the edge that is left; `bit` is the next edge's position at the junction.
inline uint32_t RuledTurnMs(const ArcGraph& graph, const TurnException& rules, uint32_t arriving,
                            uint32_t entry, uint32_t position) {
  const uint32_t bit = position < 32 ? 1U << position : 0;
  if (rules.forbidden & bit) return kImpossibleTurnMs;
  if (rules.entry & bit) entry &= 63;
  return PlainTurnMs(graph, arriving, entry) + (rules.priced & bit ? graph.forbidden_ms : 0);
}

// fn(next edge, turn ms) for all edges at the head; impossible turns come with kImpossibleTurnMs or
// more.
template <class Fn>
inline void ForContinuations(const ArcGraph& graph, uint32_t edge, Fn&& fn) {
  const Arc arc = graph.arcs[edge];
  const uint32_t begin = graph.first[arc.head()];
  const uint32_t end = graph.first[arc.head() + 1];
  if (!arc.ruled()) [[likely]] {
    for (uint32_t next = begin; next < end; ++next)
      fn(next, PlainTurnMs(graph, arc.arriving(), graph.arcs[next].entry()));
    return;
  }
  const TurnException& rules = graph.ExceptionOf(edge);
  for (uint32_t next = begin; next < end; ++next)
    fn(next, RuledTurnMs(graph, rules, arc.arriving(), graph.arcs[next].entry(), next - begin));
}

// From `edge` to `next`, which leaves its head.
inline uint32_t TurnMsOf(const ArcGraph& graph, uint32_t edge, uint32_t next) {
  const Arc arc = graph.arcs[edge];
  const uint32_t entry = graph.arcs[next].entry();
  if (!arc.ruled()) return PlainTurnMs(graph, arc.arriving(), entry);
  return RuledTurnMs(graph, graph.ExceptionOf(edge), arc.arriving(), entry,
                     next - graph.first[arc.head()]);
}

inline bool SameArc(const Arc& a, const Arc& b) {
  return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b);
}

inline bool SameTurns(const ArcGraph& a, const ArcGraph& b) {
  return a.turn_ms == b.turn_ms && a.forbidden_ms == b.forbidden_ms &&
         std::equal(a.exceptions.begin(), a.exceptions.end(), b.exceptions.begin(),
                    b.exceptions.end(), [](const TurnException& x, const TurnException& y) {
                      return x.arc == y.arc && x.forbidden == y.forbidden && x.priced == y.priced &&
                             x.entry == y.entry;
                    });
}

}  // namespace cordon
