// SPDX-License-Identifier: Apache-2.0
#include "dispatch/max_flow.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>

namespace cordon {
namespace {

struct TestArc {
  int from, to, capacity;
};

// The cheapest of all 2^(n-2) ways to divide the vertices.
int BruteForceCut(int vertices, const std::vector<TestArc>& arcs) {
  int best = MaxFlow::kUnlimited;
  for (unsigned side = 0; side < (1U << vertices); ++side) {
    if ((side & 1U) == 0 || (side >> (vertices - 1) & 1U) != 0) continue;
    int cost = 0;
    for (const TestArc& arc : arcs)
      if ((side >> arc.from & 1U) != 0 && (side >> arc.to & 1U) == 0) cost += arc.capacity;
    best = std::min(best, cost);
  }
  return best;
}

int CutOf(const std::vector<uint8_t>& source_side, const std::vector<TestArc>& arcs) {
  int cost = 0;
  for (const TestArc& arc : arcs)
    if (source_side[arc.from] && !source_side[arc.to]) cost += arc.capacity;
  return cost;
}

TEST(MaxFlowTest, EqualsTheCheapestDivisionOfRandomNetworks) {
  constexpr uint64_t kSeed = 7;
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 400; ++round) {
    const int vertices = 2 + static_cast<int>(random() % 8);
    std::vector<TestArc> arcs;
    for (int i = static_cast<int>(random() % 30); i > 0; --i) {
      const int from = static_cast<int>(random() % vertices);
      const int to = static_cast<int>(random() % vertices);
      if (from != to) arcs.push_back({from, to, static_cast<int>(random() % 5)});
    }
    MaxFlow flow(vertices);
    for (const TestArc& arc : arcs) flow.AddArc(arc.from, arc.to, arc.capacity);
    const int pushed = flow.Solve(0, vertices - 1);
    ASSERT_EQ(pushed, BruteForceCut(vertices, arcs)) << "seed " << kSeed << " round " << round;
    ASSERT_EQ(CutOf(flow.SourceSide(), arcs), pushed) << round;
    ASSERT_EQ(CutOf(flow.SourceSideFarthest(), arcs), pushed) << round;
  }
}

TEST(MaxFlowTest, ACutOfUnlimitedArcsIsReportedAsUnlimited) {
  MaxFlow flow(3);
  flow.AddArc(0, 1, MaxFlow::kUnlimited);
  flow.AddArc(1, 2, MaxFlow::kUnlimited);
  EXPECT_EQ(flow.Solve(0, 2), MaxFlow::kUnlimited);
}

TEST(MaxFlowTest, StopsSoonAfterTheLimit) {
  MaxFlow flow(102);
  for (int v = 1; v <= 100; ++v) {
    flow.AddArc(0, v, 1);
    flow.AddArc(v, 101, 1);
  }
  const int pushed = flow.Solve(0, 101, 10);
  EXPECT_GT(pushed, 10);
  EXPECT_LE(pushed, 11);
}

TEST(MaxFlowTest, UndirectedArcsCarryFlowEitherWay) {
  MaxFlow flow(4);
  flow.AddArc(0, 1, 1, 1);
  flow.AddArc(2, 1, 1, 1);
  const int last = flow.AddArc(3, 2, 1, 1);
  EXPECT_EQ(flow.Solve(0, 3), 1);
  EXPECT_EQ(flow.Flow(last), -1);
}

TEST(MaxFlowTest, TheTwoCutsAreTheNearestAndTheFarthest) {
  MaxFlow flow(4);
  for (int v = 0; v < 3; ++v) flow.AddArc(v, v + 1, 1);
  EXPECT_EQ(flow.Solve(0, 3), 1);
  EXPECT_EQ(flow.SourceSide(), (std::vector<uint8_t>{1, 0, 0, 0}));
  EXPECT_EQ(flow.SourceSideFarthest(), (std::vector<uint8_t>{1, 1, 1, 0}));
}

}  // namespace
}  // namespace cordon
