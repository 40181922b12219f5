// SPDX-License-Identifier: Apache-2.0
#include "analytics/calibration_picture.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace cordon {
namespace {

constexpr double kLinesAcross = 10;
constexpr int kLinesBeyond = 12;  // of the points' extent on each side, lines
constexpr int kStepsPerCell = 8;
constexpr double kFineError = 2;
constexpr double kFairError = 5;
constexpr int kJpegQuality = 90;

const cv::Scalar kFine(80, 220, 80);
const cv::Scalar kFair(60, 220, 240);
const cv::Scalar kPoor(60, 60, 240);
const cv::Scalar kInk(255, 255, 255);
const cv::Scalar kShade(0, 0, 0);

struct Extent {
  double west = 0, east = 0, south = 0, north = 0;
  double size() const { return std::max({east - west, north - south, 1.0}); }
};

Extent ExtentOf(const Calibration& calibration,
                const std::vector<proto::CalibrationPoint>& points) {
  Extent extent;
  for (const proto::CalibrationPoint& point : points) {
    const GroundVector ground = calibration.ToVector({point.lat(), point.lon()});
    extent.west = std::min(extent.west, ground.east);
    extent.east = std::max(extent.east, ground.east);
    extent.south = std::min(extent.south, ground.north);
    extent.north = std::max(extent.north, ground.north);
  }
  return extent;
}

class Drawing {
 public:
  Drawing(const BgrPicture& picture, const Calibration& calibration)
      : calibration_(calibration),
        canvas_(cv::Mat(picture.height, picture.width, CV_8UC3,
                        const_cast<uint8_t*>(picture.pixels.data()))
                    .clone()),
        thin_(std::max(1, picture.width / 900)) {}

  void GridLine(GroundVector from, GroundVector to, int steps) {
    std::optional<cv::Point> last;
    for (int i = 0; i <= steps; ++i) {
      const double part = static_cast<double>(i) / steps;
      const GroundVector ground{from.east + part * (to.east - from.east),
                                from.north + part * (to.north - from.north)};
      const auto seen = calibration_.ToPicture(ground);
      const auto known = seen && InPicture(*seen) ? calibration_.ToGround(*seen) : std::nullopt;
      if (!known) {
        last.reset();
        continue;
      }
      const cv::Point here = Pixel(*seen);
      if (last) cv::line(canvas_, *last, here, ColourOf(known->error), thin_, cv::LINE_AA);
      last = here;
    }
  }

  void Text(cv::Point at, const std::string& text) {
    const double size = std::max(0.4, canvas_.cols / 1600.0);
    cv::putText(canvas_, text, at, cv::FONT_HERSHEY_SIMPLEX, size, kShade, 3 * thin_, cv::LINE_AA);
    cv::putText(canvas_, text, at, cv::FONT_HERSHEY_SIMPLEX, size, kInk, thin_, cv::LINE_AA);
  }

  void Point(size_t number, const proto::CalibrationPoint& point,
             const Calibration::Residual& residual) {
    const cv::Point given =
        Pixel({static_cast<float>(point.x()), static_cast<float>(point.y())});
    const auto fitted = calibration_.ToPicture(calibration_.ToVector({point.lat(), point.lon()}));
    const int radius = 5 * thin_;
    if (fitted) {
      cv::line(canvas_, given, Pixel(*fitted), kPoor, 2 * thin_, cv::LINE_AA);
      cv::drawMarker(canvas_, Pixel(*fitted), kPoor, cv::MARKER_TILTED_CROSS, 2 * radius,
                     2 * thin_, cv::LINE_AA);
    }
    cv::circle(canvas_, given, radius, kShade, 3 * thin_, cv::LINE_AA);
    cv::circle(canvas_, given, radius, kInk, thin_, cv::LINE_AA);
    const double worst = std::max(residual.fitted.value, residual.left_out.value);
    Text(given + cv::Point(2 * radius, -radius), fmt::format("{}: {:.1f} m", number, worst));
  }

  void NorthArrow(Metres length) {
    const auto from = calibration_.ToPicture({0, 0});
    const auto to = calibration_.ToPicture({0, length.value});
    if (!from || !to || !InPicture(*from)) return;
    cv::arrowedLine(canvas_, Pixel(*from), Pixel(*to), kShade, 4 * thin_, cv::LINE_AA);
    cv::arrowedLine(canvas_, Pixel(*from), Pixel(*to), kInk, 2 * thin_, cv::LINE_AA);
    Text(Pixel(*to) + cv::Point(4, -4), "N");
  }

  absl::StatusOr<std::string> Jpeg() const {
    std::vector<uint8_t> bytes;
    try {
      if (!cv::imencode(".jpg", canvas_, bytes, {cv::IMWRITE_JPEG_QUALITY, kJpegQuality}))
        return absl::InternalError("the calibration's picture cannot be encoded");
    } catch (const cv::Exception& error) {
      return absl::InternalError(std::string("the calibration's picture: ") + error.what());
    }
    return std::string(bytes.begin(), bytes.end());
  }

  int height() const { return canvas_.rows; }

 private:
  static bool InPicture(PicturePoint p) {
    return p.x > -0.2F && p.x < 1.2F && p.y > -0.2F && p.y < 1.2F;
  }
  static cv::Scalar ColourOf(Metres error) {
    return error.value <= kFineError ? kFine : error.value <= kFairError ? kFair : kPoor;
  }
  cv::Point Pixel(PicturePoint p) const {
    return {static_cast<int>(std::lround(p.x * static_cast<float>(canvas_.cols))),
            static_cast<int>(std::lround(p.y * static_cast<float>(canvas_.rows)))};
  }

  const Calibration& calibration_;
  cv::Mat canvas_;
  const int thin_;
};

}  // namespace

Metres GridSpacing(const Calibration& calibration,
                   const std::vector<proto::CalibrationPoint>& points) {
  const double wanted = ExtentOf(calibration, points).size() / kLinesAcross;
  const double decade = std::pow(10, std::floor(std::log10(std::max(wanted, 1.0))));
  for (const double step : {1.0, 2.0, 5.0}) {
    if (step * decade >= wanted) return {step * decade};
  }
  return {10 * decade};
}

absl::StatusOr<std::string> CalibrationPicture(const BgrPicture& picture,
                                               const Calibration& calibration,
                                               const std::vector<proto::CalibrationPoint>& points) {
  const Extent extent = ExtentOf(calibration, points);
  const double cell = GridSpacing(calibration, points).value;
  const int west = static_cast<int>(std::floor(extent.west / cell)) - kLinesBeyond;
  const int east = static_cast<int>(std::ceil(extent.east / cell)) + kLinesBeyond;
  const int south = static_cast<int>(std::floor(extent.south / cell)) - kLinesBeyond;
  const int north = static_cast<int>(std::ceil(extent.north / cell)) + kLinesBeyond;
  Drawing drawing(picture, calibration);
  for (int i = west; i <= east; ++i) {
    drawing.GridLine({i * cell, south * cell}, {i * cell, north * cell},
                     (north - south) * kStepsPerCell);
  }
  for (int i = south; i <= north; ++i) {
    drawing.GridLine({west * cell, i * cell}, {east * cell, i * cell},
                     (east - west) * kStepsPerCell);
  }
  drawing.NorthArrow({2 * cell});
  for (size_t i = 0; i < points.size(); ++i)
    drawing.Point(i + 1, points[i], calibration.residuals()[i]);
  drawing.Text({10, drawing.height() - 12},
               fmt::format("grid {:g} m; error green <= {:g} m, yellow <= {:g} m, red beyond", cell,
                           kFineError, kFairError));
  return drawing.Jpeg();
}

}  // namespace cordon
