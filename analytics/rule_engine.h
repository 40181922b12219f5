// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "analytics/calibration.h"
#include "analytics/rule.h"
#include "base/status.h"
#include "proto/config.pb.h"
#include "proto/event.pb.h"

namespace cordon {

// All rules of one camera: tracks in, complete events out. Knows no video.
//
// One thread at a time; deterministic.
class RuleEngine {
 public:
  // INVALID_ARGUMENT names camera, rule, field and remedy. `detector_name` and `detector_sha256` go
  // into explanations.
  static absl::StatusOr<std::unique_ptr<RuleEngine>> Create(
      const proto::CameraConfig& camera, const std::string& time_zone,
      const std::vector<proto::HolidayConfig>& holidays, std::string detector_name,
      std::string detector_sha256);

  // `input.calibration` is set by the engine.
  std::vector<proto::Event> Evaluate(RuleInput input);
  // Some rule waits for its dwell.
  bool pending() const;
  // Some rule looks for things left behind or taken away.
  bool wants_still_objects() const;
  void Reset();

  const Calibration* calibration() const { return calibration_ ? &*calibration_ : nullptr; }

 private:
  RuleEngine() = default;
  void Locate(const RuleInput& input, proto::Event& event) const;

  LatLon camera_place_;
  std::optional<Calibration> calibration_;
  std::string detector_name_;
  std::string detector_sha256_;
  std::vector<std::unique_ptr<Rule>> rules_;
};

}  // namespace cordon
