// SPDX-License-Identifier: Apache-2.0
#include "dispatch/datum.h"

#include <cmath>
#include <numbers>

namespace cordon {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kSemiMajorMetres = 6'378'245.0;
constexpr double kEccentricitySquared = 0.00669342162296594323;
constexpr double kBaiduPi = kPi * 3000.0 / 180.0;
constexpr double kConvergedDegrees = 1e-11;
constexpr int kMostIterations = 30;  // each gains about two digits; five are the rule

double Ripple(double x) {
  return (20 * std::sin(6 * x * kPi) + 20 * std::sin(2 * x * kPi)) * 2 / 3;
}

// Shift of GCJ-02 in metres on its own plane; x and y are degrees from 105 E, 35 N.
double NorthShift(double x, double y) {
  double shift = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * std::sqrt(std::abs(x));
  shift += Ripple(x);
  shift += (20 * std::sin(y * kPi) + 40 * std::sin(y / 3 * kPi)) * 2 / 3;
  shift += (160 * std::sin(y / 12 * kPi) + 320 * std::sin(y * kPi / 30)) * 2 / 3;
  return shift;
}

double EastShift(double x, double y) {
  double shift = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * std::sqrt(std::abs(x));
  shift += Ripple(x);
  shift += (20 * std::sin(x * kPi) + 40 * std::sin(x / 3 * kPi)) * 2 / 3;
  shift += (150 * std::sin(x / 12 * kPi) + 300 * std::sin(x / 30 * kPi)) * 2 / 3;
  return shift;
}

LatLon ShiftedUnchecked(const LatLon& p) {
  const double north = NorthShift(p.lon - 105, p.lat - 35);
  const double east = EastShift(p.lon - 105, p.lat - 35);
  const double lat = p.lat / 180 * kPi;
  const double w = 1 - kEccentricitySquared * std::sin(lat) * std::sin(lat);
  const double meridian = kSemiMajorMetres * (1 - kEccentricitySquared) / (w * std::sqrt(w));
  const double parallel = kSemiMajorMetres / std::sqrt(w) * std::cos(lat);
  return {p.lat + north / meridian * 180 / kPi, p.lon + east / parallel * 180 / kPi};
}

LatLon BaiduShiftedUnchecked(const LatLon& p) {
  const double radius = std::hypot(p.lon, p.lat) + 0.00002 * std::sin(p.lat * kBaiduPi);
  const double angle = std::atan2(p.lat, p.lon) + 0.000003 * std::cos(p.lon * kBaiduPi);
  return {radius * std::sin(angle) + 0.006, radius * std::cos(angle) + 0.0065};
}

// Solves forward(p) = target; the shift is a contraction (its slope is below 0.01).
template <class Forward>
LatLon Invert(const LatLon& target, Forward forward) {
  LatLon p = target;
  for (int i = 0; i < kMostIterations; ++i) {
    const LatLon there = forward(p);
    const double dlat = target.lat - there.lat;
    const double dlon = target.lon - there.lon;
    p.lat += dlat;
    p.lon += dlon;
    if (std::abs(dlat) < kConvergedDegrees && std::abs(dlon) < kConvergedDegrees) break;
  }
  return p;
}

}  // namespace

bool DatumApplies(const LatLon& p) {
  return p.lon >= 72.004 && p.lon <= 137.8347 && p.lat >= 0.8293 && p.lat <= 55.8271;
}

LatLon Gcj02FromWgs84(const LatLon& p) { return DatumApplies(p) ? ShiftedUnchecked(p) : p; }

LatLon Bd09FromGcj02(const LatLon& p) { return DatumApplies(p) ? BaiduShiftedUnchecked(p) : p; }

LatLon Wgs84FromGcj02(const LatLon& gcj02) {
  if (!DatumApplies(gcj02)) return gcj02;
  const LatLon p = Invert(gcj02, ShiftedUnchecked);
  return DatumApplies(p) ? p : gcj02;
}

LatLon Gcj02FromBd09(const LatLon& bd09) {
  if (!DatumApplies(bd09)) return bd09;
  const LatLon p = Invert(bd09, BaiduShiftedUnchecked);
  return DatumApplies(p) ? p : bd09;
}

LatLon Bd09FromWgs84(const LatLon& p) { return Bd09FromGcj02(Gcj02FromWgs84(p)); }

LatLon Wgs84FromBd09(const LatLon& p) { return Wgs84FromGcj02(Gcj02FromBd09(p)); }

LatLon ToWgs84(const LatLon& p, proto::Datum datum) {
  switch (datum) {
    case proto::DATUM_GCJ02:
      return Wgs84FromGcj02(p);
    case proto::DATUM_BD09:
      return Wgs84FromBd09(p);
    default:
      return p;
  }
}

}  // namespace cordon
