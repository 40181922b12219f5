// SPDX-License-Identifier: Apache-2.0
#include "dispatch/placement.h"

#include <algorithm>
#include <cstddef>
#include <cmath>
#include <numeric>
#include <queue>

#include "base/check.h"

namespace cordon {
namespace {

// Which chosen sites reach each demand, and how many.
class Cover {
 public:
  explicit Cover(const CoveringProblem& problem)
      : problem_(problem), count_(problem.weight.size(), 0) {
    weight_ = problem.weight;
    for (size_t d = 0; d < problem.already_covered.size(); ++d)
      if (problem.already_covered[d]) weight_[d] = 0;
  }
  int64_t Gain(int32_t site) const {
    int64_t gain = 0;
    for (const int32_t d : problem_.reached[site])
      if (count_[d] == 0) gain += weight_[d];
    return gain;
  }
  // What would be lost without this chosen site.
  int64_t Loss(int32_t site) const {
    int64_t loss = 0;
    for (const int32_t d : problem_.reached[site])
      if (count_[d] == 1) loss += weight_[d];
    return loss;
  }
  void Add(int32_t site) {
    covered_ += Gain(site);
    for (const int32_t d : problem_.reached[site]) ++count_[d];
  }
  void Remove(int32_t site) {
    covered_ -= Loss(site);
    for (const int32_t d : problem_.reached[site]) --count_[d];
  }
  int64_t covered() const { return covered_; }
  const std::vector<int64_t>& weight() const { return weight_; }

 private:
  const CoveringProblem& problem_;
  std::vector<int64_t> weight_;
  std::vector<int32_t> count_;
  int64_t covered_ = 0;
};

struct Stale {
  int64_t gain;
  int32_t site;
  int32_t round;
  // Largest gain first; of equal ones the first site, so that the answer does not depend on the
  // queue.
  bool operator<(const Stale& other) const {
    return gain != other.gain ? gain < other.gain : site > other.site;
  }
};

// Lazy greedy: a gain computed earlier is an upper bound of the gain now.
std::vector<int32_t> Greedy(const CoveringProblem& problem, int32_t sites, Cover& cover) {
  std::priority_queue<Stale> queue;
  for (int32_t s = 0; s < static_cast<int32_t>(problem.reached.size()); ++s)
    if (const int64_t gain = cover.Gain(s); gain > 0) queue.push({gain, s, 0});
  std::vector<int32_t> chosen;
  while (static_cast<int32_t>(chosen.size()) < sites && !queue.empty()) {
    Stale top = queue.top();
    queue.pop();
    const auto round = static_cast<int32_t>(chosen.size());
    if (top.round != round) {
      top.gain = cover.Gain(top.site);
      top.round = round;
      if (top.gain > 0) queue.push(top);
      continue;
    }
    cover.Add(top.site);
    chosen.push_back(top.site);
  }
  return chosen;
}

// Replaces one chosen site by the best other one, as long as that helps. Candidates are tried in
// the order of their gain alone, which bounds what an exchange can bring and ends the scan early.
bool ExchangeOne(const std::vector<Stale>& by_gain, Cover& cover, std::vector<int32_t>& chosen) {
  int64_t best_improvement = 0;
  size_t best_out = 0;
  int32_t best_in = 0;
  for (size_t out = 0; out < chosen.size(); ++out) {
    const int64_t before = cover.covered();
    cover.Remove(chosen[out]);
    const int64_t loss = before - cover.covered();
    for (const Stale& candidate : by_gain) {
      if (candidate.gain - loss <= best_improvement) break;
      const int64_t improvement = cover.Gain(candidate.site) - loss;
      if (improvement <= best_improvement) continue;
      best_improvement = improvement;
      best_out = out;
      best_in = candidate.site;
    }
    cover.Add(chosen[out]);
  }
  if (best_improvement == 0) return false;
  cover.Remove(chosen[best_out]);
  cover.Add(best_in);
  chosen[best_out] = best_in;
  return true;
}

// Upper bound by Lagrangian relaxation: for prices lambda(d) in [0, w(d)],
//   sum over d of (w(d) - lambda(d)) + the N largest sums of lambda over what a site reaches.
int64_t LagrangianBound(const CoveringProblem& problem, const std::vector<int64_t>& weight,
                        const CoveringOptions& options, int64_t achieved) {
  const size_t demands = weight.size();
  const size_t sites = problem.reached.size();
  const size_t n = std::min<size_t>(options.sites, sites);
  std::vector<double> lambda(weight.begin(), weight.end());
  std::vector<double> worth(sites);
  std::vector<int32_t> order(sites);
  std::vector<int32_t> hits(demands);
  double best = static_cast<double>(std::accumulate(weight.begin(), weight.end(), int64_t{0}));
  double step_scale = 1.0;
  int since_better = 0;
  for (int32_t i = 0; i < options.bound_iterations; ++i) {
    double bound = 0;
    for (size_t d = 0; d < demands; ++d) bound += static_cast<double>(weight[d]) - lambda[d];
    for (size_t s = 0; s < sites; ++s) {
      worth[s] = 0;
      for (const int32_t d : problem.reached[s]) worth[s] += lambda[d];
    }
    std::iota(order.begin(), order.end(), 0);
    std::nth_element(order.begin(), order.begin() + static_cast<ptrdiff_t>(n), order.end(),
                     [&](int32_t a, int32_t b) { return worth[a] > worth[b]; });
    std::fill(hits.begin(), hits.end(), 0);
    for (size_t k = 0; k < n; ++k) {
      bound += worth[order[k]];
      for (const int32_t d : problem.reached[order[k]]) ++hits[d];
    }
    since_better = bound < best - 0.5 ? 0 : since_better + 1;
    best = std::min(best, bound);
    if (best <= static_cast<double>(achieved)) break;
    if (since_better >= 10) {
      step_scale /= 2;
      since_better = 0;
    }
    double norm = 0;
    for (size_t d = 0; d < demands; ++d)
      norm += weight[d] == 0 ? 0 : (hits[d] - 1.0) * (hits[d] - 1.0);
    if (norm == 0) break;
    const double step = step_scale * (bound - static_cast<double>(achieved)) / norm;
    for (size_t d = 0; d < demands; ++d)
      lambda[d] =
          std::clamp(lambda[d] - step * (hits[d] - 1.0), 0.0, static_cast<double>(weight[d]));
  }
  return std::max(achieved, static_cast<int64_t>(std::floor(best + 1e-6 * best + 1e-6)));
}

// Orders the sites by what each adds, for the reader; the set stays the same.
void OrderByGain(const CoveringProblem& problem, CoveringSolution& solution) {
  Cover cover(problem);
  std::vector<int32_t> rest = solution.chosen;
  std::sort(rest.begin(), rest.end());
  solution.chosen.clear();
  while (!rest.empty()) {
    const auto best = std::max_element(rest.begin(), rest.end(), [&](int32_t a, int32_t b) {
      return cover.Gain(a) < cover.Gain(b);
    });
    solution.gain.push_back(cover.Gain(*best));
    solution.chosen.push_back(*best);
    cover.Add(*best);
    rest.erase(best);
  }
}

}  // namespace

CoveringSolution SolveCovering(const CoveringProblem& problem, const CoveringOptions& options) {
  CORDON_CHECK(options.sites >= 0, "a number of sites is not negative");
  CORDON_CHECK(
      problem.already_covered.empty() || problem.already_covered.size() == problem.weight.size(),
      "one flag for each demand");
  CoveringSolution solution;
  Cover cover(problem);
  solution.total = std::accumulate(cover.weight().begin(), cover.weight().end(), int64_t{0});
  std::vector<Stale> by_gain;
  for (int32_t s = 0; s < static_cast<int32_t>(problem.reached.size()); ++s)
    if (const int64_t gain = cover.Gain(s); gain > 0) by_gain.push_back({gain, s, 0});
  std::sort(by_gain.begin(), by_gain.end(), [](const Stale& a, const Stale& b) { return b < a; });

  solution.chosen = Greedy(problem, options.sites, cover);
  solution.greedy_covered = cover.covered();
  for (int32_t i = 0; i < options.exchange_rounds; ++i)
    if (!ExchangeOne(by_gain, cover, solution.chosen)) break;
  solution.covered = cover.covered();
  solution.upper_bound = solution.covered == solution.total || options.sites == 0
                             ? solution.covered
                             : LagrangianBound(problem, cover.weight(), options, solution.covered);
  OrderByGain(problem, solution);
  return solution;
}

}  // namespace cordon
