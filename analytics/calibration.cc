// SPDX-License-Identifier: Apache-2.0
#include "analytics/calibration.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <opencv2/calib3d.hpp>

namespace cordon {
namespace {

constexpr double kDegree = std::numbers::pi / 180;
constexpr double kEarthRadiusMetres = 6'371'008.8;
// How far a foot point is off in the picture, one sigma, in picture heights: a box's lower edge,
// lens distortion.
constexpr double kPictureSigma = 0.008;
constexpr double kSigmas95 = 2.45;  // radius of 95 % of a circular Gaussian, in sigmas
// A triangle of points flatter than this (height over longest side) does not pin a plane down.
constexpr double kLeastFlatness = 0.02;

double Flatness(double ax, double ay, double bx, double by, double cx, double cy) {
  const double twice_area = std::abs((bx - ax) * (cy - ay) - (by - ay) * (cx - ax));
  const double longest = std::max(
      {std::hypot(bx - ax, by - ay), std::hypot(cx - bx, cy - by), std::hypot(ax - cx, ay - cy)});
  return longest > 0 ? twice_area / (longest * longest) : 0;
}

// True when some four of the points have no three on one line.
template <class T, class GetX, class GetY>
bool HasFourInGeneralPosition(const std::vector<T>& p, GetX x, GetY y) {
  const size_t n = std::min<size_t>(p.size(), 16);
  const auto flat = [&](size_t a, size_t b, size_t c) {
    return Flatness(x(p[a]), y(p[a]), x(p[b]), y(p[b]), x(p[c]), y(p[c])) < kLeastFlatness;
  };
  for (size_t a = 0; a < n; ++a) {
    for (size_t b = a + 1; b < n; ++b) {
      for (size_t c = b + 1; c < n; ++c) {
        if (flat(a, b, c)) continue;
        for (size_t d = c + 1; d < n; ++d) {
          if (!flat(a, b, d) && !flat(a, c, d) && !flat(b, c, d)) return true;
        }
      }
    }
  }
  return false;
}

// Homogeneous product; false when the point lies at or beyond the horizon (w <= 0).
bool Map(const std::array<double, 9>& h, double x, double y, double& u, double& v) {
  const double w = h[6] * x + h[7] * y + h[8];
  if (w < 1e-9) return false;
  u = (h[0] * x + h[1] * y + h[2]) / w;
  v = (h[3] * x + h[4] * y + h[5]) / w;
  return std::isfinite(u) && std::isfinite(v);
}

std::array<double, 9> Inverse(const std::array<double, 9>& h) {
  const cv::Matx33d inverse = cv::Matx33d(h.data()).inv();
  std::array<double, 9> out{};
  std::copy(inverse.val, inverse.val + 9, out.begin());
  return out;
}

}  // namespace

GroundVector Calibration::ToVector(const LatLon& place) const {
  return {
      (place.lon - origin_.lon) * kDegree * kEarthRadiusMetres * std::cos(origin_.lat * kDegree),
      (place.lat - origin_.lat) * kDegree * kEarthRadiusMetres};
}

absl::StatusOr<Calibration::Homography> Calibration::Solve(
    const std::vector<PicturePoint>& picture, const std::vector<GroundVector>& ground) {
  std::vector<cv::Point2d> from, to;
  for (size_t i = 0; i < picture.size(); ++i) {
    from.emplace_back(picture[i].x, picture[i].y);
    to.emplace_back(ground[i].east, ground[i].north);
  }
  cv::Mat found;
  try {
    found = cv::findHomography(from, to, 0);
  } catch (const cv::Exception&) {
    found.release();
  }
  if (found.empty() || found.type() != CV_64FC1) {
    return absl::InvalidArgumentError("the calibration points do not determine the ground plane");
  }
  Homography h{};
  std::copy(found.ptr<double>(0), found.ptr<double>(0) + 9, h.begin());
  // The sign is free: make it positive at the points, and refuse a fit whose horizon runs between
  // them.
  const double sign = h[6] * picture[0].x + h[7] * picture[0].y + h[8] < 0 ? -1 : 1;
  for (double& v : h) v *= sign;
  for (const PicturePoint& p : picture) {
    if (h[6] * p.x + h[7] * p.y + h[8] < 1e-9) {
      return absl::InvalidArgumentError(
          "the horizon runs between the calibration points: a point is wrong or not on the ground");
    }
  }
  return h;
}

absl::StatusOr<Calibration> Calibration::Fit(const std::vector<proto::CalibrationPoint>& points) {
  if (points.size() < 4) {
    return absl::InvalidArgumentError(
        fmt::format("calibration needs four or more points, {} given", points.size()));
  }
  Calibration result;
  for (const proto::CalibrationPoint& p : points) {
    result.origin_.lat += p.lat() / static_cast<double>(points.size());
    result.origin_.lon += p.lon() / static_cast<double>(points.size());
  }
  std::vector<PicturePoint> picture;
  std::vector<GroundVector> ground;
  for (const proto::CalibrationPoint& p : points) {
    picture.push_back({static_cast<float>(p.x()), static_cast<float>(p.y())});
    ground.push_back(result.ToVector({p.lat(), p.lon()}));
    if (std::hypot(ground.back().east, ground.back().north) > kMostExtentM) {
      return absl::InvalidArgumentError(fmt::format(
          "calibration point {:.3f},{:.3f} lies {:.1f} km from the others: check its lat and lon",
          p.x(), p.y(), std::hypot(ground.back().east, ground.back().north) / 1000));
    }
  }
  const bool general = HasFourInGeneralPosition(
                           picture, [](const PicturePoint& p) { return p.x; },
                           [](const PicturePoint& p) { return p.y; }) &&
                       HasFourInGeneralPosition(
                           ground, [](const GroundVector& g) { return g.east; },
                           [](const GroundVector& g) { return g.north; });
  if (!general) {
    return absl::InvalidArgumentError(
        "of the calibration points no four lie in general position: no three of the four may be on "
        "one line, neither in "
        "the picture nor on the map");
  }
  ASSIGN_OR_RETURN(result.to_ground_, Solve(picture, ground));
  result.to_picture_ = Inverse(result.to_ground_);
  const double w = result.to_picture_[8];  // at the origin
  if (w < 0) {
    for (double& v : result.to_picture_) v = -v;
  }
  double squares = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    const auto fitted = result.ToGroundVector(picture[i]);
    Residual residual{};
    residual.fitted.value =
        fitted ? std::hypot(fitted->east - ground[i].east, fitted->north - ground[i].north) : 0;
    if (points.size() > 4) {
      std::vector<PicturePoint> other_picture = picture;
      std::vector<GroundVector> other_ground = ground;
      other_picture.erase(other_picture.begin() + static_cast<ptrdiff_t>(i));
      other_ground.erase(other_ground.begin() + static_cast<ptrdiff_t>(i));
      const auto without = Solve(other_picture, other_ground);
      double east = 0, north = 0;
      if (without.ok() && Map(*without, picture[i].x, picture[i].y, east, north)) {
        residual.left_out.value = std::hypot(east - ground[i].east, north - ground[i].north);
      }
    }
    const double worst = std::max(residual.fitted.value, residual.left_out.value);
    squares += worst * worst;
    result.residuals_.push_back(residual);
  }
  // With four points the fit is exact and tells nothing of its error; picture error alone is
  // propagated then.
  result.fit_error_m_ =
      std::sqrt(squares / static_cast<double>(points.size())) * kSigmas95 / std::numbers::sqrt2;
  return result;
}

std::optional<GroundVector> Calibration::ToGroundVector(PicturePoint foot) const {
  GroundVector ground;
  if (!Map(to_ground_, foot.x, foot.y, ground.east, ground.north)) return std::nullopt;
  return ground;
}

std::optional<PicturePoint> Calibration::ToPicture(GroundVector ground) const {
  double x = 0, y = 0;
  if (!Map(to_picture_, ground.east, ground.north, x, y)) return std::nullopt;
  return PicturePoint{static_cast<float>(x), static_cast<float>(y)};
}

std::optional<GroundPoint> Calibration::ToGround(PicturePoint foot) const {
  const auto here = ToGroundVector(foot);
  if (!here) return std::nullopt;
  // Picture error propagated by differences; one sigma in both directions.
  double variance = 0;
  for (const auto& [dx, dy] : {std::pair{kPictureSigma, 0.0}, std::pair{0.0, kPictureSigma}}) {
    const auto moved =
        ToGroundVector({foot.x + static_cast<float>(dx), foot.y + static_cast<float>(dy)});
    if (!moved) return std::nullopt;
    const double east = moved->east - here->east;
    const double north = moved->north - here->north;
    variance += east * east + north * north;
  }
  const double error =
      std::hypot(fit_error_m_, kSigmas95 / std::numbers::sqrt2 * std::sqrt(variance));
  if (error > kUselessErrorM) return std::nullopt;
  const LatLon place{
      origin_.lat + here->north / kEarthRadiusMetres / kDegree,
      origin_.lon + here->east / (kEarthRadiusMetres * std::cos(origin_.lat * kDegree)) / kDegree};
  return GroundPoint{place, {error}};
}

}  // namespace cordon
