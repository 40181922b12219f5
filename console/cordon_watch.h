// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "dispatch/dispatcher.h"

namespace cordon {

// Keeps the cordon that was asked for last current: every few seconds it is planned anew from where
// the units are now and from the newest sighting, until it is too old to be of use or lifted. A new
// alert of the cordon's incident is a sighting: a camera's event moves the source. (Which alert
// shows the suspect is a person's word: it joins the incident, or the cordon is asked for anew.)
//
// Thread "contain" plans; the calls below hand over and return at once. Thread-safe.
class CordonWatch {
 public:
  struct Standing {
    std::string incident;  // empty: the sighting of an operator, moved by nobody
    LatLon place;
    WallTime seen{};
    uint32_t sightings = 1;
  };
  // Plans and publishes; called on the thread "contain".
  using Replan = std::function<absl::Status(const Standing&)>;
  // Called there when nothing stands any more.
  using Ended = std::function<void()>;

  // Older sightings are dropped: nobody is where a cordon of that age would look.
  CordonWatch(const Clock& clock, Dispatcher& dispatcher, Replan replan, Ended ended,
              Nanoseconds too_old, Nanoseconds every = Seconds(5));
  ~CordonWatch();
  CordonWatch(const CordonWatch&) = delete;
  CordonWatch& operator=(const CordonWatch&) = delete;

  void Hold(Standing standing);
  void Lift();
  std::optional<Standing> standing() const;

 private:
  void Loop();
  absl::Status Follow(Standing& standing);
  void Refresh(Standing standing, uint64_t version);

  const Clock& clock_;
  Dispatcher& dispatcher_;
  const Replan replan_;
  const Ended ended_;
  const Nanoseconds too_old_;
  const Nanoseconds every_;
  mutable absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t version_ ABSL_GUARDED_BY(mutex_) = 0;  // of Hold and Lift
  std::optional<Standing> standing_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace cordon
