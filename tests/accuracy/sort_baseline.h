// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/accuracy/mot_file.h"

namespace cordon::accuracy {

// The plain tracker that ours is measured against: SORT (Bewley et al., "Simple Online and Realtime
// Tracking", ICIP 2016): constant-velocity Kalman filter on centre, area and (fixed) aspect,
// Hungarian assignment on overlap, nothing else. The noise values are those of the paper's
// published code.
struct SortOptions {
  double least_confidence = 0;
  double least_overlap = 0.3;
  int max_age = 15;  // frames without a match before a track ends
  int min_hits = 1;  // matches in a row before a track is reported (but at the sequence's start)
};

// Tracks in every frame from the first to the last of `detections`.
MotFrames RunSort(const MotFrames& detections, const SortOptions& options);

}  // namespace cordon::accuracy
