// SPDX-License-Identifier: Apache-2.0
#include "dispatch/containment_matching.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <set>

namespace cordon {
namespace {

constexpr int32_t kNone = Matching::kNone;

class HopcroftKarp {
 public:
  HopcroftKarp(const MatchingOptions& options, int32_t units, int32_t least_slack_ms)
      : options_(options),
        least_slack_ms_(least_slack_ms),
        unit_of_(options.size(), kNone),
        point_of_(units, kNone),
        level_(options.size()) {}

  int32_t Run() {
    int32_t matched = 0;
    while (BuildLevels()) {
      for (int32_t p = 0; p < static_cast<int32_t>(options_.size()); ++p) {
        if (unit_of_[p] == kNone && Augment(p)) ++matched;
      }
    }
    return matched;
  }
  const std::vector<int32_t>& unit_of() const { return unit_of_; }
  const std::vector<int32_t>& point_of() const { return point_of_; }

 private:
  bool BuildLevels() {
    std::vector<int32_t> queue;
    std::fill(level_.begin(), level_.end(), kNone);
    for (int32_t p = 0; p < static_cast<int32_t>(options_.size()); ++p) {
      if (unit_of_[p] != kNone) continue;
      level_[p] = 0;
      queue.push_back(p);
    }
    bool open = false;
    for (size_t head = 0; head < queue.size(); ++head) {
      for (const InTime& edge : options_[queue[head]]) {
        if (edge.slack_ms < least_slack_ms_) continue;
        const int32_t next = point_of_[edge.unit];
        if (next == kNone) {
          open = true;
        } else if (level_[next] == kNone) {
          level_[next] = level_[queue[head]] + 1;
          queue.push_back(next);
        }
      }
    }
    return open;
  }

  // Recursion is as deep as the matching at most: a cordon has tens of points.
  bool Augment(int32_t p) {
    const int32_t level = level_[p];
    level_[p] = kNone;
    for (const InTime& edge : options_[p]) {
      if (edge.slack_ms < least_slack_ms_) continue;
      const int32_t next = point_of_[edge.unit];
      if (next != kNone && (level_[next] != level + 1 || !Augment(next))) continue;
      unit_of_[p] = edge.unit;
      point_of_[edge.unit] = p;
      return true;
    }
    return false;
  }

  const MatchingOptions& options_;
  const int32_t least_slack_ms_;
  std::vector<int32_t> unit_of_;
  std::vector<int32_t> point_of_;
  std::vector<int32_t> level_;
};

// Largest total slack among the perfect matchings over edges of at least `least_slack_ms`:
// successive cheapest augmenting paths (Bellman-Ford over points; sizes are tens).
Matching RichestMatching(const MatchingOptions& options, int32_t units, int32_t least_slack_ms) {
  const auto points = static_cast<int32_t>(options.size());
  constexpr int64_t kFar = std::numeric_limits<int64_t>::max() / 4;
  std::vector<int32_t> point_of(units, kNone);
  Matching result{std::vector<int32_t>(points, kNone), 0};
  for (int32_t start = 0; start < points; ++start) {
    std::vector<int64_t> cost(units, kFar);
    std::vector<int32_t> via(units, kNone);  // the point from which the unit was reached
    const auto slack_of = [&](int32_t p, int32_t unit) {
      for (const InTime& edge : options[p])
        if (edge.unit == unit) return edge.slack_ms;
      return 0;
    };
    const auto relax = [&](int32_t p, int64_t base) {
      bool changed = false;
      for (const InTime& edge : options[p]) {
        if (edge.slack_ms < least_slack_ms || base - edge.slack_ms >= cost[edge.unit]) continue;
        cost[edge.unit] = base - edge.slack_ms;
        via[edge.unit] = p;
        changed = true;
      }
      return changed;
    };
    bool changed = relax(start, 0);
    for (int32_t round = 0; changed && round <= points; ++round) {
      changed = false;
      for (int32_t unit = 0; unit < units; ++unit) {
        const int32_t p = point_of[unit];
        if (cost[unit] == kFar || p == kNone || via[unit] == p) continue;
        changed |= relax(p, cost[unit] + slack_of(p, unit));
      }
    }
    int32_t best = kNone;
    for (int32_t unit = 0; unit < units; ++unit)
      if (point_of[unit] == kNone && cost[unit] < kFar &&
          (best == kNone || cost[unit] < cost[best]))
        best = unit;
    if (best == kNone) continue;
    ++result.matched;
    for (int32_t unit = best; unit != kNone;) {
      const int32_t p = via[unit];
      const int32_t previous = result.unit_of_point[p];
      result.unit_of_point[p] = unit;
      point_of[unit] = p;
      unit = previous;
    }
  }
  return result;
}

}  // namespace

Matching MaximumMatching(const MatchingOptions& options, int32_t units, int32_t least_slack_ms) {
  HopcroftKarp search(options, units, least_slack_ms);
  const int32_t matched = search.Run();
  return {search.unit_of(), matched};
}

Matching WidestMatching(const MatchingOptions& options, int32_t units) {
  Matching any = MaximumMatching(options, units);
  if (!any.perfect() || options.empty()) return any;
  std::vector<int32_t> slacks;
  for (const auto& list : options)
    for (const InTime& edge : list) slacks.push_back(std::max(edge.slack_ms, 0));
  std::sort(slacks.begin(), slacks.end());
  slacks.erase(std::unique(slacks.begin(), slacks.end()), slacks.end());
  size_t low = 0;  // slacks[low] is always feasible
  for (size_t high = slacks.size(); high - low > 1;) {
    const size_t middle = (low + high) / 2;
    (MaximumMatching(options, units, slacks[middle]).perfect() ? low : high) = middle;
  }
  Matching richest = RichestMatching(options, units, slacks[low]);
  return richest.perfect() ? richest : MaximumMatching(options, units, slacks[low]);
}

std::vector<int32_t> HallViolator(const MatchingOptions& options, int32_t units) {
  HopcroftKarp search(options, units, 0);
  search.Run();
  const auto& unit_of = search.unit_of();
  const auto free = std::find(unit_of.begin(), unit_of.end(), kNone);
  if (free == unit_of.end()) return {};
  // Alternating search from the free point: all units seen are matched, so the points seen are one
  // more than the units.
  std::set<int32_t> points{static_cast<int32_t>(free - unit_of.begin())};
  std::vector<int32_t> queue(points.begin(), points.end());
  for (size_t head = 0; head < queue.size(); ++head) {
    for (const InTime& edge : options[queue[head]]) {
      const int32_t next = search.point_of()[edge.unit];
      if (next != kNone && points.insert(next).second) queue.push_back(next);
    }
  }
  std::vector<int32_t> violator(points.begin(), points.end());
  for (size_t i = 0; i < violator.size();) {
    std::vector<int32_t> fewer = violator;
    fewer.erase(fewer.begin() + static_cast<ptrdiff_t>(i));
    MatchingOptions part;
    for (const int32_t p : fewer) part.push_back(options[p]);
    if (!part.empty() && !MaximumMatching(part, units).perfect()) {
      violator = std::move(fewer);
    } else {
      ++i;
    }
  }
  return violator;
}

}  // namespace cordon
