// SPDX-License-Identifier: Apache-2.0
#include "cli/analyzers.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace cordon::cli {
namespace {

size_t Threads() {
  using Tasks = std::filesystem::directory_iterator;
  return static_cast<size_t>(std::distance(Tasks("/proc/self/task"), Tasks()));
}

Frame Flickering(int number) {
  Frame frame;
  frame.camera = CameraId("gate");
  frame.number = static_cast<uint64_t>(number) + 1;
  frame.times.media = MediaTime{} + Milliseconds(100) * number;
  frame.source_width = frame.luma.width = 480;
  frame.source_height = frame.luma.height = 270;
  frame.luma.pixels.resize(480 * 270);
  for (size_t i = 0; i < frame.luma.pixels.size(); ++i) {
    const size_t at = i + static_cast<size_t>(number) * 131;
    frame.luma.pixels[i] = static_cast<uint8_t>(90 + at * 2654435761U % 60);
  }
  return frame;
}

TEST(AnalyzerFactory, WithoutANetworkAnalysisStartsNoThreads) {
  proto::Site site;
  site.set_time_zone("UTC");
  Metrics metrics;
  AnalyzerFactory analyzers(site, metrics, SystemClock());
  proto::CameraConfig camera;
  camera.set_id("gate");
  camera.set_detector("builtin");
  camera.set_analysis_width(480);
  const auto analyzer = analyzers.Make(camera);
  ASSERT_TRUE(analyzer.ok()) << analyzer.status();
  const size_t before = Threads();
  for (int i = 0; i < 30; ++i) static_cast<void>((*analyzer)->Analyze(Flickering(i)));
  EXPECT_EQ(Threads(), before);
}

}  // namespace
}  // namespace cordon::cli
