// SPDX-License-Identifier: Apache-2.0
// Runs cameras as a node does (own RTSP client, packet ring, adaptive decode, built-in analysis on
// the node's analysis threads) and prints what they cost, one line of JSON.
//   camera_cost --decode adaptive|full|keyframes --seconds S [--warm-up S] [--threads N]
//               [--no-analysis] [--udp] URL...
// CPU time is the process's own from the operating system, from the end of the warm-up on. Memory
// is told once a minute on stderr, for long runs.
#include <malloc.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "absl/synchronization/notification.h"
#include "base/log.h"
#include "cli/analysis_pool.h"
#include "cli/analyzers.h"
#include "cli/process_usage.h"
#include "ingest/camera_stream.h"

namespace cordon {
namespace {

struct Bench {
  proto::CameraConfig::Decode decode = proto::CameraConfig::DECODE_ADAPTIVE;
  int seconds = 30;
  int warm_up = 5;
  int threads = 1;
  bool analysis = true;
  bool udp = false;
  std::vector<std::string> urls;
};

proto::CameraConfig Camera(const Bench& bench, size_t index) {
  proto::CameraConfig camera;
  camera.set_id("camera-" + std::to_string(index + 1));
  camera.set_url(bench.urls[index]);
  camera.set_decode(bench.decode);
  camera.set_detector("builtin");
  if (bench.udp) camera.set_transport(proto::CameraConfig::TRANSPORT_UDP);
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

// Analyses nothing: what is left is the cost of ingest alone.
class NoAnalysis final : public CameraAnalyzer {
 public:
  Analysis Analyze(const Frame& /*frame*/) override { return {}; }
};

struct Running {
  proto::Site site;
  Metrics metrics;
  OpenGate gate;
  std::vector<std::unique_ptr<CameraStream>> streams;
  std::unique_ptr<cli::AnalysisPool> pool;
  std::atomic<uint64_t> frames{0};
  std::atomic<uint64_t> active{0};  // frames after which analytics asked for every picture

  ~Running() {
    pool->Stop();
    streams.clear();
  }
};

absl::Status Start(const Bench& bench, Running& running) {
  running.pool = std::make_unique<cli::AnalysisPool>(
      bench.threads, SystemClock(),
      [&running](size_t index, const FramePtr& /*frame*/, const Analysis& analysis) {
        ++running.frames;
        if (analysis.active) ++running.active;
        running.streams[index]->SetActive(analysis.active);
      });
  running.site.set_time_zone("UTC");
  cli::AnalyzerFactory analyzers(running.site, running.metrics, SystemClock());
  for (size_t i = 0; i < bench.urls.size(); ++i) {
    const proto::CameraConfig camera = Camera(bench, i);
    std::unique_ptr<CameraAnalyzer> analyzer = std::make_unique<NoAnalysis>();
    if (bench.analysis) {
      ASSIGN_OR_RETURN(analyzer, analyzers.Make(camera));
    }
    FrameSink& sink = running.pool->Add(std::move(analyzer));
    ASSIGN_OR_RETURN(
        auto stream,
        CameraStream::Make(camera, Secret(), {SystemClock(), running.metrics, running.gate, sink}));
    running.streams.push_back(std::move(stream));
  }
  running.pool->Start();
  return absl::OkStatus();
}

// The sum of a metric over all cameras.
double Total(const Metrics& metrics, const std::string& name) {
  double total = 0;
  const std::string text = metrics.RenderText();
  for (size_t at = text.find("\n" + name + "{"); at != std::string::npos;
       at = text.find("\n" + name + "{", at + 1)) {
    total += std::atof(text.c_str() + text.find("} ", at) + 2);
  }
  return total;
}

double RingMib(const Running& running) {
  double bytes = 0;
  for (const auto& stream : running.streams)
    bytes += static_cast<double>(stream->evidence()->bytes());
  return bytes / 1024 / 1024;
}

// What has been allocated and is in use, without what malloc keeps for later.
double UsedMib() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd) / 1024 / 1024;
}

// Returns resident memory beside the rings after each minute and at the end, MiB per camera.
std::vector<double> Pass(const Running& running, Seconds time) {
  absl::Notification never;
  std::vector<double> beside_ring;
  for (Seconds left = time; left > Seconds(0); left -= Seconds(60)) {
    never.WaitForNotificationWithTimeout(absl::Seconds(std::min<int64_t>(left.count(), 60)));
    fmt::print(stderr, "  rss {:.1f} MiB, ring {:.1f} MiB, allocated {:.1f} MiB\n", RssMib(),
               RingMib(running), UsedMib());
    beside_ring.push_back((RssMib() - RingMib(running)) /
                          static_cast<double>(running.streams.size()));
  }
  return beside_ring;
}

int Run(const Bench& bench) {
  Running running;
  if (const absl::Status status = Start(bench, running); !status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 2;
  }
  std::vector<double> beside_ring = Pass(running, Seconds(bench.warm_up));
  const uint64_t frames_before = running.frames;
  const uint64_t active_before = running.active;
  const double wakes_before = Total(running.metrics, "cordon_ingest_wakes_total");
  const double decoded_before = Total(running.metrics, "cordon_ingest_decoded_total");
  const Nanoseconds cpu_before = ProcessCpuTime();
  const BootTime begin = SystemClock().Boot();
  for (double mib : Pass(running, Seconds(bench.seconds))) beside_ring.push_back(mib);
  const double cpu = std::chrono::duration<double>(ProcessCpuTime() - cpu_before).count();
  const double wall = std::chrono::duration<double>(SystemClock().Boot() - begin).count();
  double fps = 0;
  uint64_t shed = 0;
  uint64_t reconnects = 0;
  int live = 0;
  for (const auto& stream : running.streams) {
    const proto::CameraHealth health = stream->Health();
    live += health.state() == proto::STREAM_STATE_LIVE ? 1 : 0;
    fps += health.received_fps();
    shed += health.frames_shed();
    reconnects += health.reconnects();
  }
  const auto count = static_cast<double>(bench.urls.size());
  fmt::print(
      "{{\"cameras\": {}, \"live\": {}, \"decode\": \"{}\", \"seconds\": {:.1f}, \"cpu_s\": "
      "{:.3f}, \"cpu_percent_per_camera\": {:.3f}, \"received_fps\": {:.1f}, "
      "\"decoded_per_s\": {:.2f}, \"analysed_per_s\": {:.2f}, \"active_share\": {:.3f}, "
      "\"wakes\": {:.0f}, \"shed\": {}, \"lost_packets\": {:.0f}, \"reconnects\": {}, "
      "\"dropped_pictures\": {:.0f}, \"rss_mib\": {:.1f}, \"ring_mib\": {:.1f}, "
      "\"rss_beside_ring_mib_per_camera\": [{:.2f}]}}\n",
      bench.urls.size(), live, proto::CameraConfig::Decode_Name(bench.decode), wall, cpu,
      100 * cpu / wall / count, fps / count,
      (Total(running.metrics, "cordon_ingest_decoded_total") - decoded_before) / wall / count,
      static_cast<double>(running.frames - frames_before) / wall / count,
      static_cast<double>(running.active - active_before) /
          std::max(1.0, static_cast<double>(running.frames - frames_before)),
      Total(running.metrics, "cordon_ingest_wakes_total") - wakes_before, shed,
      Total(running.metrics, "cordon_rtp_lost_packets_total"), reconnects,
      Total(running.metrics, "cordon_rtp_dropped_pictures_total"), RssMib(),
      RingMib(running), fmt::join(beside_ring, ", "));
  return 0;
}

}  // namespace
}  // namespace cordon

int main(int argc, char** argv) {
  cordon::log::Init("bench", cordon::log::Format::kText, cordon::log::Level::kWarning);
  cordon::cli::ReturnFreedPictures();
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
    } else if (word == "--threads" && i + 1 < argc) {
      bench.threads = std::atoi(argv[++i]);
    } else if (word == "--no-analysis") {
      bench.analysis = false;
    } else if (word == "--udp") {
      bench.udp = true;
    } else {
      bench.urls.push_back(word);
    }
  }
  if (bench.urls.empty()) {
    std::fprintf(stderr,
                 "usage: camera_cost [--decode adaptive|full|keyframes] [--seconds S] [--warm-up "
                 "S] [--threads N] [--no-analysis] [--udp] URL...\n");
    return 2;
  }
  return cordon::Run(bench);
}
