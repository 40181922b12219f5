// SPDX-License-Identifier: Apache-2.0
// Loops over whole pictures that OpenCV would do with its own threads or for pixels that nobody
// asks about. Parallelism is across cameras: a thread more for a small picture only costs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cordon {

// Blurs with the 3x3 binomial kernel, rounded; the picture's edge is mirrored about its outermost
// pixels. The same bytes as cv::GaussianBlur(in, out, {3, 3}, 0). `in` and `out` are rows of
// `width` bytes without padding and must not overlap; at least 2x2 pixels.
class BinomialBlur {
 public:
  void Apply(const uint8_t* in, int width, int height, uint8_t* out);

 private:
  std::vector<uint16_t> sums_;  // of one column, mirrored by one on each side
};

// What most of the 3x3 pixels around each are, for a mask of 0 and 255; the picture's outermost
// pixels count again beyond its edge. The same bytes as cv::medianBlur(in, out, 3). `in` and `out`
// are rows of `width` bytes without padding and must not overlap.
class MajorityFilter {
 public:
  void Apply(const uint8_t* in, int width, int height, uint8_t* out);

 private:
  std::vector<uint8_t> sums_;  // of one column, the outermost repeated on each side
};

// Means over the 5x5 window around each pixel of a stretch, as cv::boxFilter of floats gives them:
// of the picture, of the scene, of their squares and of their product. [i] is the stretch's i-th
// pixel.
struct WindowMeans {
  std::vector<float> now, scene, now_square, scene_square, product;
};

// Gives them for stretches of rows, so that nothing is computed where nobody asks. Pictures without
// padding, at least 3x3 pixels, mirrored at the edge as above; they must outlive it and not change.
class WindowScan {
 public:
  WindowScan(const uint8_t* now, const float* scene, int width, int height)
      : now_(now), scene_(scene), width_(width), height_(height) {}
  // Of the pixels from `begin` up to `end` of row `y`. Valid until the next call.
  const WindowMeans& Stretch(int y, int begin, int end);

 private:
  static constexpr int kReach = 2;  // of the window, to each side
  void SumColumns(int y, int begin, int end);

  const uint8_t* now_;
  const float* scene_;
  const int width_;
  const int height_;
  WindowMeans columns_;  // sums of five pixels above each other, from kReach before the stretch on
  WindowMeans means_;
};

}  // namespace cordon
