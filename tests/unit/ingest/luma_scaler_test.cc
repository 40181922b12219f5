// SPDX-License-Identifier: Apache-2.0
#include "ingest/luma_scaler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

namespace cordon {
namespace {

TEST(AnalysisSize, KeepsAspectAndEvenHeightAndNeverEnlarges) {
  EXPECT_EQ(AnalysisSize(1920, 1080, 480).width, 480);
  EXPECT_EQ(AnalysisSize(1920, 1080, 480).height, 270);
  EXPECT_EQ(AnalysisSize(320, 240, 480).width, 320);
  EXPECT_EQ(AnalysisSize(320, 240, 480).height, 240);
  EXPECT_EQ(AnalysisSize(1000, 333, 480).height % 2, 0);
}

TEST(LumaScaler, FlatPictureStaysExactlyFlat) {
  for (int value : {0, 1, 16, 127, 235, 255}) {
    LumaScaler scaler(1280, 720, AnalysisSize(1280, 720, 480));
    const std::vector<uint8_t> plane(1280 * 720, static_cast<uint8_t>(value));
    for (uint8_t pixel : scaler.Scale(plane.data(), 1280).pixels) ASSERT_EQ(pixel, value);
  }
}

// The definition, in floating point: the mean over the cell's rectangle.
double MeanOver(const std::vector<uint8_t>& plane, int width, double x0, double x1, double y0,
                double y1) {
  double sum = 0;
  for (int y = static_cast<int>(y0); y < std::ceil(y1); ++y) {
    for (int x = static_cast<int>(x0); x < std::ceil(x1); ++x) {
      const double area = (std::min(x1, x + 1.0) - std::max(x0, 1.0 * x)) *
                          (std::min(y1, y + 1.0) - std::max(y0, 1.0 * y));
      sum += area * plane[static_cast<size_t>(y * width + x)];
    }
  }
  return sum / ((x1 - x0) * (y1 - y0));
}

TEST(LumaScaler, EqualsTheAreaMeanWithinRounding) {
  std::mt19937 random(7);
  for (const auto& [w, h, to] :
       {std::tuple{640, 360, 480}, {1280, 720, 480}, {1920, 1080, 480}, {401, 301, 128},
        {130, 96, 128}}) {
    std::vector<uint8_t> plane(static_cast<size_t>(w * h));
    for (uint8_t& pixel : plane) pixel = static_cast<uint8_t>(random() % 256);
    const LumaSize size = AnalysisSize(w, h, to);
    LumaScaler scaler(w, h, size);
    const LumaPicture out = scaler.Scale(plane.data(), w);
    ASSERT_EQ(out.width, size.width);
    ASSERT_EQ(out.height, size.height);
    for (int y = 0; y < size.height; y += 7) {
      for (int x = 0; x < size.width; x += 5) {
        const double rx = 1.0 * w / size.width;
        const double ry = 1.0 * h / size.height;
        const double mean =
            MeanOver(plane, w, x * rx, (x + 1) * rx - 1e-9, y * ry, (y + 1) * ry - 1e-9);
        // Row weights are in 1/64: up to 255 * 2/64 where neighbours differ most.
        ASSERT_NEAR(out.row(y)[x], mean, 5) << w << "x" << h << " at " << x << "," << y;
      }
    }
  }
}

}  // namespace
}  // namespace cordon
