// SPDX-License-Identifier: Apache-2.0
// Rings around the set cells of a bit matrix. Used by ContourDrawer only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cordon {

// Cells x, y with x < width, y < height; a margin of unset cells surrounds them, one of which may be
// asked for on each side.
class BitMatrix {
 public:
  BitMatrix() = default;
  BitMatrix(int width_words, int height) { Reset(width_words, height); }
  // All unset, or all set with the margin.
  void Reset(int width_words, int height, bool set = false) {
    words_ = width_words;
    height_ = height;
    rows_.assign(static_cast<size_t>(width_words + 2) * static_cast<size_t>(height + 2),
                 set ? ~uint64_t{0} : 0);
  }
  uint64_t& Word(int word, int y) { return rows_[At(word, y)]; }
  uint64_t Word(int word, int y) const { return rows_[At(word, y)]; }
  // The same cell in one number, for matrices of one size; its neighbours are 1 and RowBits() away.
  size_t BitOf(int x, int y) const { return At(x >> 6, y) * 64 + static_cast<size_t>(x & 63); }
  size_t RowBits() const { return static_cast<size_t>(words_ + 2) * 64; }
  bool Test(size_t bit) const { return rows_[bit / 64] >> bit % 64 & 1; }
  void Set(size_t bit) { rows_[bit / 64] |= uint64_t{1} << bit % 64; }
  int width() const { return words_ * 64; }
  int words() const { return words_; }
  int height() const { return height_; }

 private:
  size_t At(int word, int y) const {
    return static_cast<size_t>(y + 1) * static_cast<size_t>(words_ + 2) +
           static_cast<size_t>(word + 1);
  }
  int words_ = 0;
  int height_ = 0;
  std::vector<uint64_t> rows_;
};

struct RingPoint {
  int32_t x = 0;
  int32_t y = 0;
};
struct RingPolygon {
  std::vector<RingPoint> outer;
  std::vector<std::vector<RingPoint>> holes;
};

// Polygons of the four-connected groups of set cells that have at least one cell in
// `keeps_corners`, in units of which a cell has `units_per_cell`, an even number. Corners are cut by
// half a cell, by one unit where the cell keeps its corners (a reached road passes it), and not at
// all where that would add something of a cell in `keeps_out` (a road passes it). Rings
// have no point in common with one another or twice with themselves, and none on the straight line
// between its neighbours. Ordered from south to north, west to east. The three are of one size.
std::vector<RingPolygon> TraceRings(const BitMatrix& cells, const BitMatrix& keeps_corners,
                                    const BitMatrix& keeps_out, int units_per_cell);

}  // namespace cordon
