// SPDX-License-Identifier: Apache-2.0
#include "cli/stop_signal.h"

#include <signal.h>
#include <time.h>

#include <algorithm>

#include "base/check.h"

namespace cordon::cli {
namespace {

sigset_t StopSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

StopSignal::StopSignal() {
  const sigset_t set = StopSignals();
  CORDON_CHECK(::pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0, "signals can be blocked");
}

int StopSignal::Wait() {
  const sigset_t set = StopSignals();
  int signal = 0;
  while (::sigwait(&set, &signal) != 0) continue;
  return signal;
}

bool StopSignal::WaitFor(Milliseconds most) {
  const sigset_t set = StopSignals();
  const int64_t left = std::max<int64_t>(0, most.count());
  const timespec wait{static_cast<time_t>(left / 1000), static_cast<long>(left % 1000 * 1'000'000)};
  return ::sigtimedwait(&set, nullptr, &wait) > 0;
}

}  // namespace cordon::cli
