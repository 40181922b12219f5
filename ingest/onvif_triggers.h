// SPDX-License-Identifier: Apache-2.0
// What a camera's own analytics and inputs say, from its ONVIF notifications. No I/O.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "ingest/onvif_client.h"
#include "proto/event.pb.h"

namespace cordon {

// One change at the camera.
struct OnvifTrigger {
  enum class Kind {
    kMotion,
    kObjectsInside,
    kLineCrossed,
    kSceneChanged,
    kPictureBad,
    kDigitalInput
  };
  Kind kind = Kind::kMotion;
  std::string source;  // which rule, video source or input of the camera
  bool active = true;  // began (or happened, when it has no state); false: ended
  bool stateless = false;
  std::optional<WallTime> camera_time;
  std::string topic;
};

// "motion", "objects in a zone", ...
std::string_view NameOf(OnvifTrigger::Kind kind);

// Whether an operator should hear of it by itself. Motion and a bad picture only wake the full
// decode: our own rules judge them.
bool RaisesAlert(OnvifTrigger::Kind kind);

// As an event of kind EXTERNAL at the camera's place, with a sentence that says what the camera
// reports.
proto::Event ToEvent(const OnvifTrigger& trigger, const proto::CameraConfig& camera,
                     MediaTime media);

// Remembers the state of each source. Vendors differ in topics and item names, so both are matched
// by their endings; face topics are ignored on purpose. Only Changed messages (and stateless ones)
// trigger; Initialized sets the state, and ends what ended unseen. A state that stays active
// without a word for `stuck_after` is taken for stuck and ended.
class OnvifStates {
 public:
  explicit OnvifStates(Seconds stuck_after) : stuck_after_(stuck_after) {}

  std::optional<OnvifTrigger> Apply(const OnvifNotification& notification, BootTime now);
  std::vector<OnvifTrigger> Expire(BootTime now);

  bool AnyActive() const;
  uint64_t ignored() const { return ignored_; }  // topics that say nothing to us
  uint64_t stuck() const { return stuck_; }

 private:
  struct State {
    OnvifTrigger last;
    bool active = false;
    BootTime heard;
  };
  const Seconds stuck_after_;
  std::map<std::string, State> states_;  // by topic and source; bounded
  uint64_t ignored_ = 0;
  uint64_t stuck_ = 0;
};

}  // namespace cordon
