// SPDX-License-Identifier: Apache-2.0
#include "analytics/assignment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace cordon {
namespace {

CostMatrix Table(const std::vector<std::vector<float>>& rows) {
  CostMatrix costs(rows.size(), rows.empty() ? 0 : rows[0].size());
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t c = 0; c < rows[r].size(); ++c) costs.at(r, c) = rows[r][c];
  }
  return costs;
}

struct Total {
  int pairs = 0;
  float cost = 0;
};

Total Of(const CostMatrix& costs, const std::vector<int>& match) {
  Total total;
  for (size_t r = 0; r < match.size(); ++r) {
    if (match[r] < 0) continue;
    ++total.pairs;
    total.cost += costs.at(r, static_cast<size_t>(match[r]));
  }
  return total;
}

// Every way to give rows to columns: the truth for small tables.
Total BestByTrying(const CostMatrix& costs) {
  const size_t size = std::max(costs.rows(), costs.columns());
  std::vector<size_t> order(size);
  std::iota(order.begin(), order.end(), size_t{0});
  Total best{-1, 0};
  do {
    Total total;
    for (size_t r = 0; r < costs.rows(); ++r) {
      if (order[r] >= costs.columns() || costs.at(r, order[r]) >= CostMatrix::kForbidden) continue;
      ++total.pairs;
      total.cost += costs.at(r, order[r]);
    }
    if (total.pairs > best.pairs || (total.pairs == best.pairs && total.cost < best.cost)) {
      best = total;
    }
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

TEST(Assign, TakesTheCheapestWholeNotTheCheapestPair) {
  // The pair of cost 1 would force the pair of cost 10.
  EXPECT_EQ(Assign(Table({{1, 2}, {2, 10}})), (std::vector<int>{1, 0}));
}

TEST(Assign, NothingToMatchIsNoMatch) {
  EXPECT_TRUE(Assign(CostMatrix(0, 3)).empty());
  EXPECT_EQ(Assign(CostMatrix(2, 0)), (std::vector<int>{-1, -1}));
}

TEST(Assign, NeverMatchesAForbiddenPair) {
  constexpr float kNo = CostMatrix::kForbidden;
  EXPECT_EQ(Assign(Table({{kNo, kNo}, {kNo, 1}})), (std::vector<int>{-1, 1}));
}

TEST(Assign, MorePairsGoBeforeLessCost) {
  constexpr float kNo = CostMatrix::kForbidden;
  EXPECT_EQ(Assign(Table({{0, 5}, {5, kNo}})), (std::vector<int>{1, 0}));
}

TEST(Assign, TiesGoToTheLowerIndex) {
  EXPECT_EQ(Assign(Table({{1, 1}, {1, 1}})), (std::vector<int>{0, 1}));
}

TEST(Assign, IsAsGoodAsTryingEverything) {
  const unsigned seed = 7;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 400; ++round) {
    CostMatrix costs(1 + random() % 5, 1 + random() % 5);
    for (size_t r = 0; r < costs.rows(); ++r) {
      for (size_t c = 0; c < costs.columns(); ++c) {
        costs.at(r, c) =
            random() % 4 == 0 ? CostMatrix::kForbidden : static_cast<float>(random() % 100);
      }
    }
    const std::vector<int> match = Assign(costs);
    const Total ours = Of(costs, match);
    const Total best = BestByTrying(costs);
    ASSERT_EQ(ours.pairs, best.pairs) << "round " << round;
    ASSERT_FLOAT_EQ(ours.cost, best.cost) << "round " << round;
    std::vector<bool> taken(costs.columns(), false);
    for (const int column : match) {
      if (column < 0) continue;
      ASSERT_FALSE(taken[static_cast<size_t>(column)]) << "one column twice";
      taken[static_cast<size_t>(column)] = true;
    }
  }
}

}  // namespace
}  // namespace cordon
