// SPDX-License-Identifier: Apache-2.0
// The road search against its budget on one core: p50 and p99 with the budget beside them.
//   bench_roads CITY.roads [SCENES=300] [UNITS=1000]
// The last line is JSON.
#include <sys/resource.h>

#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <random>
#include <string>

#include "dispatch/circles.h"
#include "dispatch/road_report.h"

namespace {

using namespace cordon;
using SteadyClock = std::chrono::steady_clock;

double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  double total = 0;
  double resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

class Report {
 public:
  void Line(const char* what, std::vector<double> values, double budget_p50, double budget_p99,
            const char* unit = "ms") {
    std::sort(values.begin(), values.end());
    const double p50 = values[values.size() / 2];
    const double p99 = values[std::min(values.size() - 1, values.size() * 99 / 100)];
    const bool within =
        (budget_p50 <= 0 || p50 <= budget_p50) && (budget_p99 <= 0 || p99 <= budget_p99);
    const auto budget = [](double b) {
      return b > 0 ? std::to_string(b).substr(0, 6) : std::string("-");
    };
    std::printf("%-58s p50 %9.3f  p99 %9.3f %s   budget %s / %s  %s\n", what, p50, p99, unit,
                budget(budget_p50).c_str(), budget(budget_p99).c_str(), within ? "" : "MISSED");
    json_ += std::string(json_.empty() ? "" : ",") + "\"" + what +
             "\":{\"p50\":" + std::to_string(p50) + ",\"p99\":" + std::to_string(p99) + "}";
  }
  void Finish() const { std::printf("{%s}\n", json_.c_str()); }

 private:
  std::string json_;
};

double Time(const std::function<void()>& work) {
  const auto start = SteadyClock::now();
  work();
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
}

LatLon RandomPlace(const TravelGraph& graph, std::mt19937_64& random) {
  const RoadNetwork& n = graph.network();
  while (true) {
    const EdgeId e{static_cast<uint32_t>(random() % n.edge_count())};
    if (graph.Passable(e) && !(n.piece(e).flags & kFlagIsland))
      return n.PointAt({e, n.length_cm(e) / 2});
  }
}

std::vector<UnitState> RandomUnits(const TravelGraph& graph, size_t count,
                                   std::mt19937_64& random) {
  std::vector<UnitState> units(count);
  for (size_t i = 0; i < count; ++i) {
    units[i].id = UnitId("unit-" + std::to_string(i));
    units[i].place = RandomPlace(graph, random);
    units[i].freshness = Freshness::kFresh;
  }
  return units;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "bench_roads CITY.roads [SCENES=300] [UNITS=1000]\n");
    return 2;
  }
  const int scenes = argc > 2 ? std::atoi(argv[2]) : 300;
  const auto count = static_cast<size_t>(argc > 3 ? std::atoi(argv[3]) : 1000);
  Report report;
  std::shared_ptr<const RoadNetwork> network;
  const double before = ResidentBytes();
  std::vector<double> opens;
  for (int i = 0; i < 9; ++i)
    opens.push_back(Time([&] {
      network.reset();
      auto opened = RoadNetwork::Open(argv[1]);
      if (!opened.ok()) {
        std::fprintf(stderr, "%s\n", std::string(opened.status().message()).c_str());
        std::exit(2);
      }
      network = *std::move(opened);
    }));
  const auto conditions = std::make_shared<RoadConditions>(network);
  const auto model = std::make_shared<TravelModel>(conditions);
  std::vector<double> builds;
  std::shared_ptr<const TravelGraph> graph;
  for (int i = 0; i < 5; ++i)
    builds.push_back(Time(
        [&] { graph = TravelGraph::Build(network, *conditions->Snapshot(), TravelProfile{}); }));
  graph = model->Graph({});
  const RoadReport size = ReportOn(*network);
  std::printf(
      "%u junctions, %u directed edges for urgent cars, file %.1f MB of which %.1f MB geometry\n",
      size.junctions, size.edges_urgent, static_cast<double>(network->file_bytes()) / 1e6,
      static_cast<double>(network->geometry_bytes()) / 1e6);
  const double graph_bytes = 16.0 * network->edge_count();
  const double per_edge =
      (static_cast<double>(network->file_bytes() - network->geometry_bytes()) + graph_bytes) /
      size.edges_urgent;
  report.Line("open the road file", opens, 50, 0);
  report.Line("travel graph of one profile (after a closure)", builds, 0, 0);
  report.Line("bytes per directed edge, geometry aside", {per_edge}, 60, 0, "B ");
  std::printf("resident after opening and one graph: %.1f MB\n", (ResidentBytes() - before) / 1e6);

  std::mt19937_64 random(1);
  const auto units = RandomUnits(*graph, count, random);
  std::vector<double> near_times, far_times, searches, stretches, drawings, answers;
  for (const int limit : {600, 7200}) {
    EtaOptions options;
    options.search_limit = Seconds(limit);
    EtaEngine engine(model, options);
    (void)engine.ToScene({RandomPlace(*graph, random), {}, 0},
                         units);  // puts the parked units on the roads once
    for (int i = 0; i < (limit == 600 ? scenes : scenes / 10 + 1); ++i) {
      const LatLon scene = RandomPlace(*graph, random);
      (limit == 600 ? near_times : far_times).push_back(Time([&] {
        (void)engine.ToScene({scene, {}, 0}, units);
      }));
    }
  }
  report.Line("alert to ranked ETAs of all units within 10 minutes", near_times, 3, 10);
  report.Line("alert to ranked ETAs, whole city", far_times, 0, 40);

  ContourDrawer drawer(network, ContourDrawer::Roads::kDriven);
  const uint32_t tiers_ms[] = {60'000, 180'000, 300'000};
  BoundedSearch search;
  for (int i = 0; i < scenes; ++i) {
    const SceneSnap scene = SnapScene(*graph, RandomPlace(*graph, random));
    searches.push_back(
        Time([&] { search.Run(*graph, SearchDirection::kReverse, scene.seeds, 300'000); }));
    std::vector<ReachedStretch> reached;
    stretches.push_back(Time([&] { reached = search.Stretches(); }));
    drawings.push_back(Time([&] { (void)drawer.Draw(reached, tiers_ms); }));
    answers.push_back(searches.back() + stretches.back() + drawings.back());
  }
  report.Line("search of 5 minutes from one place", searches, 0, 0);
  report.Line("its reached stretches", stretches, 0, 0);
  report.Line("polygons of all three tiers", drawings, 30, 0);
  report.Line("1-3-5 minute circles of one place, search and polygons", answers, 0, 0);

  std::vector<SearchSeed> seeds;
  for (size_t i = 0; i < std::min<size_t>(200, units.size()); ++i)
    for (const SearchSeed& seed : SnapUnit(*graph, {units[i].place, {0}, {}, {}}).seeds)
      seeds.push_back(seed);
  std::vector<double> union_search, union_draw;
  for (int i = 0; i < 5; ++i) {
    std::vector<ReachedStretch> reached;
    union_search.push_back(Time([&] {
      search.Run(*graph, SearchDirection::kForward, seeds, 300'000);
      reached = search.Stretches();
    }));
    union_draw.push_back(Time([&] { (void)drawer.Draw(reached, tiers_ms); }));
  }
  report.Line("where 200 units can be in 5 minutes: search", union_search, 0, 0);
  report.Line("where 200 units can be in 5 minutes: polygons", union_draw, 0, 0);
  report.Finish();
  return 0;
}
