// SPDX-License-Identifier: Apache-2.0
#include "dispatch/containment_intercept.h"

#include <algorithm>
#include <queue>

#include "absl/container/flat_hash_map.h"

namespace cordon {
namespace {

// One unit holding one junction, and the routes that it catches.
struct Pair {
  Interception point;
  std::vector<uint32_t> routes;
};

class Board {
 public:
  Board(std::span<const FleeingRoute> routes, const ClosingOptions& options)
      : routes_(routes), caught_(routes.size(), 0) {
    absl::flat_hash_map<uint32_t, std::vector<uint32_t>> pairs_at;  // junction -> its pairs
    for (uint32_t r = 0; r < routes.size(); ++r) {
      for (const FleeingRoute::Stop& stop : routes[r].stops) {
        const auto [at, is_new] = pairs_at.try_emplace(stop.junction);
        if (is_new) {
          for (const UnitClosing& closing : options(stop.junction)) {
            at->second.push_back(static_cast<uint32_t>(pairs_.size()));
            pairs_.push_back({{stop.junction, closing.unit, closing.closed_ms}, {}});
          }
        }
        for (const uint32_t pair : at->second)
          if (pairs_[pair].point.closed_ms <= stop.time_ms) pairs_[pair].routes.push_back(r);
      }
    }
    std::erase_if(pairs_, [](const Pair& pair) { return pair.routes.empty(); });
  }

  const std::vector<Pair>& pairs() const { return pairs_; }
  double Gain(const Pair& pair) const {
    double gain = 0;
    for (const uint32_t r : pair.routes)
      if (caught_[r] == 0) gain += routes_[r].share;
    return gain;
  }
  void Add(const Pair& pair) {
    for (const uint32_t r : pair.routes) ++caught_[r];
  }
  void Remove(const Pair& pair) {
    for (const uint32_t r : pair.routes) --caught_[r];
  }

 private:
  std::span<const FleeingRoute> routes_;
  std::vector<Pair> pairs_;
  std::vector<uint32_t> caught_;
};

constexpr double kLeastGain = 1e-9;

struct Candidate {
  double gain;
  uint32_t pair;
  bool operator<(const Candidate& other) const {
    return gain != other.gain ? gain < other.gain : pair > other.pair;
  }
};

// chosen[unit] = pair, or kNoIndex.
std::vector<uint32_t> Greedy(Board& board, uint32_t units) {
  std::vector<uint32_t> chosen(units, kNoIndex);
  std::priority_queue<Candidate> queue;
  for (uint32_t p = 0; p < board.pairs().size(); ++p) queue.push({board.Gain(board.pairs()[p]), p});
  while (!queue.empty()) {
    Candidate top = queue.top();
    queue.pop();
    const Pair& pair = board.pairs()[top.pair];
    if (chosen[pair.point.unit] != kNoIndex) continue;
    const double gain = board.Gain(pair);
    if (gain <= kLeastGain) continue;
    if (!queue.empty() && gain < queue.top().gain) {
      queue.push({gain, top.pair});
      continue;
    }
    chosen[pair.point.unit] = top.pair;
    board.Add(pair);
  }
  return chosen;
}

// Every unit in turn goes where it adds most to the others.
void Improve(Board& board, std::vector<uint32_t>& chosen) {
  std::vector<std::vector<uint32_t>> of_unit(chosen.size());
  for (uint32_t p = 0; p < board.pairs().size(); ++p)
    of_unit[board.pairs()[p].point.unit].push_back(p);
  constexpr int kRounds = 3;
  for (int round = 0; round < kRounds; ++round) {
    bool changed = false;
    for (uint32_t unit = 0; unit < chosen.size(); ++unit) {
      if (chosen[unit] != kNoIndex) board.Remove(board.pairs()[chosen[unit]]);
      uint32_t best = chosen[unit];
      double best_gain =
          best == kNoIndex ? kLeastGain : board.Gain(board.pairs()[best]) + kLeastGain;
      for (const uint32_t p : of_unit[unit]) {
        const double gain = board.Gain(board.pairs()[p]);
        if (gain <= best_gain) continue;
        best_gain = gain;
        best = p;
      }
      changed |= best != chosen[unit];
      chosen[unit] = best;
      if (best != kNoIndex) board.Add(board.pairs()[best]);
    }
    if (!changed) break;
  }
}

}  // namespace

std::vector<Interception> PlaceInterceptions(std::span<const FleeingRoute> routes, uint32_t units,
                                             const ClosingOptions& options) {
  Board board(routes, options);
  std::vector<uint32_t> chosen = Greedy(board, units);
  Improve(board, chosen);
  std::vector<Interception> points;
  for (uint32_t& pair : chosen) {
    if (pair == kNoIndex) continue;
    // After the others have moved, a unit may have become of no use: it stays free.
    board.Remove(board.pairs()[pair]);
    if (board.Gain(board.pairs()[pair]) <= kLeastGain) continue;
    board.Add(board.pairs()[pair]);
    points.push_back(board.pairs()[pair].point);
  }
  return points;
}

bool Intercepted(const FleeingRoute& route, std::span<const Interception> points) {
  for (const FleeingRoute::Stop& stop : route.stops)
    for (const Interception& point : points)
      if (point.junction == stop.junction && point.closed_ms <= stop.time_ms) return true;
  return false;
}

std::vector<OpenWay> NameOpenWays(std::span<const FleeingRoute* const> open, size_t most) {
  constexpr double kOuterFrom = 0.4;
  constexpr double kRest = 0.05;
  std::vector<uint8_t> named(open.size(), 0);
  double total = 0;
  for (const FleeingRoute* route : open) total += route->share;
  double left = total;
  std::vector<OpenWay> ways;
  while (ways.size() < most && left > kRest * total) {
    absl::flat_hash_map<uint32_t, double> share_at;
    for (size_t r = 0; r < open.size(); ++r) {
      if (named[r]) continue;
      const double from = kOuterFrom * open[r]->stops.back().time_ms;
      for (const FleeingRoute::Stop& stop : open[r]->stops)
        if (stop.time_ms >= from) share_at[stop.junction] += open[r]->share;
    }
    OpenWay best;
    for (const auto& [junction, share] : share_at)
      if (share > best.share + kLeastGain ||
          (share > best.share - kLeastGain && best.share > 0 && junction < best.junction))
        best = {junction, share};
    if (best.share <= kLeastGain) break;
    for (size_t r = 0; r < open.size(); ++r) {
      if (named[r]) continue;
      const double from = kOuterFrom * open[r]->stops.back().time_ms;
      for (const FleeingRoute::Stop& stop : open[r]->stops)
        if (stop.junction == best.junction && stop.time_ms >= from) named[r] = 1;
      if (named[r]) left -= open[r]->share;
    }
    ways.push_back(best);
  }
  return ways;
}

}  // namespace cordon
