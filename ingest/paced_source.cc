// SPDX-License-Identifier: Apache-2.0
#include "ingest/paced_source.h"

#include <algorithm>

namespace cordon {

absl::StatusOr<StreamInfo> PacedSource::Open() {
  absl::StatusOr<StreamInfo> info = source_->Open();
  if (info.ok()) info->live = true;
  return info;
}

BootTime PacedSource::DueTime(const Packet& packet) {
  const int64_t at_us = packet.av->dts;
  if (packet.run != run_) {
    run_ = packet.run;
    run_began_us_ = at_us;
    run_began_ = clock_.Boot();
  }
  return run_began_ + Microseconds(at_us - run_began_us_);
}

absl::StatusOr<Packet> PacedSource::Read(Milliseconds wait) {
  if (!next_) {
    absl::StatusOr<Packet> packet = source_->Read(wait);
    // Playing a damaged clip again would not mend it.
    if (absl::IsDataLoss(packet.status())) return absl::OutOfRangeError(packet.status().message());
    if (!packet.ok()) return packet;
    next_ = *std::move(packet);
  }
  const BootTime due = DueTime(*next_);
  const Nanoseconds left = std::min<Nanoseconds>(due - clock_.Boot(), wait);
  if (left > Nanoseconds(0)) {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(&interrupted_), absl::FromChrono(left));
    if (interrupted_) return absl::CancelledError("interrupted");
  }
  if (clock_.Boot() < due) return absl::DeadlineExceededError("not due yet");
  Packet packet = *std::move(next_);
  next_.reset();
  packet.received = clock_.Boot();
  packet.received_wall = clock_.Wall();
  return packet;
}

void PacedSource::Interrupt() {
  source_->Interrupt();
  absl::MutexLock lock(&mutex_);
  interrupted_ = true;
}

}  // namespace cordon
