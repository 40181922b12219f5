// SPDX-License-Identifier: Apache-2.0
#include "cli/analyzers.h"

#include "analytics/classifier.h"
#include "analytics/detector_dnn.h"
#include "analytics/own_thread.h"

namespace cordon::cli {

AnalyzerFactory::AnalyzerFactory(const proto::Site& site, Metrics& metrics, const Clock& clock)
    : site_(site), metrics_(metrics), clock_(clock), classifier_(MakeShapeClassifier()) {
  if (site_.detectors().empty()) KeepToCallingThread();
}

absl::StatusOr<std::unique_ptr<CameraAnalyzer>> AnalyzerFactory::Make(
    const proto::CameraConfig& camera) {
  CameraAnalyzerOptions options;
  options.camera = camera;
  options.time_zone = site_.time_zone();
  options.holidays.assign(site_.holidays().begin(), site_.holidays().end());
  ASSIGN_OR_RETURN(options.detector, DetectorOf(camera));
  if (options.detector == nullptr) options.classifier = classifier_;
  return CameraAnalyzer::Create(std::move(options));
}

// Null for the built-in path.
absl::StatusOr<std::shared_ptr<Detector>> AnalyzerFactory::DetectorOf(
    const proto::CameraConfig& camera) {
  if (camera.detector() == "builtin") return std::shared_ptr<Detector>();
  if (const auto known = detectors_.find(camera.detector()); known != detectors_.end())
    return known->second;
  for (const proto::DetectorConfig& config : site_.detectors()) {
    if (config.id() != camera.detector()) continue;
    DnnDetectorOptions options;
    options.metrics = &metrics_;
    options.clock = &clock_;
    absl::StatusOr<std::shared_ptr<Detector>> detector = MakeDnnDetector(config, "", options);
    if (!detector.ok()) return Annotate(detector.status(), "detector " + config.id());
    return detectors_[config.id()] = *std::move(detector);
  }
  return absl::NotFoundError(
      fmt::format("camera {}: detector {} is not in detectors", camera.id(), camera.detector()));
}

}  // namespace cordon::cli
