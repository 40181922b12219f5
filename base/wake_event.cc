// SPDX-License-Identifier: Apache-2.0
#include "base/wake_event.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "base/check.h"

namespace cordon {

WakeEvent::WakeEvent() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  CORDON_CHECK(fd_ >= 0, "the system has file descriptors left");
}

WakeEvent::~WakeEvent() { ::close(fd_); }

void WakeEvent::Signal() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t put =
      ::write(fd_, &one, sizeof one);  // full means: signalled already
}

void WakeEvent::Clear() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(fd_, &count, sizeof count);
}

bool WakeEvent::signalled() const {
  pollfd readable{.fd = fd_, .events = POLLIN, .revents = 0};
  return ::poll(&readable, 1, 0) > 0;
}

}  // namespace cordon
