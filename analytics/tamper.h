// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "analytics/rule.h"
#include "base/time.h"
#include "ingest/frame.h"

namespace cordon {

// What changed in the picture as a whole. A light or infra-red switch keeps the scene's edges where
// they were; a cover takes them away, a turned camera brings others.
struct GlobalState {
  double edges_kept =
      1;  // share of the scene's edges that are still there with their direction, 0..1
  double sharpness = 1;         // against the scene's own, 1: as sharp as ever
  double likeness = 1;          // correlation with the scene, both as seen without glasses, -1..1
  double brightness = 0;        // mean grey level
  bool light_switched = false;  // brightness jumped in this frame while the edges stayed
};

// Watches over the camera itself: covered, defocused, moved, black, dazzled, frozen. Compares each
// picture with the slowly learnt look of the scene by edge directions, so that neither day and
// night nor lamps nor exposure matter; findings last until the scene is back or, for a moved
// camera, has been learnt anew (kAcceptAfter).
//
// One thread at a time; deterministic; media time only. About 0.2 ms for 480x270 pixels.
class TamperWatch {
 public:
  static constexpr Microseconds kAcceptAfter = Seconds(30);

  // `time`: the scene's own. `findings()` are valid until the next call, `began` in the same time.
  const GlobalState& Update(const Frame& frame, MediaTime time);
  const std::vector<TamperFinding>& findings() const { return findings_; }
  // Something is wrong or has just become so; the scene is not to be trusted.
  bool disturbed() const { return disturbed_; }
  void Reset();

 private:
  struct Look {  // of one picture, small
    int width = 0;
    int height = 0;
    std::vector<float> gx, gy;  // gradients
    std::vector<float> coarse;  // very small and blurred
    double mean = 0;
    double spread = 0;  // standard deviation
    double fine = 0;    // mean gradient at analysis size
    double edge = 0;    // ... of the small picture
    double white = 0;   // share of saturated pixels
  };
  struct Condition {
    std::optional<MediaTime> since;
  };

  static Look LookAt(const LumaPicture& luma);
  void Compare(const Look& look);
  void Judge(const Look& look, MediaTime time);
  void Hold(proto::EventKind kind, bool now, Microseconds hold, double measured, double threshold,
            const char* detail, MediaTime time);
  void WatchFrozen(const Frame& frame, MediaTime time);
  void Learn(const Look& look, float rate);

  std::optional<Look> scene_;
  GlobalState state_;
  bool disturbed_ = false;
  std::vector<TamperFinding> findings_;
  std::vector<Condition> conditions_;
  MediaTime began_{};
  MediaTime last_{};
  std::optional<MediaTime> disturbed_since_;
  double last_mean_ = 0;
  // Frozen pictures.
  std::vector<uint8_t> last_pixels_;
  MediaTime same_since_{};
  int same_keys_ = 0;
};

}  // namespace cordon
