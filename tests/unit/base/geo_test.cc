// SPDX-License-Identifier: Apache-2.0
#include "base/geo.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace cordon {
namespace {

TEST(Geo, DistanceOfKnownPlaces) {
  // One degree of latitude on the mean sphere: 111,195 m.
  EXPECT_NEAR(Distance({0, 0}, {1, 0}).value, 111'195, 1);
  EXPECT_NEAR(Distance({52.5200, 13.4050}, {48.8566, 2.3522}).value, 877'500,
              1500);  // Berlin to Paris
  EXPECT_EQ(Distance({41.15, -8.61}, {41.15, -8.61}).value, 0);
}

TEST(Geo, DistanceAcrossTheDateLineIsShort) {
  EXPECT_NEAR(Distance({0, 179.9}, {0, -179.9}).value, 22'239, 2);
}

TEST(Geo, AntipodesDoNotLeaveTheDomainOfAsin) {
  EXPECT_NEAR(Distance({0, 0}, {0, 180}).value, 20'015'115, 1);
  EXPECT_TRUE(std::isfinite(Distance({90, 0}, {-90, 0}).value));
}

TEST(Geo, BearingIsClockwiseFromNorth) {
  EXPECT_NEAR(BearingDegrees({0, 0}, {1, 0}), 0, 1e-9);
  EXPECT_NEAR(BearingDegrees({0, 0}, {0, 1}), 90, 1e-9);
  EXPECT_NEAR(BearingDegrees({1, 0}, {0, 0}), 180, 1e-9);
  EXPECT_NEAR(BearingDegrees({0, 1}, {0, 0}), 270, 1e-9);
  EXPECT_EQ(BearingDegrees({3, 3}, {3, 3}), 0);
}

TEST(Geo, OffsetIsTheInverseOfDistanceAndBearing) {
  const LatLon home{41.15, -8.61};
  for (double bearing = 0; bearing < 360; bearing += 17) {
    const LatLon there = Offset(home, bearing, {2500});
    EXPECT_NEAR(Distance(home, there).value, 2500, 2);
    EXPECT_NEAR(std::remainder(BearingDegrees(home, there) - bearing, 360), 0, 0.1);
  }
}

TEST(Geo, ImplausiblePlacesAreNamed) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(IsPlausible({41.15, -8.61}));
  EXPECT_TRUE(IsPlausible({0, 10}));
  EXPECT_FALSE(IsPlausible({0, 0}));
  EXPECT_FALSE(IsPlausible({91, 0}));
  EXPECT_FALSE(IsPlausible({0, -181}));
  EXPECT_FALSE(IsPlausible({nan, 1}));
  EXPECT_FALSE(IsPlausible({1, std::numeric_limits<double>::infinity()}));
}

}  // namespace
}  // namespace cordon
