// SPDX-License-Identifier: Apache-2.0
// Rings around the set cells of a bit matrix. Used by ContourDrawer only.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace cordon {

// Cells x, y with x < width, y < height; a margin of unset cells surrounds them.
class BitMatrix {
 public:
  BitMatrix(int width_words, int height)
      : words_(width_words),
        height_(height),
        rows_(static_cast<size_t>(width_words) * static_cast<size_t>(height)) {}
  uint64_t& Word(int word, int y) {
    return rows_[static_cast<size_t>(y) * static_cast<size_t>(words_) + static_cast<size_t>(word)];
  }
  uint64_t Word(int word, int y) const {
    return rows_[static_cast<size_t>(y) * static_cast<size_t>(words_) + static_cast<size_t>(word)];
  }
  bool Get(int x, int y) const {
    if (x < 0 || y < 0 || x >= width() || y >= height_) return false;
    return Word(x >> 6, y) >> (x & 63) & 1;
  }
  int width() const { return words_ * 64; }
  int words() const { return words_; }
  int height() const { return height_; }

 private:
  int words_;
  int height_;
  std::vector<uint64_t> rows_;
};

// In units of 1/32 cell.
inline constexpr int kRingUnitsPerCell = 32;
struct RingPoint {
  int32_t x = 0;
  int32_t y = 0;
};
struct RingPolygon {
  std::vector<RingPoint> outer;
  std::vector<std::vector<RingPoint>> holes;
};

struct RingRules {
  // A reached road passes the cell: its corners may hardly be cut.
  std::function<bool(int, int)> keeps_corners;
  // A road passes the cell: nothing of it may be added.
  std::function<bool(int, int)> keeps_out;
};

// Polygons of the four-connected groups of set cells that have at least one cell that keeps its
// corners. Rings have no point in common with one another or twice with themselves. Ordered from
// south to north, west to east.
std::vector<RingPolygon> TraceRings(const BitMatrix& cells, const RingRules& rules);

}  // namespace cordon
