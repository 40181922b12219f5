// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>

#include "analytics/camera_analyzer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "proto/config.pb.h"

namespace cordon::cli {

// Makes the analysers of a site's cameras. A detector's network is loaded once, when the first
// camera that names it asks, and shared by all of them. Where the site has none, OpenCV gets no
// threads of its own. Used by one thread.
class AnalyzerFactory {
 public:
  AnalyzerFactory(const proto::Site& site, Metrics& metrics, const Clock& clock);
  // INVALID_ARGUMENT and NOT_FOUND as CameraAnalyzer::Create and MakeDnnDetector, with the camera's
  // or detector's name.
  absl::StatusOr<std::unique_ptr<CameraAnalyzer>> Make(const proto::CameraConfig& camera);

 private:
  absl::StatusOr<std::shared_ptr<Detector>> DetectorOf(const proto::CameraConfig& camera);

  const proto::Site& site_;
  Metrics& metrics_;
  const Clock& clock_;
  const std::shared_ptr<const RegionClassifier> classifier_;
  std::map<std::string, std::shared_ptr<Detector>> detectors_;
};

}  // namespace cordon::cli
