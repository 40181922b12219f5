// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtp_timeline.h"

#include <gtest/gtest.h>

namespace cordon {
namespace {

constexpr uint32_t kRate = 90000;
constexpr uint32_t kFrame = 3600;  // 25 fps
constexpr Milliseconds kFrameTime{40};

class TimelineTest : public testing::Test {
 protected:
  // A picture 40 ms after the last one, with its timestamp.
  RtpTimeline::Position Next(uint32_t timestamp) {
    now_ += kFrameTime;
    return timeline_.Place(timestamp, now_);
  }
  RtpTimeline::Position NextFrame() { return Next(timestamp_ += kFrame); }
  static SenderReport Report(int64_t unix_seconds, uint32_t timestamp) {
    return {.ssrc = 1,
            .ntp = static_cast<uint64_t>(unix_seconds + 2'208'988'800) << 32,
            .timestamp = timestamp};
  }

  BootTime now_{Seconds(50)};
  uint32_t timestamp_ = 1000;
  RtspStats stats_;
  RtpTimeline timeline_{kRate, stats_};
};

TEST_F(TimelineTest, BeginsAtZeroAndFollowsTheClockRate) {
  EXPECT_EQ(ToMicros(NextFrame().media), 0);
  EXPECT_EQ(ToMicros(NextFrame().media), 40'000);
  EXPECT_EQ(ToMicros(NextFrame().media), 80'000);
}

TEST_F(TimelineTest, DoesNotSeeTheWrap) {
  timestamp_ = 0xffffffff - 2 * kFrame;
  int64_t last = ToMicros(NextFrame().media);
  for (int i = 0; i < 10; ++i) {
    const auto position = NextFrame();
    EXPECT_EQ(ToMicros(position.media) - last, 40'000);
    EXPECT_EQ(position.run, 1U);
    last = ToMicros(position.media);
  }
}

TEST_F(TimelineTest, CountsWeeksExactly) {
  const auto start = NextFrame();
  for (int i = 0; i < 3 * 7 * 24 * 60 * 4; ++i) {  // three weeks in quarter minutes
    now_ += Seconds(15);
    timestamp_ += 15 * kRate;
    const auto position = timeline_.Place(timestamp_, now_);
    ASSERT_EQ(position.run, 1U);
    ASSERT_EQ(position.media - start.media, Seconds(15) * (i + 1));
  }
}

TEST_F(TimelineTest, AJumpOfAnHourBeginsANewRunThatGoesOn) {
  for (const int64_t hours : {1, -1}) {
    const auto before = NextFrame();
    timestamp_ += static_cast<uint32_t>(hours * 3600 * kRate);
    const auto after = NextFrame();
    EXPECT_EQ(after.run, before.run + 1);
    EXPECT_EQ(after.media - before.media, kFrameTime);
    EXPECT_EQ(NextFrame().run, after.run);
  }
  EXPECT_EQ(stats_.time_jumps, 2U);
}

TEST_F(TimelineTest, ANetworkStallIsNoJump) {
  const auto before = NextFrame();
  now_ += Seconds(5);  // nothing came ...
  for (int i = 0; i < 125; ++i) {
    timestamp_ += kFrame;  // ... and then all at once
    EXPECT_EQ(timeline_.Place(timestamp_, now_).run, before.run);
  }
}

TEST_F(TimelineTest, APauseOfTheCameraIsNoJump) {
  const auto before = NextFrame();
  now_ += Seconds(30);
  timestamp_ += 30 * kRate;
  const auto after = NextFrame();
  EXPECT_EQ(after.run, before.run);
  EXPECT_EQ(after.media - before.media, Seconds(30) + kFrameTime);
}

TEST_F(TimelineTest, ACrystalThatDriftsIsNoJump) {
  NextFrame();
  for (int i = 0; i < 25 * 3600 * 8; ++i) {  // eight hours, 500 ppm fast
    now_ += Microseconds(40'000 - 20);
    timestamp_ += kFrame;
    ASSERT_EQ(timeline_.Place(timestamp_, now_).run, 1U);
  }
}

TEST_F(TimelineTest, BFramesGoBackWithoutANewRun) {
  const auto p = Next(10 * kFrame);
  const auto b = Next(8 * kFrame);
  EXPECT_EQ(b.run, p.run);
  EXPECT_LT(b.media, p.media);
}

TEST_F(TimelineTest, AClockThatStandsStillGivesWayToTheArrivals) {
  NextFrame();
  const BootTime begin = now_;
  RtpTimeline::Position position;
  for (int i = 0; i < 100; ++i) position = Next(timestamp_);
  EXPECT_EQ(position.run, 2U);
  const auto off =
      (position.media.time_since_epoch()) - std::chrono::duration_cast<Microseconds>(now_ - begin);
  EXPECT_LT(std::chrono::abs(off), Milliseconds(200));
}

TEST_F(TimelineTest, TellsTheCamerasWallClock) {
  EXPECT_FALSE(NextFrame().camera.has_value());
  timeline_.OnSenderReport(Report(1'700'000'000, timestamp_ + kFrame));
  const auto position = NextFrame();
  ASSERT_TRUE(position.camera.has_value());
  EXPECT_EQ(ToMicros(*position.camera), 1'700'000'000LL * 1'000'000);
}

TEST_F(TimelineTest, AStepOfTheWallClockMovesNoMediaTime) {
  const auto before = NextFrame();
  timeline_.OnSenderReport(Report(1'700'000'000, timestamp_));
  timeline_.OnSenderReport(Report(1'700'001'000, timestamp_));
  const auto after = NextFrame();
  EXPECT_EQ(after.run, before.run);
  EXPECT_EQ(after.media - before.media, kFrameTime);
  EXPECT_EQ(stats_.camera_clock_steps, 1U);
}

TEST_F(TimelineTest, IgnoresACameraThatCountsFromItsStart) {
  timeline_.OnSenderReport({.ssrc = 1, .ntp = 77ULL << 32, .timestamp = timestamp_});
  EXPECT_FALSE(NextFrame().camera.has_value());
}

TEST_F(TimelineTest, ANewSenderBeginsANewRun) {
  const auto before = NextFrame();
  timeline_.Break();
  const auto after = Next(0x80000000);
  EXPECT_EQ(after.run, before.run + 1);
  EXPECT_EQ(after.media - before.media, kFrameTime);
}

}  // namespace
}  // namespace cordon
