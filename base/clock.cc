// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <fmt/chrono.h>
#include <pthread.h>
#include <time.h>

#include <fstream>

#include "base/check.h"

namespace cordon {
namespace {

int64_t ReadNanos(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

class RealClock final : public Clock {
 public:
  WallTime Wall() const override { return WallFromMicros(ReadNanos(CLOCK_REALTIME) / 1000); }
  BootTime Boot() const override { return BootFromNanos(ReadNanos(CLOCK_BOOTTIME)); }
};

}  // namespace

const Clock& SystemClock() {
  static const RealClock* const clock = new RealClock;
  return *clock;
}

WallTime SimulatedClock::Wall() const {
  absl::MutexLock lock(&mutex_);
  return wall_;
}

BootTime SimulatedClock::Boot() const {
  absl::MutexLock lock(&mutex_);
  return boot_;
}

void SimulatedClock::Advance(Nanoseconds by) {
  CORDON_CHECK(by.count() >= 0, "boot time never runs backwards");
  absl::MutexLock lock(&mutex_);
  boot_ += by;
  wall_ += std::chrono::duration_cast<Microseconds>(by);
}

void SimulatedClock::JumpWall(Microseconds by) {
  absl::MutexLock lock(&mutex_);
  wall_ += by;
}

const std::string& HostBootId() {
  static const std::string* const id = [] {
    auto* text = new std::string;
    std::ifstream("/proc/sys/kernel/random/boot_id") >> *text;
    return text;
  }();
  return *id;
}

void SetThreadName(const char* name) {
  CORDON_CHECK(std::string_view(name).size() <= 15, "thread names have at most 15 characters");
  pthread_setname_np(pthread_self(), name);
}

std::string FormatWall(WallTime t) {
  const auto whole = std::chrono::floor<Seconds>(t);
  const auto millis = std::chrono::duration_cast<Milliseconds>(t - whole).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(whole.time_since_epoch().count()), millis);
}

}  // namespace cordon
