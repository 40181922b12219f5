// SPDX-License-Identifier: Apache-2.0
// Coverage and cordon on a city of about 1.2 million directed edges, against the budget. One core.
// CPU time of the thread beside wall time, so that a busy machine does not hide what the code
// costs.
//
//   coverage_bench CITY.roads [units=200] [rounds=100] [cordon=1]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <numeric>
#include <random>

#include "base/clock.h"
#include "dispatch/containment.h"
#include "dispatch/coverage.h"
#include "dispatch/snap.h"

namespace cordon {
namespace {

constexpr uint64_t kSeed = 20240701;
// In each round, so that a p99 rests on more than one of them.
constexpr int kTicksEach = 10;

double ThreadCpuMs() {
  timespec time{};
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) != 0) std::abort();
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
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

// Where a unit is and which way it looks.
struct Vehicle {
  EdgeId edge;
  uint32_t ms = 0;  // driven since the edge's tail
};

class Fleet {
 public:
  Fleet(const TravelModel& model, size_t count) : model_(model), graph_(model.Graph({})) {
    for (size_t i = 0; i < count; ++i) {
      vehicles_.push_back({AnyEdge(), 0});
      units.push_back({UnitId("u" + std::to_string(i)), TravelKind::kCar, true, {}});
      vehicles_[i].ms = graph_->EdgeMs(vehicles_[i].edge) / 2;
      Report(i);
    }
  }
  // A tenth of the units, anybody's turn, drives for a second at the speed of the road and says so:
  // what a second of a city's patrols looks like.
  void DriveTenth() {
    for (const size_t i : AnyTenth()) {
      Drive(vehicles_[i], 1'000);
      Report(i);
    }
  }
  // A tenth of the units is 150 m from where it was, on another road: farther than any second.
  void ThrowTenth() {
    for (const size_t i : AnyTenth()) {
      const LatLon from = PlaceOf(vehicles_[i]);
      for (int tries = 0; tries < 20; ++tries) {
        const LatLon to = Offset(from, static_cast<double>(random_() % 360), {150});
        auto snap = SnapUnit(*graph_, {.place = to});
        if (snap.seeds.empty() || snap.seeds.front().at.edge == vehicles_[i].edge) continue;
        const RoadPosition at = snap.seeds.front().at;
        vehicles_[i] = {at.edge, graph_->PartMs(at.edge, at.offset_cm)};
        units[i].seeds = std::move(snap.seeds);
        break;
      }
    }
  }
  LatLon AnyPlace() { return PlaceOf({AnyEdge(), 0}); }

  std::vector<CoverageUnit> units;
  std::mt19937_64 random_{kSeed};

 private:
  EdgeId AnyEdge() {
    const RoadNetwork& network = model_.network();
    for (;;) {
      const EdgeId e{static_cast<uint32_t>(random_() % network.edge_count())};
      if (!(network.piece(e).flags & (kFlagIsland | kFlagGhost)) && graph_->Passable(e)) return e;
    }
  }
  std::vector<size_t> AnyTenth() {
    std::vector<size_t> all(units.size());
    std::iota(all.begin(), all.end(), size_t{0});
    std::shuffle(all.begin(), all.end(), random_);
    all.resize(units.size() / 10);
    return all;
  }
  RoadPosition PositionOf(const Vehicle& vehicle) const {
    const uint64_t length = model_.network().length_cm(vehicle.edge);
    const uint32_t edge_ms = std::max(1U, graph_->EdgeMs(vehicle.edge));
    return {vehicle.edge, static_cast<uint32_t>(length * std::min(vehicle.ms, edge_ms) / edge_ms)};
  }
  LatLon PlaceOf(const Vehicle& vehicle) const {
    return model_.network().PointAt(PositionOf(vehicle));
  }
  // Onwards, at each junction any way but back, unless there is none.
  void Drive(Vehicle& vehicle, uint32_t ms) {
    vehicle.ms += ms;
    while (vehicle.ms >= graph_->EdgeMs(vehicle.edge)) {
      vehicle.ms -= graph_->EdgeMs(vehicle.edge);
      const RoadNetwork& network = model_.network();
      const EdgeId back = network.twin(vehicle.edge);
      std::vector<EdgeId> ways;
      const uint32_t junction = network.head(vehicle.edge).value;
      for (uint32_t e = network.first_out()[junction]; e < network.first_out()[junction + 1]; ++e)
        if (EdgeId{e} != back && graph_->TurnMs(vehicle.edge, {e}) != kUnreached &&
            graph_->Passable({e}))
          ways.push_back({e});
      vehicle.edge = network.original(ways.empty() ? back : ways[random_() % ways.size()]);
    }
  }
  // Both directions of its road, the other one at the price of turning round, as map matching
  // gives them.
  void Report(size_t i) {
    const RoadPosition at = PositionOf(vehicles_[i]);
    units[i].seeds = {{at, 0}};
    if (const EdgeId back = model_.network().twin(at.edge); graph_->Passable(back))
      units[i].seeds.push_back({{back, model_.network().length_cm(back) - at.offset_cm},
                                graph_->turn_costs().mid_edge_u_turn_ms});
  }

  const TravelModel& model_;
  std::shared_ptr<const TravelGraph> graph_;
  std::vector<Vehicle> vehicles_;
};

void BenchCoverage(const TravelModel& model, size_t count, int rounds) {
  Fleet fleet(model, count);
  auto coverage = *Coverage::Create(model.conditions()->network(), {});
  Series full("coverage, full recompute", 80), drive("coverage, 10 % drive for a second", 10),
      thrown("coverage, 10 % 150 m elsewhere", 10), parked("coverage, all parked", 1);
  Series gaps("coverage, gaps ranked", 40);
  if (!coverage->Update(model, fleet.units).ok()) std::abort();
  uint64_t searched = 0;
  for (int i = 0; i < rounds; ++i) {
    // Everybody gone, then everybody back: the second is a full recompute of labels and lengths.
    if (!coverage->Update(model, {}).ok()) std::abort();
    full.Measure([&] { (void)coverage->Update(model, fleet.units); });
    for (int k = 0; k < kTicksEach; ++k) {
      fleet.DriveTenth();
      drive.Measure([&] { searched += coverage->Update(model, fleet.units)->searched; });
    }
    for (int k = 0; k < kTicksEach; ++k) {
      fleet.ThrowTenth();
      thrown.Measure([&] { (void)coverage->Update(model, fleet.units); });
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
  drive.Print();
  std::printf("  %.1f of the %zu that drive come to another 25 m and are searched\n",
              static_cast<double>(searched) / (rounds * kTicksEach), count / 10);
  thrown.Print();
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
    std::fprintf(stderr, "usage: coverage_bench CITY.roads [units] [rounds] [cordon: 0 or 1]\n");
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
  if (number(4, 1) != 0) BenchCordon(model, std::max(10, number(3, 100) / 2));
  return 0;
}

}  // namespace
}  // namespace cordon

int main(int argc, char** argv) { return cordon::Main(argc, argv); }
