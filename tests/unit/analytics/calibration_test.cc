// SPDX-License-Identifier: Apache-2.0
#include "analytics/calibration.h"

#include <gtest/gtest.h>

#include "analytics/calibration_picture.h"
#include "tests/unit/analytics/calibrated_yard.h"

namespace cordon::testing {
namespace {

std::vector<proto::CalibrationPoint> PointsOf(const proto::CameraConfig& camera) {
  return {camera.calibration().begin(), camera.calibration().end()};
}

TEST(Calibration, GivesPlacesThatWereNotAmongThePoints) {
  proto::CameraConfig camera;
  CalibrateYard(camera);
  const auto calibration = Calibration::Fit(PointsOf(camera));
  ASSERT_TRUE(calibration.ok()) << calibration.status();
  for (const auto& [east, north] : {std::pair{3.0, 6.0}, {-8.0, 14.0}, {10.0, 20.0}}) {
    const auto found = calibration->ToGround(YardPicture(east, north));
    ASSERT_TRUE(found.has_value());
    EXPECT_LT(Distance(found->place, YardPlace(east, north)).value, 0.1);
    EXPECT_GT(found->error.value, Distance(found->place, YardPlace(east, north)).value);
  }
}

TEST(Calibration, TheErrorGrowsWithTheDistanceAndEndsAtTheHorizon) {
  proto::CameraConfig camera;
  CalibrateYard(camera);
  const auto calibration = Calibration::Fit(PointsOf(camera));
  ASSERT_TRUE(calibration.ok());
  const auto near = calibration->ToGround(YardPicture(0, 0));
  const auto far = calibration->ToGround(YardPicture(0, 60));
  ASSERT_TRUE(near && far);
  EXPECT_LT(near->error.value, 1);
  EXPECT_GT(far->error.value, 3 * near->error.value);
  EXPECT_FALSE(calibration->ToGround({0.5F, 0.02F}).has_value()) << "sky";
}

TEST(Calibration, APointThatWasMeasuredWronglyShowsInItsResidual) {
  proto::CameraConfig camera;
  CalibrateYard(camera);
  AddYardPoint(camera, -6, 8, 0.03);
  const auto calibration = Calibration::Fit(PointsOf(camera));
  ASSERT_TRUE(calibration.ok());
  const auto& residuals = calibration->residuals();
  for (size_t i = 0; i + 1 < residuals.size(); ++i) {
    EXPECT_GT(residuals.back().left_out, residuals[i].fitted) << "point " << i;
  }
  EXPECT_GT(residuals.back().left_out.value, 0.5);
  EXPECT_GT(calibration->typical_error().value, 0.3) << "the error radius tells of it";
}

TEST(Calibration, RefusesTooFewPointsAndPointsOnOneLine) {
  proto::CameraConfig camera;
  AddYardPoint(camera, -10, 2);
  AddYardPoint(camera, 10, 2);
  AddYardPoint(camera, 0, 20);
  EXPECT_FALSE(Calibration::Fit(PointsOf(camera)).ok());
  camera.clear_calibration();
  for (const double east : {-12.0, -4.0, 4.0, 12.0}) AddYardPoint(camera, east, 8);
  const auto flat = Calibration::Fit(PointsOf(camera));
  ASSERT_FALSE(flat.ok());
  EXPECT_NE(flat.status().message().find("one line"), std::string::npos) << flat.status();
}

TEST(Calibration, RefusesAPointFarFromTheOthers) {
  proto::CameraConfig camera;
  CalibrateYard(camera);
  camera.mutable_calibration(2)->set_lat(31.9);
  const auto far = Calibration::Fit(PointsOf(camera));
  ASSERT_FALSE(far.ok());
  EXPECT_NE(far.status().message().find("km from the others"), std::string::npos);
}

TEST(CalibrationPicture, DrawsTheGroundBelowTheHorizonOnly) {
  proto::CameraConfig camera;
  CalibrateYard(camera);
  const auto calibration = Calibration::Fit(PointsOf(camera));
  ASSERT_TRUE(calibration.ok());
  EXPECT_EQ(GridSpacing(*calibration, PointsOf(camera)).value, 5) << "36 m across";
  const BgrPicture blank{640, 360, std::vector<uint8_t>(size_t{640} * 360 * 3, 0)};
  const auto jpeg = CalibrationPicture(blank, *calibration, PointsOf(camera));
  ASSERT_TRUE(jpeg.ok()) << jpeg.status();
  EXPECT_EQ(jpeg->substr(0, 2), "\xFF\xD8");
}

}  // namespace
}  // namespace cordon::testing
