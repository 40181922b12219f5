// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/geo.h"
#include "base/ids.h"
#include "dispatch/event_store.h"

namespace cordon {

// Who did something and why; both go into the record.
struct Deed {
  std::string actor;  // "operator:lin", "unit:car-3", "cordon"
  std::string cause;
};

// What a settled transaction changed.
struct IncidentStep {
  proto::Incident incident;  // after the change
  proto::IncidentChange change;
};

// Groups alerts into incidents and walks them through their life: new, acknowledged, assigned, en
// route, on scene, closed or false alarm. Every step is a numbered change with actor and cause; a
// state only moves forward, except that an incident whose last unit is released is "acknowledged"
// again. The book proposes nothing and decides nothing.
//
// The changing calls run inside a transaction of the store and become visible with Settle() after
// its COMMIT, or are forgotten with Discard(). Owned and used by the dispatcher's thread.
class IncidentBook {
 public:
  struct Options {
    Metres within{50};   // alerts of one camera or this near ...
    Seconds window{60};  // ... and this soon after the newest alert of an open incident join it
    Seconds longest{600};  // ... but only so long after its first one, unless units work on it: a
                           // place that is never quiet opens a new incident for people to look at
    std::map<std::string, std::string> camera_names;  // id -> what people call it
  };
  IncidentBook(EventStore& store, const Clock& clock, UlidGenerator& ids, Options options);

  // Reads the open incidents back.
  absl::Status Load();

  // The incident that `alert` joins or opens. Trouble of cameras (stream lost, tamper) and events
  // in the world never share one.
  absl::StatusOr<proto::Incident> Join(const proto::Alert& alert);

  // NOT_FOUND: no such open incident. FAILED_PRECONDITION: not from its present state; the message
  // names both.
  absl::StatusOr<proto::Incident> Move(const std::string& id, proto::IncidentState state,
                                       const Deed& deed);
  absl::StatusOr<proto::Incident> Assign(const std::string& id, const UnitId& unit,
                                         const Deed& deed);
  absl::StatusOr<proto::Incident> Release(const std::string& id, const UnitId& unit,
                                          const Deed& deed);
  absl::StatusOr<proto::Incident> Note(const std::string& id, const std::string& text,
                                       const Deed& deed);

  std::vector<IncidentStep> Settle();
  void Discard() { staged_.clear(), steps_.clear(); }

  // Open incidents, staged changes included.
  const proto::Incident* Find(const std::string& id) const;
  std::vector<proto::Incident> Open() const;  // settled ones, oldest first

 private:
  absl::StatusOr<proto::Incident*> Stage(const std::string& id);
  absl::Status Record(proto::Incident& incident, proto::IncidentChange change, const Deed& deed);
  const proto::Incident* FindHome(const proto::Alert& alert) const;
  std::string TitleOf(const proto::Alert& alert) const;

  EventStore& store_;
  const Clock& clock_;
  UlidGenerator& ids_;
  const Options options_;
  std::map<std::string, proto::Incident> open_;
  std::map<std::string, proto::Incident> staged_;
  std::vector<IncidentStep> steps_;
};

bool IsOpen(proto::IncidentState state);
std::string IncidentStateName(proto::IncidentState state);  // "en_route"
std::string EventKindName(proto::EventKind kind);           // "line_crossing"
std::optional<proto::EventKind> EventKindFromName(const std::string& name);
std::string SeverityName(proto::RuleConfig::Severity severity);  // "high"

}  // namespace cordon
