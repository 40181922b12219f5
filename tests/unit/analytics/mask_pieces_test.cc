// SPDX-License-Identifier: Apache-2.0
#include "analytics/mask_pieces.h"

#include <gtest/gtest.h>

#include <map>
#include <opencv2/imgproc.hpp>
#include <random>

namespace cordon {
namespace {

constexpr int kWidth = 61;
constexpr int kHeight = 40;

using Mask = std::vector<uint8_t>;

Mask RandomMask(double share, uint32_t seed) {
  std::mt19937 random(seed);
  std::bernoulli_distribution set(share);
  Mask mask(kWidth * kHeight);
  for (uint8_t& pixel : mask) pixel = set(random) ? 255 : 0;
  return mask;
}

// Of each pixel: its piece, or -1.
std::vector<int> Painted(const MaskPieces& pieces) {
  std::vector<int> painted(kWidth * kHeight, -1);
  for (const MaskRun& run : pieces.runs()) {
    for (int x = run.begin; x < run.end; ++x)
      painted[static_cast<size_t>(run.y * kWidth + x)] = run.piece;
  }
  return painted;
}

class MaskPiecesTest : public testing::TestWithParam<double> {};

TEST_P(MaskPiecesTest, ArePixelForPixelWhatOpenCvFinds) {
  MaskPieces pieces;  // used again: nothing is left over from the mask before
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Mask mask = RandomMask(GetParam(), seed);
    pieces.Find(mask.data(), kWidth, kHeight);
    cv::Mat labels, stats, centres;
    const int count = cv::connectedComponentsWithStats(
        cv::Mat(kHeight, kWidth, CV_8UC1, mask.data()), labels, stats, centres, 8, CV_32S);
    ASSERT_EQ(pieces.pieces().size(), static_cast<size_t>(count) - 1);
    const std::vector<int> painted = Painted(pieces);
    std::map<int, int> label_of;
    for (size_t i = 0; i < painted.size(); ++i) {
      const int label = labels.at<int>(static_cast<int>(i) / kWidth, static_cast<int>(i) % kWidth);
      ASSERT_EQ(painted[i] >= 0, label > 0);
      if (label > 0) {
        ASSERT_EQ(label_of.emplace(painted[i], label).first->second, label);
      }
    }
    for (const auto& [piece, label] : label_of) {
      const MaskPiece& found = pieces.pieces()[static_cast<size_t>(piece)];
      const int* expected = stats.ptr<int>(label);
      EXPECT_EQ(found.rect.x, expected[cv::CC_STAT_LEFT]);
      EXPECT_EQ(found.rect.y, expected[cv::CC_STAT_TOP]);
      EXPECT_EQ(found.rect.width, expected[cv::CC_STAT_WIDTH]);
      EXPECT_EQ(found.rect.height, expected[cv::CC_STAT_HEIGHT]);
      EXPECT_EQ(found.area, expected[cv::CC_STAT_AREA]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(FromNothingToAll, MaskPiecesTest,
                         testing::Values(0.0, 0.02, 0.2, 0.4, 0.6, 0.9, 1.0));

TEST(MaskPieces, AreNumberedByTheirFirstPixel) {
  Mask mask(kWidth * kHeight, 0);
  mask[2 * kWidth + 50] = 255;
  mask[3 * kWidth + 5] = 255;
  MaskPieces pieces;
  pieces.Find(mask.data(), kWidth, kHeight);
  ASSERT_EQ(pieces.pieces().size(), 2U);
  EXPECT_EQ(pieces.pieces()[0].rect.x, 50);
  EXPECT_EQ(pieces.RunsOf(3, 4)[0].piece, 1);
}

}  // namespace
}  // namespace cordon
