// SPDX-License-Identifier: Apache-2.0
// The same object over frames. Position, size and class only: nothing that would recognise a person
// again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analytics/geometry.h"
#include "base/time.h"

namespace cordon {

struct TrackPoint {
  MediaTime time{};
  PicturePoint foot;
};

struct Track {
  uint64_t id = 0;           // 1, 2, 3 ...; never used again by the same analyzer
  std::string object_class;  // by weighted vote of its detections
  float score = 0;           // of the latest detection, 0..1
  PictureBox box;            // filtered
  PicturePoint velocity;     // of the foot, relative per second
  MediaTime began{};
  MediaTime seen{};        // last matched to a detection
  bool measured = false;   // matched in this frame; false: predicted
  bool confirmed = false;  // seen often enough to be believed
  // The foot moved further in this step than the object's motion allows (a box grew, split or
  // merged): rules must not take the step as movement.
  bool jumped = false;
  float travelled = 0;  // furthest that the foot has been from where it began, in box heights
  std::vector<TrackPoint> path;  // of the foot, oldest first, thinned out to limits::kMaxPathPoints
};

// Keeps first and last and thins out evenly when there are more than limits::kMaxPathPoints.
void AddToPath(std::vector<TrackPoint>& path, const TrackPoint& point);

}  // namespace cordon
