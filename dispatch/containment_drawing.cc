// SPDX-License-Identifier: Apache-2.0
#include "dispatch/containment_drawing.h"

#include <algorithm>

#include "dispatch/containment_reach.h"
#include "dispatch/map_drawing_roads.h"
#include "dispatch/snap.h"

namespace cordon {
namespace {

// The suspect's roads in bands of minutes from the sighting, nearest darkest.
constexpr uint32_t kBandMs[] = {120'000, 300'000, 600'000, UINT32_MAX};
// A point that is held too late for the fastest suspect, but not for all.
constexpr Colour kLate = Colour::Hex(0xB87400);
constexpr Colour kBands[] = {Colour::Hex(0x8E1B3A), Colour::Hex(0xC2415C), Colour::Hex(0xDE8A97),
                             Colour::Hex(0xEFC4C9)};

std::vector<SearchSeed> JunctionSeeds(const TravelGraph& graph, JunctionId junction) {
  const RoadNetwork& network = graph.network();
  std::vector<SearchSeed> seeds;
  for (uint32_t e = network.first_out()[junction.value];
       e < network.first_out()[junction.value + 1]; ++e) {
    const EdgeId arriving = network.twin(EdgeId{e});
    if (graph.Passable(arriving) || network.is_ghost(arriving))
      seeds.push_back({{arriving, network.length_cm(arriving)}, 0});
  }
  return seeds;
}

void AppendPath(const RoadNetwork& network, const std::vector<EdgeId>& path,
                const RoadPosition& from, std::vector<LatLon>& points) {
  for (size_t i = 0; i < path.size(); ++i) {
    const auto part =
        ShapeOf(network, path[i], i == 0 ? from.offset_cm : 0, network.length_cm(path[i]));
    points.insert(points.end(), part.begin(), part.end());
  }
}

}  // namespace

std::vector<std::vector<LatLon>> CordonWays(const CordonPlan& plan, const TravelModel& model,
                                            std::span<const CordonUnit> units) {
  std::vector<std::vector<LatLon>> ways(plan.points.size());
  BoundedSearch search;
  for (size_t i = 0; i < plan.points.size(); ++i) {
    const CordonUnit& unit = units[plan.points[i].unit];
    if (plan.points[i].eta_ms == 0 || unit.seeds.empty()) continue;
    const auto graph = model.Graph({unit.kind, TravelMode::kUrgent});
    search.Run(*graph, SearchDirection::kReverse, JunctionSeeds(*graph, plan.points[i].junction),
               plan.points[i].eta_ms);
    const SearchSeed* best = nullptr;
    uint32_t best_ms = kUnreached;
    for (const SearchSeed& seed : unit.seeds) {
      const uint32_t time = search.TimeAt(seed.at);
      if (time == kUnreached || time + seed.delay_ms >= best_ms) continue;
      best_ms = time + seed.delay_ms;
      best = &seed;
    }
    if (best != nullptr) AppendPath(model.network(), search.Path(best->at), best->at, ways[i]);
  }
  return ways;
}

std::vector<SuspectStretch> SuspectRoads(const CordonPlan& plan, const RoadConditions& conditions,
                                         const Sighting& sighting, const CordonOptions& options) {
  const RoadNetwork& network = *conditions.network();
  const auto fastest = std::max_element(options.adversaries.begin(), options.adversaries.end(),
                                        [](const Adversary& a, const Adversary& b) {
                                          return a.drive.speed_factor < b.drive.speed_factor;
                                        });
  RoadState open_roads = *conditions.Snapshot();
  open_roads.closed.clear();
  const auto graph = TravelGraph::Build(conditions.network(), open_roads, fastest->drive);
  FugitiveReach reach;
  reach.Run(graph, SnapScene(*graph, sighting.place, {100}).seeds,
            sighting.age_ms + options.horizon_ms);
  std::vector<uint8_t> seen(network.junction_count(), 0);
  std::vector<uint8_t> held(network.junction_count(), 0);
  for (const CordonPoint& point : plan.points)
    if (point.slack_ms >= 0) held[point.junction.value] = 1;
  std::vector<SuspectStretch> roads;
  for (const uint32_t j : reach.reached()) {
    // In the order of times: a junction is open when an earlier open neighbour leads to it.
    bool open = std::binary_search(reach.sources().begin(), reach.sources().end(), j);
    for (uint32_t e = network.first_out()[j]; !open && e < network.first_out()[j + 1]; ++e) {
      const uint32_t other = network.head(EdgeId{e}).value;
      open = seen[other] && graph->Passable(network.twin(EdgeId{e})) &&
             reach.TimeAt({other}) <= reach.TimeAt({j});
    }
    if (!open || held[j]) continue;
    seen[j] = 1;
    for (uint32_t e = network.first_out()[j]; e < network.first_out()[j + 1]; ++e)
      if (graph->Passable(EdgeId{e}))
        roads.push_back({network.piece_of(EdgeId{e}), reach.TimeAt({j})});
  }
  return roads;
}

Bounds CordonFrame(const CordonPlan& plan, const Sighting& sighting,
                   std::span<const LatLon> unit_places) {
  Bounds bounds;
  bounds.Include(sighting.place);
  for (const CordonPoint& point : plan.points) {
    bounds.Include(point.place);
    bounds.Include(unit_places[point.unit]);
  }
  for (const CordonLeak& leak : plan.leaks) bounds.Include(leak.place);
  bounds.Grow({400 + 0.06 * Distance(bounds.south_west, bounds.north_east).value});
  return bounds;
}

namespace {

void DrawLegend(const CordonPlan& plan, MapDrawing& drawing) {
  const char* texts[] = {"suspect possible within 2 min", "within 5 min", "within 10 min", "later"};
  for (size_t band = 0; band < std::size(kBands); ++band)
    drawing.AddLegendLine(texts[band], {.colour = kBands[band], .width_px = 4});
  drawing.AddLegendSymbol("last sighting", Symbol::kScene, palette::kScene);
  drawing.AddLegendSymbol("point to hold, its unit, spare time", Symbol::kSquare, palette::kHeld);
  if (plan.outcome == CordonPlan::Outcome::kLeaking)
    drawing.AddLegendSymbol("the same, too late for the fastest", Symbol::kSquare, kLate);
  drawing.AddLegendLine("way of the unit", {.colour = palette::kUnit, .width_px = 2.5});
  if (!plan.leaks.empty())
    drawing.AddLegendSymbol("leak: nobody there in time", Symbol::kCross, palette::kLeak);
}

std::string Title(const CordonPlan& plan) {
  switch (plan.outcome) {
    case CordonPlan::Outcome::kClosed:
      return fmt::format("Cordon closed with {} points", plan.points.size());
    case CordonPlan::Outcome::kLeaking:
      return fmt::format("Cordon leaks: {:.0f} % of escape routes covered",
                         100 * plan.covered_probability);
    case CordonPlan::Outcome::kEnclosed:
      return "No way out: nothing to hold";
    case CordonPlan::Outcome::kOffNetwork:
      return "No road near the sighting";
  }
  return "";
}

}  // namespace

void DrawCordon(const CordonPlan& plan, const RoadNetwork& network, const Sighting& sighting,
                std::span<const SuspectStretch> suspect, std::span<const std::vector<LatLon>> ways,
                std::span<const CordonUnit> units, std::span<const LatLon> unit_places,
                MapDrawing& drawing) {
  DrawRoads(network, drawing);
  const double metres_per_px = drawing.metres_per_px();
  for (size_t band = std::size(kBands); band-- > 0;) {
    for (const SuspectStretch& road : suspect) {
      const bool here = road.from_sighting_ms <= kBandMs[band] &&
                        (band == 0 || road.from_sighting_ms > kBandMs[band - 1]);
      const auto shape = here ? ShapeOf(network, road.piece) : std::vector<LatLon>{};
      if (!here ||
          (!drawing.frame().Contains(shape.front()) && !drawing.frame().Contains(shape.back())))
        continue;
      drawing.AddLine(
          Layer::kRoad, shape,
          {.colour = kBands[band],
           .width_px = OverlayWidth(network.piece(road.piece).road_class, metres_per_px)});
    }
  }
  for (const auto& way : ways)
    if (way.size() > 1)
      drawing.AddLine(Layer::kOverlay, way,
                      {.colour = palette::kUnit.WithAlpha(0.85), .width_px = 2.5, .arrow = true});
  std::vector<bool> used(units.size(), false);
  drawing.AddMarker(sighting.place, Symbol::kScene, palette::kScene, 20, "suspect");
  for (const CordonPoint& point : plan.points) {
    used[point.unit] = true;
    drawing.AddMarker(point.place, Symbol::kSquare, point.slack_ms >= 0 ? palette::kHeld : kLate,
                      17,
                      fmt::format("{} {:+} s", units[point.unit].id.str(), point.slack_ms / 1000));
  }
  for (const CordonLeak& leak : plan.leaks)
    drawing.AddMarker(leak.place, Symbol::kCross, palette::kLeak, 13, leak.roads.substr(0, 40));
  for (size_t u = 0; u < units.size(); ++u)
    drawing.AddMarker(unit_places[u], SymbolOf(units[u].kind),
                      used[u] ? palette::kUnit : palette::kSpareUnit, 12,
                      used[u] ? units[u].id.str() : "");
  drawing.SetTitle(Title(plan),
                   fmt::format("seen {} s ago; robust against: {}", sighting.age_ms / 1000, [&] {
                     std::string names;
                     for (const auto& r : plan.robustness)
                       names += (names.empty() ? "" : ", ") + r.adversary +
                                fmt::format(" {:.0f} %", 100 * r.caught_share);
                     return names;
                   }()));
  DrawLegend(plan, drawing);
}

}  // namespace cordon
