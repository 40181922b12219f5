// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "analytics/detector.h"
#include "analytics/detector_pool.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "proto/config.pb.h"

namespace cordon {

struct DnnDetectorOptions {
  proto::DetectorConfig::Engine engine = proto::DetectorConfig::ENGINE_AUTO;
  // Largest magnification of a moving region against the source picture. Above 1 a network sees
  // invented pixels.
  double most_scale = 1.0;
  DetectorPoolOptions pool;      // batchable is taken from the card
  Metrics* metrics = nullptr;    // null: its own, unseen
  const Clock* clock = nullptr;  // null: the system's
};

// The network of a model card as a Detector: one instance for all cameras that name it. A frame's
// regions become one canvas (detector_canvas.h), prepared and decoded by the calling thread, run by
// the pool's worker. Errors as LoadModel and MakeEngine.
absl::StatusOr<std::shared_ptr<Detector>> MakeDnnDetector(const std::string& card_path,
                                                          const DnnDetectorOptions& options = {});

// From the site's configuration; `folder` is where the configuration file lies (model_card is
// relative to it).
absl::StatusOr<std::shared_ptr<Detector>> MakeDnnDetector(const proto::DetectorConfig& config,
                                                          const std::string& folder,
                                                          DnnDetectorOptions options = {});

}  // namespace cordon
