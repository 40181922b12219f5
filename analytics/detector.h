// SPDX-License-Identifier: Apache-2.0
// What finds and names objects in a frame. Implementations: detector_builtin.h (names the scene
// model's moving regions, no model file) and those that run a neural network described by a model
// card.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "analytics/geometry.h"
#include "base/status.h"
#include "ingest/frame.h"

namespace cordon {

// Classes that every part knows; a model may have more ("dog"). Models' vehicle classes (car, bus,
// truck, motorcycle, bicycle...) keep their own name in `object_class`; rules match them by
// ClassMatches().
inline constexpr char kPerson[] = "person";
inline constexpr char kVehicle[] = "vehicle";
inline constexpr char kOther[] = "other";

// One object in one frame.
struct Detection {
  PictureBox box;            // relative, inside the picture
  std::string object_class;  // never empty
  float score = 0;           // 0..1; comparable within one detector only
};

// True when a rule's class (from the configuration) covers an object's class: equal, or "vehicle"
// over a kind of vehicle.
bool ClassMatches(const std::string& rule_class, const std::string& object_class);

// Finds objects in a frame. One instance may serve many cameras: Detect is thread-safe, may batch
// the calls of several threads into one run of the network, and blocks until its answer is there.
// Same frame, same regions: same answer.
class Detector {
 public:
  virtual ~Detector() = default;

  // Objects inside (or reaching into) `regions` of the frame, in pixels of the source picture
  // (Frame::source_width), which do not overlap much. Duplicates between regions are already merged
  // (non-maximum suppression over the whole frame). Colour comes from frame.colour; a detector that
  // needs it answers FAILED_PRECONDITION when it is null. RESOURCE_EXHAUSTED: its bounded queue is
  // full, this frame was not looked at (the caller counts it and lets its tracks coast). Anything
  // else is a broken model: the caller reports it and goes on.
  virtual absl::StatusOr<std::vector<Detection>> Detect(const Frame& frame,
                                                        std::span<const PixelRect> regions) = 0;

  // Detections from this score on may start a track; lower ones may only continue one.
  virtual float confident_score() const = 0;

  virtual const std::string& name() const = 0;
  virtual const std::string& sha256() const = 0;  // of the model file; empty for the built-in one
};

// A moving region of the built-in path, as the classifier sees it.
struct MovingRegion {
  PictureBox box;  // relative
  float fill = 0;  // share of the box that moved or differs from the background, 0..1
};

struct Classification {
  std::string object_class = kOther;
  float score = 0;  // 0..1: how sure
};

// Names moving regions by shape and gradients of the luma picture (no model file). Deterministic,
// thread-safe, at most some tens of microseconds for each region.
class RegionClassifier {
 public:
  virtual ~RegionClassifier() = default;
  // One answer for each region, in order.
  virtual std::vector<Classification> Classify(const Frame& frame,
                                               std::span<const MovingRegion> regions) const = 0;
  virtual const std::string& name() const = 0;
};

}  // namespace cordon
