// SPDX-License-Identifier: Apache-2.0
// A flat yard seen by a made-up camera whose true picture of every ground point is known.
#pragma once

#include <cmath>
#include <numbers>
#include <utility>

#include "analytics/geometry.h"
#include "base/geo.h"
#include "proto/config.pb.h"

namespace cordon::testing {

inline constexpr LatLon kYard{31.2304, 121.4737};

inline LatLon YardPlace(double east, double north) {
  constexpr double kMetresPerDegree = 6'371'008.8 * std::numbers::pi / 180;
  return {kYard.lat + north / kMetresPerDegree,
          kYard.lon + east / (kMetresPerDegree * std::cos(kYard.lat * std::numbers::pi / 180))};
}

// The camera stands 15 m south of the yard's origin, 6 m high, looks north and 20 degrees down; its
// picture is 16:9 and 80 degrees wide.
inline PicturePoint YardPicture(double east, double north) {
  const double down = 20 * std::numbers::pi / 180;
  const double ahead = north + 15;
  const double depth = ahead * std::cos(down) + 6 * std::sin(down);
  const double below = 6 * std::cos(down) - ahead * std::sin(down);
  const double focal = 0.5 / std::tan(40 * std::numbers::pi / 180);  // picture widths
  return {static_cast<float>(0.5 + focal * east / depth),
          static_cast<float>(0.5 + focal * below / depth * 16 / 9)};
}

inline void AddYardPoint(proto::CameraConfig& camera, double east, double north,
                         double picture_error = 0) {
  const PicturePoint seen = YardPicture(east, north);
  const LatLon place = YardPlace(east, north);
  proto::CalibrationPoint& point = *camera.add_calibration();
  point.set_x(seen.x + picture_error);
  point.set_y(seen.y);
  point.set_lat(place.lat);
  point.set_lon(place.lon);
}

inline void CalibrateYard(proto::CameraConfig& camera) {
  for (const auto& [east, north] : {std::pair{-12.0, 2.0}, {12.0, 2.0}, {-18.0, 25.0},
                                    {18.0, 25.0}, {0.0, 12.0}, {6.0, 4.0}}) {
    AddYardPoint(camera, east, north);
  }
}

}  // namespace cordon::testing
