// SPDX-License-Identifier: Apache-2.0
#include "analytics/geometry.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace cordon {
namespace {

constexpr float kLeastZoneArea = 1e-5F;  // of the picture; less is a line

// Twice the signed area of the triangle a, b, p: > 0 when p is right of a->b in a picture (y points
// down).
double Side(PicturePoint a, PicturePoint b, PicturePoint p) {
  return (static_cast<double>(b.x) - a.x) * (static_cast<double>(p.y) - a.y) -
         (static_cast<double>(b.y) - a.y) * (static_cast<double>(p.x) - a.x);
}

float DistanceToSegment(PicturePoint p, PicturePoint a, PicturePoint b, float aspect) {
  const float ax = (b.x - a.x) * aspect;
  const float ay = b.y - a.y;
  const float px = (p.x - a.x) * aspect;
  const float py = p.y - a.y;
  const float length2 = ax * ax + ay * ay;
  const float t = length2 > 0 ? std::clamp((px * ax + py * ay) / length2, 0.0F, 1.0F) : 0.0F;
  return std::hypot(px - t * ax, py - t * ay);
}

absl::StatusOr<std::vector<PicturePoint>> ParsePoints(std::span<const std::string> texts) {
  std::vector<PicturePoint> points;
  points.reserve(texts.size());
  for (const std::string& text : texts) {
    ASSIGN_OR_RETURN(const PicturePoint point, ParsePoint(text));
    points.push_back(point);
  }
  return points;
}

double Area(const std::vector<PicturePoint>& corners) {
  double twice = 0;
  for (size_t i = 0; i < corners.size(); ++i) {
    const PicturePoint a = corners[i];
    const PicturePoint b = corners[(i + 1) % corners.size()];
    twice += static_cast<double>(a.x) * b.y - static_cast<double>(b.x) * a.y;
  }
  return std::abs(twice) / 2;
}

}  // namespace

float Overlap(const PictureBox& a, const PictureBox& b) {
  const float width = std::min(a.right(), b.right()) - std::max(a.x, b.x);
  const float height = std::min(a.bottom(), b.bottom()) - std::max(a.y, b.y);
  return width > 0 && height > 0 ? width * height : 0;
}

float Iou(const PictureBox& a, const PictureBox& b) {
  const float both = Overlap(a, b);
  const float either = a.area() + b.area() - both;
  return either > 0 ? both / either : 0;
}

PictureBox ClampToPicture(const PictureBox& box) {
  const float x = std::clamp(box.x, 0.0F, 1.0F);
  const float y = std::clamp(box.y, 0.0F, 1.0F);
  return {x, y, std::clamp(box.right(), x, 1.0F) - x, std::clamp(box.bottom(), y, 1.0F) - y};
}

PictureBox Union(const PictureBox& a, const PictureBox& b) {
  const float x = std::min(a.x, b.x);
  const float y = std::min(a.y, b.y);
  return {x, y, std::max(a.right(), b.right()) - x, std::max(a.bottom(), b.bottom()) - y};
}

PictureBox Grown(const PictureBox& box, float factor) {
  return ClampToPicture({box.x - box.width * factor, box.y - box.height * factor,
                         box.width * (1 + 2 * factor), box.height * (1 + 2 * factor)});
}

PixelRect ToPixels(const PictureBox& box, int width, int height) {
  const auto low = [](float v, int size) {
    return std::clamp(static_cast<int>(std::floor(v * static_cast<float>(size))), 0, size - 1);
  };
  const auto high = [](float v, int size, int from) {
    return std::clamp(static_cast<int>(std::ceil(v * static_cast<float>(size))), from + 1, size);
  };
  PixelRect rect;
  rect.x = low(box.x, width);
  rect.y = low(box.y, height);
  rect.width = high(box.right(), width, rect.x) - rect.x;
  rect.height = high(box.bottom(), height, rect.y) - rect.y;
  return rect;
}

PictureBox ToRelative(const PixelRect& rect, int width, int height) {
  const auto w = static_cast<float>(width);
  const auto h = static_cast<float>(height);
  return {static_cast<float>(rect.x) / w, static_cast<float>(rect.y) / h,
          static_cast<float>(rect.width) / w, static_cast<float>(rect.height) / h};
}

float Distance(PicturePoint a, PicturePoint b, float aspect) {
  return std::hypot((a.x - b.x) * aspect, a.y - b.y);
}

absl::StatusOr<PicturePoint> ParsePoint(const std::string& text) {
  const char* at = text.c_str();
  char* end = nullptr;
  const float x = std::strtof(at, &end);
  const char* comma = end;
  while (*comma == ' ') ++comma;
  bool good = end != at && *comma == ',';
  float y = 0;
  if (good) {
    at = comma + 1;
    y = std::strtof(at, &end);
    good = end != at && text.find_first_not_of(" \t", static_cast<size_t>(end - text.c_str())) ==
                            std::string::npos;
  }
  if (!good || !(x >= 0 && x <= 1 && y >= 0 && y <= 1)) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is not a point: write 'x,y' with both in 0..1", text));
  }
  return PicturePoint{x, y};
}

absl::StatusOr<PictureZone> PictureZone::Parse(std::span<const std::string> corners) {
  PictureZone zone;
  ASSIGN_OR_RETURN(zone.corners_, ParsePoints(corners));
  if (zone.corners_.size() < 3 || Area(zone.corners_) < kLeastZoneArea) {
    return absl::InvalidArgumentError(
        "a zone needs three or more corners that enclose an area; leave it out for the whole "
        "picture");
  }
  return zone;
}

bool PictureZone::Contains(PicturePoint p) const {
  if (corners_.empty()) return true;
  bool inside = false;
  for (size_t i = 0, j = corners_.size() - 1; i < corners_.size(); j = i++) {
    const PicturePoint a = corners_[i];
    const PicturePoint b = corners_[j];
    if ((a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x) {
      inside = !inside;
    }
  }
  return inside;
}

float PictureZone::DepthInside(PicturePoint p, float aspect) const {
  if (corners_.empty()) return 1;
  float nearest = 1e9F;
  for (size_t i = 0; i < corners_.size(); ++i) {
    nearest = std::min(
        nearest, DistanceToSegment(p, corners_[i], corners_[(i + 1) % corners_.size()], aspect));
  }
  return Contains(p) ? nearest : -nearest;
}

absl::StatusOr<PictureLine> PictureLine::Parse(std::span<const std::string> points) {
  PictureLine line;
  ASSIGN_OR_RETURN(line.points_, ParsePoints(points));
  float length = 0;
  for (size_t i = 1; i < line.points_.size(); ++i) {
    length += cordon::Distance(line.points_[i - 1], line.points_[i], 1);
  }
  if (line.points_.size() < 2 || length < 1e-3F) {
    return absl::InvalidArgumentError("a line needs two or more points that lie apart");
  }
  return line;
}

int PictureLine::Crossings(PicturePoint from, PicturePoint to) const {
  int net = 0;
  for (size_t i = 1; i < points_.size(); ++i) {
    const PicturePoint a = points_[i - 1];
    const PicturePoint b = points_[i];
    const bool from_right = Side(a, b, from) >= 0;
    const bool to_right = Side(a, b, to) >= 0;
    if (from_right == to_right) continue;
    // A path through an inner corner of the line meets exactly one of its two segments.
    const bool a_right = Side(from, to, a) >= 0;
    const bool b_right = Side(from, to, b) >= 0;
    if (a_right == b_right) continue;
    net += to_right ? 1 : -1;
  }
  return net;
}

float PictureLine::DistanceTo(PicturePoint p, float aspect) const {
  float nearest = 1e9F;
  for (size_t i = 1; i < points_.size(); ++i) {
    nearest = std::min(nearest, DistanceToSegment(p, points_[i - 1], points_[i], aspect));
  }
  return nearest;
}

}  // namespace cordon
