// SPDX-License-Identifier: Apache-2.0
#include "dispatch/placement.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace cordon {
namespace {

CoveringProblem RandomProblem(std::mt19937_64& random, int sites, int demands) {
  CoveringProblem problem;
  for (int d = 0; d < demands; ++d) problem.weight.push_back(static_cast<int64_t>(random() % 100));
  problem.reached.resize(sites);
  for (auto& list : problem.reached)
    for (int d = 0; d < demands; ++d)
      if (random() % 4 == 0) list.push_back(d);
  return problem;
}

int64_t CoveredBy(const CoveringProblem& problem, const std::vector<int32_t>& sites) {
  std::vector<bool> covered(problem.weight.size(), false);
  int64_t sum = 0;
  for (const int32_t s : sites) {
    for (const int32_t d : problem.reached[s]) {
      if (covered[d]) continue;
      covered[d] = true;
      if (problem.already_covered.empty() || !problem.already_covered[d]) sum += problem.weight[d];
    }
  }
  return sum;
}

int64_t Best(const CoveringProblem& problem, int n, int first, std::vector<int32_t>& chosen) {
  if (n == 0) return CoveredBy(problem, chosen);
  int64_t best = CoveredBy(problem, chosen);
  for (int s = first; s < static_cast<int>(problem.reached.size()); ++s) {
    chosen.push_back(s);
    best = std::max(best, Best(problem, n - 1, s + 1, chosen));
    chosen.pop_back();
  }
  return best;
}

TEST(PlacementTest, IsBetweenTheGreedyGuaranteeAndAnUpperBoundThatHolds) {
  constexpr uint64_t kSeed = 3;
  std::mt19937_64 random(kSeed);
  int optimal = 0;
  for (int round = 0; round < 200; ++round) {
    CoveringProblem problem = RandomProblem(random, 9, 14);
    if (round % 2 == 1) {
      problem.already_covered.resize(14);
      problem.already_covered[round % 14] = true;
    }
    const int n = 1 + round % 4;
    std::vector<int32_t> none;
    const int64_t best = Best(problem, n, 0, none);
    const CoveringSolution solution = SolveCovering(problem, {.sites = n});
    ASSERT_EQ(solution.covered, CoveredBy(problem, solution.chosen))
        << "seed " << kSeed << " round " << round;
    ASSERT_EQ(solution.covered,
              std::accumulate(solution.gain.begin(), solution.gain.end(), int64_t{0}));
    ASSERT_GE(solution.covered, solution.greedy_covered);
    ASSERT_LE(solution.covered, best);
    ASSERT_GE(static_cast<double>(solution.covered), 0.632 * static_cast<double>(best) - 1);
    ASSERT_GE(solution.upper_bound, best);
    ASSERT_LE(solution.upper_bound, solution.total);
    optimal += solution.covered == best ? 1 : 0;
  }
  EXPECT_GE(optimal, 190);
}

TEST(PlacementTest, TheBoundIsTightOnACityOfThousandsOfAlerts) {
  std::mt19937_64 random(5);
  CoveringProblem problem;  // demands and sites on a 60 x 60 square, reach of 5
  constexpr int kSide = 60;
  for (int d = 0; d < kSide * kSide; ++d)
    problem.weight.push_back(static_cast<int64_t>(random() % 10));
  for (int s = 0; s < kSide * kSide; s += 3) {
    std::vector<int32_t> list;
    for (int d = 0; d < kSide * kSide; ++d) {
      const int dx = d % kSide - s % kSide;
      const int dy = d / kSide - s / kSide;
      if (dx * dx + dy * dy <= 25) list.push_back(d);
    }
    problem.reached.push_back(std::move(list));
  }
  const CoveringSolution solution = SolveCovering(problem, {.sites = 20});
  EXPECT_EQ(solution.chosen.size(), 20U);
  const double gap =
      1 - static_cast<double>(solution.covered) / static_cast<double>(solution.upper_bound);
  EXPECT_LT(gap, 0.06) << solution.covered << " of at most " << solution.upper_bound;
}

TEST(PlacementTest, ChoosesNoSiteThatAddsNothing) {
  CoveringProblem problem{.weight = {5, 7}, .reached = {{0, 1}, {0}, {1}}, .already_covered = {}};
  const CoveringSolution solution = SolveCovering(problem, {.sites = 3});
  EXPECT_EQ(solution.chosen, std::vector<int32_t>{0});
  EXPECT_EQ(solution.upper_bound, 12);
  EXPECT_TRUE(SolveCovering(problem, {.sites = 0}).chosen.empty());
  EXPECT_TRUE(SolveCovering({}, {.sites = 2}).chosen.empty());
}

TEST(PlacementTest, TheSameInputGivesTheSameAnswer) {
  std::mt19937_64 random(8);
  const CoveringProblem problem = RandomProblem(random, 40, 200);
  const CoveringSolution first = SolveCovering(problem, {.sites = 6});
  const CoveringSolution second = SolveCovering(problem, {.sites = 6});
  EXPECT_EQ(first.chosen, second.chosen);
  EXPECT_EQ(first.upper_bound, second.upper_bound);
}

}  // namespace
}  // namespace cordon
