// SPDX-License-Identifier: Apache-2.0
#include "dispatch/containment_matching.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace cordon {
namespace {

struct BruteForce {
  int matched = 0;
  int widest = -1;       // bottleneck of the best perfect matching
  int64_t richest = -1;  // largest total at that bottleneck
};

void Try(const MatchingOptions& options, size_t p, std::vector<bool>& used, int matched, int least,
         int64_t total, BruteForce& best) {
  if (p == options.size()) {
    best.matched = std::max(best.matched, matched);
    if (matched == static_cast<int>(options.size()) &&
        std::pair(least, total) > std::pair(best.widest, best.richest)) {
      best.widest = least;
      best.richest = total;
    }
    return;
  }
  Try(options, p + 1, used, matched, least, total, best);
  for (const InTime& edge : options[p]) {
    if (used[edge.unit]) continue;
    used[edge.unit] = true;
    Try(options, p + 1, used, matched + 1, std::min(least, edge.slack_ms), total + edge.slack_ms,
        best);
    used[edge.unit] = false;
  }
}

MatchingOptions RandomOptions(std::mt19937_64& random, int points, int units) {
  MatchingOptions options(points);
  for (auto& list : options)
    for (int u = 0; u < units; ++u)
      if (random() % 3 == 0) list.push_back({u, static_cast<int32_t>(random() % 50)});
  return options;
}

TEST(ContainmentMatchingTest, EqualsBruteForceOnSmallCases) {
  constexpr uint64_t kSeed = 11;
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 500; ++round) {
    const int points = 1 + static_cast<int>(random() % 5);
    const int units = 1 + static_cast<int>(random() % 6);
    const MatchingOptions options = RandomOptions(random, points, units);
    BruteForce best;
    std::vector<bool> used(units, false);
    Try(options, 0, used, 0, std::numeric_limits<int>::max(), 0, best);
    const Matching matching = WidestMatching(options, units);
    ASSERT_EQ(matching.matched, best.matched) << "seed " << kSeed << " round " << round;
    if (!matching.perfect()) continue;
    int least = std::numeric_limits<int>::max();
    int64_t total = 0;
    std::vector<bool> taken(units, false);
    for (int p = 0; p < points; ++p) {
      const int unit = matching.unit_of_point[p];
      ASSERT_FALSE(taken[unit]) << "a unit holds two points";
      taken[unit] = true;
      const auto edge = std::find_if(options[p].begin(), options[p].end(),
                                     [&](const InTime& e) { return e.unit == unit; });
      ASSERT_NE(edge, options[p].end());
      least = std::min(least, edge->slack_ms);
      total += edge->slack_ms;
    }
    ASSERT_EQ(least, best.widest) << round;
    ASSERT_EQ(total, best.richest) << round;
  }
}

TEST(ContainmentMatchingTest, TheViolatorHasFewerUnitsThanPointsAndIsMinimal) {
  constexpr uint64_t kSeed = 12;
  std::mt19937_64 random(kSeed);
  int found = 0;
  for (int round = 0; round < 300; ++round) {
    const int units = 5;
    const MatchingOptions options = RandomOptions(random, 5, units);
    const std::vector<int32_t> violator = HallViolator(options, units);
    ASSERT_EQ(violator.empty(), MaximumMatching(options, units).perfect());
    if (violator.empty()) continue;
    ++found;
    std::vector<bool> seen(units, false);
    MatchingOptions part;
    for (const int32_t p : violator) {
      for (const InTime& edge : options[p]) seen[edge.unit] = true;
      part.push_back(options[p]);
    }
    ASSERT_LT(std::count(seen.begin(), seen.end(), true), static_cast<ptrdiff_t>(violator.size()));
    for (size_t leave = 0; leave < part.size(); ++leave) {
      MatchingOptions fewer = part;
      fewer.erase(fewer.begin() + static_cast<ptrdiff_t>(leave));
      ASSERT_TRUE(fewer.empty() || MaximumMatching(fewer, units).perfect()) << round;
    }
  }
  EXPECT_GT(found, 20);
}

TEST(ContainmentMatchingTest, NoPointsNeedNoUnits) {
  EXPECT_TRUE(WidestMatching({}, 0).perfect());
  EXPECT_FALSE(WidestMatching({{}}, 0).perfect());
  EXPECT_EQ(HallViolator({{}}, 0), std::vector<int32_t>{0});
}

}  // namespace
}  // namespace cordon
