// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "analytics/rule.h"
#include "analytics/tamper_look.h"
#include "base/time.h"
#include "ingest/frame.h"

namespace cordon {

// What changed in the picture as a whole. A light or infra-red switch keeps the scene's structure
// where it was; a cover takes it away, a turned camera brings another.
struct GlobalState {
  TamperLikeness likeness;
  double brightness = 0;        // mean grey level
  bool light_switched = false;  // brightness has just jumped while the structure stayed
};

// Watches over the camera itself: covered, defocused, moved, black, dazzled, frozen. Compares each
// picture with the slowly learnt look of the scene by its structure, so that neither day and night
// nor lamps nor exposure matter; findings last until the scene is back or, for a moved camera, has
// been learnt anew (kAcceptAfter).
//
// One thread at a time; deterministic; media time only. About 0.2 ms a frame of 480x270 pixels at 10
// frames a second.
class TamperWatch {
 public:
  static constexpr Microseconds kAcceptAfter = Seconds(30);

  // `time`: the scene's own. `findings()` are valid until the next call, `began` in the same time.
  const GlobalState& Update(const Frame& frame, MediaTime time);
  const std::vector<TamperFinding>& findings() const { return findings_; }
  // Something is wrong or has just become so; the scene is not to be trusted.
  bool disturbed() const { return disturbed_; }

 private:
  enum Slot : size_t { kBlack, kLight, kDefocused, kCovered, kMoved, kSlots };
  struct Sign {  // of one kind of tampering, in this picture
    bool begins = false;   // something of it is there
    bool certain = false;  // enough to say so, once it has lasted
    double measured = 0;
    double threshold = 0;
  };

  void LookAt(const Frame& frame, MediaTime time);
  void Judge(const TamperLook& look, MediaTime time);
  std::array<Sign, kSlots> SignsOf(const TamperLook& look) const;
  bool IsBlurred(const TamperLook& look) const;
  bool StandsStill(const TamperLook& look);
  void WatchFrozen(const Frame& frame, MediaTime time);
  void Learn(const TamperLook& look, double step_s, MediaTime time);
  void Restart(const TamperLook& look, MediaTime time);

  TamperScene scene_;
  TamperScene other_view_;  // what a camera that shows something else shows now
  bool running_ = false;
  GlobalState state_;
  bool disturbed_ = false;
  std::vector<TamperFinding> findings_;
  size_t lasting_ = 0;  // of them, those of the last look; a frozen picture is found in between
  std::array<std::optional<MediaTime>, kSlots> since_;
  MediaTime began_{};
  MediaTime last_{};
  MediaTime followed_{};
  std::optional<MediaTime> disturbed_since_;
  double last_mean_ = 0;
  // Frozen pictures.
  std::vector<uint8_t> last_pixels_;
  MediaTime same_since_{};
  MediaTime last_same_{};
  MediaTime frozen_watch_began_{};
  Microseconds usual_repeat_{};  // the longest that this camera's picture stayed the same so far
  int same_pictures_ = 0;
  int same_keys_ = 0;
  bool frozen_ = false;
};

}  // namespace cordon
