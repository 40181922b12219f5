// SPDX-License-Identifier: Apache-2.0
#include "ingest/onvif_events.h"

#include <algorithm>
#include <utility>

#include "ingest/rtsp_connection.h"

namespace cordon {
namespace {

// The part of a lifetime after which it is renewed: late enough to be cheap, early enough to fail
// once.
constexpr int kRenewPercent = 80;
// How long the goodbye may take.
constexpr Milliseconds kGoodbye{500};

}  // namespace

OnvifEventOptions OnvifOptionsOf(const proto::CameraConfig& camera, const Secret& password) {
  OnvifEventOptions options;
  options.device.url = camera.onvif_url();
  options.device.access.username = camera.username();
  options.device.access.password = password;
  options.device.access.allow_basic_auth = camera.allow_basic_auth();
  options.device.access.certificate_sha256 = camera.server_certificate_sha256();
  return options;
}

OnvifEvents::OnvifEvents(OnvifEventOptions options, const Clock& clock, Sink sink)
    : options_(std::move(options)),
      clock_(clock),
      sink_(std::move(sink)),
      net_{clock, wake_},
      states_(options_.stuck_after),
      random_(std::random_device{}()),
      worker_([this] { Run(); }) {}

OnvifEvents::~OnvifEvents() {
  wake_.Signal();
  worker_.join();
}

OnvifEvents::Status OnvifEvents::status() const {
  const absl::MutexLock lock(&mutex_);
  return status_;
}

void OnvifEvents::SetState(State state, std::string reason) {
  const absl::MutexLock lock(&mutex_);
  status_.state = state;
  if (state == State::kSubscribed) ++status_.subscriptions;
  if (state != State::kBackoff) return;
  ++status_.faults;
  status_.reason = std::move(reason);
}

void OnvifEvents::Run() {
  SetThreadName("onvif");
  int failures = 0;
  while (!wake_.signalled()) {
    SetState(State::kConnecting, "");
    subscribed_ = false;
    const absl::Status status = Session();
    if (wake_.signalled()) return;
    failures = subscribed_ ? 1 : failures + 1;
    SetState(State::kBackoff, std::string(MessageOf(status)));
    const BootTime until = clock_.Boot() + Backoff(status, failures);
    // Nothing to wait for but the end of the pause, or of everything.
    while (absl::IsDeadlineExceeded(Wait(net_, {}, until, "pause")) && clock_.Boot() < until) {
    }
    for (const OnvifTrigger& trigger : states_.Expire(clock_.Boot())) sink_(trigger);
  }
}

Milliseconds OnvifEvents::Backoff(const absl::Status& status, int failures) {
  Milliseconds pause = options_.first_backoff;
  for (int i = 1; i < failures && pause < options_.longest_backoff; ++i) pause *= 2;
  if (absl::IsUnauthenticated(status)) pause = std::max(pause, options_.refused_backoff);
  pause = std::min(pause, options_.longest_backoff);
  // Half fixed, half random: cameras that fell together do not come back together.
  return pause / 2 +
         Milliseconds(std::uniform_int_distribution<int64_t>(0, pause.count() / 2)(random_));
}

absl::Status OnvifEvents::Session() {
  ASSIGN_OR_RETURN(const std::unique_ptr<OnvifClient> client,
                   OnvifClient::Make(net_, options_.device));
  // A camera that does not tell its time may still do the rest.
  const absl::StatusOr<Microseconds> offset = client->SyncClock();
  if (offset.ok()) {
    const absl::MutexLock lock(&mutex_);
    status_.clock_offset = *offset;
  }
  ASSIGN_OR_RETURN(const OnvifServices services, client->Services());
  ASSIGN_OR_RETURN(OnvifSubscription subscription, client->Subscribe(services, options_.lifetime));
  subscribed_ = true;
  SetState(State::kSubscribed, "");
  // Asks for Initialized messages; cameras that do not know it send them anyway, as the standard
  // has it.
  const absl::Status synced = client->SetSynchronizationPoint(subscription);
  if (absl::IsCancelled(synced)) {
    SayGoodbye(subscription, client->clock_offset());
    return synced;
  }
  const absl::Status fault = PullUntilFault(*client, subscription);
  SayGoodbye(subscription, client->clock_offset());
  return fault;
}

absl::Status OnvifEvents::PullUntilFault(OnvifClient& client, OnvifSubscription& subscription) {
  BootTime renew_at = clock_.Boot() + subscription.lifetime * kRenewPercent / 100;
  while (true) {
    const BootTime now = clock_.Boot();
    if (now >= renew_at) {
      ASSIGN_OR_RETURN(subscription.lifetime, client.Renew(subscription, options_.lifetime));
      renew_at = now + subscription.lifetime * kRenewPercent / 100;
      const absl::MutexLock lock(&mutex_);
      ++status_.renewals;
    }
    const auto left = std::chrono::ceil<Seconds>(renew_at - clock_.Boot());
    ASSIGN_OR_RETURN(const std::vector<OnvifNotification> notifications,
                     client.Pull(subscription, std::clamp(left, Seconds(1), options_.pull)));
    Deliver(notifications);
    if (!notifications.empty()) continue;
    // Cameras that answer an empty pull at once must not make us spin.
    constexpr Milliseconds kLeastPull{200};
    const BootTime next = now + kLeastPull;
    if (const absl::Status paused = Wait(net_, {}, next, "pull"); absl::IsCancelled(paused))
      return paused;
  }
}

void OnvifEvents::Deliver(const std::vector<OnvifNotification>& notifications) {
  const BootTime now = clock_.Boot();
  std::vector<OnvifTrigger> triggers;
  for (const OnvifNotification& notification : notifications) {
    if (auto trigger = states_.Apply(notification, now)) triggers.push_back(*std::move(trigger));
  }
  for (OnvifTrigger& trigger : states_.Expire(now)) triggers.push_back(std::move(trigger));
  {
    const absl::MutexLock lock(&mutex_);
    status_.notifications += notifications.size();
    status_.ignored = states_.ignored();
    status_.stuck = states_.stuck();
  }
  for (const OnvifTrigger& trigger : triggers) sink_(trigger);
}

void OnvifEvents::SayGoodbye(const OnvifSubscription& subscription, Microseconds clock_offset) {
  // Cameras allow few pull points; one left behind would stay until its lifetime ends. Our own wake
  // is signalled as a rule by now, so this goes over a connection of its own.
  const WakeEvent never;
  OnvifOptions options = options_.device;
  options.call = kGoodbye;
  const absl::StatusOr<std::unique_ptr<OnvifClient>> client =
      OnvifClient::Make({clock_, never}, options);
  if (!client.ok()) return;
  (*client)->set_clock_offset(clock_offset);
  (*client)->Unsubscribe(subscription).IgnoreError();
}

}  // namespace cordon
