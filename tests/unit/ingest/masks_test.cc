// SPDX-License-Identifier: Apache-2.0
#include "ingest/masks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace cordon {
namespace {

std::set<std::pair<int, int>> Cells(const Masks& masks, int width, int height, int margin = 0) {
  std::set<std::pair<int, int>> cells;
  for (const MaskSpan& span : masks.Cover(width, height, margin)) {
    for (int x = span.begin; x < span.end; ++x) cells.insert({x, span.y});
  }
  return cells;
}

TEST(Masks, CoverEveryCellThatTheyTouch) {
  const Masks masks({{{0.5, 0.1}, {0.9, 0.8}, {0.2, 0.6}}});
  const auto cells = Cells(masks, 20, 20);
  // A fine raster of the same triangle must lie inside the coarse one.
  for (const auto& [x, y] : Cells(masks, 2000, 2000)) {
    ASSERT_TRUE(cells.contains({x / 100, y / 100})) << x << "," << y;
  }
  EXPECT_LT(cells.size(), 20u * 20u / 2);
}

TEST(Masks, CoverAThinSliverBetweenCellCentres) {
  const Masks masks({{{0.26, 0.0}, {0.27, 0.0}, {0.27, 1.0}, {0.26, 1.0}}});
  EXPECT_EQ(Cells(masks, 10, 10).size(), 10u);
}

TEST(Masks, MarginWidensOnEverySide) {
  const Masks masks({{{0.41, 0.41}, {0.49, 0.41}, {0.49, 0.49}, {0.41, 0.49}}});
  EXPECT_EQ(Cells(masks, 10, 10, 0).size(), 1u);
  EXPECT_EQ(Cells(masks, 10, 10, 1).size(), 9u);
}

TEST(Masks, RefuseWhatIsNotAPoint) {
  EXPECT_TRUE(ParseRelativePoint("0.5, 1").ok());
  for (const char* text : {"", "1", "0.5,1.5", "nan,0", "0,1,0", "a,b", "-0.1,0"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseRelativePoint(text).status())) << text;
  }
  proto::CameraConfig camera;
  camera.add_masks()->add_points("0,0");
  EXPECT_TRUE(absl::IsInvalidArgument(Masks::Parse(camera).status()));
}

}  // namespace
}  // namespace cordon
