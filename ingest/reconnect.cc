// SPDX-License-Identifier: Apache-2.0
#include "ingest/reconnect.h"

#include <algorithm>

#include "absl/time/time.h"

namespace cordon {
namespace {

struct Steps {
  int64_t first_ms;
  int64_t last_ms;
};

constexpr Steps StepsOf(LossCause cause) {
  switch (cause) {
    case LossCause::kAuthentication:
      return {30'000, 600'000};
    case LossCause::kBadData:
      return {2'000, 120'000};
    case LossCause::kNoData:
    case LossCause::kUnreachable:
      break;
  }
  return {500, 8'000};
}

constexpr Milliseconds kLivedWell{30'000};

}  // namespace

LossCause CauseOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return LossCause::kAuthentication;
    case absl::StatusCode::kDeadlineExceeded:
      return LossCause::kNoData;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kOutOfRange:
      return LossCause::kUnreachable;
    default:
      return LossCause::kBadData;
  }
}

const char* NameOf(LossCause cause) {
  switch (cause) {
    case LossCause::kAuthentication:
      return "authentication";
    case LossCause::kBadData:
      return "bad data";
    case LossCause::kNoData:
      return "no data";
    case LossCause::kUnreachable:
      return "unreachable";
  }
  return "";
}

Milliseconds ReconnectPolicy::NextDelay(LossCause cause) {
  if (cause != last_cause_) attempts_ = 0;
  last_cause_ = cause;
  const Steps steps = StepsOf(cause);
  const int64_t full = std::min(steps.last_ms, steps.first_ms << std::min(attempts_, 16));
  ++attempts_;
  std::uniform_int_distribution<int64_t> jitter(full * 3 / 4, full);
  return Milliseconds(jitter(random_));
}

void ReconnectPolicy::Lived(Milliseconds lived) {
  if (lived >= kLivedWell) attempts_ = 0;
}

OpenGate::Pass OpenGate::Enter(Milliseconds wait) {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(this, &OpenGate::HasSlot), absl::FromChrono(wait));
  if (free_ <= 0) return Pass(nullptr);
  --free_;
  most_used_ = std::max(most_used_, ++used_);
  return Pass(this);
}

void OpenGate::Leave() {
  absl::MutexLock lock(&mutex_);
  ++free_;
  --used_;
}

int OpenGate::most_used() const {
  absl::MutexLock lock(&mutex_);
  return most_used_;
}

}  // namespace cordon
