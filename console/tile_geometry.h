// SPDX-License-Identifier: Apache-2.0
// From degrees to the integer grid of one tile, and the geometry commands of the vector tile
// format.
#pragma once

#include <cstdint>
#include <vector>

#include "base/geo.h"
#include "console/tiles.h"

namespace cordon::console {

inline constexpr int32_t kTileExtent = 4096;
// Drawn beyond the tile's edge, so that wide lines and their names join.
inline constexpr int32_t kTileBuffer = 96;

struct TilePoint {
  int32_t x = 0;
  int32_t y = 0;
  friend bool operator==(const TilePoint&, const TilePoint&) = default;
};

class TileProjection {
 public:
  explicit TileProjection(const TileId& tile);
  TilePoint Project(const LatLon& place) const;
  // Corners in degrees, buffer included.
  LatLon south_west() const { return south_west_; }
  LatLon north_east() const { return north_east_; }

 private:
  double scale_;
  double left_;
  double top_;
  LatLon south_west_;
  LatLon north_east_;
};

// The parts of a line inside the tile and its buffer, points closer than `tolerance` left out.
std::vector<std::vector<TilePoint>> ClipLine(const std::vector<TilePoint>& line, int32_t tolerance);

// MoveTo/LineTo commands with zigzag deltas (vector tile specification 4.3).
std::vector<uint32_t> EncodeLines(const std::vector<std::vector<TilePoint>>& lines);
std::vector<uint32_t> EncodePoint(TilePoint point);

}  // namespace cordon::console
