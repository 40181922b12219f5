// SPDX-License-Identifier: Apache-2.0
// Adaptive decode must raise the events of full decode for everything in view for at least one key
// frame interval.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "analytics/camera_analyzer.h"
#include "tests/support/adaptive_replay.h"
#include "tests/support/made_clips.h"

namespace cordon {
namespace {

using testing::AdaptiveReplay;
using testing::ReplayAdaptive;
using testing::RunFfmpeg;
using testing::TemporaryFolder;
using testing::TestData;

proto::CameraConfig Camera(proto::CameraConfig::Decode decode) {
  proto::CameraConfig camera;
  camera.set_id("clip");
  camera.set_analysis_width(480);
  camera.set_analysis_fps(10);
  camera.set_ring_mib(64);
  camera.set_decode(decode);
  proto::RuleConfig& zone = *camera.add_rules();
  zone.set_id("zone");
  zone.set_kind(proto::RuleConfig::KIND_INTRUSION);
  for (const char* corner : {"0.02,0.02", "0.98,0.02", "0.98,0.98", "0.02,0.98"})
    zone.add_zone(corner);
  zone.set_dwell_s(1);
  zone.set_rearm_s(5);
  zone.set_max_height(1);
  return camera;
}

struct Outcome {
  std::vector<double> events;  // media seconds
  double latest = 0;           // seconds from a picture's arrival until its event was raised
  AdaptiveReplay replay;
};

Outcome RunClip(const std::string& clip, proto::CameraConfig::Decode decode) {
  CameraAnalyzerOptions options;
  options.camera = Camera(decode);
  auto analyzer = CameraAnalyzer::Create(options);
  EXPECT_TRUE(analyzer.ok()) << analyzer.status();
  Outcome outcome;
  auto replay = ReplayAdaptive(options.camera, clip, [&](const FramePtr& frame) {
    const Analysis analysis = (*analyzer)->Analyze(*frame);
    for (const proto::Event& event : analysis.events) {
      outcome.events.push_back(static_cast<double>(event.media_time_us()) / 1e6);
      const Nanoseconds late = frame->times.decoded - frame->times.received;
      outcome.latest = std::max(outcome.latest, std::chrono::duration<double>(late).count());
    }
    return analysis.active;
  });
  EXPECT_TRUE(replay.ok()) << replay.status();
  outcome.replay = *replay;
  return outcome;
}

std::string Text(const std::vector<double>& events) {
  std::string text;
  for (double at : events) text += fmt::format(" {:.1f}", at);
  return text;
}

// Every event of `a` has one of `b` within a second.
::testing::AssertionResult CoveredBy(const std::vector<double>& a, const std::vector<double>& b) {
  for (double at : a) {
    const bool found =
        std::any_of(b.begin(), b.end(), [&](double other) { return std::abs(other - at) <= 1.0; });
    if (!found)
      return ::testing::AssertionFailure()
             << "no event near " << at << ":" << Text(a) << " |" << Text(b);
  }
  return ::testing::AssertionSuccess();
}

class AdaptiveEventsTest : public ::testing::TestWithParam<std::tuple<const char*, int>> {};

TEST_P(AdaptiveEventsTest, EqualThoseOfFullDecode) {
  const auto& [name, seconds] = GetParam();
  const std::string source = TestData(std::string("video/") + name);
  SKIP_WITHOUT(source);
  TemporaryFolder folder;
  const std::string clip = folder.File("clip.mp4");
  const std::string keys = "expr:gte(t,n_forced*" + std::to_string(seconds) + ")";
  ASSERT_TRUE(RunFfmpeg(
      "-i '" + source +
          "' -an -vf scale=480:-2 -pix_fmt yuv420p -c:v libx264 -preset superfast -bf 0 -g 1000 "
          "-sc_threshold 0 -force_key_frames '" +
          keys + "'",
      clip));
  const Outcome full = RunClip(clip, proto::CameraConfig::DECODE_FULL);
  const Outcome adaptive = RunClip(clip, proto::CameraConfig::DECODE_ADAPTIVE);
  ASSERT_FALSE(full.events.empty());
  std::printf("  full:%s\n  adaptive:%s\n", Text(full.events).c_str(),
              Text(adaptive.events).c_str());
  EXPECT_TRUE(CoveredBy(full.events, adaptive.events));
  EXPECT_TRUE(CoveredBy(adaptive.events, full.events));
  EXPECT_LE(adaptive.latest, seconds + 0.2) << "an event waits for one key frame at most";
  std::printf("  decoded %.0f %% of the pictures, %.0f %% of the time on key frames alone\n",
              100.0 * static_cast<double>(adaptive.replay.counts.decoded) /
                  static_cast<double>(adaptive.replay.packets),
              100.0 * static_cast<double>(adaptive.replay.quiet.count()) /
                  static_cast<double>(adaptive.replay.length.count()));
}

// The labelled clips (tests/accuracy/labels, but for the long infrared one) at full length, with the key frames of 25, 50 and
// 100 pictures of a camera at 25 pictures a second.
INSTANTIATE_TEST_SUITE_P(Clips, AdaptiveEventsTest,
                         ::testing::Combine(::testing::Values(
                                                "intel-person-bicycle-car-detection.mp4",
                                                "intel-one-by-one-person-detection.mp4",
                                                "intel-car-detection.mp4", "lowlight-person.mp4"),
                                            ::testing::Values(1, 2, 4)));

TEST(AdaptiveEvents, AGroupTooLongForTheRulesIsDecodedFullyAndSaid) {
  TemporaryFolder folder;
  const std::string clip = testing::MakeClip(folder, "long.mp4", 320, 240, 25, 15, 150);
  proto::CameraConfig camera = Camera(proto::CameraConfig::DECODE_ADAPTIVE);
  std::string reason;
  const auto replay = ReplayAdaptive(
      camera, clip, [](const FramePtr&) { return false; },
      [&](const AdaptiveDecoder& decoder) { reason = decoder.mode_reason(); });
  ASSERT_TRUE(replay.ok()) << replay.status();
  EXPECT_EQ(replay->quiet, Nanoseconds(0));
  EXPECT_THAT(reason, ::testing::HasSubstr("decoded fully: a key frame only every 6.0 s"));
}

// The largest difference between means of 8x8 blocks, grey levels.
double Difference(const LumaPicture& a, const LumaPicture& b) {
  int worst = 0;
  for (int top = 0; top + 8 <= a.height; top += 8) {
    for (int left = 0; left + 8 <= a.width; left += 8) {
      int sum = 0;
      for (int y = top; y < top + 8; ++y) {
        for (int x = left; x < left + 8; ++x) sum += a.row(y)[x] - b.row(y)[x];
      }
      worst = std::max(worst, std::abs(sum));
    }
  }
  return worst / 64.0;
}

// Somebody of contrast 100 steps in 1.6 s after a key frame; before and after, nothing but sensor noise.
// The encoder is the coarse one of a camera of few bits, which leaves the deblocking filter much to do.
TEST(AdaptiveDecode, WhatIsDecodedAgainAfterAWakeShowsWhatFullDecodeShows) {
  TemporaryFolder folder;
  const std::string clip = folder.File("visit.mp4");
  ASSERT_TRUE(RunFfmpeg(
      "-f lavfi -i testsrc2=size=640x360:rate=25:duration=0.04 -f lavfi -i "
      "color=white:size=40x90:rate=25:duration=14 -filter_complex "
      "'[0]loop=-1:1,setpts=N/25/TB,trim=duration=14,eq=contrast=0.4,noise=alls=6:allf=t[yard];"
      "[yard][1]overlay=x=120*(t-9.6)-40:y=180:enable=between(t\\,9.6\\,12)' -pix_fmt yuv420p "
      "-c:v libx264 -preset superfast -crf 30 -bf 0 -g 50 -keyint_min 50 -sc_threshold 0",
      clip));
  std::map<MediaTime, FramePtr> full;
  const auto keep = [&](const FramePtr& frame) {
    full[frame->times.media] = frame;
    return false;
  };
  proto::CameraConfig camera = Camera(proto::CameraConfig::DECODE_FULL);
  camera.set_analysis_fps(25);
  ASSERT_TRUE(ReplayAdaptive(camera, clip, keep).ok());
  camera.set_decode(proto::CameraConfig::DECODE_ADAPTIVE);
  double worst = 0;
  int compared = 0;
  const auto compare = [&](const FramePtr& frame) {
    const auto same = full.find(frame->times.media);
    if (frame->key || same == full.end()) return false;  // key frames may be of the quiet scene
    worst = std::max(worst, Difference(frame->luma, same->second->luma));
    ++compared;
    return false;
  };
  const auto replay = ReplayAdaptive(camera, clip, compare);
  ASSERT_TRUE(replay.ok()) << replay.status();
  std::printf("  %d pictures, %.2f grey levels at most\n", compared, worst);
  EXPECT_EQ(replay->counts.wakes, 1U);
  EXPECT_GT(compared, 150);
  EXPECT_LT(worst, 4) << "nothing that would be taken for a change";
}

}  // namespace
}  // namespace cordon
