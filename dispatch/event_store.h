// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/sqlite.h"
#include "base/time.h"
#include "proto/alert.pb.h"
#include "proto/circles.pb.h"
#include "proto/incident.pb.h"

namespace cordon {

// An alert as the dispatcher holds it. The picture is read apart (Snapshot()).
struct StoredAlert {
  uint64_t number = 0;      // rises with each alert; pages and follows by it
  proto::Alert alert;       // without snapshot_jpeg
  std::string incident_id;  // empty: a test
  bool has_snapshot = false;
  std::optional<bool> verdict;  // an operator's: true or false alarm
  std::optional<proto::EvidenceReady> evidence;
  bool held = false;  // its clip and picture outlive their retention
};

// Which alerts; empty fields do not restrict.
struct AlertQuery {
  std::string alert_id;
  std::string incident_id;
  std::string camera_id;
  std::optional<proto::EventKind> kind;
  std::optional<WallTime> since;
  std::optional<WallTime> until;
  std::optional<uint64_t> after;  // numbers above this
  bool newest_first = true;
  uint32_t limit = 100;
};

// Alerts and verdicts of one rule of one camera: its false-alarm rate.
struct RuleScore {
  std::string camera_id;
  std::string rule_id;
  uint64_t alerts = 0;
  uint64_t judged_true = 0;
  uint64_t judged_false = 0;
  double days = 0;  // that the camera was watched between `since` and now
  // Empty while the camera was not watched for any time.
  std::optional<double> false_per_day() const {
    if (days <= 0) return std::nullopt;
    return static_cast<double>(judged_false) / days;
  }
};

// What one look for pictures past their retention did, as the record keeps it for ever.
struct PictureDeletion {
  std::string camera_id;
  WallTime at;
  WallTime before;        // the pictures were of before this
  uint64_t pictures = 0;  // deleted
  uint64_t held = 0;      // due, but under a legal hold
};

// A deadline that outlives the process. Boot time counts while the host lives; after a reboot the
// row is due at once.
struct StoredTimer {
  std::string kind;
  std::string incident_id;
  std::string unit_id;
  std::string boot_id;
  BootTime due{};
};

// The dispatcher's record in one SQLite file (docs/decisions: one writing connection). What is
// written stays: incidents, units and verdicts are sequences of changes with actor and cause; the
// incident rows are their fold, kept for reading. The writing calls belong into a transaction of
// the caller. Used by one thread at a time; `cordon events` opens it read-only.
class EventStore {
 public:
  // Creates or migrates the file. Errors as sqlite::Connection::Open and Migrate.
  static absl::StatusOr<std::unique_ptr<EventStore>> Open(const std::string& path,
                                                          sqlite::Connection::Mode mode);

  sqlite::Connection& connection() { return *connection_; }

  // False: an alert of this id is there already and nothing was written. Its picture is kept for
  // `keep_picture` from when it was taken (from `delivered`, where the producer's clock is ahead).
  absl::StatusOr<bool> AddAlert(const proto::Alert& alert, const std::string& incident_id,
                                WallTime delivered, Microseconds keep_picture);
  absl::Status AddEvidence(const proto::EvidenceReady& evidence);
  absl::Status AddVerdict(const proto::AlertVerdict& verdict);
  // Areas that are alike lie in the file once.
  absl::Status PutCircles(const proto::ResponseCircles& circles);
  absl::Status AddIncidentChange(const proto::IncidentChange& change);
  absl::Status PutIncident(const proto::Incident& incident);
  absl::Status AddUnitChange(const proto::UnitChange& change);
  absl::StatusOr<uint64_t> AddNotice(const proto::Notice& notice);
  absl::Status ClearNotice(uint64_t number, WallTime at);
  absl::Status AddClosureChange(const proto::RoadClosureChange& change);
  absl::Status AddHold(const proto::HoldChange& change);
  // Its number; record.number is ignored.
  absl::StatusOr<uint64_t> AddView(const proto::ViewRecord& record);
  absl::Status PutTimer(const StoredTimer& timer);
  absl::Status RemoveTimers(const std::string& incident_id, const std::string& unit_id);
  absl::Status RemoveTimer(const StoredTimer& timer);
  // Brings forward when pictures of this camera go, to `keep` after they were taken; never puts it
  // off. An empty camera: the pictures of which nothing is known (of before a picture carried it).
  absl::Status LimitPictures(const std::string& camera_id, Microseconds keep, WallTime now);
  // Deletes the pictures whose time is over, of whatever camera, but not those held;
  // kPicturesAtOnce at the most, the longest overdue first. What went, by camera, as it is now on
  // record; a camera without deletions is there when the number of those held has changed.
  absl::StatusOr<std::vector<PictureDeletion>> DropPictures(WallTime now);
  static constexpr uint32_t kPicturesAtOnce = 500;
  // The camera is watched at this moment, as it was `within` ago when it was known to be watched
  // then.
  absl::Status AddWatched(const std::string& camera_id, WallTime now, Microseconds within);

  absl::StatusOr<std::vector<StoredAlert>> Alerts(const AlertQuery& query);
  absl::StatusOr<std::string> Snapshot(const std::string& alert_id);  // NOT_FOUND without one
  absl::StatusOr<proto::ResponseCircles> Circles(const std::string& alert_id);  // NOT_FOUND
  absl::StatusOr<proto::Incident> FindIncident(const std::string& id);          // NOT_FOUND
  absl::StatusOr<std::vector<proto::Incident>> Incidents(bool open_only,
                                                         uint32_t limit);  // newest first
  absl::StatusOr<std::vector<proto::IncidentChange>> IncidentChanges(const std::string& id);
  absl::StatusOr<std::vector<proto::UnitChange>> LastUnitChanges();  // one for each unit
  absl::StatusOr<std::vector<proto::Notice>> Notices(bool open_only, uint32_t limit);
  absl::StatusOr<std::vector<proto::RoadClosureChange>> Closures();  // in force
  // Newest first; an empty camera does not restrict.
  absl::StatusOr<std::vector<proto::ViewRecord>> Views(const std::string& camera_id,
                                                       uint32_t limit);
  // Newest first. FAILED_PRECONDITION: an older Cordon wrote the file, and it is open for reading.
  absl::StatusOr<std::vector<PictureDeletion>> PictureDeletions(uint32_t limit);
  absl::StatusOr<std::vector<StoredTimer>> Timers();
  absl::StatusOr<std::vector<RuleScore>> RuleScores(WallTime since, WallTime now);

 private:
  static const int64_t kFormat;  // of the file, as this program writes it
  explicit EventStore(std::unique_ptr<sqlite::Connection> connection)
      : connection_(std::move(connection)) {}
  // Prepared once, keyed by the literal's address.
  absl::StatusOr<sqlite::Statement*> Use(const char* sql);
  absl::Status AddPicture(const proto::Alert& alert, WallTime delivered, Microseconds keep);
  absl::StatusOr<std::vector<PictureDeletion>> CountHeld(WallTime now);
  absl::StatusOr<uint64_t> HeldOnRecord(const std::string& camera_id);
  absl::Status Record(const PictureDeletion& deletion);

  std::unique_ptr<sqlite::Connection> connection_;
  absl::flat_hash_map<const char*, std::unique_ptr<sqlite::Statement>> statements_;
};

}  // namespace cordon
