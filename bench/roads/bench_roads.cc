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
constexpr uint32_t kTiersMs[] = {60'000, 180'000, 300'000};

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

struct City {
  std::shared_ptr<const RoadNetwork> network;
  std::shared_ptr<const TravelModel> model;
  std::shared_ptr<const TravelGraph> graph;
};

City Open(const char* path, Report& report) {
  City city;
  const double before = ResidentBytes();
  std::vector<double> opens;
  for (int i = 0; i < 9; ++i)
    opens.push_back(Time([&] {
      city.network.reset();
      auto opened = RoadNetwork::Open(path);
      if (!opened.ok()) {
        std::fprintf(stderr, "%s\n", std::string(opened.status().message()).c_str());
        std::exit(2);
      }
      city.network = *std::move(opened);
    }));
  const auto conditions = std::make_shared<RoadConditions>(city.network);
  city.model = std::make_shared<TravelModel>(conditions);
  std::vector<double> builds;
  for (int i = 0; i < 5; ++i)
    builds.push_back(Time([&] {
      city.graph = TravelGraph::Build(city.network, *conditions->Snapshot(), TravelProfile{});
    }));
  city.graph = city.model->Graph({});
  const RoadReport size = ReportOn(*city.network);
  const auto file = static_cast<double>(city.network->file_bytes());
  const auto geometry = static_cast<double>(city.network->geometry_bytes());
  std::printf("%u junctions, %u directed edges for urgent cars, file %.1f MB, %.1f MB geometry\n",
              size.junctions, size.edges_urgent, file / 1e6, geometry / 1e6);
  const double graph_bytes = 16.0 * city.network->edge_count();
  report.Line("open the road file", opens, 50, 0);
  report.Line("travel graph of one profile (after a closure)", builds, 0, 0);
  report.Line("bytes per directed edge, geometry aside",
              {(file - geometry + graph_bytes) / size.edges_urgent}, 60, 0, "B ");
  std::printf("resident after opening and one graph: %.1f MB\n", (ResidentBytes() - before) / 1e6);
  return city;
}

void Arrivals(const City& city, int scenes, const std::vector<UnitState>& units,
              std::mt19937_64& random, Report& report) {
  for (const int limit : {600, 7200}) {
    EtaOptions options;
    options.search_limit = Seconds(limit);
    EtaEngine engine(city.model, options);
    // Puts the parked units on the roads once.
    const double cold = Time([&] {
      (void)engine.ToScene({RandomPlace(*city.graph, random), {}, 0}, units);
    });
    std::vector<double> times;
    for (int i = 0; i < (limit == 600 ? scenes : scenes / 10 + 1); ++i) {
      const LatLon scene = RandomPlace(*city.graph, random);
      times.push_back(Time([&] { (void)engine.ToScene({scene, {}, 0}, units); }));
    }
    if (limit == 600) {
      report.Line("first answer, every unit just moved", {cold}, 0, 0);
      report.Line("alert to ranked ETAs of all units within 10 minutes", times, 3, 10);
    } else {
      report.Line("alert to ranked ETAs, whole city", times, 0, 40);
    }
  }
}

void OneScene(const City& city, int scenes, std::mt19937_64& random, Report& report) {
  std::unique_ptr<ContourDrawer> drawer;
  report.Line("preparing the drawing (once)", {Time([&] {
                drawer = std::make_unique<ContourDrawer>(city.network,
                                                         ContourDrawer::Roads::kDriven);
              })},
              0, 0);
  BoundedSearch search;
  std::vector<double> searches, stretches, drawings, answers;
  for (int i = 0; i < scenes; ++i) {
    const SceneSnap scene = SnapScene(*city.graph, RandomPlace(*city.graph, random));
    searches.push_back(
        Time([&] { search.Run(*city.graph, SearchDirection::kReverse, scene.seeds, 300'000); }));
    std::vector<ReachedStretch> reached;
    stretches.push_back(Time([&] { reached = search.Stretches(); }));
    drawings.push_back(Time([&] { (void)drawer->Draw(reached, kTiersMs); }));
    answers.push_back(searches.back() + stretches.back() + drawings.back());
  }
  report.Line("search of 5 minutes from one place", searches, 0, 0);
  report.Line("its reached stretches", stretches, 0, 0);
  report.Line("polygons of all three tiers", drawings, 30, 0);
  report.Line("1-3-5 minute circles of one place, search and polygons", answers, 0, 0);
}

void AllUnits(const City& city, const std::vector<UnitState>& units, Report& report) {
  ContourDrawer drawer(city.network, ContourDrawer::Roads::kDriven);
  BoundedSearch search;
  std::vector<SearchSeed> seeds;
  for (size_t i = 0; i < std::min<size_t>(200, units.size()); ++i)
    for (const SearchSeed& seed : SnapUnit(*city.graph, {units[i].place, {0}, {}, {}}).seeds)
      seeds.push_back(seed);
  std::vector<double> searches, drawings;
  for (int i = 0; i < 5; ++i) {
    std::vector<ReachedStretch> reached;
    searches.push_back(Time([&] {
      search.Run(*city.graph, SearchDirection::kForward, seeds, 300'000);
      reached = search.Stretches();
    }));
    drawings.push_back(Time([&] { (void)drawer.Draw(reached, kTiersMs); }));
  }
  report.Line("where 200 units can be in 5 minutes: search", searches, 0, 0);
  report.Line("where 200 units can be in 5 minutes: polygons", drawings, 0, 0);
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
  const City city = Open(argv[1], report);
  std::mt19937_64 random(1);
  const auto units = RandomUnits(*city.graph, count, random);
  Arrivals(city, scenes, units, random, report);
  OneScene(city, scenes, random, report);
  AllUnits(city, units, report);
  report.Finish();
  return 0;
}
