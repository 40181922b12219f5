// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>

namespace cordon {

// Length in metres.
struct Metres {
  double value = 0;
  friend auto operator<=>(const Metres&, const Metres&) = default;
};

// WGS-84, degrees. Everything inside Cordon is WGS-84; other datums exist only at the border.
struct LatLon {
  double lat = 0;
  double lon = 0;
  friend bool operator==(const LatLon&, const LatLon&) = default;
};

// Finite, |lat| <= 90, |lon| <= 180, and not the (0, 0) that receivers without a fix report.
bool IsPlausible(const LatLon& p);

// Great-circle distance on a sphere of radius 6,371,008.8 m (IUGG mean radius); within 0.5 % of the ellipsoid.
Metres Distance(const LatLon& a, const LatLon& b);

// Initial bearing from a to b, degrees clockwise from north in [0, 360). 0 for equal points.
double BearingDegrees(const LatLon& a, const LatLon& b);

// The point `distance` from `p` at `bearing_degrees`; for distances of city size.
LatLon Offset(const LatLon& p, double bearing_degrees, Metres distance);

}  // namespace cordon
