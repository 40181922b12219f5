// SPDX-License-Identifier: Apache-2.0
// When to knock again at a camera's door, and how many may knock at once.
#pragma once

#include <cstdint>
#include <random>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "base/time.h"

namespace cordon {

// Why a connection ended, as far as the next attempt cares.
enum class LossCause { kUnreachable, kAuthentication, kNoData, kBadData };
LossCause CauseOf(const absl::Status& status);
const char* NameOf(LossCause cause);

// Exponential back-off by cause, with jitter of -25 % so that cameras that failed together do not
// return together. Unreachable and silent cameras are tried at most every 8 s (back within 10 s of
// their return); bad data up to 2 min; a refused password begins at 30 s and goes to 10 min,
// because cameras lock accounts. Not thread-safe.
class ReconnectPolicy {
 public:
  explicit ReconnectPolicy(uint64_t seed) : random_(seed) {}
  Milliseconds NextDelay(LossCause cause);
  // Packets flowed for `lived`: a stream that lived 30 s starts over at the shortest delay.
  void Lived(Milliseconds lived);

 private:
  std::mt19937_64 random_;
  LossCause last_cause_ = LossCause::kUnreachable;
  int attempts_ = 0;
};

// Caps the connections that are being opened at one moment in this process. Thread-safe.
class OpenGate {
 public:
  // An attempt may wait 3 s for a dead host: 64 at once let 200 dead cameras be tried every 10 s.
  explicit OpenGate(int slots = 64) : free_(slots) {}

  class Pass {
   public:
    explicit Pass(OpenGate* gate) : gate_(gate) {}
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (gate_ != nullptr) gate_->Leave();
    }
    explicit operator bool() const { return gate_ != nullptr; }

   private:
    OpenGate* gate_;
  };
  // Waits at most `wait` for a slot; the pass is empty when none came free.
  Pass Enter(Milliseconds wait);
  int most_used() const;

 private:
  void Leave();
  bool HasSlot() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return free_ > 0; }
  mutable absl::Mutex mutex_;
  int free_ ABSL_GUARDED_BY(mutex_);
  int used_ ABSL_GUARDED_BY(mutex_) = 0;
  int most_used_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace cordon
