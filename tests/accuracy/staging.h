// SPDX-License-Identifier: Apache-2.0
// Scenes made from one real picture: what a camera sees of an empty place in bad conditions, and
// what is done to cameras.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "ingest/frame.h"

namespace cordon::accuracy {

// The analysed luma picture (480 wide) of a clip at this media time after its beginning.
absl::StatusOr<LumaPicture> PictureAt(const std::string& clip, double seconds);

// One condition: changes the picture of second `t`. Deterministic: noise comes from `frame`.
using Condition = std::function<void(LumaPicture& picture, double t, int frame)>;

struct NamedCondition {
  std::string name;
  Condition change;
};

// Light, weather and sensor: nothing of it is an event.
std::vector<NamedCondition> HarmlessConditions();

// What is done to a camera, from second `begins` on; `kind` is the event that must be raised.
struct Tampering {
  std::string name;
  int kind = 0;  // proto::EventKind
  Condition change;
};
std::vector<Tampering> Tamperings(double begins);

// Sensor noise of this deviation (grey levels).
void AddNoise(LumaPicture& picture, double deviation, int frame);

// A frame of the analysed picture alone.
FramePtr FrameOf(LumaPicture picture, double seconds, int number);

}  // namespace cordon::accuracy
