// SPDX-License-Identifier: Apache-2.0
// Plane geometry of city size: equirectangular around a latitude, on the sphere of base/geo.h;
// within 0.1 % over 50 km.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>

#include "dispatch/road_types.h"

namespace cordon {

inline constexpr double kMetresPerDegree = 6'371'008.8 * std::numbers::pi / 180;
inline constexpr double kMetresPerE7 = kMetresPerDegree * 1e-7;

// Metres east and north of a reference point.
struct PlanePoint {
  double x = 0;
  double y = 0;
};

class LocalPlane {
 public:
  explicit LocalPlane(const LatLon& origin)
      : lat_e7_(origin.lat * 1e7),
        lon_e7_(origin.lon * 1e7),
        metres_per_lon_e7_(kMetresPerE7 * std::cos(origin.lat * std::numbers::pi / 180)) {}
  PlanePoint operator()(const RoadPoint& p) const {
    return {(p.lon_e7 - lon_e7_) * metres_per_lon_e7_, (p.lat_e7 - lat_e7_) * kMetresPerE7};
  }
  RoadPoint Back(const PlanePoint& p) const {
    return {static_cast<int32_t>(std::llround(lat_e7_ + p.y / kMetresPerE7)),
            static_cast<int32_t>(std::llround(lon_e7_ + p.x / metres_per_lon_e7_))};
  }

 private:
  double lat_e7_;
  double lon_e7_;
  double metres_per_lon_e7_;
};

// Length of one segment in metres, at the segment's own latitude.
inline double SegmentMetres(const RoadPoint& a, const RoadPoint& b) {
  const double mean_lat =
      (static_cast<double>(a.lat_e7) + b.lat_e7) * 0.5e-7 * std::numbers::pi / 180;
  const double dx = (static_cast<double>(b.lon_e7) - a.lon_e7) * kMetresPerE7 * std::cos(mean_lat);
  const double dy = (static_cast<double>(b.lat_e7) - a.lat_e7) * kMetresPerE7;
  return std::hypot(dx, dy);
}

inline double ShapeMetres(std::span<const RoadPoint> shape) {
  double sum = 0;
  for (size_t i = 1; i < shape.size(); ++i) sum += SegmentMetres(shape[i - 1], shape[i]);
  return sum;
}

// Where a point is nearest to a segment: part 0..1 of the way from a to b, and the distance.
struct SegmentFoot {
  double part = 0;
  double distance = 0;
};
inline SegmentFoot NearestOnSegment(const PlanePoint& a, const PlanePoint& b, const PlanePoint& p) {
  const double dx = b.x - a.x;
  const double dy = b.y - a.y;
  const double square = dx * dx + dy * dy;
  double part = square > 0 ? ((p.x - a.x) * dx + (p.y - a.y) * dy) / square : 0;
  part = part < 0 ? 0 : part > 1 ? 1 : part;
  return {part, std::hypot(a.x + part * dx - p.x, a.y + part * dy - p.y)};
}

}  // namespace cordon
