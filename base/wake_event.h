// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace cordon {

// Wakes a thread that waits in poll(): its descriptor is readable from Signal to Clear. A reader
// that never clears it is interrupted for good, waits that begin later included. Signal is
// thread-safe; the rest belongs to the thread that waits.
class WakeEvent {
 public:
  WakeEvent();
  ~WakeEvent();
  WakeEvent(const WakeEvent&) = delete;
  WakeEvent& operator=(const WakeEvent&) = delete;

  void Signal();
  void Clear();
  bool signalled() const;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

}  // namespace cordon
