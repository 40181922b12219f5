// SPDX-License-Identifier: Apache-2.0
// Where should spare units wait? Maximal covering location: choose at most N sites so that the
// demand within reach of at least one of them is as large as possible. NP-hard; answered by lazy
// greedy plus exchange, with a proven upper bound so that the gap is known. (Church & ReVelle 1974;
// lazy evaluation: Minoux 1978; bound: Lagrangian relaxation of "a demand counts only if a chosen
// site reaches it", improved by subgradient steps.)
//
// Knows nothing of roads: who reaches what comes in as lists (dispatch/placement_roads.h makes
// them). One thread; the same input gives the same answer.
#pragma once

#include <cstdint>
#include <vector>

namespace cordon {

// Demand and reach. Weights are integers (milli-alerts, say) so that sums do not depend on their
// order.
struct CoveringProblem {
  std::vector<int64_t> weight;                // per demand, >= 0
  std::vector<std::vector<int32_t>> reached;  // per site: the demands it reaches, ascending
  // Demands that units already standing somewhere reach: worth nothing more. Empty: none.
  std::vector<bool> already_covered;
};

struct CoveringOptions {
  int32_t sites = 1;               // N
  int32_t exchange_rounds = 50;    // most improving exchanges of one site
  int32_t bound_iterations = 200;  // subgradient steps
};

struct CoveringSolution {
  std::vector<int32_t>
      chosen;  // in the order of their gain; fewer than N when more would add nothing
  std::vector<int64_t> gain;  // what each adds to those before it
  int64_t covered = 0;
  int64_t greedy_covered = 0;  // before the exchanges
  int64_t upper_bound = 0;     // no choice of N sites covers more
  int64_t total = 0;           // all demand that is not covered already
};

CoveringSolution SolveCovering(const CoveringProblem& problem, const CoveringOptions& options);

}  // namespace cordon
