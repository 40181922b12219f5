// SPDX-License-Identifier: Apache-2.0
#include "tests/accuracy/staged_camera.h"

#include <utility>

#include "analytics/classifier.h"
#include "base/check.h"
#include "tests/accuracy/clip_runner.h"

namespace cordon::accuracy {

proto::CameraConfig StagedRule(proto::RuleConfig::Kind kind) {
  proto::CameraConfig camera = PlainCamera("staged");
  proto::RuleConfig& rule = *camera.add_rules();
  rule.set_id("rule");
  rule.set_kind(kind);
  rule.set_dwell_s(1);
  rule.set_rearm_s(5);
  rule.set_max_height(1);
  if (kind == proto::RuleConfig::KIND_INTRUSION) {
    rule.add_classes("person");
    rule.add_classes("vehicle");
  }
  return camera;
}

StagedCamera::StagedCamera(proto::CameraConfig config) {
  CameraAnalyzerOptions options;
  options.camera = std::move(config);
  options.classifier = MakeShapeClassifier();
  auto made = CameraAnalyzer::Create(std::move(options));
  CORDON_CHECK(made.ok(), "the staged rule is valid");
  analyzer_ = *std::move(made);
}

StagedRun StagedCamera::Play(const LumaPicture& empty, const Condition& condition, double seconds,
                             double fps) {
  StagedRun run;
  run.seconds = seconds;
  for (int n = 0; n < static_cast<int>(seconds * fps); ++n) {
    const double t = n / fps;
    LumaPicture picture = empty;
    condition(picture, t, n);
    const Analysis analysis = analyzer_->Analyze(*FrameOf(std::move(picture), t, n));
    run.events.insert(run.events.end(), analysis.events.begin(), analysis.events.end());
    for (const proto::TrackBox& box : analysis.boxes) run.shown.push_back({t, box});
  }
  return run;
}

}  // namespace cordon::accuracy
