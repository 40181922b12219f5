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

double SecondsBetween(int64_t from_ns, int64_t to_ns) {
  return static_cast<double>(to_ns - from_ns) / 1e9;
}

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

// Everybody's ETAs first, then the areas: who can go is not kept waiting for a drawing, nor for that
// of another incident. Alerts of one incident that came together share one answer; each is reported
// and recorded.
void Dispatcher::ComputeFor(std::vector<CirclesJob> jobs) {
  if (!options_.compute_circles) {
    circles_missed_total_.Increment(static_cast<double>(jobs.size()));
    return;
  }
  std::vector<proto::ResponseCircles> record;
  for (Answered& answered : Rank(std::move(jobs))) {
    Draw(answered);
    const int64_t computed_ns = ToNanos(clock_.Boot());
    Tell([&](DispatchListener& listener) { listener.OnAreas(answered.circles); });
    for (CirclesJob& job : answered.jobs) {
      answered.circles.set_alert_id(job.alert.id());
      record.push_back(answered.circles);
      Report(std::move(job), answered.circles, computed_ns);
    }
  }
  if (!record.empty()) Record(std::move(record));
}

std::vector<Dispatcher::Answered> Dispatcher::Rank(std::vector<CirclesJob> jobs) {
  const std::vector<UnitState> units = board_.Snapshot();
  std::map<std::string, Answered> by_incident;
  for (CirclesJob& job : jobs) {
    std::string id = job.incident.id();
    by_incident[std::move(id)].jobs.push_back(std::move(job));
  }
  std::vector<Answered> ranked;
  for (auto& [id, answered] : by_incident) {
    const proto::Alert& newest = answered.jobs.back().alert;
    if (const absl::Status status = RankOne(units, answered); !status.ok()) {
      circles_missed_total_.Increment(static_cast<double>(answered.jobs.size()));
      log::Warning("no circles for an alert",
                   {{"alert", newest.id()}, {"cause", MessageOf(status)}});
      continue;
    }
    answered.circles.set_incident_id(id);
    answered.circles.set_alert_id(newest.id());
    Tell([&](DispatchListener& listener) { listener.OnCircles(answered.circles); });
    if (newest.stages().delivered_ns() > 0 && newest.stages().received_ns() > 0)
      ranked_seconds_.Observe(
          SecondsBetween(newest.stages().received_ns(), ToNanos(clock_.Boot())));
    ranked.push_back(std::move(answered));
  }
  return ranked;
}

absl::Status Dispatcher::RankOne(std::span<const UnitState> units, Answered& answered) {
  const CirclesJob& job = answered.jobs.back();
  const std::optional<LatLon> scene = SceneOf(job.alert, job.incident);
  if (!scene)
    return absl::FailedPreconditionError("neither the alert nor its incident has a place");
  const BootTime began = clock_.Boot();
  ASSIGN_OR_RETURN(answered.circles, options_.compute_circles({*scene, units}));
  answered.took = clock_.Boot() - began;
  return absl::OkStatus();
}

// For every alert: its record is whole without its incident's earlier ones.
void Dispatcher::Draw(Answered& answered) {
  const BootTime began = clock_.Boot();
  if (options_.draw_areas) options_.draw_areas(answered.circles);
  shown_.insert(answered.circles.incident_id());
  circles_seconds_.Observe(
      std::chrono::duration<double>(answered.took + (clock_.Boot() - began)).count());
}

// What was recommended, and from which positions, is part of the record; it may follow later than
// the alert.
void Dispatcher::Record(std::vector<proto::ResponseCircles> circles) {
  const size_t count = circles.size();
  auto record = std::make_shared<std::vector<proto::ResponseCircles>>(std::move(circles));
  Task keep = [this, record] {
    const absl::Status kept = InTransaction([&]() -> absl::Status {
      for (const proto::ResponseCircles& one : *record) RETURN_IF_ERROR(store_->PutCircles(one));
      return absl::OkStatus();
    });
    if (!kept.ok())
      log::Error("circles could not be recorded",
                 {{"alerts", record->size()}, {"cause", MessageOf(kept)}});
  };
  if (tasks_.Push(std::move(keep)) != PushResult::kPushed)
    log::Warning("circles were not recorded: the dispatcher is overloaded", {{"alerts", count}});
}

void Dispatcher::Report(CirclesJob job, const proto::ResponseCircles& circles,
                        int64_t computed_ns) {
  proto::StageTimes& stages = *job.alert.mutable_stages();
  if (stages.delivered_ns() > 0) {  // of this host
    stages.set_circles_ns(computed_ns);
    stages.set_published_ns(ToNanos(clock_.Boot()));
    if (stages.received_ns() > 0)
      report_seconds_.Observe(SecondsBetween(stages.received_ns(), stages.published_ns()));
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
    absl::StatusOr<proto::ResponseCircles> circles = options_.compute_circles({scene, units});
    if (!circles.ok()) continue;
    circles->set_incident_id(incident->id());
    Tell([&](DispatchListener& listener) { listener.OnCircles(*circles); });
    if (shown_.insert(incident->id()).second && options_.draw_areas) {
      options_.draw_areas(*circles);
      Tell([&](DispatchListener& listener) { listener.OnAreas(*circles); });
    }
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
