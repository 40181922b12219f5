// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "ingest/rtsp_options.h"

namespace cordon {

// What a camera's stream turns out to be.
struct StreamFacts {
  std::string codec;  // "H.264" or "H.265"
  int width = 0;
  int height = 0;
  double frame_rate = 0;      // measured
  double key_interval_s = 0;  // measured between key frames; 0: fewer than two came
  double bitrate_kbps = 0;
  bool camera_clock = false;      // sender reports with a wall clock
  Milliseconds first_picture{0};  // from the first byte sent until the first whole picture
  RtspStats stats;
};

// Watches the camera for `watch` and tells what came. Errors as of PacketSource::Open.
absl::StatusOr<StreamFacts> ProbeStream(const RtspOptions& options, Milliseconds watch,
                                        const Clock& clock);

}  // namespace cordon
