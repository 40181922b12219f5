// SPDX-License-Identifier: Apache-2.0
#include "analytics/object_filter.h"

#include <gtest/gtest.h>

namespace cordon {
namespace {

// Square, so that relative lengths are the same in both directions.
constexpr float kAspect = 1;
constexpr MotionOptions kMotion{0.06F, 1.2F, 0.9F, 0.15F};

MediaTime At(double seconds) {
  return MediaTime(Microseconds(static_cast<int64_t>(seconds * 1e6)));
}

// A person of 0.1 x 0.25 whose foot is there.
PictureBox Person(float foot_x, float foot_y) {
  return {foot_x - 0.05F, foot_y - 0.25F, 0.1F, 0.25F};
}

// Someone who walks to the right at `speed` and was seen ten times a second until `until`.
ObjectFilter Walker(float from, float speed, double until) {
  ObjectFilter filter(Person(from, 0.8F), At(0), kAspect, kMotion);
  for (double t = 0.1; t <= until + 1e-9; t += 0.1) {
    filter.Predict(At(t), true);
    filter.Correct(Person(from + speed * static_cast<float>(t), 0.8F), 1);
  }
  return filter;
}

TEST(ObjectFilter, LearnsTheSpeedOfAWalk) {
  const ObjectFilter filter = Walker(0.2F, 0.15F, 2);
  EXPECT_NEAR(filter.velocity().x, 0.15F, 0.01F);
  EXPECT_NEAR(filter.velocity().y, 0, 0.01F);
}

TEST(ObjectFilter, PredictionDoesNotDependOnTheNumberOfSteps) {
  ObjectFilter once = Walker(0.2F, 0.15F, 2);
  ObjectFilter often = once;
  once.Predict(At(2.4), true);
  for (const double t : {2.1, 2.2, 2.3, 2.4}) often.Predict(At(t), true);
  EXPECT_NEAR(once.box().foot().x, often.box().foot().x, 1e-5);
}

TEST(ObjectFilter, WhoIsHiddenSlowsDown) {
  ObjectFilter hidden = Walker(0.2F, 0.15F, 2);
  for (const double t : {2.5, 3.0, 3.5, 4.0}) hidden.Predict(At(t), false);
  EXPECT_LT(hidden.velocity().x, 0.07F);
}

TEST(ObjectFilter, ABoxCutByTheLeftBorderKeepsTheWidthOfTheWhole) {
  ObjectFilter filter = Walker(0.2F, -0.1F, 1.4);  // the box's left edge at 0.01
  filter.Predict(At(1.8), true);
  filter.Correct({0, 0.55F, 0.07F, 0.25F}, 1);  // 0.03 of it are out
  EXPECT_NEAR(filter.width(), 0.1F, 0.003F);
  EXPECT_NEAR(filter.box().foot().x, 0.02F, 0.012F) << "the middle of the whole, not of the rest";
}

TEST(ObjectFilter, WhoHasHalfLeftThePictureIsOutside) {
  ObjectFilter filter = Walker(0.2F, -0.1F, 1.4);
  EXPECT_FALSE(filter.outside());
  for (double t = 1.5; t < 2.3; t += 0.1) {
    filter.Predict(At(t), true);
    const float right = 0.25F - 0.1F * static_cast<float>(t);
    filter.Correct({0, 0.55F, right, 0.25F}, 1);
  }
  EXPECT_TRUE(filter.outside());
}

TEST(ObjectFilter, FeetHiddenByAWallDoNotMoveTheFoot) {
  ObjectFilter filter = Walker(0.2F, 0.1F, 2);
  for (double t = 2.1; t < 2.6; t += 0.1) {
    filter.Predict(At(t), true);
    // Only the upper half is seen.
    filter.Correct({0.15F + 0.1F * static_cast<float>(t), 0.55F, 0.1F, 0.125F}, 1);
  }
  EXPECT_NEAR(filter.box().bottom(), 0.8F, 0.02F);
}

TEST(ObjectFilter, TwoWhoMergedIntoOneBoxDoNotMakeATallPerson) {
  ObjectFilter filter = Walker(0.2F, 0.1F, 2);
  for (double t = 2.1; t < 2.6; t += 0.1) {
    filter.Predict(At(t), true);
    // Another one stands behind: the box reaches up by half a person.
    filter.Correct({0.15F + 0.1F * static_cast<float>(t), 0.425F, 0.1F, 0.375F}, 1);
  }
  EXPECT_NEAR(filter.box().bottom(), 0.8F, 0.02F);
  EXPECT_LT(filter.height(), 0.29F);
}

TEST(ObjectFilter, WhoWasFirstSeenHalfHiddenGrowsToHisSize) {
  ObjectFilter filter({0.15F, 0.55F, 0.1F, 0.125F}, At(0), kAspect, kMotion);
  for (double t = 0.1; t < 0.5; t += 0.1) {
    filter.Predict(At(t), true);
    filter.Correct({0.15F, 0.55F, 0.1F, 0.125F}, 1);
  }
  for (double t = 0.5; t < 4; t += 0.1) {
    filter.Predict(At(t), true);
    filter.Correct({0.15F, 0.55F, 0.1F, 0.25F}, 1);
  }
  EXPECT_NEAR(filter.height(), 0.25F, 0.025F);
}

TEST(ObjectFilter, AWalkerIsAsWideAsHisStride) {
  // Legs apart and together: boxes of 0.12 and 0.08.
  const auto width_after = [](MotionOptions motion) {
    ObjectFilter filter({0.44F, 0.55F, 0.12F, 0.25F}, At(0), kAspect, motion);
    for (int n = 1; n < 60; ++n) {
      filter.Predict(At(0.1 * n), true);
      const float width = n % 4 < 2 ? 0.12F : 0.08F;
      filter.Correct({0.5F - width / 2, 0.55F, width, 0.25F}, 1);
    }
    return filter.width();
  };
  MotionOptions stride = kMotion;
  stride.widen = 1.5F;
  stride.narrow = 0.5F;
  EXPECT_GT(width_after(stride), width_after(kMotion) + 0.01F);
  EXPECT_LT(width_after(stride), 0.121F);
}

TEST(ObjectFilter, AStepThatNobodyWalksIsAJump) {
  ObjectFilter filter = Walker(0.2F, 0.1F, 2);
  ObjectFilter walking = filter;
  walking.Predict(At(2.1), true);
  EXPECT_FALSE(walking.Correct(Person(0.41F, 0.8F), 1));
  filter.Predict(At(2.1), true);
  EXPECT_TRUE(filter.Correct(Person(0.6F, 0.8F), 1));
}

TEST(ObjectFilter, ADoubtfulBoxMovesLess) {
  ObjectFilter sure = Walker(0.2F, 0.1F, 2);
  ObjectFilter doubtful = sure;
  for (ObjectFilter* filter : {&sure, &doubtful}) filter->Predict(At(2.1), true);
  sure.Correct(Person(0.45F, 0.8F), 1);
  doubtful.Correct(Person(0.45F, 0.8F), 4);
  EXPECT_LT(doubtful.box().foot().x, sure.box().foot().x);
}

}  // namespace
}  // namespace cordon
