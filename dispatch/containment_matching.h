// SPDX-License-Identifier: Apache-2.0
// Which unit takes which point of a cordon. A bipartite graph of points (left) and units (right);
// an edge means "the unit is there, set up, before the suspect", its slack is by how much. One unit
// holds one point. Pure functions, any thread; the result depends on the order of the input only.
#pragma once

#include <cstdint>
#include <vector>

namespace cordon {

struct InTime {
  int32_t unit = 0;
  int32_t slack_ms = 0;  // >= 0
};

// options[p] lists the units that make point p.
using MatchingOptions = std::vector<std::vector<InTime>>;

struct Matching {
  static constexpr int32_t kNone = -1;
  std::vector<int32_t> unit_of_point;  // kNone: unmatched
  int32_t matched = 0;
  bool perfect() const { return matched == static_cast<int32_t>(unit_of_point.size()); }
};

// Largest matching (Hopcroft-Karp, O(E sqrt(V))) over the edges with at least `least_slack_ms`.
Matching MaximumMatching(const MatchingOptions& options, int32_t units, int32_t least_slack_ms = 0);

// A perfect matching whose smallest slack is as large as possible, and among these one of largest
// total slack (bottleneck by binary search, then shortest augmenting paths). Not perfect when none
// is.
Matching WidestMatching(const MatchingOptions& options, int32_t units);

// Hall's condition broken: points that together have fewer units than points, found from an
// unmatched point of a maximum matching and then shrunk so that no point can be left out. Empty
// when a perfect matching exists.
std::vector<int32_t> HallViolator(const MatchingOptions& options, int32_t units);

}  // namespace cordon
