// SPDX-License-Identifier: Apache-2.0
// Points, boxes, zones and lines of a picture, relative: x and y in 0..1 from the top left corner.
// Relative x and y have different scales unless the picture is square; where a distance or an angle
// matters, functions take the picture's aspect (width / height) and answer in picture heights.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "ingest/frame.h"

namespace cordon {

struct PicturePoint {
  float x = 0;
  float y = 0;
  friend bool operator==(const PicturePoint&, const PicturePoint&) = default;
};

// Left, top, width, height.
struct PictureBox {
  float x = 0;
  float y = 0;
  float width = 0;
  float height = 0;

  float right() const { return x + width; }
  float bottom() const { return y + height; }
  float area() const { return width * height; }
  PicturePoint centre() const { return {x + width / 2, y + height / 2}; }
  // Where the object stands: the middle of the lower edge.
  PicturePoint foot() const { return {x + width / 2, y + height}; }
  friend bool operator==(const PictureBox&, const PictureBox&) = default;
};

// Intersection over union, 0..1; 0 for empty boxes.
float Iou(const PictureBox& a, const PictureBox& b);
// Area of the intersection.
float Overlap(const PictureBox& a, const PictureBox& b);
// The part of the box inside the picture.
PictureBox ClampToPicture(const PictureBox& box);
// Smallest box around both.
PictureBox Union(const PictureBox& a, const PictureBox& b);
// Grown by `factor` of its own size on each side, clamped to the picture.
PictureBox Grown(const PictureBox& box, float factor);

// Rounded outwards, clamped to width x height; at least one pixel in each direction.
PixelRect ToPixels(const PictureBox& box, int width, int height);
PictureBox ToRelative(const PixelRect& rect, int width, int height);

// In picture heights.
float Distance(PicturePoint a, PicturePoint b, float aspect);

// A simple polygon; without corners it is the whole picture.
class PictureZone {
 public:
  PictureZone() = default;
  // "x,y" strings as in RuleConfig.zone. INVALID_ARGUMENT for fewer than three corners, text that
  // is no point, or no area.
  static absl::StatusOr<PictureZone> Parse(std::span<const std::string> corners);

  bool whole_picture() const { return corners_.empty(); }
  const std::vector<PicturePoint>& corners() const { return corners_; }
  bool Contains(PicturePoint p) const;
  // Distance to the nearest edge in picture heights, positive inside, negative outside. The whole
  // picture: 1.
  float DepthInside(PicturePoint p, float aspect) const;

 private:
  std::vector<PicturePoint> corners_;
};

// An open line of two or more points; its left side is the left of one who walks from its first to
// its last point.
class PictureLine {
 public:
  PictureLine() = default;
  // INVALID_ARGUMENT for fewer than two points, text that is no point, or no length.
  static absl::StatusOr<PictureLine> Parse(std::span<const std::string> points);

  const std::vector<PicturePoint>& points() const { return points_; }
  // How often the step from `from` to `to` crosses: +1 for each crossing from left to right, -1 for
  // each from right to left. A point on the line counts as right of it, so that a path is counted
  // once whatever its steps.
  int Crossings(PicturePoint from, PicturePoint to) const;
  float DistanceTo(PicturePoint p, float aspect) const;

 private:
  std::vector<PicturePoint> points_;
};

// "x,y" with both in 0..1.
absl::StatusOr<PicturePoint> ParsePoint(const std::string& text);

}  // namespace cordon
