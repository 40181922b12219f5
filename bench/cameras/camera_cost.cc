// SPDX-License-Identifier: Apache-2.0
// Runs cameras as a node does (own RTSP client, packet ring, adaptive decode, built-in analysis)
// and prints what they cost.
//   camera_cost --decode adaptive|full|keyframes --seconds S URL...
// CPU time is the process's own from the operating system, from 5 s after the start (connections,
// first key frames) on.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "analytics/camera_analyzer.h"
#include "base/log.h"
#include "ingest/camera_stream.h"

namespace cordon {
namespace {

struct Bench {
  proto::CameraConfig::Decode decode = proto::CameraConfig::DECODE_ADAPTIVE;
  int seconds = 30;
  int warm_up = 5;
  bool analysis = true;
  std::vector<std::string> urls;
};

proto::CameraConfig Camera(const Bench& bench, size_t index) {
  proto::CameraConfig camera;
  camera.set_id("camera-" + std::to_string(index + 1));
  camera.set_url(bench.urls[index]);
  camera.set_decode(bench.decode);
  camera.set_analysis_width(480);
  camera.set_analysis_fps(10);
  camera.set_ring_mib(8);
  camera.set_priority(5);
  proto::RuleConfig& rule = *camera.add_rules();
  rule.set_id("zone");
  rule.set_kind(proto::RuleConfig::KIND_INTRUSION);
  rule.set_dwell_s(0.5);
  rule.set_rearm_s(10);
  rule.set_max_height(1);
  return camera;
}

double RssMib() {
  std::ifstream statm("/proc/self/statm");
  double size = 0;
  double resident = 0;
  statm >> size >> resident;
  return resident * 4096 / 1024 / 1024;
}

// Frames of all cameras for one analysis thread that sleeps while there are none, as the node's
// does.
class Inbox {
 public:
  class Slot final : public FrameSink {
   public:
    Slot(Inbox& inbox, size_t camera) : inbox_(inbox), camera_(camera) {}
    bool HasRoom() const override { return inbox_.Waiting(camera_) < 2; }
    void Put(FramePtr frame) override { inbox_.Put(camera_, std::move(frame)); }

   private:
    Inbox& inbox_;
    const size_t camera_;
  };

  std::optional<std::pair<size_t, FramePtr>> Take(Milliseconds wait) {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(
                                +[](Inbox* self) { return !self->frames_.empty(); }, this),
                            absl::FromChrono(wait));
    if (frames_.empty()) return std::nullopt;
    auto first = std::move(frames_.front());
    frames_.pop_front();
    return first;
  }

 private:
  long Waiting(size_t camera) const {
    absl::MutexLock lock(&mutex_);
    return std::count_if(frames_.begin(), frames_.end(),
                         [&](const auto& f) { return f.first == camera; });
  }
  void Put(size_t camera, FramePtr frame) {
    absl::MutexLock lock(&mutex_);
    frames_.emplace_back(camera, std::move(frame));
    if (frames_.size() > 256) frames_.pop_front();
  }
  mutable absl::Mutex mutex_;
  std::deque<std::pair<size_t, FramePtr>> frames_;
};

struct Running {
  std::unique_ptr<Inbox::Slot> slot;
  std::unique_ptr<CameraAnalyzer> analyzer;
  std::unique_ptr<CameraStream> stream;
};

void AnalyseUntil(Inbox& inbox, std::vector<Running>& cameras, BootTime until, bool analysis,
                  uint64_t& frames) {
  while (SystemClock().Boot() < until) {
    auto taken = inbox.Take(Milliseconds(200));
    if (!taken) continue;
    ++frames;
    Running& camera = cameras[taken->first];
    if (analysis) camera.stream->SetActive(camera.analyzer->Analyze(*taken->second).active);
  }
}

int Run(const Bench& bench) {
  Metrics metrics;
  OpenGate gate;
  Inbox inbox;
  std::vector<Running> cameras(bench.urls.size());
  for (size_t i = 0; i < cameras.size(); ++i) {
    CameraAnalyzerOptions options;
    options.camera = Camera(bench, i);
    cameras[i].slot = std::make_unique<Inbox::Slot>(inbox, i);
    auto analyzer = CameraAnalyzer::Create(options);
    auto stream = CameraStream::Make(options.camera, Secret(),
                                     {SystemClock(), metrics, gate, *cameras[i].slot});
    if (!analyzer.ok() || !stream.ok()) {
      std::fprintf(stderr, "%s\n",
                   (analyzer.ok() ? stream.status() : analyzer.status()).ToString().c_str());
      return 2;
    }
    cameras[i].analyzer = *std::move(analyzer);
    cameras[i].stream = *std::move(stream);
  }
  uint64_t ignored = 0;
  AnalyseUntil(inbox, cameras, SystemClock().Boot() + Seconds(bench.warm_up), bench.analysis,
               ignored);
  const double rss_before = RssMib();
  const Nanoseconds cpu_before = ProcessCpuTime();
  const BootTime begin = SystemClock().Boot();
  uint64_t frames = 0;
  AnalyseUntil(inbox, cameras, begin + Seconds(bench.seconds), bench.analysis, frames);
  const double cpu = std::chrono::duration<double>(ProcessCpuTime() - cpu_before).count();
  const double wall = std::chrono::duration<double>(SystemClock().Boot() - begin).count();
  double fps = 0;
  double ring = 0;
  uint64_t shed = 0;
  uint64_t reconnects = 0;
  int live = 0;
  for (Running& camera : cameras) {
    const proto::CameraHealth health = camera.stream->Health();
    live += health.state() == proto::STREAM_STATE_LIVE ? 1 : 0;
    fps += health.received_fps();
    shed += health.frames_shed();
    reconnects += health.reconnects();
    ring += static_cast<double>(camera.stream->evidence()->bytes()) / 1024 / 1024;
  }
  const auto count = static_cast<double>(cameras.size());
  fmt::print(
      "{{\"cameras\": {}, \"live\": {}, \"decode\": \"{}\", \"seconds\": {:.1f}, \"cpu_s\": "
      "{:.3f}, "
      "\"cpu_percent_per_camera\": {:.3f}, \"received_fps\": {:.1f}, \"frames_analysed\": {}, "
      "\"shed\": {}, "
      "\"reconnects\": {}, \"rss_mib\": {:.1f}, \"rss_growth_mib\": {:.1f}, \"ring_mib\": "
      "{:.1f}}}\n",
      cameras.size(), live, proto::CameraConfig::Decode_Name(bench.decode), wall, cpu,
      100 * cpu / wall / count, fps / count, frames, shed, reconnects, RssMib(),
      RssMib() - rss_before, ring);
  return 0;
}

}  // namespace
}  // namespace cordon

int main(int argc, char** argv) {
  cordon::Bench bench;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--decode" && i + 1 < argc) {
      const std::string mode = argv[++i];
      bench.decode = mode == "full"        ? cordon::proto::CameraConfig::DECODE_FULL
                     : mode == "keyframes" ? cordon::proto::CameraConfig::DECODE_KEYFRAMES
                                           : cordon::proto::CameraConfig::DECODE_ADAPTIVE;
    } else if (word == "--seconds" && i + 1 < argc) {
      bench.seconds = std::atoi(argv[++i]);
    } else if (word == "--warm-up" && i + 1 < argc) {
      bench.warm_up = std::atoi(argv[++i]);
    } else if (word == "--no-analysis") {
      bench.analysis = false;
    } else {
      bench.urls.push_back(word);
    }
  }
  if (bench.urls.empty()) {
    std::fprintf(stderr,
                 "usage: camera_cost [--decode adaptive|full|keyframes] [--seconds S] [--warm-up "
                 "S] URL...\n");
    return 2;
  }
  return cordon::Run(bench);
}
