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
    if (!jobs.empty()) {
      ComputeFor(std::move(jobs));
    } else if (options_.prepare_circles) {
      options_.prepare_circles();
    }
    if (!stopping_ && clock_.Boot() - refreshed_ >= kRefreshEvery && RefreshOpen())
      refreshed_ = clock_.Boot();
  }
}

// Alerts of one incident that came together share one search and are shown once; each is reported
// and recorded.
void Dispatcher::ComputeFor(std::vector<CirclesJob> jobs) {
  if (!options_.compute_circles) {
    circles_missed_total_.Increment(static_cast<double>(jobs.size()));
    return;
  }
  const std::vector<UnitState> units = board_.Snapshot();
  std::map<std::string, std::vector<CirclesJob>> by_incident;
  for (CirclesJob& job : jobs) {
    std::string id = job.incident.id();
    by_incident[std::move(id)].push_back(std::move(job));
  }
  auto record = std::make_shared<std::vector<proto::ResponseCircles>>();
  for (auto& [id, together] : by_incident) {
    absl::StatusOr<proto::ResponseCircles> circles = ComputeOne(together.back(), units);
    if (!circles.ok()) {
      circles_missed_total_.Increment(static_cast<double>(together.size()));
      log::Warning("no circles for an alert",
                   {{"alert", together.back().alert.id()}, {"cause", MessageOf(circles.status())}});
      continue;
    }
    circles->set_incident_id(id);
    circles->set_alert_id(together.back().alert.id());
    const int64_t computed_ns = ToNanos(clock_.Boot());
    Tell([&](DispatchListener& listener) { listener.OnCircles(*circles); });
    for (CirclesJob& job : together) {
      circles->set_alert_id(job.alert.id());
      record->push_back(*circles);
      Report(std::move(job), *circles, computed_ns);
    }
  }
  if (record->empty()) return;
  // What was recommended, and from which positions, is part of the record; it may follow later than
  // the alert.
  Task keep = [this, record] {
    const absl::Status kept = InTransaction([&]() -> absl::Status {
      for (const proto::ResponseCircles& circles : *record)
        RETURN_IF_ERROR(store_->PutCircles(circles));
      return absl::OkStatus();
    });
    if (!kept.ok())
      log::Error("circles could not be recorded",
                 {{"alerts", record->size()}, {"cause", MessageOf(kept)}});
  };
  if (tasks_.Push(std::move(keep)) != PushResult::kPushed)
    log::Warning("circles were not recorded: the dispatcher is overloaded",
                 {{"alerts", record->size()}});
}

absl::StatusOr<proto::ResponseCircles> Dispatcher::ComputeOne(const CirclesJob& job,
                                                              std::span<const UnitState> units) {
  const std::optional<LatLon> scene = SceneOf(job.alert, job.incident);
  if (!scene)
    return absl::FailedPreconditionError("neither the alert nor its incident has a place");
  const StageTimer timer(clock_, circles_seconds_);
  // With areas for every alert: its record is whole without its incident's earlier ones.
  absl::StatusOr<proto::ResponseCircles> circles =
      options_.compute_circles({*scene, units, /*areas=*/true});
  if (circles.ok()) shown_.insert(job.incident.id());
  return circles;
}

void Dispatcher::Report(CirclesJob job, const proto::ResponseCircles& circles,
                        int64_t computed_ns) {
  proto::StageTimes& stages = *job.alert.mutable_stages();
  if (stages.delivered_ns() > 0) {  // of this host
    stages.set_circles_ns(computed_ns);
    stages.set_published_ns(ToNanos(clock_.Boot()));
    if (stages.received_ns() > 0)
      report_seconds_.Observe(static_cast<double>(stages.published_ns() - stages.received_ns()) /
                              1e9);
  }
  const AlertReport report{std::move(job.alert), std::move(job.incident), circles};
  Tell([&](DispatchListener& listener) { listener.OnReport(report); });
}

// Units move while people decide: ETAs of open incidents stay current. Areas depend on the scene
// alone and are kept. False: broken off, because an alert came and goes first.
bool Dispatcher::RefreshOpen() {
  std::vector<proto::Incident> incidents;
  {
    absl::MutexLock lock(&mutex_);
    incidents = open_incidents_;
  }
  std::erase_if(shown_, [&](const std::string& entry) {
    const bool gone =
        std::none_of(incidents.begin(), incidents.end(),
                     [&](const proto::Incident& incident) { return incident.id() == entry; });
    if (gone) watch_.Forget(entry);
    return gone;
  });
  if (incidents.empty() || !options_.compute_circles) return true;
  const std::vector<UnitState> units = board_.Snapshot();
  size_t refreshed = 0;
  for (auto incident = incidents.rbegin(); incident != incidents.rend() && refreshed < kRefreshed;
       ++incident) {
    if (!incident->has_place()) continue;
    if (circles_jobs_.size() > 0) return false;
    ++refreshed;
    const LatLon scene{incident->place().lat(), incident->place().lon()};
    const bool areas = !shown_.contains(incident->id());
    absl::StatusOr<proto::ResponseCircles> circles =
        options_.compute_circles({scene, units, areas});
    if (!circles.ok()) continue;
    circles->set_incident_id(incident->id());
    shown_.insert(incident->id());
    Tell([&](DispatchListener& listener) { listener.OnCircles(*circles); });
    for (proto::Notice& notice : watch_.Look(*incident, *circles, clock_.Boot())) {
      Task raise = [this, notice = std::move(notice)] {
        InTransaction([&] { return RaiseNotice(notice); }).IgnoreError();
      };
      if (tasks_.Push(std::move(raise)) != PushResult::kPushed)
        log::Warning("a notice was lost: the dispatcher is overloaded");
    }
  }
  return true;
}

}  // namespace cordon
