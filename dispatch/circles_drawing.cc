// SPDX-License-Identifier: Apache-2.0
#include "dispatch/circles_drawing.h"

#include <algorithm>

#include "dispatch/coverage_drawing.h"
#include "dispatch/map_drawing_roads.h"

namespace cordon {
namespace {

std::vector<LatLon> RingOf(const ContourRing& ring) {
  std::vector<LatLon> points;
  for (const RoadPoint& p : ring) points.push_back(p.ToLatLon());
  return points;
}

// The largest tier first: the smaller lie on top of it.
void DrawAreas(const Circles& circles, MapDrawing& drawing) {
  for (size_t t = circles.tiers.size(); t-- > 0;) {
    for (const ContourPolygon& polygon : circles.tiers[t].polygons) {
      std::vector<std::vector<LatLon>> rings = {RingOf(polygon.outer)};
      for (const ContourRing& hole : polygon.holes) rings.push_back(RingOf(hole));
      drawing.AddPolygon(Layer::kArea, std::move(rings), palette::Tier(t).WithAlpha(0.16),
                         {.colour = palette::Tier(t).WithAlpha(0.7), .width_px = 1.2});
    }
  }
}

// A stretch is coloured by the tier at its nearer end; splitting it would not be seen.
void DrawReached(const RoadNetwork& network, const Circles& circles, MapDrawing& drawing) {
  const double metres_per_px = drawing.metres_per_px();
  for (size_t t = circles.tiers.size(); t-- > 0;) {
    const uint32_t from_ms = t == 0 ? 0 : circles.tiers[t - 1].tier_s * 1000;
    const uint32_t to_ms = circles.tiers[t].tier_s * 1000;
    for (const ReachedStretch& s : circles.stretches) {
      const uint32_t nearer = std::min(s.from_ms, s.to_ms);
      if (nearer > to_ms || (t > 0 && nearer <= from_ms)) continue;
      const RoadClass road_class = network.piece(s.edge).road_class;
      drawing.AddLine(
          Layer::kOverlay, ShapeOf(network, s.edge, s.from_cm, s.to_cm),
          {.colour = palette::Tier(t), .width_px = 0.8 * OverlayWidth(road_class, metres_per_px)});
    }
  }
}

std::string ArrivalText(const UnitArrival& arrival) {
  return fmt::format("{} {}", arrival.id.str(), MinutesText(arrival.eta));
}

}  // namespace

Bounds CirclesFrame(const RoadNetwork& network, const Circles& circles,
                    const std::optional<LatLon>& scene) {
  Bounds bounds;
  if (scene) bounds.Include(*scene);
  for (const CircleTier& tier : circles.tiers)
    for (const ContourPolygon& polygon : tier.polygons)
      for (const RoadPoint& p : polygon.outer) bounds.Include(p.ToLatLon());
  if (bounds.empty()) return BoundsOf(network);
  bounds.Grow({150 + 0.04 * Distance(bounds.south_west, bounds.north_east).value});
  return bounds;
}

void DrawCircles(const TravelModel& model, const Circles& circles,
                 const std::optional<LatLon>& scene, std::span<const UnitArrival> arrivals,
                 std::span<const UnitState> units, MapDrawing& drawing) {
  const RoadNetwork& network = model.network();
  DrawRoads(network, drawing);
  DrawAreas(circles, drawing);
  DrawReached(network, circles, drawing);
  if (scene) drawing.AddMarker(*scene, Symbol::kScene, palette::kScene, 20);
  for (const UnitArrival& arrival : arrivals) {
    std::vector<LatLon> way;
    for (const RoadPoint& p : arrival.route.points) way.push_back(p.ToLatLon());
    if (way.size() > 1)
      drawing.AddLine(Layer::kOverlay, std::move(way),
                      {.colour = palette::kUnit.WithAlpha(0.85), .width_px = 2.5, .arrow = true});
    if (arrival.unit >= units.size()) continue;
    const bool counts = arrival.left_out == LeftOut::kNo;
    const auto kind = static_cast<TravelKind>(arrival.kind);
    drawing.AddMarker(units[arrival.unit].place, SymbolOf(kind),
                      counts ? palette::kUnit : palette::kSpareUnit, 13,
                      arrival.has_eta ? ArrivalText(arrival) : arrival.id.str());
  }
  for (size_t t = 0; t < circles.tiers.size(); ++t)
    drawing.AddLegendLine(
        fmt::format("within {}: {:.1f} km of road", TierText(circles.tiers[t].tier_s * 1000),
                    circles.tiers[t].reached_road_m / 1000),
        {.colour = palette::Tier(t), .width_px = 5});
  if (scene) drawing.AddLegendSymbol("scene", Symbol::kScene, palette::kScene);
  if (!arrivals.empty())
    drawing.AddLegendSymbol("unit and its arrival, min:s", Symbol::kCar, palette::kUnit);
  if (std::any_of(arrivals.begin(), arrivals.end(),
                  [](const UnitArrival& arrival) { return arrival.left_out != LeftOut::kNo; }))
    drawing.AddLegendSymbol("unit that is left out", Symbol::kCar, palette::kSpareUnit);
}

}  // namespace cordon
