// SPDX-License-Identifier: Apache-2.0
// Adaptive decode must raise the events of full decode for everything in view for at least one key
// frame interval.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  camera.set_analysis_width(320);
  camera.set_analysis_fps(6);
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
      "-t 45 -i '" + source +
          "' -an -vf scale=480:-2 -pix_fmt yuv420p -c:v libx264 -preset superfast -bf 0 -g 1000 "
          "-sc_threshold 0 -force_key_frames '" +
          keys + "'",
      clip));
  const Outcome full = RunClip(clip, proto::CameraConfig::DECODE_FULL);
  const Outcome adaptive = RunClip(clip, proto::CameraConfig::DECODE_ADAPTIVE);
  ASSERT_FALSE(full.events.empty());
  EXPECT_TRUE(CoveredBy(full.events, adaptive.events));
  EXPECT_TRUE(CoveredBy(adaptive.events, full.events));
  std::printf("  decoded %.0f %% of the pictures, %.0f %% of the time on key frames alone\n",
              100.0 * static_cast<double>(adaptive.replay.counts.decoded) /
                  static_cast<double>(adaptive.replay.packets),
              100.0 * static_cast<double>(adaptive.replay.quiet.count()) /
                  static_cast<double>(adaptive.replay.length.count()));
}

constexpr const char* kYard = "intel-person-bicycle-car-detection.mp4";
constexpr const char* kHall = "intel-one-by-one-person-detection.mp4";
INSTANTIATE_TEST_SUITE_P(Clips, AdaptiveEventsTest,
                         ::testing::Values(std::tuple(kYard, 1), std::tuple(kYard, 2),
                                           std::tuple(kYard, 4), std::tuple(kHall, 2)));

}  // namespace
}  // namespace cordon
