// SPDX-License-Identifier: Apache-2.0
#include "dispatch/map_drawing_roads.h"

#include <algorithm>
#include <cmath>

#include "dispatch/demo_city.h"

namespace cordon {
namespace {

struct RoadLook {
  Colour colour;
  double width_px;  // at 4 m per pixel
  double coarsest;  // metres per pixel up to which it is drawn
};

RoadLook LookOf(RoadClass road_class) {
  switch (road_class) {
    case RoadClass::kMotorway:
      return {Colour::Hex(0xB9AA8C), 3.4, 1e9};
    case RoadClass::kTrunk:
      return {Colour::Hex(0xC0B297), 3.0, 1e9};
    case RoadClass::kPrimary:
      return {palette::kMajorRoad, 2.6, 1e9};
    case RoadClass::kSecondary:
      return {palette::kMajorRoad, 2.1, 1e9};
    case RoadClass::kTertiary:
      return {palette::kRoad, 1.7, 80};
    case RoadClass::kUnclassified:
    case RoadClass::kResidential:
    case RoadClass::kLivingStreet:
      return {palette::kRoad, 1.2, 40};
    case RoadClass::kService:
    case RoadClass::kTrack:
      return {palette::kMinorRoad, 0.8, 12};
    case RoadClass::kPedestrian:
    case RoadClass::kPath:
    case RoadClass::kSteps:
    case RoadClass::kBarrier:
      return {palette::kMinorRoad, 0.6, 6};
  }
  return {palette::kMinorRoad, 0.6, 6};
}

double Zoom(double metres_per_px) {
  return std::clamp(std::pow(4.0 / metres_per_px, 0.45), 0.45, 2.6);
}

}  // namespace

Bounds BoundsOf(const RoadNetwork& network) {
  Bounds bounds;
  bounds.Include(network.south_west().ToLatLon());
  bounds.Include(network.north_east().ToLatLon());
  bounds.Grow({0.02 * Distance(bounds.south_west, bounds.north_east).value});
  return bounds;
}

std::vector<LatLon> ShapeOf(const RoadNetwork& network, PieceId piece) {
  std::vector<LatLon> points;
  for (const RoadPoint& p : network.shape(piece)) points.push_back(p.ToLatLon());
  return points;
}

std::vector<LatLon> ShapeOf(const RoadNetwork& network, EdgeId edge, uint32_t from_cm,
                            uint32_t to_cm) {
  std::vector<LatLon> points;
  for (const RoadPoint& p : network.Part(edge, from_cm, to_cm)) points.push_back(p.ToLatLon());
  return points;
}

void DrawRoads(const RoadNetwork& network, MapDrawing& drawing) {
  const double metres_per_px = drawing.metres_per_px();
  const Bounds& frame = drawing.frame();
  if (network.notes().find("source=demo city") != std::string_view::npos)
    drawing.AddPolygon(Layer::kWater, DemoCityWater(), palette::kWater, {.width_px = 0});
  std::vector<std::pair<int, PieceId>> order;
  for (uint32_t p = 0; p < network.piece_count(); ++p) {
    const RoadPiece& piece = network.piece(PieceId{p});
    if ((piece.flags & kFlagGhost) || metres_per_px > LookOf(piece.road_class).coarsest) continue;
    const auto shape = network.shape(PieceId{p});
    if (!frame.Contains(shape.front().ToLatLon()) && !frame.Contains(shape.back().ToLatLon()))
      continue;
    order.emplace_back(-static_cast<int>(piece.road_class), PieceId{p});
  }
  std::sort(order.begin(), order.end());
  for (const auto& [rank, p] : order) {
    const RoadLook look = LookOf(network.piece(p).road_class);
    drawing.AddLine(Layer::kRoad, ShapeOf(network, p),
                    {.colour = look.colour, .width_px = look.width_px * Zoom(metres_per_px)});
  }
  drawing.SetAttribution(AttributionOf(network));
}

double OverlayWidth(RoadClass road_class, double metres_per_px) {
  return std::max(0.9, (LookOf(road_class).width_px + 0.5) * Zoom(metres_per_px));
}

Symbol SymbolOf(TravelKind kind) {
  switch (kind) {
    case TravelKind::kMotorcycle:
      return Symbol::kMotorcycle;
    case TravelKind::kFoot:
      return Symbol::kFoot;
    case TravelKind::kCar:
      break;
  }
  return Symbol::kCar;
}

std::string AttributionOf(const RoadNetwork& network) {
  constexpr std::string_view kKey = "attribution=";
  const std::string_view notes = network.notes();
  const size_t at = notes.find(kKey);
  if (at == std::string_view::npos) return "";
  std::string text(notes.substr(at + kKey.size(), notes.find('\n', at) - at - kKey.size()));
  if (text.starts_with("(c)")) text.replace(0, 3, "\u00A9");
  return text;
}

}  // namespace cordon
