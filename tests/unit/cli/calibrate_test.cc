// SPDX-License-Identifier: Apache-2.0
#include "cli/calibrate.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/unit/analytics/calibrated_yard.h"

namespace cordon::cli {
namespace {

std::vector<proto::CalibrationPoint> YardPoints() {
  proto::CameraConfig camera;
  testing::CalibrateYard(camera);
  return {camera.calibration().begin(), camera.calibration().end()};
}

TEST(CalibrationPoint, IsReadInSharesOrInPixels) {
  const auto share = ParseCalibrationPoint("0.25,0.5,31.23,121.47", 0, 0);
  ASSERT_TRUE(share.ok()) << share.status();
  const auto pixels = ParseCalibrationPoint("480,540,31.23,121.47", 1920, 1080);
  ASSERT_TRUE(pixels.ok()) << pixels.status();
  EXPECT_DOUBLE_EQ(share->x(), pixels->x());
  EXPECT_DOUBLE_EQ(share->y(), pixels->y());
}

TEST(CalibrationPoint, WhatIsNoPointIsRefusedWithTheWayToWriteIt) {
  EXPECT_NE(ParseCalibrationPoint("1,2,3", 0, 0).status().message().find("x,y,lat,lon"),
            std::string::npos);
  EXPECT_NE(ParseCalibrationPoint("480,540,31.23,121.47", 0, 0).status().message().find("--size"),
            std::string::npos);
  EXPECT_FALSE(ParseCalibrationPoint("0.1,0.2,91,121", 0, 0).ok());
  EXPECT_FALSE(ParseCalibrationPoint("0.1,0.2,0,0", 0, 0).ok());
}

TEST(CalibrationPoints, AFilesBadLineIsNamed) {
  const std::string path = ::testing::TempDir() + "calibrate_points.txt";
  std::ofstream(path) << "# corner of the kerb\n0.1,0.9,31.23,121.47\n\nnonsense\n";
  const auto points = ReadCalibrationPoints(path, 0, 0);
  ASSERT_FALSE(points.ok());
  EXPECT_NE(points.status().message().find(path + ":4"), std::string::npos) << points.status();
}

TEST(CalibrationReport, NamesThePointThatDoesNotFit) {
  std::vector<proto::CalibrationPoint> points = YardPoints();
  points[4].set_lon(points[4].lon() + 0.0001);  // 9.5 m
  const auto calibration = Calibration::Fit(points);
  ASSERT_TRUE(calibration.ok()) << calibration.status();
  const std::string report = CalibrationReport(*calibration, points);
  EXPECT_NE(report.find("Point 5 makes most of the misfit"), std::string::npos) << report;
  const auto json = nlohmann::json::parse(CalibrationJson(*calibration, points));
  EXPECT_EQ(json["suspect_point"], 5);
  EXPECT_EQ(json["picture_to_metres_east_north"].size(), 9U);
  EXPECT_EQ(json["points"].size(), points.size());
}

TEST(CalibrationReport, SaysThatFourPointsProveNothing) {
  std::vector<proto::CalibrationPoint> points = YardPoints();
  points.resize(4);
  const auto calibration = Calibration::Fit(points);
  ASSERT_TRUE(calibration.ok());
  EXPECT_NE(CalibrationReport(*calibration, points).find("Add one or two more"),
            std::string::npos);
}

TEST(CalibrationYaml, IsTheSitesOwnText) {
  const std::string yaml = CalibrationYaml(YardPoints());
  EXPECT_EQ(yaml.substr(0, 17), "    calibration:\n");
  EXPECT_NE(yaml.find("      - {x: 0."), std::string::npos);
}

}  // namespace
}  // namespace cordon::cli
