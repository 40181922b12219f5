// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "ingest/onvif_client.h"
#include "ingest/onvif_triggers.h"
#include "proto/config.pb.h"

namespace cordon {

struct OnvifEventOptions {
  OnvifOptions device;
  Seconds lifetime{60};      // of a subscription; renewed at 80 % of what the camera grants
  Seconds pull{20};          // how long a pull waits at the camera
  Seconds stuck_after{600};  // OnvifStates
  Milliseconds first_backoff{1'000};
  Milliseconds longest_backoff{300'000};
  Milliseconds refused_backoff{60'000};  // after a refused password, so that nobody is locked out
};

// What a camera's configuration says of its ONVIF service; camera.onvif_url() must be set.
OnvifEventOptions OnvifOptionsOf(const proto::CameraConfig& camera, const Secret& password);

// Keeps a pull point at one camera and hands out what changes there:
//   connecting -> subscribed (pull, renew at 80 %) -> on any fault: backoff (exponential, jittered)
//   -> connecting ...
// Every connection begins with the camera's clock and asks for the state of everything. Owns one
// thread, which calls the sink; the destructor ends it within a second and gives the subscription
// back.
class OnvifEvents {
 public:
  enum class State { kConnecting, kSubscribed, kBackoff };
  struct Status {
    State state = State::kConnecting;
    std::string reason;          // of the last fault
    uint64_t subscriptions = 0;  // made so far
    uint64_t renewals = 0;
    uint64_t notifications = 0;
    uint64_t ignored = 0;
    uint64_t faults = 0;
    uint64_t stuck = 0;
    Microseconds clock_offset{0};  // camera minus ours
  };
  using Sink = std::function<void(const OnvifTrigger&)>;

  OnvifEvents(OnvifEventOptions options, const Clock& clock, Sink sink);
  ~OnvifEvents();
  OnvifEvents(const OnvifEvents&) = delete;
  OnvifEvents& operator=(const OnvifEvents&) = delete;

  // Any thread.
  Status status() const;

 private:
  void Run();
  absl::Status Session();
  absl::Status PullUntilFault(OnvifClient& client, OnvifSubscription& subscription);
  void SayGoodbye(const OnvifSubscription& subscription, Microseconds clock_offset);
  void Deliver(const std::vector<OnvifNotification>& notifications);
  Milliseconds Backoff(const absl::Status& status, int failures);
  void SetState(State state, std::string reason);

  const OnvifEventOptions options_;
  const Clock& clock_;
  const Sink sink_;
  WakeEvent wake_;
  const NetContext net_;

  mutable absl::Mutex mutex_;
  Status status_ ABSL_GUARDED_BY(mutex_);

  // Only in the worker.
  OnvifStates states_;
  std::mt19937 random_;
  bool subscribed_ = false;  // within this session

  std::thread worker_;
};

}  // namespace cordon
