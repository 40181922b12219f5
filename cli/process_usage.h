// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace cordon::cli {

// For processes with many cameras: pictures go back to the system when they are freed instead of
// waiting in the heap of whichever thread made them. Call once, before threads start.
void ReturnFreedPictures();

// What this process uses, as the kernel accounts it. Used by one thread.
class ProcessUsage {
 public:
  explicit ProcessUsage(const Clock& clock);
  // Cores used since the last call (1.0: one core all the time).
  double CpuCores();
  static uint64_t RssBytes();

 private:
  const Clock& clock_;
  BootTime at_;
  double cpu_seconds_ = 0;
};

}  // namespace cordon::cli
