// SPDX-License-Identifier: Apache-2.0
#include "ingest/clip_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/made_clips.h"
#include "tests/support/test_data.h"

namespace cordon {
namespace {

using ::testing::HasSubstr;
using testing::MakeClip;
using testing::RunFfmpeg;
using testing::TemporaryFolder;
using testing::TestData;

struct Reading {
  std::vector<FramePtr> frames;
  absl::Status end;
};

Reading ReadAll(const std::string& path, ClipReaderOptions options = {}) {
  Reading reading;
  auto clip = ClipReader::Open(path, std::move(options), SystemClock());
  if (!clip.ok()) {
    reading.end = clip.status();
    return reading;
  }
  while (true) {
    auto frame = (*clip)->NextFrame();
    if (!frame.ok()) reading.end = frame.status();
    if (!frame.ok() || !frame->has_value()) return reading;
    reading.frames.push_back(**frame);
  }
}

TEST(ClipReader, GivesEveryPictureOnceInOrder) {
  TemporaryFolder folder;
  const Reading reading = ReadAll(MakeClip(folder, "a.mp4"));
  ASSERT_TRUE(reading.end.ok()) << reading.end;
  ASSERT_EQ(reading.frames.size(), 50u);
  for (size_t i = 0; i < 50; ++i) {
    EXPECT_EQ(reading.frames[i]->number, i + 1);
    EXPECT_EQ(ToMicros(reading.frames[i]->times.media), static_cast<int64_t>(i) * 40'000);
    EXPECT_FALSE(reading.frames[i]->damaged);
    EXPECT_EQ(reading.frames[i]->key, i % 25 == 0);
  }
}

TEST(ClipReader, PutsBFramesIntoPresentationOrder) {
  TemporaryFolder folder;
  const std::string path = folder.File("b.mp4");
  ASSERT_TRUE(
      RunFfmpeg("-f lavfi -i testsrc=size=320x240:rate=25:duration=2 -c:v libx264 -bf 3 -g 25 "
                "-pix_fmt yuv420p",
                path));
  const Reading reading = ReadAll(path);
  ASSERT_EQ(reading.frames.size(), 50u);
  for (size_t i = 1; i < 50; ++i)
    EXPECT_EQ(reading.frames[i]->times.media - reading.frames[i - 1]->times.media,
              Milliseconds(40));
}

TEST(ClipReader, SameClipTwiceGivesTheSamePixels) {
  TemporaryFolder folder;
  const std::string path = MakeClip(folder, "a.mkv");
  const Reading a = ReadAll(path);
  const Reading b = ReadAll(path);
  ASSERT_EQ(a.frames.size(), b.frames.size());
  for (size_t i = 0; i < a.frames.size(); ++i) {
    ASSERT_EQ(a.frames[i]->luma.pixels, b.frames[i]->luma.pixels);
    ASSERT_EQ(a.frames[i]->times.media, b.frames[i]->times.media);
  }
}

TEST(ClipReader, ThinsToTheAnalysisRate) {
  TemporaryFolder folder;
  ClipReaderOptions options;
  options.analysis_fps = 10;
  const Reading reading = ReadAll(MakeClip(folder, "a.mp4", 320, 240, 25, 4), options);
  EXPECT_NEAR(static_cast<double>(reading.frames.size()), 40, 1);
}

TEST(ClipReader, BurnsMasksIntoLumaAndColour) {
  TemporaryFolder folder;
  const std::string path = folder.File("white.mp4");
  ASSERT_TRUE(RunFfmpeg(
      "-f lavfi -i color=c=white:size=640x480:rate=10:duration=1 -c:v libx264 -pix_fmt yuv420p",
      path));
  ClipReaderOptions options;
  options.masks = Masks({{{0.25, 0.25}, {0.75, 0.25}, {0.75, 0.75}, {0.25, 0.75}}});
  const Reading reading = ReadAll(path, options);
  ASSERT_FALSE(reading.frames.empty());
  const Frame& frame = *reading.frames[0];
  const auto colour = frame.colour->Render({0, 0, 640, 480}, 160, 120);
  for (double y = 0.01; y < 1; y += 0.02) {
    for (double x = 0.01; x < 1; x += 0.02) {
      const bool inside = x >= 0.25 && x <= 0.75 && y >= 0.25 && y <= 0.75;
      const bool edge = !inside && x >= 0.23 && x <= 0.77 && y >= 0.23 && y <= 0.77;
      const int luma = frame.luma.row(
          static_cast<int>(y * frame.luma.height))[static_cast<int>(x * frame.luma.width)];
      const int blue = colour.pixels[static_cast<size_t>(
          (static_cast<int>(y * 120) * 160 + static_cast<int>(x * 160)) * 3)];
      if (inside) {
        EXPECT_EQ(luma, 0) << x << "," << y;
        EXPECT_LE(blue, 2) << x << "," << y;
      } else if (!edge) {
        EXPECT_GT(luma, 200) << x << "," << y;
        EXPECT_GT(blue, 240) << x << "," << y;
      }
    }
  }
}

TEST(ClipReader, ColourCropShowsThatPartOfThePicture) {
  TemporaryFolder folder;
  const std::string path = folder.File("halves.mp4");
  ASSERT_TRUE(
      RunFfmpeg("-f lavfi -i color=c=red:size=320x240:rate=5:duration=1 -vf "
                "drawbox=x=160:w=160:h=240:color=blue:t=fill "
                "-c:v libx264 -pix_fmt yuv420p",
                path));
  const Reading reading = ReadAll(path);
  ASSERT_FALSE(reading.frames.empty());
  const BgrPicture left = reading.frames[0]->colour->Render({10, 10, 100, 100}, 20, 20);
  const BgrPicture right = reading.frames[0]->colour->Render({201, 11, 999, 999}, 20, 20);
  EXPECT_GT(left.pixels[2], 200);
  EXPECT_LT(left.pixels[0], 60);
  EXPECT_GT(right.pixels[0], 200);
  EXPECT_LT(right.pixels[2], 60);
  EXPECT_TRUE(reading.frames[0]->colour->Render({400, 0, 10, 10}, 4, 4).pixels.empty());
}

TEST(ClipReader, FollowsAResolutionChange) {
  TemporaryFolder folder;
  MakeClip(folder, "a.mp4", 320, 240, 25, 1);
  MakeClip(folder, "b.mp4", 640, 360, 25, 1);
  const Reading reading = ReadAll(folder.path());
  ASSERT_EQ(reading.frames.size(), 50u);
  EXPECT_EQ(reading.frames.front()->source_width, 320);
  EXPECT_EQ(reading.frames.back()->source_width, 640);
  EXPECT_EQ(reading.frames.back()->luma.width, 480);
  EXPECT_NE(reading.frames.front()->run, reading.frames.back()->run);
}

TEST(ClipReader, SaysWhatIsWrongWithABadClip) {
  TemporaryFolder folder;
  EXPECT_TRUE(absl::IsNotFound(ReadAll(folder.File("absent.mp4")).end));

  std::ofstream(folder.File("text.mp4")) << std::string(5000, 'x');
  const Reading text = ReadAll(folder.File("text.mp4"));
  EXPECT_TRUE(absl::IsDataLoss(text.end)) << text.end;

  ASSERT_TRUE(RunFfmpeg("-f lavfi -i sine=duration=1", folder.File("sound.m4a")));
  const Reading sound = ReadAll(folder.File("sound.m4a"));
  EXPECT_TRUE(absl::IsInvalidArgument(sound.end)) << sound.end;
  EXPECT_THAT(std::string(sound.end.message()), HasSubstr("no video"));
}

TEST(ClipReader, GivesTheFramesOfACutOffClipAndThenSaysSo) {
  TemporaryFolder folder;
  const std::string whole =
      MakeClip(folder, "whole.mp4", 320, 240, 25, 8, 25, "-movflags faststart");
  std::filesystem::resize_file(whole, std::filesystem::file_size(whole) / 2);
  const Reading reading = ReadAll(whole);
  EXPECT_GT(reading.frames.size(), 50u);
  EXPECT_TRUE(absl::IsDataLoss(reading.end)) << reading.end;
  EXPECT_THAT(std::string(reading.end.message()), HasSubstr("cut off"));

  const std::string index_last = MakeClip(folder, "index.mp4", 320, 240, 25, 4);
  std::filesystem::resize_file(index_last, std::filesystem::file_size(index_last) - 2000);
  const Reading without_index = ReadAll(index_last);
  EXPECT_TRUE(absl::IsDataLoss(without_index.end)) << without_index.end;
}

TEST(ClipReader, ReadsTheSharedClips) {
  SKIP_WITHOUT(TestData("video/vtest.avi"));
  const Reading people = ReadAll(TestData("video/vtest.avi"));
  EXPECT_TRUE(people.end.ok()) << people.end;
  EXPECT_EQ(people.frames.size(), 795u);
  EXPECT_EQ(people.frames[0]->luma.width, 480);
  EXPECT_EQ(people.frames[0]->luma.height, 360);
}

}  // namespace
}  // namespace cordon
