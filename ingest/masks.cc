// SPDX-License-Identifier: Apache-2.0
#include "ingest/masks.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace cordon {
namespace {

// A mask's edge exactly on a cell's border touches both cells, whatever the rounding.
constexpr double kTouch = 1e-6;

struct Interval {
  double begin = 0;
  double end = 0;
};

// x-extent of the edge a-b within the band [top, bottom]; empty when it does not touch the band.
std::optional<Interval> EdgeWithin(RelativePoint a, RelativePoint b, double top, double bottom) {
  if (a.y > b.y) std::swap(a, b);
  if (b.y < top || a.y > bottom) return std::nullopt;
  const auto x_at = [&](double y) {
    return b.y == a.y ? a.x : a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y);
  };
  const double x0 = a.y < top ? x_at(top) : a.x;
  const double x1 = b.y > bottom ? x_at(bottom) : b.x;
  return Interval{std::min(x0, x1), std::max(x0, x1)};
}

// Where the line y crosses the polygon (even-odd), as intervals.
void Crossings(const std::vector<RelativePoint>& polygon, double y, std::vector<Interval>& out) {
  std::vector<double> xs;
  for (size_t i = 0; i < polygon.size(); ++i) {
    const RelativePoint& a = polygon[i];
    const RelativePoint& b = polygon[(i + 1) % polygon.size()];
    if ((a.y <= y) == (b.y <= y)) continue;
    xs.push_back(a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y));
  }
  std::sort(xs.begin(), xs.end());
  for (size_t i = 0; i + 1 < xs.size(); i += 2) out.push_back({xs[i], xs[i + 1]});
}

// All x of the polygon within a band: its edges there, and its inside on the band's two borders and
// middle. An inside part that reaches neither border nor an edge of the band does not exist.
std::vector<Interval> Within(const std::vector<RelativePoint>& polygon, double top, double bottom) {
  std::vector<Interval> parts;
  for (size_t i = 0; i < polygon.size(); ++i) {
    if (auto part = EdgeWithin(polygon[i], polygon[(i + 1) % polygon.size()], top, bottom))
      parts.push_back(*part);
  }
  for (double y : {top, (top + bottom) / 2, bottom}) Crossings(polygon, y, parts);
  return parts;
}

}  // namespace

absl::StatusOr<RelativePoint> ParseRelativePoint(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ',');
  RelativePoint point;
  if (parts.size() != 2 || !absl::SimpleAtod(parts[0], &point.x) ||
      !absl::SimpleAtod(parts[1], &point.y) ||
      !(point.x >= 0 && point.x <= 1 && point.y >= 0 && point.y <= 1)) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is not a point of the picture: write 'x,y' with both in 0..1", text));
  }
  return point;
}

absl::StatusOr<Masks> Masks::Parse(const proto::CameraConfig& config) {
  std::vector<std::vector<RelativePoint>> polygons;
  for (const proto::MaskConfig& mask : config.masks()) {
    std::vector<RelativePoint> polygon;
    for (const std::string& text : mask.points()) {
      ASSIGN_OR_RETURN(RelativePoint point, ParseRelativePoint(text));
      polygon.push_back(point);
    }
    if (polygon.size() < 3) {
      return absl::InvalidArgumentError(
          fmt::format("camera {}: a mask needs at least three points", config.id()));
    }
    polygons.push_back(std::move(polygon));
  }
  return Masks(std::move(polygons));
}

std::vector<MaskSpan> Masks::Cover(int width, int height, int margin) const {
  std::vector<MaskSpan> spans;
  for (int y = 0; y < height; ++y) {
    const double top = static_cast<double>(y - margin) / height;
    const double bottom = static_cast<double>(y + 1 + margin) / height;
    for (const auto& polygon : polygons_) {
      for (const Interval& part : Within(polygon, top, bottom)) {
        const int begin =
            std::max(0, static_cast<int>(std::floor(part.begin * width - kTouch)) - margin);
        const int end =
            std::min(width, static_cast<int>(std::floor(part.end * width + kTouch)) + 1 + margin);
        if (begin < end) spans.push_back({y, begin, end});
      }
    }
  }
  return spans;
}

}  // namespace cordon
