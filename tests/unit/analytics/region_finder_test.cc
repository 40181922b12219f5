// SPDX-License-Identifier: Apache-2.0
#include "analytics/region_finder.h"

#include <gtest/gtest.h>

namespace cordon {
namespace {

constexpr int kWidth = 240;
constexpr int kHeight = 180;
constexpr int kPerson = 60;  // pixels, everywhere in the picture

// A mask on which rectangles are drawn.
class Mask {
 public:
  Mask() {
    picture_.width = kWidth;
    picture_.height = kHeight;
    picture_.pixels.assign(static_cast<size_t>(kWidth) * kHeight, 0);
  }
  Mask& Fill(int x, int y, int width, int height) {
    for (int row = y; row < y + height; ++row) {
      for (int column = x; column < x + width; ++column) {
        picture_.pixels[static_cast<size_t>(row) * kWidth + static_cast<size_t>(column)] = 255;
      }
    }
    return *this;
  }
  const LumaPicture& picture() const { return picture_; }

 private:
  LumaPicture picture_;
};

// Persons are 60 pixels tall wherever they stand.
SizePrior Known() {
  SizePrior prior;
  for (int i = 0; i < 60; ++i) {
    const PicturePoint foot{0.1F + 0.013F * static_cast<float>(i),
                            0.4F + 0.05F * static_cast<float>(i % 10)};
    prior.Add(foot, static_cast<float>(kPerson) / kHeight);
  }
  return prior;
}

std::vector<MovingRegion> Regions(const Mask& mask, const SizePrior& prior,
                                  const std::vector<PictureBox>& expected = {},
                                  bool vehicle = false) {
  RegionFinder finder;
  finder.FindBlobs(mask.picture());
  return finder.Split(prior, expected, [vehicle](const MovingRegion&) { return vehicle; });
}

PictureBox Box(int x, int y, int width, int height) {
  return ToRelative({x, y, width, height}, kWidth, kHeight);
}

TEST(RegionFinder, AnEmptyMaskHasNoRegions) { EXPECT_TRUE(Regions(Mask(), Known()).empty()); }

TEST(RegionFinder, SpecksAreDropped) {
  EXPECT_TRUE(Regions(Mask().Fill(50, 50, 3, 3).Fill(100, 90, 20, 2), Known()).empty());
}

TEST(RegionFinder, HeadAndTrunkThatFellApartAreOneRegion) {
  EXPECT_EQ(Regions(Mask().Fill(100, 50, 8, 10).Fill(96, 64, 18, 46), Known()).size(), 1U);
}

TEST(RegionFinder, LargestComesFirst) {
  RegionFinder finder;
  const Mask mask = Mask().Fill(10, 10, 10, 20).Fill(60, 10, 20, 60);
  const std::vector<Blob>& blobs = finder.FindBlobs(mask.picture());
  ASSERT_EQ(blobs.size(), 2U);
  EXPECT_GT(blobs[0].area, blobs[1].area);
}

TEST(RegionFinder, AStormOfNoiseIsBounded) {
  Mask mask;
  for (int y = 0; y + 10 < kHeight; y += 18) {
    for (int x = 0; x + 5 < kWidth; x += 10) mask.Fill(x, y, 5, 9);
  }
  RegionFinder finder;
  EXPECT_EQ(finder.FindBlobs(mask.picture()).size(), 64U);
}

TEST(RegionFinder, OnePersonStaysOne) {
  const auto regions = Regions(Mask().Fill(100, 60, 22, kPerson), Known());
  ASSERT_EQ(regions.size(), 1U);
  EXPECT_NEAR(regions[0].box.height * kHeight, kPerson, 3);
}

TEST(RegionFinder, TwoSideBySideAreTwoThoughTheirBlobLooksLikeAVehicle) {
  const Mask pair = Mask().Fill(100, 60, 42, kPerson);
  const auto regions = Regions(pair, Known(), {}, true);
  ASSERT_EQ(regions.size(), 2U);
  const float apart = regions[0].box.centre().x - regions[1].box.centre().x;
  EXPECT_NEAR(std::abs(apart) * kWidth, 21, 6);
}

TEST(RegionFinder, NothingIsSplitWhileNobodyKnowsHowTallPersonsAre) {
  EXPECT_EQ(Regions(Mask().Fill(100, 60, 42, kPerson), SizePrior()).size(), 1U);
}

TEST(RegionFinder, ALowLongVehicleStaysWhole) {
  EXPECT_EQ(Regions(Mask().Fill(60, 70, 110, 50), Known(), {}, true).size(), 1U);
}

TEST(RegionFinder, SomethingSolidAndTallerThanAPersonStaysWhole) {
  EXPECT_EQ(Regions(Mask().Fill(60, 20, 90, 100), Known(), {Box(70, 60, 22, 60)}).size(), 1U);
}

TEST(RegionFinder, TwoWhoWereTrackedIntoOneBlobComeOutAsTwo) {
  // One stands behind the other, half hidden.
  const Mask merged = Mask().Fill(90, 50, 22, kPerson).Fill(106, 64, 22, kPerson);
  const auto regions =
      Regions(merged, Known(), {Box(90, 50, 22, kPerson), Box(106, 64, 22, kPerson)});
  ASSERT_EQ(regions.size(), 2U);
  EXPECT_GT(regions[0].box.bottom(), regions[1].box.bottom()) << "the nearer one first";
}

TEST(RegionFinder, RegionsLieInsideThePicture) {
  for (const MovingRegion& region :
       Regions(Mask().Fill(0, 100, 44, 80).Fill(190, 0, 50, 70), Known())) {
    EXPECT_GE(region.box.x, 0);
    EXPECT_GE(region.box.y, 0);
    EXPECT_LE(region.box.right(), 1.0001F);
    EXPECT_LE(region.box.bottom(), 1.0001F);
    EXPECT_GT(region.fill, 0);
    EXPECT_LE(region.fill, 1);
  }
}

}  // namespace
}  // namespace cordon
