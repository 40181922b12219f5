// SPDX-License-Identifier: Apache-2.0
#include "analytics/picture_change.h"

#include <gtest/gtest.h>

namespace cordon {
namespace {

// A picture of one colour.
class Plain final : public ColourSource {
 public:
  Plain(uint8_t blue, uint8_t green, uint8_t red) : bgr_{blue, green, red} {}
  int width() const override { return 640; }
  int height() const override { return 360; }
  BgrPicture Render(const PixelRect& /*crop*/, int width, int height) const override {
    BgrPicture picture{width, height, {}};
    for (int i = 0; i < width * height; ++i)
      picture.pixels.insert(picture.pixels.end(), bgr_, bgr_ + 3);
    return picture;
  }

 private:
  const uint8_t bgr_[3];
};

const auto kDay = std::make_shared<Plain>(60, 110, 90);
const auto kNight = std::make_shared<Plain>(90, 91, 90);

Frame FrameAt(int seconds, std::shared_ptr<const ColourSource> colour) {
  Frame frame;
  frame.times.media = MediaFromMicros(seconds * int64_t{1'000'000});
  frame.colour = std::move(colour);
  return frame;
}

TEST(InfraRedWatch, AJumpOfBrightnessThatTakesTheColourIsAnInfraRedSwitch) {
  InfraRedWatch watch;
  EXPECT_FALSE(watch.Switched(FrameAt(0, kDay), false));
  EXPECT_TRUE(watch.Switched(FrameAt(5, kNight), true));
  EXPECT_TRUE(watch.Switched(FrameAt(9, kDay), true)) << "and back";
}

TEST(InfraRedWatch, ALampLeavesTheColour) {
  InfraRedWatch watch;
  EXPECT_FALSE(watch.Switched(FrameAt(0, kDay), false));
  EXPECT_FALSE(watch.Switched(FrameAt(5, std::make_shared<Plain>(30, 55, 45)), true));
}

TEST(InfraRedWatch, ColourThatFadesWithTheDuskIsNoSwitch) {
  InfraRedWatch watch;
  EXPECT_FALSE(watch.Switched(FrameAt(0, kDay), false));
  EXPECT_FALSE(watch.Switched(FrameAt(70, kNight), false));
  EXPECT_FALSE(watch.Switched(FrameAt(75, kNight), true)) << "a lamp under infra-red light";
}

TEST(InfraRedWatch, WithoutAColourPictureNothingIsSaid) {
  InfraRedWatch watch;
  EXPECT_FALSE(watch.Switched(FrameAt(0, nullptr), false));
  EXPECT_FALSE(watch.Switched(FrameAt(5, nullptr), true));
}

}  // namespace
}  // namespace cordon
