// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/limits.h"
#include "base/status.h"
#include "ingest/frame.h"
#include "ingest/masks.h"

namespace cordon {

// A box drawn into a snapshot, relative to the picture, with a short text above it.
struct SnapshotBox {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
  std::string text;
};

struct SnapshotOptions {
  int max_width = 1280;
  size_t max_bytes = limits::kMaxSnapshotBytes;
  std::vector<SnapshotBox> boxes;
  std::vector<RelativePoint> path;  // track's foot points, oldest first
  std::vector<RelativePoint> zone;  // closed outline
  std::vector<RelativePoint> line;  // open outline
  std::string label;                // a strip at the bottom; ASCII
};

// The frame's picture as JPEG, at most max_bytes: quality and then size give way. Masks are in the
// frame already. Thread-safe. INTERNAL when the picture cannot be converted.
absl::StatusOr<std::string> SnapshotJpeg(const Frame& frame, const SnapshotOptions& options);

}  // namespace cordon
