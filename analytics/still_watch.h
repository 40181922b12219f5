// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analytics/mask_pieces.h"
#include "analytics/rule.h"
#include "analytics/scene_model.h"
#include "analytics/track.h"
#include "base/time.h"

namespace cordon {

// Things that came to rest, and places where something is gone. What rests stays known after the
// scene model has absorbed it, until it is moved again; what is gone is accepted as the new scene
// at once, so that it raises nothing else.
//
// One thread at a time; deterministic. Times are the scene's own (they go on over a break of the
// time line).
class StillWatch {
 public:
  // A younger scene may hold people who happened to be there.
  static constexpr Microseconds kSceneMustBe = Seconds(20);
  static constexpr size_t kMost = 64;  // the oldest is forgotten first

  // After scene.Update. `tracks`: all of them; what a travelled track covers is that object, not a
  // thing left behind.
  void Update(SceneModel& scene, const SceneView& view, MediaTime scene_time,
              std::span<const Track> tracks);
  void Reset();

  // Since in the scene's time; ids rise.
  const std::vector<StillObject>& objects() const { return objects_; }

 private:
  void Judge(SceneModel& scene, const PictureBox& box, float fill, MediaTime since,
             bool scene_is_old);
  StillObject* Known(const PictureBox& box);

  MaskPieces pieces_;
  std::vector<StillObject> objects_;
  uint64_t next_id_ = 1;
  MediaTime started_{};
  bool running_ = false;
};

}  // namespace cordon
