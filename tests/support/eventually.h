// SPDX-License-Identifier: Apache-2.0
// Waiting for what another thread or process brings about.
#pragma once

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "base/clock.h"

namespace cordon::testing {

// Asks until it holds; false when it did not within `limit`. Correctness never depends on the pace.
template <class Condition>
bool Eventually(Condition condition, Milliseconds limit = Seconds(20)) {
  const BootTime give_up = SystemClock().Boot() + limit;
  absl::Notification never;
  while (!condition()) {
    if (SystemClock().Boot() > give_up) return false;
    never.WaitForNotificationWithTimeout(absl::Milliseconds(2));
  }
  return true;
}

}  // namespace cordon::testing
