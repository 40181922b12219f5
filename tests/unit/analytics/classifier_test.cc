// SPDX-License-Identifier: Apache-2.0
#include "analytics/classifier.h"

#include <gtest/gtest.h>

namespace cordon {
namespace {

Frame GreyFrame() {
  Frame frame;
  frame.luma.width = 480;
  frame.luma.height = 270;
  frame.luma.pixels.assign(480 * 270, 100);
  return frame;
}

// A wide compact box of even colour, and a narrow upright one, as the scene model would cut them
// out.
MovingRegion Region(float x, float y, float width, float height, float fill) {
  return {{x / 480, y / 270, width / 480, height / 270}, fill};
}

TEST(ShapeClassifier, AWideBoxThatMovesAsAWholeIsAVehicle) {
  const auto classifier = MakeShapeClassifier();
  const std::vector<MovingRegion> regions = {Region(100, 100, 90, 60, 0.8F)};
  EXPECT_EQ(classifier->Classify(GreyFrame(), regions)[0].object_class, kVehicle);
}

TEST(ShapeClassifier, AFewFarPixelsAreNamedByShapeAlone) {
  const auto classifier = MakeShapeClassifier();
  const std::vector<MovingRegion> regions = {Region(100, 100, 5, 14, 0.5F),
                                             Region(200, 100, 20, 12, 0.8F)};
  const auto names = classifier->Classify(GreyFrame(), regions);
  EXPECT_EQ(names[0].object_class, kPerson);
  EXPECT_EQ(names[1].object_class, kVehicle);
}

TEST(ShapeClassifier, AnswersForRegionsAtAndOverTheEdge) {
  const auto classifier = MakeShapeClassifier();
  const std::vector<MovingRegion> regions = {Region(0, 0, 480, 270, 1), Region(470, 260, 10, 10, 1),
                                             Region(0, 0, 1, 1, 1), Region(-5, -5, 20, 60, 0.5F)};
  const auto names = classifier->Classify(GreyFrame(), regions);
  ASSERT_EQ(names.size(), 4U);
  for (const Classification& name : names) {
    EXPECT_GE(name.score, 0);
    EXPECT_LE(name.score, 1);
  }
}

TEST(ShapeClassifier, SameInputSameAnswer) {
  const auto classifier = MakeShapeClassifier();
  const std::vector<MovingRegion> regions = {Region(100, 60, 40, 90, 0.5F)};
  const auto first = classifier->Classify(GreyFrame(), regions);
  const auto second = classifier->Classify(GreyFrame(), regions);
  EXPECT_EQ(first[0].object_class, second[0].object_class);
  EXPECT_EQ(first[0].score, second[0].score);
}

}  // namespace
}  // namespace cordon
