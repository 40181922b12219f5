// SPDX-License-Identifier: Apache-2.0
// What a calibration of a camera is worth, in words, in JSON and as the configuration's own text.
#pragma once

#include <string>
#include <vector>

#include "analytics/calibration.h"
#include "base/status.h"
#include "proto/config.pb.h"

namespace cordon::cli {

// "x,y,lat,lon": picture point relative or, with `width` and `height` > 0, in pixels of such a
// picture. INVALID_ARGUMENT says what is wrong and how to write it.
absl::StatusOr<proto::CalibrationPoint> ParseCalibrationPoint(const std::string& text, int width,
                                                              int height);
// One point a line; empty lines and lines that begin with # are skipped. Names file and line.
absl::StatusOr<std::vector<proto::CalibrationPoint>> ReadCalibrationPoints(const std::string& path,
                                                                           int width, int height);

// The points with their residuals, the error radius across the picture, and what to do about it.
std::string CalibrationReport(const Calibration& calibration,
                              const std::vector<proto::CalibrationPoint>& points);
std::string CalibrationJson(const Calibration& calibration,
                            const std::vector<proto::CalibrationPoint>& points);
// To be pasted below a camera of SITE.yaml.
std::string CalibrationYaml(const std::vector<proto::CalibrationPoint>& points);

}  // namespace cordon::cli
