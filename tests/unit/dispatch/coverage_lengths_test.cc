// SPDX-License-Identifier: Apache-2.0
#include "dispatch/coverage_lengths.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace cordon {
namespace {

NearestPair AnyPair(std::mt19937_64& random) {
  NearestPair pair;
  if (random() % 4 == 0) return pair;
  pair.first = {static_cast<uint32_t>(random() % 60), static_cast<UnitSlot>(random() % 3)};
  if (random() % 3 == 0) return pair;
  pair.second = {pair.first.time_ms + static_cast<uint32_t>(random() % 30),
                 (pair.first.unit + 1 + static_cast<UnitSlot>(random() % 2)) % 3};
  return pair;
}

std::string Text(const PairOnEdge& edge) {
  return " | " + std::to_string(edge.pair.first.time_ms) + " by " +
         std::to_string(edge.pair.first.unit) + ", " + std::to_string(edge.pair.second.time_ms) +
         " by " + std::to_string(edge.pair.second.unit) + ", edge of " +
         std::to_string(edge.edge_ms);
}

// Centimetre by centimetre.
ReachedLengths Counted(uint32_t length, uint32_t tier, const std::vector<EdgeReach>& reaches) {
  ReachedLengths lengths;
  for (uint32_t x = 0; x < length; ++x) {
    std::set<UnitSlot> units;
    for (const EdgeReach& reach : reaches) {
      if (reach.time_ms >= tier) continue;
      const uint64_t progress =
          std::min<uint64_t>(length, uint64_t{length} * (tier - reach.time_ms) / reach.edge_ms);
      const uint32_t at = reach.forward ? x : length - 1 - x;
      if (at >= reach.from_cm && at < reach.from_cm + progress) units.insert(reach.unit);
    }
    lengths.once_cm += units.empty() ? 0 : 1;
    lengths.twice_cm += units.size() >= 2 ? 1 : 0;
  }
  return lengths;
}

TEST(CoverageLengthsTest, BothWaysOfCountingEqualCountingEveryCentimetre) {
  constexpr uint64_t kSeed = 5;
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 20'000; ++round) {
    const uint32_t length = 1 + static_cast<uint32_t>(random() % 40);
    const uint32_t tier = 1 + static_cast<uint32_t>(random() % 80);
    const PairOnEdge forward{AnyPair(random), 1 + static_cast<uint32_t>(random() % 50)};
    const PairOnEdge backward{AnyPair(random), 1 + static_cast<uint32_t>(random() % 50)};
    std::vector<EdgeReach> reaches;
    for (const auto& [edge, is_forward] : {std::pair(forward, true), std::pair(backward, false)})
      for (const auto& label : {edge.pair.first, edge.pair.second})
        if (label.reached())
          reaches.push_back({label.unit, label.time_ms, edge.edge_ms, 0, is_forward});
    const ReachedLengths counted = Counted(length, tier, reaches);
    ASSERT_EQ(LengthsOfPairs(length, tier, forward, backward), counted)

        << "seed " << kSeed << " round " << round << ": length " << length << " tier " << tier
        << Text(forward) << Text(backward);
    ASSERT_EQ(LengthsOfReaches(length, tier, reaches), counted) << round;
    reaches.push_back({7, static_cast<uint32_t>(random() % 20), forward.edge_ms,
                       static_cast<uint32_t>(random() % (length + 1)), random() % 2 == 0});
    ASSERT_EQ(LengthsOfReaches(length, tier, reaches), Counted(length, tier, reaches)) << round;
  }
}

}  // namespace
}  // namespace cordon
