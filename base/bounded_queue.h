// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/check.h"
#include "base/time.h"

namespace cordon {

enum class PushResult { kPushed, kFull, kClosed };

// First in, first out, bounded by count. A push that does not fit says so and is counted: the caller decides what that
// means. After Close() pushes answer kClosed and pops drain what is left. Thread-safe, any number on either side.
template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t capacity) : capacity_(capacity) {
    CORDON_CHECK(capacity > 0, "a queue holds at least one");
  }

  [[nodiscard]] PushResult Push(T value) {
    absl::MutexLock lock(&mutex_);
    return PushLocked(std::move(value));
  }

  // Waits at most `wait` for room.
  [[nodiscard]] PushResult PushWithin(T value, Milliseconds wait) {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(this, &BoundedQueue::HasRoom), absl::FromChrono(wait));
    return PushLocked(std::move(value));
  }

  // Waits at most `wait`. Empty when the time is up, or when closed and drained (see closed()).
  std::optional<T> Pop(Milliseconds wait) {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(this, &BoundedQueue::HasNews), absl::FromChrono(wait));
    if (items_.empty()) return std::nullopt;
    std::optional<T> value(std::move(items_.front()));
    items_.pop_front();
    return value;
  }

  // Up to `most` items; waits at most `wait` for the first.
  std::vector<T> PopSome(size_t most, Milliseconds wait) {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(this, &BoundedQueue::HasNews), absl::FromChrono(wait));
    std::vector<T> values;
    while (!items_.empty() && values.size() < most) {
      values.push_back(std::move(items_.front()));
      items_.pop_front();
    }
    return values;
  }

  void Close() {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
  }
  bool closed() const {
    absl::MutexLock lock(&mutex_);
    return closed_;
  }
  size_t size() const {
    absl::MutexLock lock(&mutex_);
    return items_.size();
  }
  size_t capacity() const { return capacity_; }
  uint64_t refused() const {
    absl::MutexLock lock(&mutex_);
    return refused_;
  }

 private:
  bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return closed_ || items_.size() < capacity_; }
  bool HasNews() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return closed_ || !items_.empty(); }
  PushResult PushLocked(T value) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (closed_) return PushResult::kClosed;
    if (items_.size() >= capacity_) {
      ++refused_;
      return PushResult::kFull;
    }
    items_.push_back(std::move(value));
    return PushResult::kPushed;
  }

  const size_t capacity_;
  mutable absl::Mutex mutex_;
  std::deque<T> items_ ABSL_GUARDED_BY(mutex_);
  uint64_t refused_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace cordon
