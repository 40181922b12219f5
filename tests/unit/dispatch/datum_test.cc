// SPDX-License-Identifier: Apache-2.0
#include "dispatch/datum.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace cordon {
namespace {

constexpr uint64_t kSeed = 20240607;
constexpr int kPoints = 20'000;

class Points {
 public:
  LatLon InChina() { return {At(18.2, 53.5), At(73.6, 134.7)}; }
  LatLon Anywhere() { return {At(-85, 85), At(-179, 179)}; }

 private:
  double At(double low, double high) {
    return std::uniform_real_distribution<>(low, high)(random_);
  }
  std::mt19937_64 random_{kSeed};
};

// The example pair (39.915, 116.404) that the open converters of these formulas print in their
// documentation. (WGS-84 39.90734, 116.39089).
TEST(DatumTest, ShiftsBeijingAsTheSharedFormulaDoes) {
  const LatLon wgs{39.915, 116.404};
  const LatLon gcj = Gcj02FromWgs84(wgs);
  EXPECT_NEAR(gcj.lat, 39.91640428150164, 1e-9);
  EXPECT_NEAR(gcj.lon, 116.41024449916938, 1e-9);
  const LatLon bd = Bd09FromGcj02(wgs);
  EXPECT_NEAR(bd.lat, 39.92133699351021, 1e-9);
  EXPECT_NEAR(bd.lon, 116.41036949371029, 1e-9);
}

TEST(DatumTest, GcjThereAndBackIsWithinAMillimetre) {
  Points points;
  for (int i = 0; i < kPoints; ++i) {
    const LatLon p = points.InChina();
    ASSERT_LT(Distance(p, Wgs84FromGcj02(Gcj02FromWgs84(p))).value, 0.001)
        << p.lat << ", " << p.lon;
    ASSERT_LT(Distance(p, Gcj02FromWgs84(Wgs84FromGcj02(p))).value, 0.001)
        << p.lat << ", " << p.lon;
  }
}

TEST(DatumTest, BaiduThereAndBackIsWithinAMillimetre) {
  Points points;
  for (int i = 0; i < kPoints; ++i) {
    const LatLon p = points.InChina();
    ASSERT_LT(Distance(p, Wgs84FromBd09(Bd09FromWgs84(p))).value, 0.001) << p.lat << ", " << p.lon;
    ASSERT_LT(Distance(p, Gcj02FromBd09(Bd09FromGcj02(p))).value, 0.001) << p.lat << ", " << p.lon;
  }
}

TEST(DatumTest, TheShiftIsHundredsOfMetresAndNeverMoreThanAKilometre) {
  Points points;
  for (int i = 0; i < kPoints; ++i) {
    const LatLon p = points.InChina();
    const double gcj = Distance(p, Gcj02FromWgs84(p)).value;
    ASSERT_LT(gcj, 1000) << p.lat << ", " << p.lon;
    const double baidu = Distance(Gcj02FromWgs84(p), Bd09FromWgs84(p)).value;
    ASSERT_GT(baidu, 400);
    ASSERT_LT(baidu, 1300);
  }
}

TEST(DatumTest, NeighboursStayNeighbours) {
  Points points;
  for (int i = 0; i < kPoints; ++i) {
    const LatLon p = points.InChina();
    const LatLon q = Offset(p, i % 360, {10});
    const double apart = Distance(Wgs84FromGcj02(p), Wgs84FromGcj02(q)).value;
    ASSERT_NEAR(apart, Distance(p, q).value, 0.15) << p.lat << ", " << p.lon;
  }
}

TEST(DatumTest, OutsideChinaNothingMoves) {
  Points points;
  int outside = 0;
  for (int i = 0; i < kPoints; ++i) {
    const LatLon p = points.Anywhere();
    if (DatumApplies(p)) continue;
    ++outside;
    ASSERT_EQ(ToWgs84(p, proto::DATUM_GCJ02), p);
    ASSERT_EQ(ToWgs84(p, proto::DATUM_BD09), p);
    ASSERT_EQ(Gcj02FromWgs84(p), p);
  }
  EXPECT_GT(outside, kPoints / 2);
}

TEST(DatumTest, WgsAndNonsensePassThrough) {
  const LatLon beijing{39.9, 116.4};
  EXPECT_EQ(ToWgs84(beijing, proto::DATUM_WGS84), beijing);
  EXPECT_NE(ToWgs84(beijing, proto::DATUM_GCJ02), beijing);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::isnan(ToWgs84({nan, 116}, proto::DATUM_GCJ02).lat));
  EXPECT_TRUE(std::isinf(ToWgs84({39, HUGE_VAL}, proto::DATUM_BD09).lon));
}

}  // namespace
}  // namespace cordon
