// SPDX-License-Identifier: Apache-2.0
// A camera before a staged scene.
#pragma once

#include <memory>
#include <vector>

#include "analytics/camera_analyzer.h"
#include "tests/accuracy/staging.h"

namespace cordon::accuracy {

// A track's box at that second.
struct Shown {
  double seconds = 0;
  proto::TrackBox box;
};

struct StagedRun {
  std::vector<proto::Event> events;
  std::vector<Shown> shown;
  double seconds = 0;
};

// One rule over the whole picture, dwell 1 s, re-arm 5 s; intrusions by persons and vehicles.
proto::CameraConfig StagedRule(proto::RuleConfig::Kind kind);

// The product's analysis with the built-in detector.
class StagedCamera {
 public:
  explicit StagedCamera(proto::CameraConfig config);
  // One frame; media time must not fall.
  Analysis Look(const Frame& frame) { return analyzer_->Analyze(frame); }
  // `empty` under the condition, from second 0 on.
  StagedRun Play(const LumaPicture& empty, const Condition& condition, double seconds, double fps);

 private:
  std::unique_ptr<CameraAnalyzer> analyzer_;
};

}  // namespace cordon::accuracy
