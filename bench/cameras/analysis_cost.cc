// SPDX-License-Identifier: Apache-2.0
// What the built-in analysis of one frame costs, and a digest of all it said: a change that is only
// to make it faster leaves the digest as it was.
//   analysis_cost CLIP...    one line of JSON per clip

#include <cstdio>
#include <string>
#include <vector>

#include "analytics/camera_analyzer.h"
#include "analytics/classifier.h"
#include "bench/cameras/clips_main.h"
#include "ingest/clip_reader.h"
#include "ingest/cpu_budget.h"

namespace cordon {
namespace {

constexpr size_t kMostFrames = 600;

proto::CameraConfig Camera() {
  proto::CameraConfig camera;
  camera.set_id("bench");
  for (const auto kind : {proto::RuleConfig::KIND_INTRUSION, proto::RuleConfig::KIND_TAMPER,
                          proto::RuleConfig::KIND_ABANDONED_OBJECT}) {
    proto::RuleConfig& rule = *camera.add_rules();
    rule.set_id(proto::RuleConfig::Kind_Name(kind));
    rule.set_kind(kind);
    rule.set_dwell_s(0.5);
    rule.set_rearm_s(5);
    rule.set_max_height(1);
  }
  return camera;
}

absl::StatusOr<std::vector<FramePtr>> ReadFrames(const std::string& path) {
  ClipReaderOptions options;
  options.analysis_fps = 10;
  ASSIGN_OR_RETURN(auto clip, ClipReader::Open(path, options, SystemClock()));
  std::vector<FramePtr> frames;
  while (frames.size() < kMostFrames) {
    ASSIGN_OR_RETURN(std::optional<FramePtr> frame, clip->NextFrame());
    if (!frame) break;
    auto kept = std::make_shared<Frame>(**frame);
    kept->colour.reset();  // the built-in path does not look at it
    frames.push_back(std::move(kept));
  }
  return frames;
}

void AddToDigest(uint64_t& digest, const std::string& bytes) {
  for (const char c : bytes) digest = (digest ^ static_cast<uint8_t>(c)) * 1099511628211ull;
}

absl::Status Report(const std::string& path) {
  ASSIGN_OR_RETURN(const std::vector<FramePtr> frames, ReadFrames(path));
  CameraAnalyzerOptions options;
  options.camera = Camera();
  options.classifier = MakeShapeClassifier();
  ASSIGN_OR_RETURN(auto analyzer, CameraAnalyzer::Create(options));
  uint64_t digest = 1469598103934665603ull;
  size_t boxes = 0;
  size_t events = 0;
  size_t active = 0;
  Nanoseconds cpu{0};
  for (const FramePtr& frame : frames) {
    const Nanoseconds before = ProcessCpuTime();
    const Analysis analysis = analyzer->Analyze(*frame);
    cpu += ProcessCpuTime() - before;
    for (const proto::TrackBox& box : analysis.boxes) AddToDigest(digest, box.SerializeAsString());
    // As text: the order of a map's entries differs from run to run in the binary form.
    for (const proto::Event& event : analysis.events) AddToDigest(digest, event.ShortDebugString());
    boxes += analysis.boxes.size();
    events += analysis.events.size();
    active += analysis.active ? 1 : 0;
  }
  fmt::print(
      "{{\"clip\": \"{}\", \"frames\": {}, \"cpu_ms_per_frame\": {:.3f}, \"boxes\": {}, "
      "\"events\": {}, \"active\": {}, \"digest\": \"{:016x}\"}}\n",
      path.substr(path.rfind('/') + 1), frames.size(),
      std::chrono::duration<double, std::milli>(cpu).count() / static_cast<double>(frames.size()),
      boxes, events, active, digest);
  return absl::OkStatus();
}

}  // namespace
}  // namespace cordon

int main(int argc, char** argv) {
  return cordon::ReportOnClips(argc, argv, "analysis_cost", cordon::Report);
}
