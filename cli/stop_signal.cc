// SPDX-License-Identifier: Apache-2.0
#include "cli/stop_signal.h"

#include <signal.h>

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

}  // namespace cordon::cli
