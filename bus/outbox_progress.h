// SPDX-License-Identifier: Apache-2.0
// Internal to bus/: what the outbox's two threads tell each other and everybody else. Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/time.h"
#include "bus/alert_outbox.h"

namespace cordon {

class OutboxProgress {
 public:
  OutboxProgress(uint64_t committed, uint64_t acknowledged)
      : committed_(committed), acknowledged_(acknowledged) {}

  void SetCommitted(uint64_t first, uint64_t last, BootTime at) {
    absl::MutexLock lock(&mutex_);
    committed_ = last;
    times_.push_back({first, last, ToNanos(at)});
    if (times_.size() > kCommitTimes) times_.pop_front();
  }
  uint64_t committed() const {
    absl::MutexLock lock(&mutex_);
    return committed_;
  }

  void SetAcknowledged(uint64_t sequence) {
    absl::MutexLock lock(&mutex_);
    acknowledged_ = sequence;
    while (!times_.empty() && times_.front().last <= sequence) times_.pop_front();
  }
  uint64_t acknowledged() const {
    absl::MutexLock lock(&mutex_);
    return acknowledged_;
  }

  // End of the commit that held `sequence`, boot time in ns; 0: by an earlier process, or long ago.
  int64_t CommitTime(uint64_t sequence) const {
    absl::MutexLock lock(&mutex_);
    for (const Commit& commit : times_)
      if (commit.first <= sequence && sequence <= commit.last) return commit.at_ns;
    return 0;
  }

  void CountRefused() {
    absl::MutexLock lock(&mutex_);
    ++refused_;
  }
  void SetWriteFault(std::string fault) {
    absl::MutexLock lock(&mutex_);
    write_fault_ = std::move(fault);
  }
  void SetSendFault(std::string fault) {
    absl::MutexLock lock(&mutex_);
    send_fault_ = std::move(fault);
  }
  // True when it was otherwise before.
  bool SetConnected(bool connected) {
    absl::MutexLock lock(&mutex_);
    if (connected) send_fault_.clear();
    return std::exchange(connected_, connected) != connected;
  }

  OutboxStatus Status(uint64_t limit) const {
    absl::MutexLock lock(&mutex_);
    return {.pending = committed_ - acknowledged_,
            .limit = limit,
            .last_sequence = committed_,
            .acknowledged = acknowledged_,
            .refused = refused_,
            .connected = connected_,
            .fault = !write_fault_.empty() ? write_fault_ : send_fault_};
  }

  bool WaitUntilDelivered(Milliseconds wait) const {
    absl::MutexLock lock(&mutex_);
    const uint64_t target = committed_;
    const auto delivered = [this, target]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return acknowledged_ >= target;
    };
    return mutex_.AwaitWithTimeout(absl::Condition(&delivered), absl::FromChrono(wait));
  }

 private:
  struct Commit {
    uint64_t first, last;
    int64_t at_ns;
  };
  static constexpr size_t kCommitTimes = 1024;

  mutable absl::Mutex mutex_;
  uint64_t committed_ ABSL_GUARDED_BY(mutex_);
  uint64_t acknowledged_ ABSL_GUARDED_BY(mutex_);
  uint64_t refused_ ABSL_GUARDED_BY(mutex_) = 0;
  bool connected_ ABSL_GUARDED_BY(mutex_) = false;
  std::string write_fault_ ABSL_GUARDED_BY(mutex_);
  std::string send_fault_ ABSL_GUARDED_BY(mutex_);
  std::deque<Commit> times_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cordon
