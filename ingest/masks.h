// SPDX-License-Identifier: Apache-2.0
// Privacy masks: polygons of the picture that are never analysed, kept or sent.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "proto/config.pb.h"

namespace cordon {

// A point of the picture, relative, 0..1 from the top left corner.
struct RelativePoint {
  double x = 0;
  double y = 0;
};

// "x,y" as the configuration writes points. INVALID_ARGUMENT when it is not two numbers in 0..1.
absl::StatusOr<RelativePoint> ParseRelativePoint(const std::string& text);

// A run of masked pixels of one row: [begin, end).
struct MaskSpan {
  int y = 0;
  int begin = 0;
  int end = 0;
};

// The masks of one camera. Immutable.
class Masks {
 public:
  Masks() = default;
  static absl::StatusOr<Masks> Parse(const proto::CameraConfig& config);
  explicit Masks(std::vector<std::vector<RelativePoint>> polygons)
      : polygons_(std::move(polygons)) {}

  bool empty() const { return polygons_.empty(); }

  // Spans of a width x height raster that cover every cell that any mask touches, even by a corner,
  // widened by `margin` cells: what is averaged across a mask's edge stays inside. Sorted by row;
  // spans of two masks may overlap.
  std::vector<MaskSpan> Cover(int width, int height, int margin) const;

 private:
  std::vector<std::vector<RelativePoint>> polygons_;
};

}  // namespace cordon
