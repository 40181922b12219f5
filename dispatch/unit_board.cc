// SPDX-License-Identifier: Apache-2.0
#include "dispatch/unit_board.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "base/limits.h"

namespace cordon {
namespace {

// After this long without an accepted fix, an older device time means that the device's clock was
// set back.
constexpr Seconds kClockResetAfter(30);
// Below this implied distance nothing is a jump: receivers scatter this much.
constexpr double kScatterM = 60;
constexpr size_t kMaxUnitIdLength = 64;

bool IsUnitId(const std::string& id) {
  if (id.empty() || id.size() > kMaxUnitIdLength ||
      !absl::ascii_isalnum(static_cast<unsigned char>(id[0])))
    return false;
  return std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '-';
  });
}

std::string EnumTail(const std::string& name, size_t prefix) {
  return absl::AsciiStrToLower(name.substr(prefix));
}

LatLon PlaceOf(const proto::UnitPosition& fix) { return {fix.lat(), fix.lon()}; }

// Optional figures that make no sense become "not given": the place is still good.
void DropNonsense(proto::UnitPosition& fix) {
  if (!(fix.accuracy_m() >= 0 && fix.accuracy_m() < 100'000)) fix.clear_accuracy_m();
  if (!(fix.speed_mps() >= 0 && fix.speed_mps() <= UnitBoard::kMaxUnitSpeedMps))
    fix.clear_speed_mps();
  if (!(fix.course_deg() >= 0 && fix.course_deg() <= 360)) fix.clear_course_deg();
}

bool IsJump(const proto::UnitPosition& from, const proto::UnitPosition& to) {
  const double metres = Distance(PlaceOf(from), PlaceOf(to)).value;
  const double seconds = static_cast<double>(to.fix_time_us() - from.fix_time_us()) / 1e6;
  return metres > kScatterM + UnitBoard::kMaxUnitSpeedMps * std::max(0.0, seconds);
}

}  // namespace

UnitBoard::UnitBoard(const Clock& clock, Metrics& metrics, Options options)
    : clock_(clock),
      options_(options),
      taken_(metrics.Counter("cordon_unit_fixes_total", "Position fixes by outcome",
                             {{"outcome", "taken"}})),
      late_(metrics.Counter("cordon_unit_fixes_total", "Position fixes by outcome",
                            {{"outcome", "late"}})),
      jumps_(metrics.Counter("cordon_unit_fixes_total", "Position fixes by outcome",
                             {{"outcome", "jump"}})),
      refused_(metrics.Counter("cordon_unit_fixes_total", "Position fixes by outcome",
                               {{"outcome", "refused"}})) {}

void UnitBoard::Add(const proto::UnitConfig& unit) {
  absl::MutexLock lock(&mutex_);
  Unit& known = units_[unit.id()];
  known.name = unit.name();
  known.kind = unit.kind();
}

absl::StatusOr<FixOutcome> UnitBoard::Report(const proto::UnitPosition& position) {
  if (!IsUnitId(position.unit_id())) {
    refused_.Increment();
    return absl::InvalidArgumentError("unit id: give 1 to 64 of letters, digits, _ . -");
  }
  if (!IsPlausible({position.lat(), position.lon()})) {
    refused_.Increment();
    return absl::InvalidArgumentError(fmt::format(
        "unit {}: lat, lon are missing, out of range, or the 0,0 of a receiver without a fix",
        position.unit_id()));
  }
  proto::UnitPosition fix = position;
  DropNonsense(fix);
  if (fix.receive_time_us() == 0) fix.set_receive_time_us(ToMicros(clock_.Wall()));
  if (fix.fix_time_us() <= 0 || fix.fix_time_us() > fix.receive_time_us())
    fix.set_fix_time_us(fix.receive_time_us());

  ASSIGN_OR_RETURN(const FixOutcome outcome, Weigh(fix));
  if (outcome == FixOutcome::kTaken && options_.on_taken) options_.on_taken(fix);
  (outcome == FixOutcome::kTaken  ? taken_
   : outcome == FixOutcome::kJump ? jumps_
                                  : late_)
      .Increment();
  return outcome;
}

absl::StatusOr<FixOutcome> UnitBoard::Weigh(proto::UnitPosition& fix) {
  absl::MutexLock lock(&mutex_);
  auto found = units_.find(fix.unit_id());
  if (found == units_.end()) {
    if (units_.size() >= limits::kMaxUnits) {
      refused_.Increment();
      return absl::ResourceExhaustedError(
          fmt::format("more than {} units report; this one is not taken", limits::kMaxUnits));
    }
    found = units_.emplace(fix.unit_id(), Unit{}).first;
    found->second.kind = fix.kind();
  }
  fix.set_kind(found->second.kind);  // as configured, whatever the device says
  return Weigh(found->second, fix, clock_.Boot());
}

FixOutcome UnitBoard::Weigh(Unit& unit, const proto::UnitPosition& fix, BootTime now) const {
  if (!unit.fix) {
    Take(unit, fix, now);
    return FixOutcome::kTaken;
  }
  const bool same_device = unit.fix->source() == fix.source();
  const bool clock_was_reset = now - unit.received > kClockResetAfter;
  if (same_device && fix.fix_time_us() <= unit.fix->fix_time_us()) {
    if (!clock_was_reset)
      return fix.fix_time_us() == unit.fix->fix_time_us() ? FixOutcome::kRepeat : FixOutcome::kLate;
    unit.fix.reset();  // the device starts a new time line
    Take(unit, fix, now);
    return FixOutcome::kTaken;
  }
  if (IsJump(*unit.fix, fix)) {
    const bool confirmed = unit.suspect && fix.fix_time_us() > unit.suspect->fix_time_us() &&
                           !IsJump(*unit.suspect, fix);
    if (!confirmed) {
      unit.suspect = fix;
      return FixOutcome::kJump;
    }
  }
  Take(unit, fix, now);
  return FixOutcome::kTaken;
}

void UnitBoard::Take(Unit& unit, const proto::UnitPosition& fix, BootTime now) const {
  const Microseconds lag(fix.receive_time_us() - fix.fix_time_us());
  const bool new_line = !unit.fix || unit.fix->source() != fix.source();
  unit.least_lag = new_line ? lag : std::min(unit.least_lag, lag);
  unit.extra_lag = lag - unit.least_lag;
  unit.fix = fix;
  unit.received = now;
  unit.suspect.reset();
}

absl::Status UnitBoard::SetStatus(const UnitId& id, proto::UnitStatus status,
                                  const std::string& incident_id) {
  absl::MutexLock lock(&mutex_);
  const auto found = units_.find(id.str());
  if (found == units_.end())
    return absl::NotFoundError(fmt::format("no unit '{}' is known", id.str()));
  found->second.status = status;
  found->second.incident_id = incident_id;
  return absl::OkStatus();
}

UnitState UnitBoard::StateOf(const std::string& id, const Unit& unit) const {
  UnitState state;
  state.id = UnitId(id);
  state.name = unit.name.empty() ? id : unit.name;
  state.kind = unit.kind;
  state.status = unit.status;
  state.incident_id = unit.incident_id;
  if (!unit.fix) return state;
  state.place = PlaceOf(*unit.fix);
  state.source = unit.fix->source();
  if (unit.fix->has_accuracy_m()) state.accuracy = Metres{unit.fix->accuracy_m()};
  if (unit.fix->has_speed_mps()) state.speed_mps = unit.fix->speed_mps();
  if (unit.fix->has_course_deg()) state.course_deg = unit.fix->course_deg();
  state.age = (clock_.Boot() - unit.received) + unit.extra_lag;
  state.freshness = state.age <= options_.fresh   ? Freshness::kFresh
                    : state.age <= options_.stale ? Freshness::kUsable
                                                  : Freshness::kStale;
  return state;
}

std::optional<UnitState> UnitBoard::Find(const UnitId& id) const {
  absl::MutexLock lock(&mutex_);
  const auto found = units_.find(id.str());
  if (found == units_.end()) return std::nullopt;
  return StateOf(found->first, found->second);
}

std::vector<UnitState> UnitBoard::Snapshot() const {
  std::vector<UnitState> states;
  {
    absl::MutexLock lock(&mutex_);
    states.reserve(units_.size());
    for (const auto& [id, unit] : units_) states.push_back(StateOf(id, unit));
  }
  std::sort(states.begin(), states.end(),
            [](const UnitState& a, const UnitState& b) { return a.id < b.id; });
  return states;
}

std::string UnitStatusName(proto::UnitStatus status) {
  return EnumTail(proto::UnitStatus_Name(status), sizeof("UNIT_STATUS_") - 1);
}

std::optional<proto::UnitStatus> UnitStatusFromName(const std::string& name) {
  proto::UnitStatus status{};
  if (!proto::UnitStatus_Parse("UNIT_STATUS_" + absl::AsciiStrToUpper(name), &status))
    return std::nullopt;
  return status;
}

std::string UnitKindName(proto::UnitConfig::Kind kind) {
  return EnumTail(proto::UnitConfig::Kind_Name(kind), sizeof("KIND_") - 1);
}

const char* FreshnessName(Freshness freshness) {
  switch (freshness) {
    case Freshness::kNever:
      return "never";
    case Freshness::kFresh:
      return "fresh";
    case Freshness::kUsable:
      return "usable";
    case Freshness::kStale:
      return "stale";
  }
  return "never";
}

}  // namespace cordon
