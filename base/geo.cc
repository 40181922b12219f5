// SPDX-License-Identifier: Apache-2.0
#include "base/geo.h"

#include <cmath>
#include <numbers>

namespace cordon {
namespace {

constexpr double kEarthRadiusMetres = 6'371'008.8;
constexpr double kDegree = std::numbers::pi / 180;

}  // namespace

bool IsPlausible(const LatLon& p) {
  return std::isfinite(p.lat) && std::isfinite(p.lon) && std::abs(p.lat) <= 90 && std::abs(p.lon) <= 180 &&
         !(p.lat == 0 && p.lon == 0);
}

Metres Distance(const LatLon& a, const LatLon& b) {
  const double sin_lat = std::sin((b.lat - a.lat) * kDegree / 2);
  const double sin_lon = std::sin((b.lon - a.lon) * kDegree / 2);
  const double h =
      sin_lat * sin_lat + std::cos(a.lat * kDegree) * std::cos(b.lat * kDegree) * sin_lon * sin_lon;
  return {2 * kEarthRadiusMetres * std::asin(std::sqrt(std::fmin(1.0, h)))};
}

double BearingDegrees(const LatLon& a, const LatLon& b) {
  const double dlon = (b.lon - a.lon) * kDegree;
  const double y = std::sin(dlon) * std::cos(b.lat * kDegree);
  const double x = std::cos(a.lat * kDegree) * std::sin(b.lat * kDegree) -
                   std::sin(a.lat * kDegree) * std::cos(b.lat * kDegree) * std::cos(dlon);
  if (x == 0 && y == 0) return 0;
  const double degrees = std::atan2(y, x) / kDegree;
  return degrees < 0 ? degrees + 360 : degrees;
}

LatLon Offset(const LatLon& p, double bearing_degrees, Metres distance) {
  const double angular = distance.value / kEarthRadiusMetres;
  const double bearing = bearing_degrees * kDegree;
  return {p.lat + angular * std::cos(bearing) / kDegree,
          p.lon + angular * std::sin(bearing) / std::cos(p.lat * kDegree) / kDegree};
}

}  // namespace cordon
