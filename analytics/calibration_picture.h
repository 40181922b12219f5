// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "analytics/calibration.h"
#include "base/status.h"
#include "ingest/frame.h"
#include "proto/config.pb.h"

namespace cordon {

// Spacing of the ground grid that suits the calibrated place: 1, 2, 5, 10 ... metres, about ten
// lines across the points.
Metres GridSpacing(const Calibration& calibration,
                   const std::vector<proto::CalibrationPoint>& points);

// The picture with the ground drawn into it, as a JPEG, so that a person sees whether the
// calibration is right: lines to the north and to the east, coloured by the error radius there
// (green up to 2 m, yellow up to 5 m, red beyond), the points by number with their residuals, an
// arrow to the north. Nothing is drawn above the horizon. INTERNAL when it cannot be encoded.
absl::StatusOr<std::string> CalibrationPicture(const BgrPicture& picture,
                                               const Calibration& calibration,
                                               const std::vector<proto::CalibrationPoint>& points);

}  // namespace cordon
