// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "analytics/geometry.h"
#include "base/geo.h"
#include "base/status.h"
#include "proto/config.pb.h"

namespace cordon {

// A place on the ground with the radius in which it lies with about 95 %.
struct GroundPoint {
  LatLon place;
  Metres error;
};

// Metres east and north of the calibration's origin.
struct GroundVector {
  double east = 0;
  double north = 0;
};

// Picture to ground by a plane homography from four or more points that were measured on both. The
// ground is taken as flat; what stands above it (a bridge, a roof) lands too far away. Immutable,
// thread-safe.
class Calibration {
 public:
  // What one point says about the fit.
  struct Residual {
    Metres fitted;    // distance of the point from where the fit puts it
    Metres left_out;  // ... from where the fit without it puts it; 0 with only four points
  };

  // INVALID_ARGUMENT: fewer than four points, four of which no three on one line, a picture that
  // the ground's horizon crosses between the points, points more than kMostExtent apart.
  static absl::StatusOr<Calibration> Fit(const std::vector<proto::CalibrationPoint>& points);
  static constexpr double kMostExtentM = 5000;

  // Empty above the horizon or too near to it to be of use (error above kUselessErrorM).
  std::optional<GroundPoint> ToGround(PicturePoint foot) const;
  static constexpr double kUselessErrorM = 200;
  // In metres from the origin, without error; empty above the horizon.
  std::optional<GroundVector> ToGroundVector(PicturePoint foot) const;
  // Where a ground point is in the picture; empty behind the camera.
  std::optional<PicturePoint> ToPicture(GroundVector ground) const;

  const std::vector<Residual>& residuals() const { return residuals_; }
  Metres typical_error() const { return {fit_error_m_}; }  // of the points, 95 %
  const LatLon& origin() const { return origin_; }
  // Row by row; relative picture point to metres east and north of the origin.
  const std::array<double, 9>& to_ground() const { return to_ground_; }
  GroundVector ToVector(const LatLon& place) const;

 private:
  using Homography = std::array<double, 9>;
  static absl::StatusOr<Homography> Solve(const std::vector<PicturePoint>& picture,
                                          const std::vector<GroundVector>& ground);

  LatLon origin_;
  Homography to_ground_{};
  Homography to_picture_{};
  std::vector<Residual> residuals_;
  double fit_error_m_ = 0;
};

}  // namespace cordon
