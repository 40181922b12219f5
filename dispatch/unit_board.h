// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/geo.h"
#include "base/ids.h"
#include "base/metrics.h"
#include "base/status.h"
#include "proto/position.pb.h"

namespace cordon {

// How much a unit's place can be trusted now.
enum class Freshness {
  kNever,   // no fix yet
  kFresh,   // taken as current
  kUsable,  // counts, with a widened estimate
  kStale,   // "last known": does not count for coverage
};

// One unit as of a moment. Ages are of the moment of the snapshot.
struct UnitState {
  UnitId id;
  std::string name;
  proto::UnitConfig::Kind kind = proto::UnitConfig::KIND_CAR;
  proto::UnitStatus status = proto::UNIT_STATUS_AVAILABLE;
  std::string incident_id;  // it is assigned to; empty: none
  Freshness freshness = Freshness::kNever;
  LatLon place;        // valid unless kNever
  Nanoseconds age{};   // of the fix, transport and buffering included
  std::string source;  // "osmand", "owntracks", ...
  std::optional<Metres> accuracy;
  std::optional<double> speed_mps;
  std::optional<double> course_deg;  // clockwise from north
};

// What became of a reported fix.
enum class FixOutcome {
  kTaken,
  kLate,  // older than the one that is known: a device that catches up must not move the unit back
  kRepeat,  // same device time as the one that is known; refreshes nothing
  kJump,    // implies more than kMaxUnitSpeed; taken only when the next fix agrees with it
};

// The units and where they are. Device time orders the fixes of a device; receive time decides
// freshness. A constant error of a device's clock therefore does no harm, while fixes that were
// buffered longer than the device's usual delay show as old. Statuses are set by the dispatcher,
// which records them; the board only holds them. Thread-safe.
class UnitBoard {
 public:
  struct Options {
    Nanoseconds fresh = Seconds(15);
    Nanoseconds stale = Seconds(60);
    // Hears every fix that was taken, on the thread that reported it; must return at once.
    std::function<void(const proto::UnitPosition&)> on_taken;
  };
  // Units faster than this do not exist on roads; a fix that implies it is a receiver's fault or
  // another device.
  static constexpr double kMaxUnitSpeedMps = 60;

  UnitBoard(const Clock& clock, Metrics& metrics, Options options);

  // Makes a unit known before it reports.
  void Add(const proto::UnitConfig& unit);

  // Takes one fix; receive_time_us is stamped here when 0. A unit that is not known becomes known
  // as long as there is room (limits::kMaxUnits). INVALID_ARGUMENT: bad id, not finite, out of
  // range, or the (0, 0) of a receiver without a fix. RESOURCE_EXHAUSTED: too many units. A device
  // time in the future counts as the time of receipt.
  absl::StatusOr<FixOutcome> Report(const proto::UnitPosition& position);

  // NOT_FOUND for a unit that is not known.
  absl::Status SetStatus(const UnitId& id, proto::UnitStatus status,
                         const std::string& incident_id);

  std::optional<UnitState> Find(const UnitId& id) const;
  std::vector<UnitState> Snapshot() const;  // ascending id

 private:
  struct Unit {
    std::string name;
    proto::UnitConfig::Kind kind = proto::UnitConfig::KIND_CAR;
    proto::UnitStatus status = proto::UNIT_STATUS_AVAILABLE;
    std::string incident_id;
    std::optional<proto::UnitPosition> fix;
    BootTime received{};
    Microseconds least_lag{};  // smallest receive - device time seen: the device's clock error and
                               // usual delay
    Microseconds extra_lag{};  // of this fix beyond least_lag: it was buffered
    std::optional<proto::UnitPosition> suspect;  // a jump that waits for a second opinion
  };
  UnitState StateOf(const std::string& id, const Unit& unit) const;
  absl::StatusOr<FixOutcome> Weigh(proto::UnitPosition& fix);
  FixOutcome Weigh(Unit& unit, const proto::UnitPosition& fix, BootTime now) const;
  void Take(Unit& unit, const proto::UnitPosition& fix, BootTime now) const;

  const Clock& clock_;
  const Options options_;
  prometheus::Counter& taken_;
  prometheus::Counter& late_;
  prometheus::Counter& jumps_;
  prometheus::Counter& refused_;
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Unit> units_ ABSL_GUARDED_BY(mutex_);
};

// "available", "en_route", ...: as the API and the event store write it.
std::string UnitStatusName(proto::UnitStatus status);
std::optional<proto::UnitStatus> UnitStatusFromName(const std::string& name);
std::string UnitKindName(proto::UnitConfig::Kind kind);
const char* FreshnessName(Freshness freshness);

}  // namespace cordon
