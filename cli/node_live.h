// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.h"
#include "bus/live_path.h"
#include "ingest/camera_stream.h"

namespace cordon::cli {

// A viewer's picture of `camera`: its packets where a browser can play them and nothing in them has
// to be hidden, otherwise pictures with the masks burned in, and why. The camera outlives the
// source. UNAVAILABLE: the camera has shown nothing yet.
absl::StatusOr<LiveOpening> OpenLive(const CameraStream& camera, const proto::LiveOpen& what,
                                     const Clock& clock);

}  // namespace cordon::cli
