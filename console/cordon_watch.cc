// SPDX-License-Identifier: Apache-2.0
#include "console/cordon_watch.h"

#include "base/log.h"

namespace cordon {

CordonWatch::CordonWatch(const Clock& clock, Dispatcher& dispatcher, Replan replan, Ended ended,
                         Nanoseconds too_old, Nanoseconds every)
    : clock_(clock),
      dispatcher_(dispatcher),
      replan_(std::move(replan)),
      ended_(std::move(ended)),
      too_old_(too_old),
      every_(every),
      thread_([this] { Loop(); }) {}

CordonWatch::~CordonWatch() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void CordonWatch::Hold(Standing standing) {
  absl::MutexLock lock(&mutex_);
  ++version_;
  standing_ = std::move(standing);
}

void CordonWatch::Lift() {
  absl::MutexLock lock(&mutex_);
  ++version_;
  standing_.reset();
}

std::optional<CordonWatch::Standing> CordonWatch::standing() const {
  absl::MutexLock lock(&mutex_);
  return standing_;
}

void CordonWatch::Loop() {
  SetThreadName("contain");
  for (;;) {
    std::optional<Standing> standing;
    uint64_t version = 0;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.AwaitWithTimeout(absl::Condition(&stopping_), absl::FromChrono(every_));
      if (stopping_) return;
      standing = standing_;
      version = version_;
    }
    if (standing) Refresh(*std::move(standing), version);
  }
}

// The incident's newest alert, when it is newer than what is known.
absl::Status CordonWatch::Follow(Standing& standing) {
  AlertQuery query;
  query.incident_id = standing.incident;
  query.limit = 1;
  // The owner thread may still fill it in after this call gave up.
  auto newest = std::make_shared<std::vector<StoredAlert>>();
  RETURN_IF_ERROR(dispatcher_.Read([newest, query](EventStore& store) -> absl::Status {
    ASSIGN_OR_RETURN(*newest, store.Alerts(query));
    return absl::OkStatus();
  }));
  if (newest->empty() || !newest->front().alert.event().has_place()) return absl::OkStatus();
  const proto::Alert& alert = newest->front().alert;
  const WallTime seen = WallFromMicros(alert.wall_time_us());
  if (seen <= standing.seen) return absl::OkStatus();
  standing.place = {alert.event().place().lat(), alert.event().place().lon()};
  standing.seen = seen;
  ++standing.sightings;
  return absl::OkStatus();
}

void CordonWatch::Refresh(Standing standing, uint64_t version) {
  if (!standing.incident.empty()) {
    if (const absl::Status followed = Follow(standing); !followed.ok()) {
      log::Warning("a cordon was not brought up to date", {{"cause", MessageOf(followed)}});
      return;
    }
  }
  const bool over = clock_.Wall() - standing.seen > too_old_;
  {
    // Somebody may have asked for another one, or lifted it, meanwhile: that holds.
    absl::MutexLock lock(&mutex_);
    if (version != version_) return;
    standing_ = over ? std::nullopt : std::optional<Standing>(standing);
  }
  if (over) return ended_();
  if (const absl::Status planned = replan_(standing); !planned.ok())
    log::Warning("a cordon was not brought up to date", {{"cause", MessageOf(planned)}});
}

}  // namespace cordon
