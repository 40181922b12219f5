// SPDX-License-Identifier: Apache-2.0
// What adaptive decode misses and what it saves.
//   adaptive_recall CLIP...    one line of JSON per clip
// Truth comes from full decode at the analysis rate: a picture is occupied where two neighbouring
// 8x8 blocks of its small luma differ by more than 8 grey levels from the clip's median picture;
// occupied pictures less than 0.5 s apart are one visit. A visit is seen when adaptive decode
// delivered at least three pictures of it, and its delay is from its begin to the first of them.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "bench/cameras/clips_main.h"
#include "ingest/clip_reader.h"
#include "tests/support/adaptive_replay.h"

namespace cordon {
namespace {

constexpr int kBlock = 8;
constexpr float kOccupied = 8;
constexpr double kGap = 0.5;

struct Visit {
  double begin = 0;
  double end = 0;
};

double SecondsOf(const Frame& frame) {
  return static_cast<double>(ToMicros(frame.times.media)) / 1e6;
}

proto::CameraConfig Camera() {
  proto::CameraConfig camera;
  camera.set_id("bench");
  camera.set_analysis_width(480);
  camera.set_analysis_fps(10);
  camera.set_ring_mib(64);
  camera.set_decode(proto::CameraConfig::DECODE_ADAPTIVE);
  return camera;
}

std::vector<float> Blocks(const LumaPicture& luma) {
  std::vector<float> blocks;
  for (int by = 0; by + kBlock <= luma.height; by += kBlock) {
    for (int bx = 0; bx + kBlock <= luma.width; bx += kBlock) {
      int sum = 0;
      for (int y = by; y < by + kBlock; ++y) {
        for (int x = bx; x < bx + kBlock; ++x) sum += luma.row(y)[x];
      }
      blocks.push_back(static_cast<float>(sum) / (kBlock * kBlock));
    }
  }
  return blocks;
}

float Median(std::vector<float> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Truth {
  std::vector<Visit> visits;
  Nanoseconds cpu{0};
};

bool Occupied(const std::vector<float>& blocks, const std::vector<float>& empty, size_t columns) {
  std::vector<float> difference(blocks.size());
  for (size_t i = 0; i < blocks.size(); ++i) difference[i] = blocks[i] - empty[i];
  const float brightening = Median(difference);
  for (size_t i = 1; i < blocks.size(); ++i) {
    if (std::fabs(difference[i] - brightening) <= kOccupied) continue;
    if (i % columns != 0 && std::fabs(difference[i - 1] - brightening) > kOccupied) return true;
    if (i >= columns && std::fabs(difference[i - columns] - brightening) > kOccupied) return true;
  }
  return false;
}

absl::StatusOr<Truth> FindTruth(const std::string& path) {
  ClipReaderOptions options;
  options.analysis_fps = 10;
  Truth truth;
  const Nanoseconds before = ProcessCpuTime();
  ASSIGN_OR_RETURN(auto clip, ClipReader::Open(path, options, SystemClock()));
  std::vector<std::vector<float>> pictures;
  std::vector<double> times;
  size_t columns = 1;
  while (true) {
    ASSIGN_OR_RETURN(std::optional<FramePtr> frame, clip->NextFrame());
    if (!frame) break;
    columns = static_cast<size_t>((*frame)->luma.width / kBlock);
    pictures.push_back(Blocks((*frame)->luma));
    times.push_back(SecondsOf(**frame));
  }
  truth.cpu = ProcessCpuTime() - before;
  if (pictures.empty()) return absl::DataLossError("no pictures in " + path);
  std::vector<float> empty(pictures[0].size());
  for (size_t i = 0; i < empty.size(); ++i) {
    std::vector<float> values;
    for (const auto& picture : pictures) values.push_back(picture[i]);
    empty[i] = Median(std::move(values));
  }
  for (size_t i = 0; i < pictures.size(); ++i) {
    if (!Occupied(pictures[i], empty, columns)) continue;
    if (!truth.visits.empty() && times[i] - truth.visits.back().end < kGap) {
      truth.visits.back().end = times[i];
    } else {
      truth.visits.push_back({times[i], times[i]});
    }
  }
  return truth;
}

absl::Status Report(const std::string& path) {
  ASSIGN_OR_RETURN(const Truth truth, FindTruth(path));
  std::vector<double> delivered;
  ASSIGN_OR_RETURN(const testing::AdaptiveReplay a,
                   testing::ReplayAdaptive(Camera(), path, [&](const FramePtr& frame) {
                     delivered.push_back(SecondsOf(*frame));
                     return false;
                   }));
  int visits = 0;
  int seen = 0;
  double worst_delay = 0;
  double occupied = 0;
  std::string missed;
  for (const Visit& visit : truth.visits) {
    occupied += visit.end - visit.begin + 0.1;
    if (visit.end - visit.begin < 0.9) continue;  // pictures are 0.1 s apart: in view for 1 s
    ++visits;
    const auto first = std::lower_bound(delivered.begin(), delivered.end(), visit.begin - 0.05);
    const auto last = std::upper_bound(delivered.begin(), delivered.end(), visit.end + 0.05);
    if (last - first >= 3) {
      ++seen;
      worst_delay = std::max(worst_delay, *first - visit.begin);
    } else {
      missed += fmt::format(" {:.1f}-{:.1f}", visit.begin, visit.end);
    }
  }
  const auto share = [&](Nanoseconds part) {
    return std::chrono::duration<double>(part).count() /
           std::chrono::duration<double>(a.length).count();
  };
  fmt::print(
      "{{\"clip\": \"{}\", \"seconds\": {:.1f}, \"occupied_share\": {:.3f}, \"visits_of_1s\": {}, "
      "\"seen\": {}, "
      "\"worst_delay_s\": {:.2f}, \"packets\": {}, \"key_frames\": {}, \"decoded\": {}, "
      "\"quiet_share\": {:.3f}, "
      "\"wakes\": {}, \"wakes_by_packets\": {}, \"cpu_ratio\": {:.3f}, \"missed\": \"{}\"}}\n",
      path.substr(path.rfind('/') + 1), std::chrono::duration<double>(a.length).count(),
      occupied / std::chrono::duration<double>(a.length).count(), visits, seen, worst_delay,
      a.packets, a.key_frames, a.counts.decoded, share(a.quiet), a.counts.wakes,
      a.counts.wakes_by_packets,
      static_cast<double>(a.cpu.count()) / static_cast<double>(truth.cpu.count()), missed);
  std::fflush(stdout);
  return absl::OkStatus();
}

}  // namespace
}  // namespace cordon

int main(int argc, char** argv) {
  return cordon::ReportOnClips(argc, argv, "adaptive_recall", cordon::Report);
}
