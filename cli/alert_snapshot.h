// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/status.h"
#include "ingest/frame.h"
#include "proto/config.pb.h"
#include "proto/event.pb.h"

namespace cordon::cli {

// The picture of an alert: the deciding frame with the object's box, the path it took, and the zone
// or line of the rule, so that a person sees at once why it fired. JPEG within
// limits::kMaxSnapshotBytes; masks are burned in. Thread-safe.
absl::StatusOr<std::string> AlertSnapshot(const Frame& frame, const proto::CameraConfig& camera,
                                          const proto::Event& event);

}  // namespace cordon::cli
