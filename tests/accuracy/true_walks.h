// SPDX-License-Identifier: Apache-2.0
// The ground truth's walks at any frame rate, through the product's tracker and rules without video.
#pragma once

#include <vector>

#include "base/status.h"
#include "proto/config.pb.h"
#include "proto/event.pb.h"
#include "tests/accuracy/mot_file.h"

namespace cordon::accuracy {

// Events of `rules` for the truth's boxes, taken `fps` times a second (straight on between the
// truth's frames, which are 0.1 s apart) with a detector's noise: places and sizes off by a
// deviation of 4 % of the height, the same for every run.
absl::StatusOr<std::vector<proto::Event>> EventsOfTrueWalks(
    const MotFrames& truth, const std::vector<proto::RuleConfig>& rules, double fps);

}  // namespace cordon::accuracy
