// SPDX-License-Identifier: Apache-2.0
// Measures a drawing against the roads, independently of how it was made: an even-odd test against
// the rings' edges.
#include <algorithm>
#include <cmath>

#include "dispatch/contour.h"

namespace cordon {
namespace {

// Edges of all rings by the latitude bands they cross.
class RingIndex {
 public:
  explicit RingIndex(const std::vector<ContourPolygon>& polygons) {
    low_ = INT32_MAX;
    int32_t high = INT32_MIN;
    const auto for_rings = [&](auto&& fn) {
      for (const ContourPolygon& polygon : polygons) {
        fn(polygon.outer);
        for (const ContourRing& hole : polygon.holes) fn(hole);
      }
    };
    for_rings([&](const ContourRing& ring) {
      for (const RoadPoint& p : ring) {
        low_ = std::min(low_, p.lat_e7);
        high = std::max(high, p.lat_e7);
        west_ = std::min(west_, p.lon_e7);
        east_ = std::max(east_, p.lon_e7);
      }
    });
    high_ = high;
    if (high < low_) return;
    bands_.resize(static_cast<size_t>((int64_t{high} - low_) / kBand) + 1);
    for_rings([&](const ContourRing& ring) {
      for (size_t i = 0; i < ring.size(); ++i) Add(ring[i], ring[(i + 1) % ring.size()]);
    });
  }

  // False: no point of the shape is inside.
  bool MayTouch(std::span<const RoadPoint> shape) const {
    RoadPoint low = shape.front();
    RoadPoint high = low;
    for (const RoadPoint& p : shape) {
      low = {std::min(low.lat_e7, p.lat_e7), std::min(low.lon_e7, p.lon_e7)};
      high = {std::max(high.lat_e7, p.lat_e7), std::max(high.lon_e7, p.lon_e7)};
    }
    return low.lat_e7 <= high_ && high.lat_e7 >= low_ && low.lon_e7 <= east_ &&
           high.lon_e7 >= west_;
  }

  bool Contains(double lat_e7, double lon_e7) const {
    const double band = std::floor((lat_e7 - low_) / kBand);
    if (bands_.empty() || band < 0 || band >= static_cast<double>(bands_.size())) return false;
    bool inside = false;
    for (const auto& [a, b] : bands_[static_cast<size_t>(band)]) {
      if ((a.lat_e7 > lat_e7) == (b.lat_e7 > lat_e7)) continue;
      const double t = (lat_e7 - a.lat_e7) / (static_cast<double>(b.lat_e7) - a.lat_e7);
      if (lon_e7 < a.lon_e7 + t * (static_cast<double>(b.lon_e7) - a.lon_e7)) inside = !inside;
    }
    return inside;
  }

 private:
  static constexpr int32_t kBand = 2000;

  void Add(const RoadPoint& a, const RoadPoint& b) {
    const auto from = static_cast<size_t>((std::min(a.lat_e7, b.lat_e7) - low_) / kBand);
    const auto to = static_cast<size_t>((std::max(a.lat_e7, b.lat_e7) - low_) / kBand);
    for (size_t band = from; band <= to; ++band) bands_[band].emplace_back(a, b);
  }

  int32_t low_ = 0;
  int32_t high_ = INT32_MIN;
  int32_t west_ = INT32_MAX;
  int32_t east_ = INT32_MIN;
  std::vector<std::vector<std::pair<RoadPoint, RoadPoint>>> bands_;
};

struct Interval {
  uint32_t from;
  uint32_t to;
};

}  // namespace

ContourQuality MeasureContour(const TravelGraph& graph, std::span<const ReachedStretch> stretches,
                              const ContourTier& tier, Metres step) {
  const RoadNetwork& n = graph.network();
  // What is reached within the tier, as offsets along the forward edge.
  std::vector<std::vector<Interval>> reached(n.piece_count());
  for (const ReachedStretch& s : stretches) {
    double from = s.from_cm;
    double to = s.to_cm;
    const double slope = (static_cast<double>(s.to_ms) - s.from_ms) / (to - from);
    if (std::min(s.from_ms, s.to_ms) > tier.limit_ms) continue;
    if (s.to_ms > tier.limit_ms)
      to = from + (tier.limit_ms - static_cast<double>(s.from_ms)) / slope;
    if (s.from_ms > tier.limit_ms)
      from = to + (tier.limit_ms - static_cast<double>(s.to_ms)) / slope;
    const double length = n.length_cm(s.edge);
    if (!n.is_forward(s.edge)) std::tie(from, to) = std::pair(length - to, length - from);
    reached[n.piece_of(s.edge).value].push_back(
        {static_cast<uint32_t>(std::ceil(std::max(0.0, from))),
         static_cast<uint32_t>(std::max(0.0, to))});
  }
  const RingIndex rings(tier.polygons);
  ContourQuality quality;
  for (uint32_t p = 0; p < n.piece_count(); ++p) {
    const RoadPiece& piece = n.piece(PieceId{p});
    if (piece.flags & kFlagGhost) continue;
    if (!graph.Passable(piece.edge[0]) && !graph.Passable(piece.edge[1]) && reached[p].empty())
      continue;
    if (reached[p].empty() && !rings.MayTouch(n.shape(PieceId{p}))) continue;
    const auto samples =
        std::max<uint32_t>(1, static_cast<uint32_t>(piece.length_cm / (step.value * 100)));
    const double share_m = piece.length_cm / 100.0 / samples;
    for (uint32_t i = 0; i < samples; ++i) {
      const auto offset = static_cast<uint32_t>((i + 0.5) * piece.length_cm / samples);
      const LatLon at = n.PointAt({piece.edge[0], std::min(offset, piece.length_cm)});
      const bool is_reached =
          std::any_of(reached[p].begin(), reached[p].end(),
                      [&](const Interval& r) { return r.from <= offset && offset <= r.to; });
      const bool inside = rings.Contains(at.lat * 1e7, at.lon * 1e7);
      quality.reached_m += is_reached ? share_m : 0;
      quality.inside_m += inside ? share_m : 0;
      quality.reached_outside_m += is_reached && !inside ? share_m : 0;
      quality.unreached_inside_m += inside && !is_reached ? share_m : 0;
    }
  }
  return quality;
}

}  // namespace cordon
