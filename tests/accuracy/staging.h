// SPDX-License-Identifier: Apache-2.0
// Scenes made from real pictures: what a camera sees of an empty place in bad conditions, and what
// is done to cameras. What settings were tuned on and what was held out is said with each.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "ingest/frame.h"

namespace cordon::accuracy {

// A place without anybody: one moment of a clip, or, where no moment is empty, the median of its
// pictures.
struct EmptyScene {
  const char* name;
  const char* clip;
  double seconds;  // < 0: the median
  bool held_out;   // of tampering
  // Of false alarms, and asked for them only.
  bool held_out_of_alarms = false;
};
const std::vector<EmptyScene>& EmptyScenes();
// The analysed luma picture (480 wide).
absl::StatusOr<LumaPicture> PictureOf(const EmptyScene& scene, const std::string& clip_path);

// One condition: changes the picture of second `t`. Deterministic: chance comes from the frame's
// number and the seed.
using Condition = std::function<void(LumaPicture& picture, double t, int frame)>;

struct NamedCondition {
  std::string name;
  Condition change;
  bool held_out = false;
};

// Light, weather and sensor: nothing of it is an event. Those whose names contain `part`.
std::vector<NamedCondition> HarmlessConditions(unsigned seed, const std::string& part = "");

// A day and a night, 24 h from midnight: brightness follows the sun, noise grows in the dark, lamps
// switch on and off.
Condition DayAndNight(unsigned seed);

// What is done to a camera, from second `begins` on; `kind` is the event that must be raised.
struct Tampering {
  std::string name;
  int kind = 0;  // proto::EventKind
  Condition change;
  bool held_out = false;
};
std::vector<Tampering> Tamperings(double begins);

// All brightness times `gain`.
void Brighten(LumaPicture& picture, double gain);

// Sensor noise of this deviation (grey levels).
void AddNoise(LumaPicture& picture, double deviation, int frame, unsigned seed = 0);

// A frame of the analysed picture alone.
FramePtr FrameOf(LumaPicture picture, double seconds, int number);

}  // namespace cordon::accuracy
