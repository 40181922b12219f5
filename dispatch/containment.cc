// SPDX-License-Identifier: Apache-2.0
#include "dispatch/containment.h"

#include <algorithm>
#include <array>
#include <random>

#include "absl/container/flat_hash_set.h"
#include "base/check.h"
#include "dispatch/containment_cut.h"
#include "dispatch/containment_intercept.h"
#include "dispatch/containment_reach.h"
#include "dispatch/containment_times.h"
#include "dispatch/snap.h"

namespace cordon {
namespace {

constexpr uint32_t kMostHorizonMs = 3'600'000;
constexpr uint32_t kLongestValidityMs = 60'000;
constexpr size_t kMostLeaks = 20;
// A suspect is rarely seen exactly on the road: car parks, forecourts.
constexpr Metres kSightingSnapLimit{100};
// Rings that are tried from the inside out: a cut inside a smaller ring is one of the larger, and
// costs less to find.
constexpr std::array<double, 3> kRings = {0.25, 0.5, 1.0};
constexpr uint32_t kCutsPerInnerRing = 8;

absl::Status CheckInput(const Sighting& sighting, const CordonOptions& options) {
  if (!IsPlausible(sighting.place))
    return absl::InvalidArgumentError("the sighting's place is not a place on the earth");
  if (options.adversaries.empty())
    return absl::InvalidArgumentError("no adversary is given; at least one is needed");
  if (options.horizon_ms == 0 || options.horizon_ms > kMostHorizonMs)
    return absl::InvalidArgumentError(
        fmt::format("a horizon of {} s; 1 to 3600 s are possible", options.horizon_ms / 1000));
  if (sighting.age_ms > kMostHorizonMs)
    return absl::InvalidArgumentError(fmt::format(
        "the sighting is {} s old; after an hour a cordon is of no use", sighting.age_ms / 1000));
  return absl::OkStatus();
}

}  // namespace

const char* CordonOutcomeName(CordonPlan::Outcome outcome) {
  switch (outcome) {
    case CordonPlan::Outcome::kClosed:
      return "closed";
    case CordonPlan::Outcome::kLeaking:
      return "leaking";
    case CordonPlan::Outcome::kEnclosed:
      return "enclosed";
    case CordonPlan::Outcome::kOffNetwork:
      return "off-network";
  }
  return "unknown";
}

std::vector<Adversary> DefaultAdversaries() {
  return {
      {"fast car", {.speed_factor = 1.15F, .contraflow = true, .off_road_paths = false}, 0.5},
      {"cautious car", {.speed_factor = 0.7F, .contraflow = false, .off_road_paths = false}, 0.35},
      {"motorcycle", {.speed_factor = 1.1F, .contraflow = true, .off_road_paths = true}, 0.15}};
}

std::string RoadsAt(const RoadNetwork& network, JunctionId junction) {
  std::vector<std::pair<RoadClass, std::string>> roads;
  for (uint32_t e = network.first_out()[junction.value];
       e < network.first_out()[junction.value + 1]; ++e) {
    const std::string name(network.name(network.piece_of(EdgeId{e})));
    const RoadClass road_class = network.piece(EdgeId{e}).road_class;
    if (name.empty()) continue;
    const auto same =
        std::find_if(roads.begin(), roads.end(), [&](const auto& r) { return r.second == name; });
    if (same == roads.end()) {
      roads.emplace_back(road_class, name);
    } else {
      same->first = std::min(same->first, road_class);
    }
  }
  std::sort(roads.begin(), roads.end());
  std::string text;
  for (size_t i = 0; i < std::min<size_t>(roads.size(), 3); ++i)
    text += (i == 0 ? "" : " / ") + roads[i].second;
  return text;
}

struct CordonPlanner::Work {
  explicit Work(std::shared_ptr<const RoadConditions> given) : conditions(std::move(given)) {}

  void PrepareAdversaries(const CordonOptions& options);
  bool RunSuspect(const Sighting& sighting, const CordonOptions& options);
  void MarkHoldable(const CordonOptions& options);
  CutGround Ground(uint32_t ring_ms) const;
  std::vector<InTime> InTimeAt(uint32_t junction, std::span<const UnitClosing> closings) const;
  const std::vector<InTime>& AllAt(uint32_t junction);
  HeldCut FindClosed(CordonPlan& plan);
  CordonPoint PointAt(uint32_t junction, uint32_t unit, uint32_t closed_ms) const;
  void FillClosed(const HeldCut& cut, CordonPlan& plan);
  void FillLeaking(CordonPlan& plan);
  void SampleAll();
  void Judge(CordonPlan& plan);
  bool ClosedFor(const FugitiveReach& reach) const;
  void Describe(CordonPlan& plan) const;

  const std::shared_ptr<const RoadConditions> conditions;
  uint64_t graphs_version = 0;
  std::vector<FugitiveProfile> graph_profiles;
  std::vector<std::shared_ptr<const TravelGraph>> graphs;
  std::vector<FugitiveReach> reaches;
  std::vector<uint8_t> exits;
  UnitTimes times;

  // Of the current plan.
  Sighting sighting;
  CordonOptions options;
  std::span<const CordonUnit> units;
  std::vector<uint32_t> suspect_ms;  // by junction, from the sighting
  std::vector<uint32_t> sources;
  std::vector<uint8_t> holdable;
  std::vector<uint32_t> holdable_list;
  std::vector<uint32_t> suspect_touched;
  absl::flat_hash_map<uint32_t, std::vector<InTime>> option_cache;
  std::vector<FleeingRoute> routes;
  std::vector<Interception> points;  // times from the sighting
};

void CordonPlanner::Work::PrepareAdversaries(const CordonOptions& given) {
  const auto state = conditions->Snapshot();
  const auto same = [](const FugitiveProfile& a, const FugitiveProfile& b) {
    return a.speed_factor == b.speed_factor && a.contraflow == b.contraflow &&
           a.off_road_paths == b.off_road_paths;
  };
  bool current = !graphs.empty() && state->version == graphs_version &&
                 graph_profiles.size() == given.adversaries.size();
  for (size_t i = 0; current && i < graph_profiles.size(); ++i)
    current = same(graph_profiles[i], given.adversaries[i].drive);
  if (current) return;
  graphs.clear();
  graph_profiles.clear();
  for (const Adversary& adversary : given.adversaries) {
    // Live closures stop nobody who flees: only the roads themselves count. Their speeds do.
    RoadState open_roads = *state;
    open_roads.closed.clear();
    graphs.push_back(TravelGraph::Build(conditions->network(), open_roads, adversary.drive));
    graph_profiles.push_back(adversary.drive);
  }
  graphs_version = state->version;
  reaches.resize(graphs.size());
}

bool CordonPlanner::Work::RunSuspect(const Sighting& given, const CordonOptions& with) {
  const RoadNetwork& network = *conditions->network();
  for (const uint32_t j : suspect_touched) suspect_ms[j] = kUnreached;
  suspect_ms.resize(network.junction_count(), kUnreached);
  suspect_touched.clear();
  sources.clear();
  bool on_network = false;
  for (size_t k = 0; k < graphs.size(); ++k) {
    const SceneSnap snap = SnapScene(*graphs[k], given.place, kSightingSnapLimit);
    reaches[k].Run(graphs[k], snap.seeds, with.horizon_ms + given.age_ms);
    on_network |= !snap.seeds.empty();
    sources.insert(sources.end(), reaches[k].sources().begin(), reaches[k].sources().end());
    for (const uint32_t j : reaches[k].reached()) {
      if (suspect_ms[j] == kUnreached) suspect_touched.push_back(j);
      suspect_ms[j] = std::min(suspect_ms[j], reaches[k].TimeAt({j}));
    }
  }
  std::sort(sources.begin(), sources.end());
  sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
  return on_network;
}

void CordonPlanner::Work::MarkHoldable(const CordonOptions& with) {
  for (const uint32_t j : holdable_list) holdable[j] = 0;
  holdable.resize(suspect_ms.size(), 0);
  holdable_list.clear();
  for (const uint32_t j : suspect_touched) {
    const uint32_t closed = times.EarliestClosed(j);
    if (closed == kUnreached) continue;
    if (uint64_t{closed} + with.margin_ms > suspect_ms[j]) continue;
    holdable[j] = 1;
    holdable_list.push_back(j);
  }
}

CutGround CordonPlanner::Work::Ground(uint32_t ring_ms) const {
  CutGround ground;
  ground.first = conditions->network()->first_out();
  for (const auto& graph : graphs) ground.arcs.emplace_back(graph->forward().arcs);
  ground.sources = sources;
  ground.suspect_ms = suspect_ms;
  ground.exits = exits;
  ground.holdable = holdable;
  ground.ring_ms = ring_ms;
  return ground;
}

std::vector<InTime> CordonPlanner::Work::InTimeAt(uint32_t junction,
                                                  std::span<const UnitClosing> closings) const {
  const int64_t latest = int64_t{suspect_ms[junction]} - options.margin_ms;
  std::vector<InTime> list;
  for (const UnitClosing& closing : closings)
    if (closing.closed_ms <= latest)
      list.push_back(
          {static_cast<int32_t>(closing.unit), static_cast<int32_t>(latest - closing.closed_ms)});
  return list;
}

const std::vector<InTime>& CordonPlanner::Work::AllAt(uint32_t junction) {
  const auto [at, is_new] = option_cache.try_emplace(junction);
  const int64_t latest = int64_t{suspect_ms[junction]} - options.margin_ms;
  if (is_new && latest >= 0) {
    const auto closings = times.AllClosings(junction, static_cast<uint32_t>(latest));
    option_cache[junction] = InTimeAt(junction, closings);
  }
  return option_cache[junction];
}

HeldCut CordonPlanner::Work::FindClosed(CordonPlan& plan) {
  HeldCut best;
  const HoldOptions hold{[this](uint32_t j) { return InTimeAt(j, times.EarliestTwo(j)); },
                         [this](uint32_t j) { return AllAt(j); }};
  for (size_t i = 0; i < kRings.size(); ++i) {
    const bool last = i + 1 == kRings.size();
    plan.ring_ms = static_cast<uint32_t>(kRings[i] * options.horizon_ms);
    const uint32_t cuts_left = options.most_cuts - std::min(options.most_cuts, plan.cuts_tried);
    best = FindHeldCut(Ground(plan.ring_ms + sighting.age_ms), static_cast<int32_t>(units.size()),
                       hold, last ? cuts_left : std::min(cuts_left, kCutsPerInnerRing));
    plan.cuts_tried += best.cuts;
    if (best.found || best.enclosed) break;
  }
  return best;
}

CordonPoint CordonPlanner::Work::PointAt(uint32_t junction, uint32_t unit,
                                         uint32_t closed_ms) const {
  const RoadNetwork& network = *conditions->network();
  CordonPoint point;
  point.junction = {junction};
  point.place = network.point({junction}).ToLatLon();
  point.roads = RoadsAt(network, {junction});
  point.unit = unit;
  point.closed_ms = closed_ms - std::min(closed_ms, sighting.age_ms);
  const bool holds = units[unit].holding && units[unit].holding->junction == point.junction;
  point.eta_ms = holds ? 0 : closed_ms - sighting.age_ms - options.set_up_ms;
  const uint32_t suspect = suspect_ms[junction];
  point.suspect_ms =
      suspect == kUnreached ? kUnreached : suspect - std::min(suspect, sighting.age_ms);
  // Where nobody is expected within the horizon, its end is the measure.
  point.slack_ms =
      std::min<int64_t>(suspect, int64_t{sighting.age_ms} + options.horizon_ms) - closed_ms;
  return point;
}

void CordonPlanner::Work::FillClosed(const HeldCut& cut, CordonPlan& plan) {
  plan.outcome = CordonPlan::Outcome::kClosed;
  for (size_t i = 0; i < cut.junctions.size(); ++i) {
    const uint32_t j = cut.junctions[i];
    const auto unit = static_cast<uint32_t>(cut.units[i]);
    // What the matching used is an upper bound; a search no longer than that gives the exact time.
    uint32_t bound = suspect_ms[j];
    for (const UnitClosing& closing : times.EarliestTwo(j))
      if (closing.unit == unit) bound = std::min(bound, closing.closed_ms);
    for (const UnitClosing& closing : times.AllClosings(j, bound))
      if (closing.unit == unit) points.push_back({j, unit, closing.closed_ms});
  }
  CORDON_CHECK(points.size() == cut.junctions.size(), "every point has its unit in time");
}

void CordonPlanner::Work::SampleAll() {
  routes.clear();
  std::mt19937_64 random(options.seed);
  double shares = 0;
  for (const Adversary& adversary : options.adversaries) shares += adversary.share;
  for (uint32_t k = 0; k < reaches.size(); ++k) {
    auto sample = SampleRoutes(reaches[k], exits, reaches[k].limit_ms(),
                               options.routes_per_adversary, random);
    for (FleeingRoute& route : sample) {
      route.adversary = k;
      route.share *= shares > 0 ? options.adversaries[k].share / shares : 0;
      routes.push_back(std::move(route));
    }
  }
}

void CordonPlanner::Work::FillLeaking(CordonPlan& plan) {
  plan.outcome = CordonPlan::Outcome::kLeaking;
  plan.ring_ms = options.horizon_ms;
  points = PlaceInterceptions(routes, static_cast<uint32_t>(units.size()),
                              [&](uint32_t j) { return times.EarliestTwo(j); });
  std::vector<const FleeingRoute*> open;
  for (const FleeingRoute& route : routes)
    if (!Intercepted(route, points)) open.push_back(&route);
  const RoadNetwork& network = *conditions->network();
  for (const OpenWay& way : NameOpenWays(open, kMostLeaks)) {
    CordonLeak leak;
    leak.junction = {way.junction};
    leak.place = network.point(leak.junction).ToLatLon();
    leak.roads = RoadsAt(network, leak.junction);
    const uint32_t seen = suspect_ms[way.junction];
    leak.suspect_ms = seen == kUnreached ? kUnreached : seen - std::min(seen, sighting.age_ms);
    const uint32_t closed = times.EarliestClosed(way.junction);
    leak.best_closed_ms =
        closed == kUnreached ? kUnreached : closed - std::min(closed, sighting.age_ms);
    leak.route_share = way.share;
    plan.leaks.push_back(std::move(leak));
  }
}

// From the suspect's side through everything that is not held when this adversary comes.
bool CordonPlanner::Work::ClosedFor(const FugitiveReach& reach) const {
  const ArcGraph& arcs = reach.graph().forward();
  absl::flat_hash_set<uint32_t> seen;
  std::vector<uint32_t> stack;
  const auto enter = [&](uint32_t j) {
    for (const Interception& point : points)
      if (point.junction == j && point.closed_ms <= reach.TimeAt({j})) return true;
    // A slow driver at its own horizon is still inside; out is what no driver reaches by then.
    if (exits[j] || suspect_ms[j] == kUnreached) return false;
    if (seen.insert(j).second) stack.push_back(j);
    return true;
  };
  for (const uint32_t j : reach.sources())
    if (!enter(j)) return false;
  while (!stack.empty()) {
    const uint32_t j = stack.back();
    stack.pop_back();
    for (uint32_t e = arcs.first[j]; e < arcs.first[j + 1]; ++e)
      if (!arcs.arcs[e].blocked() && !enter(arcs.arcs[e].head())) return false;
  }
  return true;
}

void CordonPlanner::Work::Judge(CordonPlan& plan) {
  for (uint32_t k = 0; k < reaches.size(); ++k) {
    CordonPlan::Robustness robustness{.adversary = options.adversaries[k].name};
    robustness.closed = ClosedFor(reaches[k]);
    double all = 0, caught = 0;
    for (const FleeingRoute& route : routes) {
      if (route.adversary != k) continue;
      all += route.share;
      if (Intercepted(route, points)) caught += route.share;
    }
    // Who cannot get out is contained, wherever a sampled route ends.
    robustness.caught_share = robustness.closed || all == 0 ? 1 : caught / all;
    plan.robustness.push_back(std::move(robustness));
  }
  double shares = 0, covered = 0;
  for (size_t k = 0; k < reaches.size(); ++k) {
    shares += options.adversaries[k].share;
    covered += options.adversaries[k].share * plan.robustness[k].caught_share;
  }
  plan.covered_probability = shares > 0 ? covered / shares : 0;
}

void CordonPlanner::Work::Describe(CordonPlan& plan) const {
  std::sort(plan.points.begin(), plan.points.end(), [](const CordonPoint& a, const CordonPoint& b) {
    return std::tuple(a.slack_ms, a.junction) < std::tuple(b.slack_ms, b.junction);
  });
  int64_t valid = kLongestValidityMs;
  for (const CordonPoint& point : plan.points)
    if (point.slack_ms >= 0) valid = std::min(valid, point.slack_ms);
  plan.expires_ms = static_cast<uint32_t>(valid);
  plan.junctions_searched = static_cast<uint32_t>(suspect_touched.size());
  const auto exits_near = std::count_if(suspect_touched.begin(), suspect_touched.end(),
                                        [&](uint32_t j) { return exits[j] != 0; });
  const double fastest = std::max_element(options.adversaries.begin(), options.adversaries.end(),
                                          [](const Adversary& a, const Adversary& b) {
                                            return a.drive.speed_factor < b.drive.speed_factor;
                                          })
                             ->drive.speed_factor;
  plan.assumptions = {
      fmt::format("seen {} s ago; nothing is known of the suspect since", sighting.age_ms / 1000),
      fmt::format("the suspect drives at most {:.2f} times an emergency vehicle's speed, through "
                  "signals, one-ways and closures, and stays on the roads of the map",
                  fastest),
      fmt::format("a unit needs {} s to set up and then stops everything at its junction",
                  options.set_up_ms / 1000),
      fmt::format("units set off within {} s and drive with siren and lights", valid / 1000)};
  if (exits_near > 0)
    plan.assumptions.push_back(fmt::format(
        "{} roads leave the map within the horizon; they count as ways out", exits_near));
}

CordonPlanner::CordonPlanner(std::shared_ptr<const RoadConditions> conditions)
    : work_(std::make_unique<Work>(std::move(conditions))) {
  work_->exits = FindMapExits(*work_->conditions->network());
}

CordonPlanner::~CordonPlanner() = default;

absl::StatusOr<CordonPlan> CordonPlanner::Plan(const TravelModel& model, const Sighting& sighting,
                                               std::span<const CordonUnit> units,
                                               const CordonOptions& options) {
  RETURN_IF_ERROR(CheckInput(sighting, options));
  Work& work = *work_;
  work.sighting = sighting;
  work.options = options;
  work.units = units;
  work.option_cache.clear();
  work.points.clear();
  CordonPlan plan;
  work.PrepareAdversaries(options);
  if (!work.RunSuspect(sighting, options)) return plan;
  work.times.Run(model, units, sighting.age_ms, options.horizon_ms, options.set_up_ms);
  work.MarkHoldable(options);
  const HeldCut cut = work.FindClosed(plan);
  plan.proven = cut.proven;
  work.SampleAll();
  if (cut.enclosed) {
    plan.outcome = CordonPlan::Outcome::kEnclosed;
  } else if (cut.found) {
    work.FillClosed(cut, plan);
  } else {
    work.FillLeaking(plan);
  }
  for (const Interception& point : work.points)
    plan.points.push_back(work.PointAt(point.junction, point.unit, point.closed_ms));
  work.Judge(plan);
  work.Describe(plan);
  return plan;
}

}  // namespace cordon
