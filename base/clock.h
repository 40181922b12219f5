// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/time.h"

namespace cordon {

// The only source of time. Injected everywhere; only clock.cc asks the system. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime Wall() const = 0;
  virtual BootTime Boot() const = 0;
};

// The process-wide system clock. Never destroyed.
const Clock& SystemClock();

// A clock that moves only when told. Thread-safe.
class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(WallTime wall = WallTime(Seconds(1'700'000'000)),
                          BootTime boot = BootTime(Seconds(1000)))
      : wall_(wall), boot_(boot) {}
  WallTime Wall() const override;
  BootTime Boot() const override;
  void Advance(Nanoseconds by);
  void JumpWall(Microseconds by);  // the wall clock was set; boot time is unmoved

 private:
  mutable absl::Mutex mutex_;
  WallTime wall_ ABSL_GUARDED_BY(mutex_);
  BootTime boot_ ABSL_GUARDED_BY(mutex_);
};

// /proc boot id: boot times are comparable between two processes only when these are equal.
const std::string& HostBootId();

// Name of the calling thread, at most 15 characters, as shown by top -H.
void SetThreadName(const char* name);

}  // namespace cordon
