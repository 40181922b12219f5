// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/time.h"

namespace cordon {

// One slot between a producer and a consumer: the newest value wins and what it overwrote is counted. For frames and
// other values of which only the newest matters; never for alerts. Thread-safe; T should be cheap to move (shared_ptr).
template <class T>
class Latest {
 public:
  // Stores value; true if an unread one was overwritten. After Close() the value is dropped silently.
  bool Put(T value) {
    absl::MutexLock lock(&mutex_);
    if (closed_) return false;
    const bool overwrote = value_.has_value();
    if (overwrote) ++overwritten_;
    value_ = std::move(value);
    return overwrote;
  }

  // Waits at most `wait` for a value. Empty when the time is up, or when closed and drained.
  std::optional<T> Take(Milliseconds wait) {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(this, &Latest::Ready), absl::FromChrono(wait));
    return std::exchange(value_, std::nullopt);
  }

  void Close() {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
  }
  bool closed() const {
    absl::MutexLock lock(&mutex_);
    return closed_;
  }
  uint64_t overwritten() const {
    absl::MutexLock lock(&mutex_);
    return overwritten_;
  }

 private:
  bool Ready() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return closed_ || value_.has_value(); }

  mutable absl::Mutex mutex_;
  std::optional<T> value_ ABSL_GUARDED_BY(mutex_);
  uint64_t overwritten_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace cordon
