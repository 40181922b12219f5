// SPDX-License-Identifier: Apache-2.0
#include "dispatch/snap.h"

#include <algorithm>
#include <cmath>

#include "dispatch/road_geometry.h"

namespace cordon {
namespace {

constexpr double kLeastRadiusMetres = 25;
constexpr double kCourseFromMps = 2;
// Being 90 degrees off costs as much as this many metres; contradicting the course entirely twice
// that.
constexpr double kWrongHeadingMetres = 30;
// A second piece counts as an alternative when it is at most this much less likely.
constexpr float kAlternativeWithin = 12;
constexpr double kSceneSecondPieceMetres = 5;

struct PieceFoot {
  PieceId piece;
  double distance = 0;
  uint32_t offset_cm = 0;  // along the forward edge
  double heading_deg = 0;  // of the forward edge there
};

// The point of a segment nearest to the plane's origin.
struct NearSegment {
  size_t end = 0;  // index of its second point; 0: none near enough
  double part = 0;
  double square = 0;  // of the distance
};

// The nearest segment of a shape within `radius` of the plane's origin. Most shapes that are asked
// about lie farther away: segments beside the square around the origin are passed over.
NearSegment FindNearSegment(std::span<const RoadPoint> shape, const LocalPlane& plane,
                            double radius) {
  NearSegment nearest{.square = radius * radius};
  PlanePoint from = plane(shape[0]);
  for (size_t i = 1; i < shape.size(); ++i) {
    const PlanePoint to = plane(shape[i]);
    const bool beside = std::max(from.x, to.x) < -radius || std::min(from.x, to.x) > radius ||
                        std::max(from.y, to.y) < -radius || std::min(from.y, to.y) > radius;
    if (!beside) {
      const SegmentFoot foot = NearestOnSegment(from, to, {0, 0});
      const double square = foot.distance * foot.distance;
      if (nearest.end == 0 ? square <= nearest.square : square < nearest.square)
        nearest = {i, foot.part, square};
    }
    from = to;
  }
  return nearest;
}

// The nearest point of a piece; nothing within `radius`: empty.
std::optional<PieceFoot> FootOn(const RoadNetwork& network, PieceId p, const LocalPlane& plane,
                                double radius) {
  const auto shape = network.shape(p);
  const NearSegment near = FindNearSegment(shape, plane, radius);
  if (near.end == 0) return std::nullopt;
  PieceFoot foot{.piece = p, .distance = std::sqrt(near.square)};
  double walked = 0;
  double walked_to_foot = 0;
  PlanePoint from = plane(shape[0]);
  for (size_t i = 1; i < shape.size(); ++i) {
    const PlanePoint to = plane(shape[i]);
    const double step = std::hypot(to.x - from.x, to.y - from.y);
    if (i == near.end) {
      walked_to_foot = walked + near.part * step;
      const double degrees = std::atan2(to.x - from.x, to.y - from.y) * 180 / std::numbers::pi;
      foot.heading_deg = degrees < 0 ? degrees + 360 : degrees;
    }
    walked += step;
    from = to;
  }
  const double length = network.piece(p).length_cm;
  foot.offset_cm =
      walked > 0 ? static_cast<uint32_t>(std::clamp(walked_to_foot / walked * length, 0.0, length))
                 : 0;
  return foot;
}

// Feet on every usable piece within `radius`, nearest first; each piece once.
template <class Usable>  // bool(PieceId)
std::vector<PieceFoot> FeetNear(const RoadNetwork& network, const LatLon& place, Metres radius,
                                Usable&& usable) {
  const LocalPlane plane(place);
  std::vector<PieceFoot> feet;
  network.ForPiecesNear(place, radius, [&](PieceId p) {
    // The few that are near are asked whether they are of use, not the other way round.
    const auto foot = FootOn(network, p, plane, radius.value);
    if (foot && usable(p)) feet.push_back(*foot);
  });
  const auto key = [](const PieceFoot& foot) { return std::pair(foot.distance, foot.piece.value); };
  std::sort(feet.begin(), feet.end(),
            [&](const PieceFoot& a, const PieceFoot& b) { return key(a) < key(b); });
  feet.erase(std::unique(feet.begin(), feet.end(),
                         [&](const PieceFoot& a, const PieceFoot& b) { return key(a) == key(b); }),
             feet.end());
  return feet;
}

// Of pieces that may be driven in some direction only: a footpath nearer than the street is no place
// for a car, and must not hide the street.
std::vector<PieceFoot> PassableFeetNear(const TravelGraph& graph, const LatLon& place,
                                        Metres radius) {
  return FeetNear(graph.network(), place, radius, [&](PieceId p) {
    const RoadPiece& piece = graph.network().piece(p);
    return graph.Passable(piece.edge[0]) || graph.Passable(piece.edge[1]);
  });
}

uint32_t OffsetOn(const RoadNetwork& network, EdgeId e, uint32_t forward_offset_cm) {
  return network.is_forward(e) ? forward_offset_cm : network.length_cm(e) - forward_offset_cm;
}

// 0 along, 180 against.
double Deviation(double a, double b) { return std::fabs(std::fmod(a - b + 540, 360) - 180); }

}  // namespace

std::vector<SnapCandidate> Snap(const TravelGraph& graph, const SnapQuery& query, Metres limit,
                                size_t most) {
  std::vector<SnapCandidate> candidates;
  if (!IsPlausible(query.place)) return candidates;
  const RoadNetwork& network = graph.network();
  const double accuracy =
      std::isfinite(query.accuracy.value) ? std::max(0.0, query.accuracy.value) : 0;
  const Metres radius{std::min(limit.value, std::max(kLeastRadiusMetres, 3 * accuracy))};
  auto feet = PassableFeetNear(graph, query.place, radius);
  if (feet.empty() && radius < limit) {
    // Nothing where it should be: the nearest road within the limit, rather than nothing.
    feet = PassableFeetNear(graph, query.place, limit);
    if (feet.size() > 1)
      std::erase_if(feet, [nearest = feet.front().distance](const PieceFoot& f) {
        return f.distance > nearest + 10;
      });
  }
  const bool moving = query.course_deg && query.speed_mps.value_or(0) >= kCourseFromMps;
  for (const PieceFoot& foot : feet)
    for (const bool forward : {true, false}) {
      const EdgeId e = network.piece(foot.piece).edge[forward ? 0 : 1];
      if (!graph.Passable(e)) continue;
      const double heading = forward ? foot.heading_deg : std::fmod(foot.heading_deg + 180, 360);
      double score = foot.distance;
      if (moving) score += kWrongHeadingMetres * Deviation(heading, *query.course_deg) / 90;
      candidates.push_back({{e, OffsetOn(network, e, foot.offset_cm)},
                            {foot.distance},
                            heading,
                            static_cast<float>(score)});
    }
  std::stable_sort(
      candidates.begin(), candidates.end(),
      [](const SnapCandidate& a, const SnapCandidate& b) { return a.score < b.score; });
  if (candidates.size() > most) candidates.resize(most);
  return candidates;
}

UnitSnap SnapUnit(const TravelGraph& graph, const SnapQuery& query) {
  UnitSnap snap;
  const bool on_foot = graph.turn_costs().mid_edge_u_turn_ms == 0;
  const auto candidates = Snap(graph, query, on_foot ? kFootSnapLimit : kVehicleSnapLimit, 16);
  if (candidates.empty()) return snap;
  const RoadNetwork& network = graph.network();
  const bool moving = query.course_deg && query.speed_mps.value_or(0) >= kCourseFromMps;
  snap.distance = candidates.front().distance;
  // Both directions of the piece of `first`; the unlikelier one costs a U-turn when the unit is
  // known to move.
  const auto both_directions = [&](const SnapCandidate& first) {
    std::vector<SearchSeed> seeds = {{first.position, 0}};
    const EdgeId back = network.twin(first.position.edge);
    if (graph.Passable(back))
      seeds.push_back({{back, network.length_cm(back) - first.position.offset_cm},
                       moving ? graph.turn_costs().mid_edge_u_turn_ms : 0});
    return seeds;
  };
  const SnapCandidate& best = candidates.front();
  snap.seeds = both_directions(best);
  for (const SnapCandidate& other : candidates) {
    if (other.score > best.score + kAlternativeWithin) break;
    if (network.piece_of(other.position.edge) == network.piece_of(best.position.edge)) continue;
    snap.alternative = both_directions(other);
    break;
  }
  return snap;
}

SceneSnap SnapScene(const TravelGraph& graph, const LatLon& place, Metres limit) {
  SceneSnap snap;
  if (!IsPlausible(place)) return snap;
  const RoadNetwork& network = graph.network();
  double nearest = -1;
  for (const PieceFoot& foot : PassableFeetNear(graph, place, limit)) {
    if (nearest >= 0 && foot.distance > nearest + kSceneSecondPieceMetres) break;
    for (const EdgeId e : network.piece(foot.piece).edge) {
      if (!graph.Passable(e)) continue;
      if (nearest < 0) nearest = foot.distance;
      snap.seeds.push_back({{e, OffsetOn(network, e, foot.offset_cm)}, 0});
    }
  }
  snap.distance = {std::max(0.0, nearest)};
  return snap;
}

std::optional<NearestPiece> FindNearestPiece(const RoadNetwork& network, const LatLon& place,
                                             Metres limit) {
  if (!IsPlausible(place)) return std::nullopt;
  const auto feet = FeetNear(network, place, limit, [](PieceId) { return true; });
  if (feet.empty()) return std::nullopt;
  return NearestPiece{feet.front().piece, feet.front().offset_cm, {feet.front().distance}};
}

}  // namespace cordon
