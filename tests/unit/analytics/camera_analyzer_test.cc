// SPDX-License-Identifier: Apache-2.0
// A painted scene: grey ground with some texture, a dark block that walks over it.
#include "analytics/camera_analyzer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

namespace cordon {
namespace {

constexpr int kWidth = 240;
constexpr int kHeight = 180;

MediaTime At(double seconds) { return MediaFromMicros(std::llround(seconds * 1e6)); }

// The block's left edge at that time; negative: it is not there.
using Place = std::function<int(double)>;

Frame Painted(double seconds, const Place& place) {
  Frame frame;
  frame.camera = CameraId("gate");
  frame.number = static_cast<uint64_t>(std::llround(seconds * 1000)) + 1;
  frame.times.media = At(seconds);
  frame.source_width = kWidth;
  frame.source_height = kHeight;
  frame.luma.width = kWidth;
  frame.luma.height = kHeight;
  frame.luma.pixels.resize(static_cast<size_t>(kWidth) * kHeight);
  const int left = place(seconds);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const bool block = left >= 0 && x >= left && x < left + 18 && y >= 90 && y < 140;
      const int ground = 120 + 10 * ((x / 9 + y / 7) % 3);
      const int cloth = 40 + 12 * ((x - left) / 4 % 2) + 9 * (y / 5 % 2);
      frame.luma.pixels[static_cast<size_t>(y) * kWidth + static_cast<size_t>(x)] =
          static_cast<uint8_t>(block ? cloth : ground);
    }
  }
  return frame;
}

// Empty for 3 s, then it walks from left to right within 6 s.
int Walks(double t) {
  const double x = 10 + 35 * (t - 3);
  return t < 3 || x > 215 ? -1 : static_cast<int>(x);
}

proto::CameraConfig Guarded() {
  proto::CameraConfig camera;
  camera.set_id("gate");
  camera.set_analysis_width(kWidth);
  proto::RuleConfig& rule = *camera.add_rules();
  rule.set_id("yard");
  rule.set_kind(proto::RuleConfig::KIND_INTRUSION);
  rule.set_max_height(1);
  rule.set_dwell_s(0.5);
  rule.set_rearm_s(60);
  for (const char* corner : {"0.3,0.3", "0.8,0.3", "0.8,1", "0.3,1"}) rule.add_zone(corner);
  return camera;
}

// Says that there is a person in the middle of wherever it is told to look and the block is, or fails
// as it is told.
class Pointer final : public Detector {
 public:
  absl::StatusOr<std::vector<Detection>> Detect(const Frame& frame,
                                                std::span<const PixelRect> regions) override {
    ++asked;
    first = std::min(first, frame.times.media);
    last = std::max(last, frame.times.media);
    if (!answer.ok()) return answer;
    std::vector<Detection> found;
    for (const PixelRect& region : regions) {
      widest = std::max(widest, region.width);
      const int middle_x = std::clamp(region.x + region.width / 2, 0, kWidth - 1);
      const int middle_y = std::clamp(region.y + region.height / 2, 0, kHeight - 1);
      const bool block = frame.luma.pixels[static_cast<size_t>(middle_y) * kWidth +
                                           static_cast<size_t>(middle_x)] < 100;
      if (!block) continue;
      const PixelRect person{region.x + region.width / 2 - 9, region.y + region.height / 2 - 25, 18,
                             50};
      found.push_back({ToRelative(person, frame.source_width, frame.source_height), kPerson, 0.9F});
    }
    return found;
  }
  float confident_score() const override { return 0.5F; }
  const std::string& name() const override { return name_; }
  const std::string& sha256() const override { return sha256_; }

  int asked = 0;
  MediaTime first = MediaTime::max();
  MediaTime last = MediaTime::min();
  int widest = 0;
  absl::Status answer = absl::OkStatus();

 private:
  const std::string name_ = "pointer";
  const std::string sha256_ = "00";
};

struct Watched {
  std::vector<proto::Event> events;
  std::set<uint64_t> tracks;
  bool active_at_end = false;
  absl::Status worst = absl::OkStatus();
};

Watched Watch(const Place& place, double until, std::shared_ptr<Detector> detector = nullptr,
              double step = 0.1) {
  CameraAnalyzerOptions options;
  options.camera = Guarded();
  options.detector = std::move(detector);
  auto analyzer = CameraAnalyzer::Create(std::move(options));
  EXPECT_TRUE(analyzer.ok()) << analyzer.status();
  Watched watched;
  for (double t = 0; t < until; t += step) {
    const Analysis analysis = (*analyzer)->Analyze(Painted(t, place));
    for (const proto::Event& event : analysis.events) watched.events.push_back(event);
    for (const auto& box : analysis.boxes) watched.tracks.insert(box.track_id());
    watched.active_at_end = analysis.active;
    if (!analysis.detector_status.ok()) watched.worst = analysis.detector_status;
  }
  return watched;
}

TEST(CameraAnalyzer, WhoWalksThroughTheZoneRaisesOneIntrusion) {
  const Watched watched = Watch(Walks, 12);
  ASSERT_EQ(watched.events.size(), 1U);
  EXPECT_EQ(watched.events[0].kind(), proto::EVENT_KIND_INTRUSION);
  EXPECT_EQ(watched.events[0].rule_id(), "yard");
  EXPECT_EQ(watched.tracks.size(), 1U);
}

TEST(CameraAnalyzer, AnEmptySceneRaisesNothingAndComesToRest) {
  const Watched watched = Watch([](double) { return -1; }, 30);
  EXPECT_TRUE(watched.events.empty());
  EXPECT_TRUE(watched.tracks.empty());
  EXPECT_FALSE(watched.active_at_end) << "decode may rest";
}

TEST(CameraAnalyzer, TheSameFramesGiveTheSameBytes) {
  const Watched once = Watch(Walks, 12);
  const Watched again = Watch(Walks, 12);
  ASSERT_EQ(once.events.size(), again.events.size());
  for (size_t i = 0; i < once.events.size(); ++i) {
    EXPECT_EQ(once.events[i].SerializeAsString(), again.events[i].SerializeAsString());
  }
}

TEST(CameraAnalyzer, HalfTheFramesGiveTheSameEvents) {
  EXPECT_EQ(Watch(Walks, 12, nullptr, 0.04).events.size(), 1U);
  EXPECT_EQ(Watch(Walks, 12, nullptr, 0.2).events.size(), 1U);
}

TEST(CameraAnalyzer, ADetectorIsAskedOnlyWhereSomethingMoves) {
  const auto pointer = std::make_shared<Pointer>();
  const Watched watched = Watch(Walks, 12, pointer);
  ASSERT_EQ(watched.events.size(), 1U);
  EXPECT_EQ(watched.events[0].explanation().detector(), "pointer");
  EXPECT_GT(pointer->first, At(2.95)) << "not before anything moved";
  EXPECT_LT(pointer->last, At(11)) << "not for long after who walked is gone, at 8.9 s";
  EXPECT_LT(pointer->asked, 80);
  EXPECT_LT(pointer->widest, kWidth / 2) << "not the whole picture";
}

TEST(CameraAnalyzer, AnOverloadedDetectorIsReportedAndNothingIsInvented) {
  const auto pointer = std::make_shared<Pointer>();
  pointer->answer = absl::ResourceExhaustedError("full");
  const Watched watched = Watch(Walks, 12, pointer);
  EXPECT_EQ(watched.worst.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(watched.events.empty());
}

TEST(CameraAnalyzer, ABreakOfTheTimeLineEndsAllTracks) {
  CameraAnalyzerOptions options;
  options.camera = Guarded();
  const auto analyzer = CameraAnalyzer::Create(std::move(options));
  ASSERT_TRUE(analyzer.ok());
  for (double t = 0; t < 5; t += 0.1) (*analyzer)->Analyze(Painted(t, Walks));
  ASSERT_FALSE((*analyzer)->Analyze(Painted(5, Walks)).boxes.empty());
  Frame next = Painted(5.1, Walks);
  next.run = 2;
  next.times.media = At(0);
  EXPECT_TRUE((*analyzer)->Analyze(next).boxes.empty());
}

TEST(CameraAnalyzer, RefusesAZoneWithoutArea) {
  CameraAnalyzerOptions options;
  options.camera = Guarded();
  options.camera.mutable_rules(0)->clear_zone();
  options.camera.mutable_rules(0)->add_zone("0.1,0.1");
  options.camera.mutable_rules(0)->add_zone("0.2,0.2");
  const auto analyzer = CameraAnalyzer::Create(std::move(options));
  ASSERT_FALSE(analyzer.ok());
  EXPECT_NE(analyzer.status().message().find("yard"), std::string_view::npos);
}

}  // namespace
}  // namespace cordon
