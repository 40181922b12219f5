// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"

namespace cordon::accuracy {

// A box of the MOTChallenge 2D text format: left, top, width, height in pixels of the source.
struct MotBox {
  double left = 0;
  double top = 0;
  double width = 0;
  double height = 0;
};

struct MotRow {
  int64_t id = -1;  // -1 in detection files
  MotBox box;
  double confidence = 1;  // ground truth: 0 marks rows to ignore; results: -1 means unstated
};

// Rows by frame, 1-based. Frames without rows are absent.
using MotFrames = std::map<int, std::vector<MotRow>>;

enum class MotKind { kGroundTruth, kResult, kDetections };

// Reads "frame,id,left,top,width,height,confidence,..." lines. Ground truth: rows with confidence 0
// are dropped. NOT_FOUND; INVALID_ARGUMENT with file:line for a malformed line, a frame below 1, a
// non-finite number, a box without area, or (but for detections) one id twice in a frame.
absl::StatusOr<MotFrames> ReadMotFile(const std::string& path, MotKind kind);
absl::StatusOr<MotFrames> ParseMot(std::istream& text, const std::string& name, MotKind kind);

// Intersection over union, 0..1.
double IntersectionOverUnion(const MotBox& a, const MotBox& b);

}  // namespace cordon::accuracy
