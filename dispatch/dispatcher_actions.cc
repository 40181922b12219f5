// SPDX-License-Identifier: Apache-2.0
// What people decide, and the timers that remind them.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "dispatch/dispatcher.h"

namespace cordon {
namespace {

constexpr char kAckTimeout[] = "ack_timeout";
constexpr char kOfferUnit[] = "offer_unit";

bool WorksOnIncident(proto::UnitStatus status) {
  return status == proto::UNIT_STATUS_ASSIGNED || status == proto::UNIT_STATUS_ACKNOWLEDGED ||
         status == proto::UNIT_STATUS_EN_ROUTE || status == proto::UNIT_STATUS_ON_SCENE;
}

}  // namespace

absl::StatusOr<proto::Incident> Dispatcher::Change(
    std::function<absl::StatusOr<proto::Incident>()> change) {
  auto result = std::make_shared<proto::Incident>();
  RETURN_IF_ERROR(OnOwner([this, result, change = std::move(change)] {
    return InTransaction([&]() -> absl::Status {
      ASSIGN_OR_RETURN(*result, change());
      return absl::OkStatus();
    });
  }));
  return *result;
}

absl::StatusOr<proto::Incident> Dispatcher::Acknowledge(const std::string& incident,
                                                        const Deed& deed) {
  return Change(
      [=, this] { return book_->Move(incident, proto::INCIDENT_STATE_ACKNOWLEDGED, deed); });
}

absl::StatusOr<proto::Incident> Dispatcher::Note(const std::string& incident,
                                                 const std::string& text, const Deed& deed) {
  return Change([=, this] { return book_->Note(incident, text, deed); });
}

absl::StatusOr<proto::Incident> Dispatcher::Assign(const std::string& incident, const UnitId& unit,
                                                   const Deed& deed) {
  return Change([=, this]() -> absl::StatusOr<proto::Incident> {
    const std::optional<UnitState> state = board_.Find(unit);
    if (!state) return absl::NotFoundError(fmt::format("no unit '{}' is known", unit.str()));
    if (state->status == proto::UNIT_STATUS_OUT_OF_SERVICE)
      return absl::FailedPreconditionError(fmt::format("unit {} is out of service", unit.str()));
    if (!state->incident_id.empty() && state->incident_id != incident)
      return absl::FailedPreconditionError(fmt::format(
          "unit {} works on incident {}; release it there first", unit.str(), state->incident_id));
    RETURN_IF_ERROR(book_->Assign(incident, unit, deed).status());
    RETURN_IF_ERROR(ChangeUnit(unit, proto::UNIT_STATUS_ASSIGNED, incident, deed));
    RETURN_IF_ERROR(ArmTimers(incident, unit));
    return *book_->Find(incident);
  });
}

absl::StatusOr<proto::Incident> Dispatcher::Release(const std::string& incident, const UnitId& unit,
                                                    const Deed& deed) {
  return Change([=, this]() -> absl::StatusOr<proto::Incident> {
    ASSIGN_OR_RETURN(proto::Incident after, book_->Release(incident, unit, deed));
    RETURN_IF_ERROR(ChangeUnit(unit, proto::UNIT_STATUS_AVAILABLE, "", deed));
    return after;
  });
}

absl::StatusOr<proto::Incident> Dispatcher::Close(const std::string& incident, bool false_alarm,
                                                  const Deed& deed) {
  return Change([=, this]() -> absl::StatusOr<proto::Incident> {
    const proto::Incident* found = book_->Find(incident);
    if (found == nullptr)
      return absl::NotFoundError(fmt::format("no open incident '{}'", incident.substr(0, 64)));
    const proto::Incident before = *found;
    for (const std::string& unit : before.assigned_units()) {
      RETURN_IF_ERROR(book_->Release(incident, UnitId(unit), deed).status());
      RETURN_IF_ERROR(ChangeUnit(UnitId(unit), proto::UNIT_STATUS_RETURNING, "", deed));
    }
    if (false_alarm) {
      AlertQuery query;
      query.incident_id = incident;
      query.limit = 10'000;
      ASSIGN_OR_RETURN(const std::vector<StoredAlert> alerts, store_->Alerts(query));
      for (const StoredAlert& stored : alerts) {
        if (stored.verdict) continue;
        proto::AlertVerdict verdict;
        verdict.set_alert_id(stored.alert.id());
        verdict.set_actor(deed.actor);
        verdict.set_note(deed.cause);
        verdict.set_wall_time_us(ToMicros(clock_.Wall()));
        RETURN_IF_ERROR(store_->AddVerdict(verdict));
        said_.push_back([verdict](DispatchListener& listener) { listener.OnVerdict(verdict); });
      }
    }
    return book_->Move(
        incident, false_alarm ? proto::INCIDENT_STATE_FALSE_ALARM : proto::INCIDENT_STATE_CLOSED,
        deed);
  });
}

absl::Status Dispatcher::JudgeAlert(const std::string& alert, bool true_alarm, const Deed& deed) {
  return OnOwner([=, this] {
    return InTransaction([&]() -> absl::Status {
      AlertQuery query;
      query.alert_id = alert;
      ASSIGN_OR_RETURN(const std::vector<StoredAlert> found, store_->Alerts(query));
      if (found.empty())
        return absl::NotFoundError(fmt::format("no alert '{}'", alert.substr(0, 64)));
      proto::AlertVerdict verdict;
      verdict.set_alert_id(alert);
      verdict.set_true_alarm(true_alarm);
      verdict.set_actor(deed.actor);
      verdict.set_note(deed.cause);
      verdict.set_wall_time_us(ToMicros(clock_.Wall()));
      said_.push_back([verdict](DispatchListener& listener) { listener.OnVerdict(verdict); });
      return store_->AddVerdict(verdict);
    });
  });
}

absl::Status Dispatcher::SetUnitStatus(const UnitId& unit, proto::UnitStatus status,
                                       const Deed& deed) {
  if (status == proto::UNIT_STATUS_ASSIGNED)
    return absl::InvalidArgumentError(
        "a unit is assigned through its incident (/api/incidents/ID/assign)");
  return OnOwner([=, this] {
    return InTransaction([&]() -> absl::Status {
      const std::optional<UnitState> state = board_.Find(unit);
      if (!state) return absl::NotFoundError(fmt::format("no unit '{}' is known", unit.str()));
      if (WorksOnIncident(status) && state->incident_id.empty())
        return absl::FailedPreconditionError(
            fmt::format("unit {} is not assigned to an incident; it cannot be {}", unit.str(),
                        UnitStatusName(status)));
      if (WorksOnIncident(status)) {
        RETURN_IF_ERROR(ChangeUnit(unit, status, state->incident_id, deed));
        return AdvanceIncident(state->incident_id, status, deed);
      }
      if (!state->incident_id.empty() && book_->Find(state->incident_id) != nullptr)
        RETURN_IF_ERROR(book_->Release(state->incident_id, unit, deed).status());
      return ChangeUnit(unit, status, "", deed);
    });
  });
}

// The board follows at once in memory: this thread is the only one that sets statuses, and a failed
// COMMIT ends the process.
absl::Status Dispatcher::ChangeUnit(const UnitId& unit, proto::UnitStatus status,
                                    const std::string& incident, const Deed& deed) {
  const std::optional<UnitState> before = board_.Find(unit);
  if (before && !before->incident_id.empty()) {
    RETURN_IF_ERROR(store_->RemoveTimers(before->incident_id, unit.str()));
    std::erase_if(timers_, [&](const StoredTimer& timer) {
      return timer.incident_id == before->incident_id && timer.unit_id == unit.str();
    });
  }
  proto::UnitChange change;
  change.set_unit_id(unit.str());
  change.set_status(status);
  change.set_incident_id(incident);
  change.set_actor(deed.actor);
  change.set_cause(deed.cause);
  change.set_wall_time_us(ToMicros(clock_.Wall()));
  RETURN_IF_ERROR(store_->AddUnitChange(change));
  after_commit_.push_back([this, change] {
    board_.SetStatus(UnitId(change.unit_id()), change.status(), change.incident_id()).IgnoreError();
    Tell([&](DispatchListener& listener) { listener.OnUnit(change); });
  });
  return absl::OkStatus();
}

// The incident is as far as its farthest unit.
absl::Status Dispatcher::AdvanceIncident(const std::string& id, proto::UnitStatus status,
                                         const Deed& deed) {
  const proto::Incident* incident = book_->Find(id);
  if (incident == nullptr) return absl::OkStatus();
  const proto::IncidentState reached =
      status == proto::UNIT_STATUS_ON_SCENE   ? proto::INCIDENT_STATE_ON_SCENE
      : status == proto::UNIT_STATUS_EN_ROUTE ? proto::INCIDENT_STATE_EN_ROUTE
                                              : incident->state();
  if (reached <= incident->state()) return absl::OkStatus();
  return book_->Move(id, reached, deed).status();
}

absl::Status Dispatcher::ArmTimers(const std::string& incident, const UnitId& unit) {
  const Seconds patience(options_.config.ack_timeout_s());
  for (const auto& [kind, after] :
       {std::pair(kAckTimeout, patience), std::pair(kOfferUnit, 2 * patience)}) {
    StoredTimer timer{kind, incident, unit.str(), HostBootId(), clock_.Boot() + after};
    RETURN_IF_ERROR(store_->PutTimer(timer));
    timers_.push_back(std::move(timer));
  }
  return absl::OkStatus();
}

void Dispatcher::FireDueTimers() {
  for (;;) {
    const BootTime now = clock_.Boot();
    const auto due = std::find_if(timers_.begin(), timers_.end(),
                                  [&](const StoredTimer& timer) { return timer.due <= now; });
    if (due == timers_.end()) return;
    const StoredTimer timer = *due;
    timers_.erase(due);
    const absl::Status status = InTransaction([&] { return FireTimer(timer); });
    if (!status.ok())
      log::Error("a timer could not be recorded",
                 {{"timer", timer.kind}, {"cause", MessageOf(status)}});
  }
}

absl::Status Dispatcher::FireTimer(const StoredTimer& timer) {
  RETURN_IF_ERROR(store_->RemoveTimer(timer));
  proto::Notice notice;
  notice.set_kind(timer.kind);
  notice.set_subject(timer.unit_id);
  notice.set_incident_id(timer.incident_id);
  notice.set_text(
      timer.kind == kAckTimeout
          ? fmt::format("{} has not acknowledged its assignment for {} s; call it again",
                        timer.unit_id, options_.config.ack_timeout_s())
          : OfferText(timer.incident_id, timer.unit_id));
  return RaiseNotice(std::move(notice));
}

std::string Dispatcher::OfferText(const std::string& incident_id, const std::string& silent_unit) {
  const std::string silent = fmt::format("{} is still silent after {} s", silent_unit,
                                         2 * options_.config.ack_timeout_s());
  const proto::Incident* incident = book_->Find(incident_id);
  if (incident == nullptr || incident->alert_ids().empty()) return silent;
  const absl::StatusOr<proto::ResponseCircles> circles =
      store_->Circles(incident->alert_ids(incident->alert_ids_size() - 1));
  if (!circles.ok()) return silent;
  for (const proto::UnitEta& eta : circles->units()) {
    if (!eta.excluded().empty() || eta.unit_id() == silent_unit) continue;
    const std::optional<UnitState> unit = board_.Find(UnitId(eta.unit_id()));
    if (unit && unit->status == proto::UNIT_STATUS_AVAILABLE &&
        unit->freshness != Freshness::kStale)
      return fmt::format("{}; the next that could go is {} ({} s when the alert came)", silent,
                         eta.unit_id(), eta.eta_ms() / 1000);
  }
  return silent + "; no other unit is free";
}

absl::Status Dispatcher::RaiseNotice(proto::Notice notice, uint64_t* number) {
  notice.set_raised_us(ToMicros(clock_.Wall()));
  ASSIGN_OR_RETURN(const uint64_t given, store_->AddNotice(notice));
  notice.set_number(given);
  if (number != nullptr) *number = given;
  said_.push_back([notice](DispatchListener& listener) { listener.OnNotice(notice); });
  return absl::OkStatus();
}

}  // namespace cordon
