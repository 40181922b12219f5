// SPDX-License-Identifier: Apache-2.0
// Loops over whole pictures that OpenCV would do with its own threads or for pixels that nobody asks
// about. Parallelism is across cameras: a thread more for a small picture only costs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cordon {

// Blurs with the 3x3 binomial kernel, rounded; the picture's edge is mirrored about its outermost
// pixels. The same bytes as cv::GaussianBlur(in, out, {3, 3}, 0). `in` and `out` are rows of `width`
// bytes without padding and must not overlap; at least 2x2 pixels.
class BinomialBlur {
 public:
  void Apply(const uint8_t* in, int width, int height, uint8_t* out);

 private:
  std::vector<uint16_t> sums_;  // of one column, mirrored by one on each side
};

// Means over the 5x5 window around a pixel, as cv::boxFilter of floats gives them: of the picture,
// of the scene, of their squares and of their product.
struct WindowMeans {
  float now = 0;
  float scene = 0;
  float now_square = 0;
  float scene_square = 0;
  float product = 0;
};

// Gives them for single pixels. Neighbours in a row share most of their window's columns, whose sums
// are kept: ask from left to right. Pictures without padding, at least 3x3 pixels, mirrored at the
// edge as above; they must outlive it and not change.
class WindowScan {
 public:
  WindowScan(const uint8_t* now, const float* scene, int width, int height)
      : now_(now), scene_(scene), width_(width), height_(height) {}
  void StartRow(int y);
  WindowMeans At(int x);

 private:
  static constexpr int kReach = 2;  // of the window, to each side
  static constexpr int kSize = 2 * kReach + 1;
  struct Column {
    int x = -1;  // -1: not of this row
    double now = 0, scene = 0, now_square = 0, scene_square = 0, product = 0;
  };
  const Column& ColumnAt(int x);

  const uint8_t* now_;
  const float* scene_;
  const int width_;
  const int height_;
  size_t rows_[kSize] = {};  // where the window's rows begin
  Column columns_[kSize];
};

}  // namespace cordon
