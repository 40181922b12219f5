// SPDX-License-Identifier: Apache-2.0
// Where a camera's frames go. Analytics can never block ingest: a sink answers at once.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "ingest/frame.h"

namespace cordon {

// Called by the camera's owner thread only. Neither call may wait.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  // Whether a frame would be taken without displacing another. While a camera catches up from its
  // packet ring it decodes only as fast as the sink has room, so that an event is seen from its
  // beginning; at the live edge newest wins.
  virtual bool HasRoom() const = 0;
  virtual void Put(FramePtr frame) = 0;
};

// The usual sink: the newest few frames of one camera, oldest displaced and counted. Thread-safe,
// one consumer.
class FrameQueue final : public FrameSink {
 public:
  // Two hide the consumer's jitter; each holds a full-size picture.
  explicit FrameQueue(size_t capacity = 2) : capacity_(capacity) {}

  bool HasRoom() const override {
    absl::MutexLock lock(&mutex_);
    return frames_.size() < capacity_;
  }
  void Put(FramePtr frame) override {
    absl::MutexLock lock(&mutex_);
    if (closed_) return;
    if (frames_.size() >= capacity_) {
      frames_.pop_front();
      ++displaced_;
    }
    frames_.push_back(std::move(frame));
  }
  // Waits at most `wait`. Empty when the time is up, or when closed and drained.
  std::optional<FramePtr> Take(Milliseconds wait) {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(this, &FrameQueue::HasNews), absl::FromChrono(wait));
    if (frames_.empty()) return std::nullopt;
    std::optional<FramePtr> frame(std::move(frames_.front()));
    frames_.pop_front();
    return frame;
  }
  void Close() {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
  }
  bool closed() const {
    absl::MutexLock lock(&mutex_);
    return closed_;
  }
  uint64_t displaced() const {
    absl::MutexLock lock(&mutex_);
    return displaced_;
  }

 private:
  bool HasNews() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return closed_ || !frames_.empty(); }
  const size_t capacity_;
  mutable absl::Mutex mutex_;
  std::deque<FramePtr> frames_ ABSL_GUARDED_BY(mutex_);
  uint64_t displaced_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace cordon
