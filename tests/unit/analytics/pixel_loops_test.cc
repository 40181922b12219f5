// SPDX-License-Identifier: Apache-2.0
#include "analytics/pixel_loops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/imgproc.hpp>
#include <random>

namespace cordon {
namespace {

constexpr int kWidth = 37;
constexpr int kHeight = 21;

size_t At(int x, int y) {
  const auto mirrored = [](int at, int size) {
    return at < 0 ? -at : at >= size ? 2 * size - 2 - at : at;
  };
  return static_cast<size_t>(mirrored(y, kHeight) * kWidth + mirrored(x, kWidth));
}

class PixelLoops : public ::testing::Test {
 protected:
  PixelLoops() {
    std::mt19937 random(1);
    for (uint8_t& pixel : picture_) pixel = static_cast<uint8_t>(random());
    for (float& value : scene_) value = static_cast<float>(random() % 25600) / 100;
  }
  std::vector<uint8_t> picture_ = std::vector<uint8_t>(kWidth * kHeight);
  std::vector<float> scene_ = std::vector<float>(kWidth * kHeight);
};

TEST_F(PixelLoops, BlurIsTheRoundedBinomialMeanUpToTheEdge) {
  std::vector<uint8_t> out(picture_.size());
  BinomialBlur().Apply(picture_.data(), kWidth, kHeight, out.data());
  constexpr int kWeights[3] = {1, 2, 1};
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      int sum = 0;
      for (int dy = -1; dy <= 1; ++dy) {
        for (int dx = -1; dx <= 1; ++dx)
          sum += kWeights[dy + 1] * kWeights[dx + 1] * picture_[At(x + dx, y + dy)];
      }
      ASSERT_EQ(out[At(x, y)], (sum + 8) / 16) << x << "," << y;
    }
  }
}

TEST_F(PixelLoops, TheMajorityFilterGivesTheMedianOfAMask) {
  for (uint8_t& pixel : picture_) pixel = pixel < 110 ? 255 : 0;
  std::vector<uint8_t> out(picture_.size());
  MajorityFilter().Apply(picture_.data(), kWidth, kHeight, out.data());
  cv::Mat median;
  cv::medianBlur(cv::Mat(kHeight, kWidth, CV_8UC1, picture_.data()), median, 3);
  EXPECT_EQ(out, std::vector<uint8_t>(median.begin<uint8_t>(), median.end<uint8_t>()));
}

TEST_F(PixelLoops, WindowMeansAreThoseOfTheWindowWhateverTheStretch) {
  WindowScan scan(picture_.data(), scene_.data(), kWidth, kHeight);
  for (int y = 0; y < kHeight; ++y) {
    for (const auto& [begin, end] :
         {std::pair(0, kWidth), {y, y + 1}, {0, 1}, {kWidth - 1, kWidth}}) {
      const WindowMeans& means = scan.Stretch(y, begin, end);
      for (int x = begin; x < end; ++x) {
        double now = 0, scene = 0, now_square = 0, scene_square = 0, product = 0;
        for (int dy = -2; dy <= 2; ++dy) {
          for (int dx = -2; dx <= 2; ++dx) {
            const double n = picture_[At(x + dx, y + dy)];
            const double s = scene_[At(x + dx, y + dy)];
            now += n;
            scene += s;
            now_square += n * n;
            scene_square += s * s;
            product += n * s;
          }
        }
        const auto i = static_cast<size_t>(x - begin);
        ASSERT_NEAR(means.now[i], now / 25, 1e-4) << x << "," << y;
        ASSERT_NEAR(means.scene[i], scene / 25, 1e-4) << x << "," << y;
        ASSERT_NEAR(means.now_square[i], now_square / 25, 1e-2) << x << "," << y;
        ASSERT_NEAR(means.scene_square[i], scene_square / 25, 1e-2) << x << "," << y;
        ASSERT_NEAR(means.product[i], product / 25, 1e-2) << x << "," << y;
      }
    }
  }
}

}  // namespace
}  // namespace cordon
