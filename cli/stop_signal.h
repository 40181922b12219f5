// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/time.h"

namespace cordon::cli {

// SIGINT and SIGTERM of this process, for the commands that run until they are told to stop. Make
// it in main before any other thread: the signals are blocked there and in every thread made later,
// and Wait takes them.
class StopSignal {
 public:
  StopSignal();
  // Until one arrives; its number.
  int Wait();
  // At most this long; false when the time was up.
  bool WaitFor(Milliseconds most);
};

}  // namespace cordon::cli
