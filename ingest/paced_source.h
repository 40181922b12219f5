// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "ingest/packet_source.h"

namespace cordon {

// Gives a file's packets at their original timing, as a camera would: each becomes available when
// its decoding time since the start of its run has passed. Threads: as PacketSource.
class PacedSource final : public PacketSource {
 public:
  PacedSource(std::unique_ptr<PacketSource> source, const Clock& clock)
      : clock_(clock), source_(std::move(source)) {}
  absl::StatusOr<StreamInfo> Open() override;
  absl::StatusOr<Packet> Read(Milliseconds wait) override;
  void Interrupt() override;

 private:
  BootTime DueTime(const Packet& packet);

  const Clock& clock_;
  const std::unique_ptr<PacketSource> source_;
  std::optional<Packet> next_;
  uint64_t run_ = 0;
  int64_t run_began_us_ = 0;
  BootTime run_began_{};
  absl::Mutex mutex_;
  bool interrupted_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace cordon
