// SPDX-License-Identifier: Apache-2.0
#include "dispatch/incident_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/ascii.h"

namespace cordon {
namespace {

// An incident under a flood of alerts keeps their number in the store, and in its record the first
// so many.
constexpr int kMaxAlertIds = 500;

std::string EnumTail(const std::string& name, size_t prefix) {
  return absl::AsciiStrToLower(name.substr(prefix));
}

// What is wrong with a camera is another matter than what it sees.
bool IsCameraTrouble(proto::EventKind kind) {
  return kind >= proto::EVENT_KIND_TAMPER_COVERED && kind <= proto::EVENT_KIND_OUTBOX_FULL;
}

bool MayFollow(proto::IncidentState from, proto::IncidentState to) {
  if (!IsOpen(from)) return false;
  if (!IsOpen(to)) return true;
  if (to == proto::INCIDENT_STATE_ACKNOWLEDGED) return from == proto::INCIDENT_STATE_NEW;
  return to > from;
}

}  // namespace

bool IsOpen(proto::IncidentState state) {
  return state != proto::INCIDENT_STATE_CLOSED && state != proto::INCIDENT_STATE_FALSE_ALARM;
}

std::string IncidentStateName(proto::IncidentState state) {
  return EnumTail(proto::IncidentState_Name(state), sizeof("INCIDENT_STATE_") - 1);
}

std::string EventKindName(proto::EventKind kind) {
  return EnumTail(proto::EventKind_Name(kind), sizeof("EVENT_KIND_") - 1);
}

std::optional<proto::EventKind> EventKindFromName(const std::string& name) {
  proto::EventKind kind{};
  if (!proto::EventKind_Parse("EVENT_KIND_" + absl::AsciiStrToUpper(name), &kind))
    return std::nullopt;
  return kind;
}

std::string SeverityName(proto::RuleConfig::Severity severity) {
  return EnumTail(proto::RuleConfig::Severity_Name(severity), sizeof("SEVERITY_") - 1);
}

IncidentBook::IncidentBook(EventStore& store, const Clock& clock, UlidGenerator& ids,
                           Options options)
    : store_(store), clock_(clock), ids_(ids), options_(std::move(options)) {}

absl::Status IncidentBook::Load() {
  // Open incidents are few: people close them. The bound is only against a store that nobody ever
  // tended.
  constexpr uint32_t kMostOpen = 10'000;
  ASSIGN_OR_RETURN(std::vector<proto::Incident> incidents, store_.Incidents(true, kMostOpen));
  for (proto::Incident& incident : incidents) {
    std::string id = incident.id();
    open_[std::move(id)] = std::move(incident);
  }
  return absl::OkStatus();
}

const proto::Incident* IncidentBook::Find(const std::string& id) const {
  if (const auto staged = staged_.find(id); staged != staged_.end()) return &staged->second;
  const auto open = open_.find(id);
  return open == open_.end() ? nullptr : &open->second;
}

std::vector<proto::Incident> IncidentBook::Open() const {
  std::vector<proto::Incident> incidents;
  for (const auto& [id, incident] : open_) incidents.push_back(incident);
  return incidents;
}

const proto::Incident* IncidentBook::FindHome(const proto::Alert& alert) const {
  const proto::Event& event = alert.event();
  const auto fits = [&](const proto::Incident& incident) {
    if (!IsOpen(incident.state()) ||
        IsCameraTrouble(incident.kind()) != IsCameraTrouble(event.kind()))
      return false;
    const int64_t apart_us = std::abs(alert.wall_time_us() - incident.last_alert_us());
    if (apart_us > Microseconds(options_.window).count()) return false;
    const bool worked_on = incident.state() >= proto::INCIDENT_STATE_ASSIGNED;
    if (!worked_on && alert.wall_time_us() - incident.first_alert_us() >
                          Microseconds(options_.longest).count())
      return false;
    if (incident.camera_id() == event.camera_id()) return true;
    if (!event.has_place() || !incident.has_place()) return false;
    const LatLon here{event.place().lat(), event.place().lon()};
    return Distance(here, {incident.place().lat(), incident.place().lon()}) <= options_.within;
  };
  // Newest first: ids rise with time.
  for (auto at = staged_.rbegin(); at != staged_.rend(); ++at)
    if (fits(at->second)) return &at->second;
  for (auto at = open_.rbegin(); at != open_.rend(); ++at)
    if (!staged_.contains(at->first) && fits(at->second)) return &at->second;
  return nullptr;
}

std::string IncidentBook::TitleOf(const proto::Alert& alert) const {
  std::string kind = EventKindName(alert.event().kind());
  std::replace(kind.begin(), kind.end(), '_', ' ');
  kind[0] = absl::ascii_toupper(static_cast<unsigned char>(kind[0]));
  const auto name = options_.camera_names.find(alert.event().camera_id());
  const std::string& camera =
      name == options_.camera_names.end() ? alert.event().camera_id() : name->second;
  return camera.empty() ? kind : fmt::format("{} at {}", kind, camera);
}

absl::StatusOr<proto::Incident> IncidentBook::Join(const proto::Alert& alert) {
  const Deed deed{"cordon", alert.id()};
  proto::Incident* incident = nullptr;
  if (const proto::Incident* home = FindHome(alert)) {
    ASSIGN_OR_RETURN(incident, Stage(home->id()));
  } else {
    const std::string id = ids_.Next().str();
    incident = &staged_[id];
    incident->set_id(id);
    incident->set_kind(alert.event().kind());
    incident->set_camera_id(alert.event().camera_id());
    if (alert.event().has_place()) *incident->mutable_place() = alert.event().place();
    incident->set_opened_us(ToMicros(clock_.Wall()));
    incident->set_first_alert_us(alert.wall_time_us());
    incident->set_title(TitleOf(alert));
  }
  if (alert.event().severity() > incident->severity()) {
    // It is called by the worst that happened in it.
    incident->set_severity(alert.event().severity());
    incident->set_title(TitleOf(alert));
  }
  if (incident->alert_ids_size() < kMaxAlertIds) incident->add_alert_ids(alert.id());
  incident->set_first_alert_us(std::min(incident->first_alert_us(), alert.wall_time_us()));
  incident->set_last_alert_us(std::max(incident->last_alert_us(), alert.wall_time_us()));
  proto::IncidentChange change;
  change.set_alert_id(alert.id());
  RETURN_IF_ERROR(Record(*incident, std::move(change), deed));
  return *incident;
}

absl::StatusOr<proto::Incident*> IncidentBook::Stage(const std::string& id) {
  if (const auto staged = staged_.find(id); staged != staged_.end()) return &staged->second;
  const auto open = open_.find(id);
  if (open == open_.end())
    return absl::NotFoundError(fmt::format("no open incident '{}'", id.substr(0, 64)));
  return &(staged_[id] = open->second);
}

absl::Status IncidentBook::Record(proto::Incident& incident, proto::IncidentChange change,
                                  const Deed& deed) {
  incident.set_changes(incident.changes() + 1);
  incident.set_changed_us(ToMicros(clock_.Wall()));
  change.set_incident_id(incident.id());
  change.set_number(incident.changes());
  change.set_wall_time_us(incident.changed_us());
  change.set_actor(deed.actor);
  change.set_cause(deed.cause);
  RETURN_IF_ERROR(store_.AddIncidentChange(change));
  RETURN_IF_ERROR(store_.PutIncident(incident));
  steps_.push_back({incident, std::move(change)});
  return absl::OkStatus();
}

absl::StatusOr<proto::Incident> IncidentBook::Move(const std::string& id,
                                                   proto::IncidentState state, const Deed& deed) {
  ASSIGN_OR_RETURN(proto::Incident * incident, Stage(id));
  if (!MayFollow(incident->state(), state))
    return absl::FailedPreconditionError(fmt::format("incident {} is {}; it cannot become {}", id,
                                                     IncidentStateName(incident->state()),
                                                     IncidentStateName(state)));
  incident->set_state(state);
  proto::IncidentChange change;
  change.set_state(state);
  RETURN_IF_ERROR(Record(*incident, std::move(change), deed));
  return *incident;
}

absl::StatusOr<proto::Incident> IncidentBook::Assign(const std::string& id, const UnitId& unit,
                                                     const Deed& deed) {
  ASSIGN_OR_RETURN(proto::Incident * incident, Stage(id));
  if (!IsOpen(incident->state()))
    return absl::FailedPreconditionError(fmt::format("incident {} is closed", id));
  const auto& units = incident->assigned_units();
  if (std::find(units.begin(), units.end(), unit.str()) != units.end())
    return absl::FailedPreconditionError(
        fmt::format("unit {} is assigned to incident {} already", unit.str(), id));
  incident->add_assigned_units(unit.str());
  proto::IncidentChange change;
  change.set_assigned_unit(unit.str());
  RETURN_IF_ERROR(Record(*incident, std::move(change), deed));
  if (incident->state() >= proto::INCIDENT_STATE_ASSIGNED) return *incident;
  return Move(id, proto::INCIDENT_STATE_ASSIGNED, deed);
}

absl::StatusOr<proto::Incident> IncidentBook::Release(const std::string& id, const UnitId& unit,
                                                      const Deed& deed) {
  ASSIGN_OR_RETURN(proto::Incident * incident, Stage(id));
  auto* units = incident->mutable_assigned_units();
  const auto at = std::find(units->begin(), units->end(), unit.str());
  if (at == units->end())
    return absl::NotFoundError(
        fmt::format("unit {} is not assigned to incident {}", unit.str(), id));
  units->erase(at);
  proto::IncidentChange change;
  change.set_released_unit(unit.str());
  RETURN_IF_ERROR(Record(*incident, std::move(change), deed));
  if (!units->empty() || !IsOpen(incident->state())) return *incident;
  incident->set_state(proto::INCIDENT_STATE_ACKNOWLEDGED);
  proto::IncidentChange back;
  back.set_state(incident->state());
  RETURN_IF_ERROR(Record(*incident, std::move(back), deed));
  return *incident;
}

absl::StatusOr<proto::Incident> IncidentBook::Note(const std::string& id, const std::string& text,
                                                   const Deed& deed) {
  ASSIGN_OR_RETURN(proto::Incident * incident, Stage(id));
  proto::IncidentChange change;
  change.set_note(text);
  RETURN_IF_ERROR(Record(*incident, std::move(change), deed));
  return *incident;
}

std::vector<IncidentStep> IncidentBook::Settle() {
  for (auto& [id, incident] : staged_) {
    if (IsOpen(incident.state())) {
      open_[id] = std::move(incident);
    } else {
      open_.erase(id);
    }
  }
  staged_.clear();
  return std::exchange(steps_, {});
}

}  // namespace cordon
