// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "base/time.h"
#include "ingest/frame.h"

namespace cordon {

// A change of the whole picture that is no tampering.
enum class PictureChange {
  kNone,
  kLight,        // brightness jumped, the structure stayed: a lamp
  kInfraRed,     // ... and the camera went from colour to grey or back
  kUnexplained,  // most of the picture changed for long; it was learnt anew
};
const char* PictureChangeName(PictureChange change);  // "light", "infra-red", "unexplained", "none"

// Tells an infra-red switch from a lamp: a camera under infra-red light gives no colour. Looks at a
// tiny rendering of the colour picture at a change and otherwise once a minute.
//
// One thread at a time; deterministic. Frames without a colour picture are never infra-red.
class InfraRedWatch {
 public:
  // For every frame; `changed`: the picture's brightness jumped in it. True: so did its colour.
  bool Switched(const Frame& frame, bool changed);

 private:
  std::optional<bool> grey_;
  MediaTime looked_{};
};

}  // namespace cordon
