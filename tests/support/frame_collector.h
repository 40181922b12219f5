// SPDX-License-Identifier: Apache-2.0
// Where a test takes a camera's frames from.
#pragma once

#include "base/bounded_queue.h"
#include "ingest/frame_sink.h"

namespace cordon::testing {

// Keeps what fits, refuses the rest. Thread-safe.
class FrameCollector final : public FrameSink {
 public:
  explicit FrameCollector(size_t capacity = 4) : frames_(capacity) {}
  bool HasRoom() const override { return frames_.size() < frames_.capacity(); }
  void Put(FramePtr frame) override { static_cast<void>(frames_.Push(std::move(frame))); }
  // Waits at most `wait`.
  std::optional<FramePtr> Take(Milliseconds wait) { return frames_.Pop(wait); }

 private:
  BoundedQueue<FramePtr> frames_;
};

}  // namespace cordon::testing
