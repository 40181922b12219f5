// SPDX-License-Identifier: Apache-2.0
// The circles thread: off the commit path, with the newest positions.
#include <algorithm>

#include "base/log.h"
#include "dispatch/dispatcher.h"

namespace cordon {
namespace {

constexpr Milliseconds kWait{100};
// How often the ETAs of open incidents are brought up to date, and of how many: the newest are
// being worked on.
constexpr Seconds kRefreshEvery{2};
constexpr size_t kRefreshed = 8;
constexpr size_t kMostAtOnce = 256;

std::optional<LatLon> SceneOf(const proto::Alert& alert, const proto::Incident& incident) {
  if (alert.event().has_place())
    return LatLon{alert.event().place().lat(), alert.event().place().lon()};
  if (incident.has_place()) return LatLon{incident.place().lat(), incident.place().lon()};
  return std::nullopt;
}

}  // namespace

void Dispatcher::CirclesLoop() {
  SetThreadName("circles");
  while (!circles_jobs_.closed() || circles_jobs_.size() > 0) {
    std::vector<CirclesJob> jobs = circles_jobs_.PopSome(kMostAtOnce, kWait);
    if (!jobs.empty()) ComputeFor(std::move(jobs));
    if (!stopping_ && clock_.Boot() - refreshed_ >= kRefreshEvery) {
      refreshed_ = clock_.Boot();
      RefreshOpen();
    }
  }
}

// Alerts of one incident that came together share one search.
void Dispatcher::ComputeFor(std::vector<CirclesJob> jobs) {
  const std::vector<UnitState> units = board_.Snapshot();
  std::map<std::string, proto::ResponseCircles> done;
  for (CirclesJob& job : jobs) {
    const std::optional<LatLon> scene = SceneOf(job.alert, job.incident);
    auto found = done.find(job.incident.id());
    if (found == done.end()) {
      if (!scene || !options_.compute_circles) {
        circles_missed_total_.Increment();
        continue;
      }
      absl::StatusOr<proto::ResponseCircles> circles = [&] {
        const StageTimer timer(clock_, circles_seconds_);
        return options_.compute_circles({*scene, units, true});
      }();
      if (!circles.ok()) {
        circles_missed_total_.Increment();
        log::Warning("no circles for an alert",
                     {{"alert", job.alert.id()}, {"cause", MessageOf(circles.status())}});
        continue;
      }
      found = done.emplace(job.incident.id(), *std::move(circles)).first;
    }
    proto::ResponseCircles circles = found->second;
    circles.set_alert_id(job.alert.id());
    circles.set_incident_id(job.incident.id());
    const bool this_host = job.alert.stages().delivered_ns() > 0;
    if (this_host) job.alert.mutable_stages()->set_circles_ns(ToNanos(clock_.Boot()));
    shown_[job.incident.id()] = circles;
    Tell([&](DispatchListener& listener) { listener.OnCircles(circles); });
    if (this_host) {
      proto::StageTimes& stages = *job.alert.mutable_stages();
      stages.set_published_ns(ToNanos(clock_.Boot()));
      if (stages.received_ns() > 0)
        report_seconds_.Observe(static_cast<double>(stages.published_ns() - stages.received_ns()) /
                                1e9);
    }
    // What was recommended, and from which positions, is part of the record; it may follow later
    // than the alert.
    Task keep = [this, circles] {
      const absl::Status kept = InTransaction([&] { return store_->PutCircles(circles); });
      if (!kept.ok())
        log::Error("circles could not be recorded",
                   {{"alert", circles.alert_id()}, {"cause", MessageOf(kept)}});
    };
    if (tasks_.Push(std::move(keep)) != PushResult::kPushed) circles_missed_total_.Increment();
    const AlertReport report{std::move(job.alert), std::move(job.incident), std::move(circles)};
    Tell([&](DispatchListener& listener) { listener.OnReport(report); });
  }
}

// Units move while people decide: ETAs of open incidents stay current. Areas depend on the scene
// alone and are kept.
void Dispatcher::RefreshOpen() {
  std::vector<proto::Incident> incidents;
  {
    absl::MutexLock lock(&mutex_);
    incidents = open_incidents_;
  }
  std::erase_if(shown_, [&](const auto& entry) {
    const bool gone =
        std::none_of(incidents.begin(), incidents.end(),
                     [&](const proto::Incident& incident) { return incident.id() == entry.first; });
    if (gone) watch_.Forget(entry.first);
    return gone;
  });
  if (incidents.empty() || !options_.compute_circles) return;
  const std::vector<UnitState> units = board_.Snapshot();
  size_t refreshed = 0;
  for (auto incident = incidents.rbegin(); incident != incidents.rend() && refreshed < kRefreshed;
       ++incident) {
    if (!incident->has_place()) continue;
    ++refreshed;
    const LatLon scene{incident->place().lat(), incident->place().lon()};
    const bool areas = !shown_.contains(incident->id());
    absl::StatusOr<proto::ResponseCircles> circles =
        options_.compute_circles({scene, units, areas});
    if (!circles.ok()) continue;
    circles->set_incident_id(incident->id());
    if (areas) shown_[incident->id()] = *circles;
    Tell([&](DispatchListener& listener) { listener.OnCircles(*circles); });
    for (proto::Notice& notice : watch_.Look(*incident, *circles, clock_.Boot())) {
      Task raise = [this, notice = std::move(notice)] {
        InTransaction([&] { return RaiseNotice(notice); }).IgnoreError();
      };
      if (tasks_.Push(std::move(raise)) != PushResult::kPushed)
        log::Warning("a notice was lost: the dispatcher is overloaded");
    }
  }
}

}  // namespace cordon
