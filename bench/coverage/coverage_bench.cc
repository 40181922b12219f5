// SPDX-License-Identifier: Apache-2.0
// Coverage and cordon on a city of about 1.2 million directed edges, against the budget. One core.
// CPU time of the thread beside wall time, so that a busy machine does not hide what the code
// costs.
//
//   coverage_bench CITY.roads [units=200] [rounds=100]
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "base/clock.h"
#include "dispatch/containment.h"
#include "dispatch/coverage.h"
#include "dispatch/snap.h"

namespace cordon {
namespace {

constexpr uint64_t kSeed = 20240701;

double ThreadCpuMs() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  const auto ms = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
  };
  return ms(usage.ru_utime) + ms(usage.ru_stime);
}

class Series {
 public:
  explicit Series(std::string name, double budget_ms)
      : name_(std::move(name)), budget_ms_(budget_ms) {}
  template <class Fn>
  void Measure(Fn&& fn) {
    const BootTime wall = SystemClock().Boot();
    const double cpu = ThreadCpuMs();
    fn();
    cpu_.push_back(ThreadCpuMs() - cpu);
    wall_.push_back(std::chrono::duration<double, std::milli>(SystemClock().Boot() - wall).count());
  }
  void Print() {
    std::printf(
        "%-34s budget p50 %6.1f ms | wall p50 %7.2f p95 %7.2f p99 %7.2f | cpu p50 %7.2f p99 %7.2f "
        "| %zu runs\n",
        name_.c_str(), budget_ms_, At(wall_, 0.5), At(wall_, 0.95), At(wall_, 0.99), At(cpu_, 0.5),
        At(cpu_, 0.99), wall_.size());
  }

 private:
  static double At(std::vector<double>& values, double share) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[std::min(values.size() - 1,
                           static_cast<size_t>(share * static_cast<double>(values.size())))];
  }
  std::string name_;
  double budget_ms_;
  std::vector<double> wall_, cpu_;
};

class Fleet {
 public:
  Fleet(const TravelModel& model, size_t count) : model_(model) {
    for (size_t i = 0; i < count; ++i)
      units.push_back({UnitId("u" + std::to_string(i)), TravelKind::kCar, true, AnySeeds()});
  }
  // Drives each tenth unit a stretch: another edge, near by.
  void MoveTenth() {
    for (CoverageUnit& unit : units) {
      if (random_() % 10 != 0) continue;
      const LatLon from = model_.network().PointAt(unit.seeds.front().at);
      for (int tries = 0; tries < 20; ++tries) {
        const LatLon to = Offset(from, static_cast<double>(random_() % 360), {150});
        auto snap = SnapUnit(*model_.Graph({}), {.place = to});
        if (snap.seeds.empty() || snap.seeds.front().at.edge == unit.seeds.front().at.edge)
          continue;
        unit.seeds = std::move(snap.seeds);
        break;
      }
    }
  }
  LatLon AnyPlace() {
    const RoadNetwork& network = model_.network();
    for (;;) {
      const EdgeId e{static_cast<uint32_t>(random_() % network.edge_count())};
      const RoadPiece& piece = network.piece(e);
      if ((piece.flags & (kFlagIsland | kFlagGhost)) || !model_.Graph({})->Passable(e)) continue;
      return network.PointAt({e, piece.length_cm / 2});
    }
  }
  // Units as one meets them: on the roads, direction known.
  std::vector<SearchSeed> AnySeeds() {
    return SnapUnit(*model_.Graph({}), {.place = AnyPlace()}).seeds;
  }

  std::vector<CoverageUnit> units;
  std::mt19937_64 random_{kSeed};

 private:
  const TravelModel& model_;
};

void BenchCoverage(const TravelModel& model, size_t count, int rounds) {
  Fleet fleet(model, count);
  auto coverage = *Coverage::Create(model.conditions()->network(), {});
  Series full("coverage, full recompute", 80), tick("coverage, 10 % of units moved", 10),
      parked("coverage, all parked", 1);
  Series gaps("coverage, gaps ranked", 40);
  if (!coverage->Update(model, fleet.units).ok()) std::abort();
  for (int i = 0; i < rounds; ++i) {
    // Everybody gone, then everybody back: the second is a full recompute of labels and lengths.
    if (!coverage->Update(model, {}).ok()) std::abort();
    full.Measure([&] { (void)coverage->Update(model, fleet.units); });
    for (int k = 0; k < 3; ++k) {
      fleet.MoveTenth();
      tick.Measure([&] { (void)coverage->Update(model, fleet.units); });
    }
    parked.Measure([&] { (void)coverage->Update(model, fleet.units); });
    if (i % 10 == 0) gaps.Measure([&] { (void)coverage->Gaps(2, 10); });
  }
  for (const TierCoverage& tier : coverage->tiers())
    std::printf("  within %u s: %.0f of %.0f km, by two %.0f km\n", tier.tier_ms / 1000,
                static_cast<double>(tier.covered_cm) / 1e5,
                static_cast<double>(coverage->total_cm()) / 1e5,
                static_cast<double>(tier.twice_cm) / 1e5);
  full.Print();
  tick.Print();
  parked.Print();
  gaps.Print();
}

void BenchCordon(const TravelModel& model, int rounds) {
  CordonPlanner planner(model.conditions());
  Series plan_series("cordon, 20 min, 60 units near", 300);
  size_t outcomes[4] = {}, cuts = 0, unproven = 0;
  double covered = 0;
  Fleet places(model, 0);
  for (int i = 0; i < rounds; ++i) {
    const LatLon seen = places.AnyPlace();
    std::vector<CordonUnit> units;
    while (units.size() < 60) {
      const LatLon at = Offset(seen, static_cast<double>(places.random_() % 360),
                               {500 + static_cast<double>(places.random_() % 9'500)});
      auto snap = SnapUnit(*model.Graph({}), {.place = at});
      if (snap.seeds.empty()) {
        if (places.random_() % 200 == 0) break;
        continue;
      }
      units.push_back({UnitId("u" + std::to_string(units.size())), TravelKind::kCar,
                       std::move(snap.seeds), std::nullopt});
    }
    CordonPlan plan;
    if (i == 0)
      (void)planner.Plan(model, {seen, 30'000}, units, {});  // builds the adversaries' graphs once
    plan_series.Measure([&] { plan = *planner.Plan(model, {seen, 30'000}, units, {}); });
    ++outcomes[static_cast<size_t>(plan.outcome)];
    covered += plan.covered_probability;
    cuts += plan.cuts_tried;
    unproven += plan.proven ? 0 : 1;
  }
  plan_series.Print();
  std::printf(
      "  closed %zu, leaking %zu (%zu unproven), enclosed %zu; mean share of escapes covered %.2f; "
      "%.1f cuts each\n",
      outcomes[0], outcomes[1], unproven, outcomes[2], covered / rounds,
      static_cast<double>(cuts) / rounds);
}

int Main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (argc < 2) {
    std::fprintf(stderr, "usage: coverage_bench CITY.roads [units] [rounds]\n");
    return 2;
  }
  const auto number = [&](int at, int otherwise) {
    return argc > at ? std::atoi(argv[at]) : otherwise;
  };
  const auto roads = RoadNetwork::Open(argv[1]);
  if (!roads.ok()) {
    std::fprintf(stderr, "coverage_bench: %s\n", std::string(MessageOf(roads.status())).c_str());
    return 2;
  }
  std::printf("%u junctions, %u directed edges\n", (*roads)->junction_count(),
              (*roads)->edge_count());
  const TravelModel model(std::make_shared<RoadConditions>(*roads));
  (void)model.Graph({});
  BenchCoverage(model, static_cast<size_t>(number(2, 200)), number(3, 100));
  BenchCordon(model, std::max(10, number(3, 100) / 2));
  return 0;
}

}  // namespace
}  // namespace cordon

int main(int argc, char** argv) { return cordon::Main(argc, argv); }
