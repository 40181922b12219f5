// SPDX-License-Identifier: Apache-2.0
// From the packet to the event: decode, small luma, ring, analysis, snapshot.
#include <memory>
#include <vector>

#include "analytics/camera_analyzer.h"
#include "base/clock.h"
#include "bench/stages/stage.h"
#include "ingest/clip_reader.h"
#include "ingest/luma_scaler.h"
#include "ingest/packet_ring.h"
#include "ingest/snapshot.h"

namespace cordon::bench {
namespace {

using std::chrono::microseconds;

constexpr int kWide = 1280, kHigh = 720;

void DecodeOnePictureAndMakeItsLuma(benchmark::State& state) {
  std::unique_ptr<ClipReader> clip;
  RunStage(state, microseconds(8000), [&] {
    if (clip == nullptr) {
      auto opened = Need(state, ClipReader::Open(Clip(), {}, SystemClock()));
      if (!opened) return;
      clip = *std::move(opened);
    }
    const auto frame = clip->NextFrame();
    if (!frame.ok() || !*frame) clip.reset();  // again from the beginning
    benchmark::DoNotOptimize(frame);
  });
}
BENCHMARK(DecodeOnePictureAndMakeItsLuma)->Iterations(700)->Unit(benchmark::kMicrosecond);

void ScaleLumaOf720p(benchmark::State& state) {
  const std::vector<uint8_t> plane(static_cast<size_t>(kWide) * kHigh, 90);
  LumaScaler scaler(kWide, kHigh, AnalysisSize(kWide, kHigh, 480));
  RunStage(state, microseconds(500),
           [&] { benchmark::DoNotOptimize(scaler.Scale(plane.data(), kWide)); });
}
BENCHMARK(ScaleLumaOf720p)->Unit(benchmark::kMicrosecond);

void PushIntoAFullRing(benchmark::State& state) {
  PacketRing ring(4 * 1024 * 1024);
  uint64_t number = 0;
  RunStage(state, microseconds(20), [&] {
    auto packet = std::make_shared<Packet>();
    packet->av.reset(av_packet_alloc());
    av_new_packet(packet->av.get(), 8000);
    if (number++ % 25 == 0) packet->av->flags |= AV_PKT_FLAG_KEY;
    ring.Push(std::move(packet));
  });
}
BENCHMARK(PushIntoAFullRing)->Unit(benchmark::kMicrosecond);

proto::CameraConfig DemoCamera() {
  proto::CameraConfig camera;
  camera.set_id("yard");
  camera.set_analysis_width(480);
  proto::RuleConfig& line = *camera.add_rules();
  line.set_id("line");
  line.set_kind(proto::RuleConfig::KIND_LINE_CROSSING);
  line.set_max_height(1);
  line.add_line("0.55,0.30");
  line.add_line("0.57,0.66");
  for (const auto kind : {proto::RuleConfig::KIND_INTRUSION, proto::RuleConfig::KIND_LOITERING}) {
    proto::RuleConfig& rule = *camera.add_rules();
    rule.set_id(proto::RuleConfig::Kind_Name(kind));
    rule.set_kind(kind);
    rule.set_dwell_s(1);
    rule.set_max_height(1);
  }
  return camera;
}

std::vector<FramePtr> SomeFrames(benchmark::State& state, size_t count) {
  std::vector<FramePtr> frames;
  const auto clip = Need(state, ClipReader::Open(Clip(), {}, SystemClock()));
  while (clip && frames.size() < count) {
    const auto frame = (*clip)->NextFrame();
    if (!frame.ok() || !*frame) break;
    frames.push_back(**frame);
  }
  return frames;
}

void AnalyseOnePictureOfABusyYard(benchmark::State& state) {
  const std::vector<FramePtr> frames = SomeFrames(state, 400);
  const auto analyzer = Need(state, CameraAnalyzer::Create({.camera = DemoCamera()}));
  if (!analyzer || frames.empty()) return;
  size_t next = 0;
  RunStage(state, microseconds(10'000), [&] {
    benchmark::DoNotOptimize((*analyzer)->Analyze(*frames[next]));
    next = (next + 1) % frames.size();
  });
}
BENCHMARK(AnalyseOnePictureOfABusyYard)->Iterations(400)->Unit(benchmark::kMicrosecond);

void SnapshotOfAnAlert(benchmark::State& state) {
  const std::vector<FramePtr> frames = SomeFrames(state, 20);
  if (frames.empty()) return;
  SnapshotOptions options;
  options.boxes.push_back({0.4, 0.4, 0.05, 0.2, "person 7"});
  options.line = {{0.55, 0.30}, {0.57, 0.66}};
  options.label = "2026-03-01 06:00:00  yard  person crossed from left to right";
  RunStage(state, microseconds(20'000),
           [&] { benchmark::DoNotOptimize(SnapshotJpeg(*frames.back(), options)); });
}
BENCHMARK(SnapshotOfAnAlert)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace cordon::bench
