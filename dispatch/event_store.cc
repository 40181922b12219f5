// SPDX-License-Identifier: Apache-2.0
#include "dispatch/event_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/sha256.h"

namespace cordon {
namespace {

constexpr std::string_view kSchema[] = {
    R"sql(
CREATE TABLE alert (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  incident_id TEXT NOT NULL,
  site_id TEXT NOT NULL,
  producer TEXT NOT NULL,
  camera_id TEXT NOT NULL,
  rule_id TEXT NOT NULL,
  kind INTEGER NOT NULL,
  wall_us INTEGER NOT NULL,
  delivered_us INTEGER NOT NULL,
  body BLOB NOT NULL);
CREATE INDEX alert_by_incident ON alert(incident_id);
CREATE INDEX alert_by_camera ON alert(camera_id, wall_us);
CREATE TABLE snapshot (alert_id TEXT PRIMARY KEY, camera_id TEXT NOT NULL, wall_us INTEGER NOT NULL, jpeg BLOB NOT NULL);
CREATE INDEX snapshot_by_camera ON snapshot(camera_id, wall_us);
CREATE TABLE circles (alert_id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE evidence (alert_id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE verdict (
  number INTEGER PRIMARY KEY, alert_id TEXT NOT NULL, true_alarm INTEGER NOT NULL, actor TEXT NOT NULL, note TEXT NOT NULL,
  wall_us INTEGER NOT NULL);
CREATE INDEX verdict_by_alert ON verdict(alert_id, number);
CREATE TABLE incident (id TEXT PRIMARY KEY, open INTEGER NOT NULL, opened_us INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX incident_by_opened ON incident(opened_us);
CREATE TABLE incident_change (
  incident_id TEXT NOT NULL, number INTEGER NOT NULL, wall_us INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (incident_id, number)) WITHOUT ROWID;
CREATE TABLE unit_change (number INTEGER PRIMARY KEY, unit_id TEXT NOT NULL, wall_us INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX unit_change_by_unit ON unit_change(unit_id, number);
CREATE TABLE notice (number INTEGER PRIMARY KEY, cleared_us INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX notice_open ON notice(number) WHERE cleared_us = 0;
CREATE TABLE timer (
  kind TEXT NOT NULL, incident_id TEXT NOT NULL, unit_id TEXT NOT NULL, boot_id TEXT NOT NULL, due_ns INTEGER NOT NULL,
  PRIMARY KEY (kind, incident_id, unit_id)) WITHOUT ROWID;
)sql",
    // A step once released is never changed; a new one follows it.
    R"sql(
CREATE TABLE closure_change (number INTEGER PRIMARY KEY, id TEXT NOT NULL, closed INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX closure_change_by_id ON closure_change(id, number);
)sql",
    R"sql(
CREATE TABLE view (number INTEGER PRIMARY KEY, camera_id TEXT NOT NULL, wall_us INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX view_by_camera ON view(camera_id, number);
)sql",
    R"sql(
CREATE TABLE hold_change (number INTEGER PRIMARY KEY, alert_id TEXT NOT NULL, held INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX hold_change_by_alert ON hold_change(alert_id, number);
)sql",
    // For the scores of rules: without the bodies, which are most of the file.
    R"sql(
CREATE INDEX alert_by_time ON alert(wall_us, camera_id, rule_id, incident_id, id);
)sql",
    R"sql(
CREATE TABLE picture_deletion (
  number INTEGER PRIMARY KEY, camera_id TEXT NOT NULL, at_us INTEGER NOT NULL, before_us INTEGER NOT NULL,
  pictures INTEGER NOT NULL, held INTEGER NOT NULL);
CREATE INDEX picture_deletion_by_camera ON picture_deletion(camera_id, number);
)sql",
    // The areas of one scene, once for all its alerts, found by what they are.
    R"sql(
CREATE TABLE areas (sha256 TEXT PRIMARY KEY, body BLOB NOT NULL);
ALTER TABLE circles ADD COLUMN areas TEXT NOT NULL DEFAULT '';
)sql",
    // A picture carries when it goes (0: of before, see LimitPictures), so that it goes whatever
    // became of its camera. Of the time before this step it is only known that a camera was watched
    // from its first alert to its last.
    R"sql(
ALTER TABLE snapshot ADD COLUMN expires_us INTEGER NOT NULL DEFAULT 0;
CREATE INDEX snapshot_by_expiry ON snapshot(expires_us, camera_id, wall_us);
CREATE TABLE watched (
  camera_id TEXT NOT NULL, from_us INTEGER NOT NULL, until_us INTEGER NOT NULL, PRIMARY KEY (camera_id, from_us)) WITHOUT ROWID;
INSERT INTO watched SELECT camera_id, min(wall_us), max(wall_us) FROM alert WHERE incident_id <> '' GROUP BY camera_id;
)sql"};

template <class Message>
absl::StatusOr<Message> ParseBody(std::string_view bytes, std::string_view what) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return absl::DataLossError(
        fmt::format("the event store holds a damaged {}; restore it from a backup", what));
  return message;
}

// All rows of a prepared query whose column 0 is a message.
template <class Message>
absl::StatusOr<std::vector<Message>> ReadAll(sqlite::Statement& query, std::string_view what) {
  std::vector<Message> all;
  for (;;) {
    absl::StatusOr<bool> row = query.Step();
    if (!row.ok() || !*row) {
      query.Reset();
      RETURN_IF_ERROR(row.status());
      return all;
    }
    absl::StatusOr<Message> message = ParseBody<Message>(query.Blob(0), what);
    if (!message.ok()) {
      query.Reset();
      return message.status();
    }
    all.push_back(*std::move(message));
  }
}

template <class Message>
absl::StatusOr<Message> ReadOne(sqlite::Statement& query, std::string_view what,
                                std::string_view id) {
  ASSIGN_OR_RETURN(std::vector<Message> all, ReadAll<Message>(query, what));
  if (all.empty()) return absl::NotFoundError(fmt::format("no {} '{}'", what, id.substr(0, 64)));
  return std::move(all.front());
}

bool IsOpen(const proto::Incident& incident) {
  return incident.state() != proto::INCIDENT_STATE_CLOSED &&
         incident.state() != proto::INCIDENT_STATE_FALSE_ALARM;
}

}  // namespace

const int64_t EventStore::kFormat = std::size(kSchema);

absl::StatusOr<std::unique_ptr<EventStore>> EventStore::Open(const std::string& path,
                                                             sqlite::Connection::Mode mode) {
  ASSIGN_OR_RETURN(std::unique_ptr<sqlite::Connection> connection,
                   sqlite::Connection::Open(path, mode));
  if (mode == sqlite::Connection::Mode::kReadWrite) RETURN_IF_ERROR(connection->Migrate(kSchema));
  return std::unique_ptr<EventStore>(new EventStore(std::move(connection)));
}

absl::StatusOr<sqlite::Statement*> EventStore::Use(const char* sql) {
  std::unique_ptr<sqlite::Statement>& statement = statements_[sql];
  if (statement == nullptr) {
    ASSIGN_OR_RETURN(sqlite::Statement prepared, connection_->Prepare(sql));
    statement = std::make_unique<sqlite::Statement>(std::move(prepared));
  }
  return statement.get();
}

absl::StatusOr<bool> EventStore::AddAlert(const proto::Alert& alert, const std::string& incident_id,
                                          WallTime delivered, Microseconds keep_picture) {
  proto::Alert body = alert;
  body.clear_snapshot_jpeg();
  ASSIGN_OR_RETURN(sqlite::Statement * insert,
                   Use("INSERT OR IGNORE INTO alert(id, incident_id, site_id, producer, camera_id, "
                       "rule_id, kind, wall_us, "
                       "delivered_us, body) VALUES(?,?,?,?,?,?,?,?,?,?)"));
  insert->Bind(1, alert.id())
      .Bind(2, incident_id)
      .Bind(3, alert.site_id())
      .Bind(4, alert.producer());
  insert->Bind(5, alert.event().camera_id()).Bind(6, alert.event().rule_id());
  insert->Bind(7, int64_t{alert.event().kind()})
      .Bind(8, alert.wall_time_us())
      .Bind(9, ToMicros(delivered));
  insert->BindBlob(10, body.SerializeAsString());
  RETURN_IF_ERROR(insert->Run());
  if (connection_->Changes() == 0) return false;
  if (!alert.snapshot_jpeg().empty()) RETURN_IF_ERROR(AddPicture(alert, delivered, keep_picture));
  return true;
}

absl::Status EventStore::AddEvidence(const proto::EvidenceReady& evidence) {
  ASSIGN_OR_RETURN(sqlite::Statement * put,
                   Use("INSERT OR REPLACE INTO evidence(alert_id, body) VALUES(?,?)"));
  return put->Bind(1, evidence.alert_id()).BindBlob(2, evidence.SerializeAsString()).Run();
}

absl::Status EventStore::AddVerdict(const proto::AlertVerdict& verdict) {
  ASSIGN_OR_RETURN(
      sqlite::Statement * add,
      Use("INSERT INTO verdict(alert_id, true_alarm, actor, note, wall_us) VALUES(?,?,?,?,?)"));
  add->Bind(1, verdict.alert_id()).Bind(2, int64_t{verdict.true_alarm()}).Bind(3, verdict.actor());
  return add->Bind(4, verdict.note()).Bind(5, verdict.wall_time_us()).Run();
}

absl::Status EventStore::PutCircles(const proto::ResponseCircles& circles) {
  // A third of a megabyte of drawing, the same for every alert of a camera that gives no places.
  proto::ResponseCircles etas = circles, areas;
  areas.mutable_tiers()->Swap(etas.mutable_tiers());
  const std::string drawn = areas.SerializeAsString();
  const std::string sha256 = drawn.empty() ? "" : Sha256Hex(drawn);
  if (!drawn.empty()) {
    ASSIGN_OR_RETURN(sqlite::Statement * keep,
                     Use("INSERT OR IGNORE INTO areas(sha256, body) VALUES(?,?)"));
    RETURN_IF_ERROR(keep->Bind(1, sha256).BindBlob(2, drawn).Run());
  }
  ASSIGN_OR_RETURN(sqlite::Statement * put,
                   Use("INSERT OR REPLACE INTO circles(alert_id, body, areas) VALUES(?,?,?)"));
  return put->Bind(1, circles.alert_id())
      .BindBlob(2, etas.SerializeAsString())
      .Bind(3, sha256)
      .Run();
}

absl::Status EventStore::AddIncidentChange(const proto::IncidentChange& change) {
  ASSIGN_OR_RETURN(
      sqlite::Statement * add,
      Use("INSERT INTO incident_change(incident_id, number, wall_us, body) VALUES(?,?,?,?)"));
  add->Bind(1, change.incident_id())
      .Bind(2, static_cast<int64_t>(change.number()))
      .Bind(3, change.wall_time_us());
  return add->BindBlob(4, change.SerializeAsString()).Run();
}

absl::Status EventStore::PutIncident(const proto::Incident& incident) {
  ASSIGN_OR_RETURN(
      sqlite::Statement * put,
      Use("INSERT OR REPLACE INTO incident(id, open, opened_us, body) VALUES(?,?,?,?)"));
  put->Bind(1, incident.id()).Bind(2, int64_t{IsOpen(incident)}).Bind(3, incident.opened_us());
  return put->BindBlob(4, incident.SerializeAsString()).Run();
}

absl::Status EventStore::AddUnitChange(const proto::UnitChange& change) {
  ASSIGN_OR_RETURN(sqlite::Statement * add,
                   Use("INSERT INTO unit_change(unit_id, wall_us, body) VALUES(?,?,?)"));
  return add->Bind(1, change.unit_id())
      .Bind(2, change.wall_time_us())
      .BindBlob(3, change.SerializeAsString())
      .Run();
}

absl::StatusOr<uint64_t> EventStore::AddNotice(const proto::Notice& notice) {
  ASSIGN_OR_RETURN(sqlite::Statement * add,
                   Use("INSERT INTO notice(cleared_us, body) VALUES(0, ?)"));
  RETURN_IF_ERROR(add->BindBlob(1, notice.SerializeAsString()).Run());
  return static_cast<uint64_t>(connection_->LastInsertRowId());
}

absl::Status EventStore::ClearNotice(uint64_t number, WallTime at) {
  ASSIGN_OR_RETURN(sqlite::Statement * clear,
                   Use("UPDATE notice SET cleared_us = ? WHERE number = ? AND cleared_us = 0"));
  return clear->Bind(1, ToMicros(at)).Bind(2, static_cast<int64_t>(number)).Run();
}

absl::Status EventStore::AddClosureChange(const proto::RoadClosureChange& change) {
  ASSIGN_OR_RETURN(sqlite::Statement * add,
                   Use("INSERT INTO closure_change(id, closed, body) VALUES(?,?,?)"));
  return add->Bind(1, change.id())
      .Bind(2, int64_t{change.closed()})
      .BindBlob(3, change.SerializeAsString())
      .Run();
}

absl::Status EventStore::AddHold(const proto::HoldChange& change) {
  ASSIGN_OR_RETURN(sqlite::Statement * add,
                   Use("INSERT INTO hold_change(alert_id, held, body) VALUES(?,?,?)"));
  return add->Bind(1, change.alert_id())
      .Bind(2, int64_t{change.held()})
      .BindBlob(3, change.SerializeAsString())
      .Run();
}

absl::StatusOr<uint64_t> EventStore::AddView(const proto::ViewRecord& record) {
  ASSIGN_OR_RETURN(sqlite::Statement * add,
                   Use("INSERT INTO view(camera_id, wall_us, body) VALUES(?,?,?)"));
  add->Bind(1, record.camera_id()).Bind(2, record.wall_time_us());
  RETURN_IF_ERROR(add->BindBlob(3, record.SerializeAsString()).Run());
  return static_cast<uint64_t>(connection_->LastInsertRowId());
}

absl::Status EventStore::PutTimer(const StoredTimer& timer) {
  ASSIGN_OR_RETURN(sqlite::Statement * put, Use("INSERT OR REPLACE INTO timer(kind, incident_id, "
                                                "unit_id, boot_id, due_ns) VALUES(?,?,?,?,?)"));
  put->Bind(1, timer.kind).Bind(2, timer.incident_id).Bind(3, timer.unit_id).Bind(4, timer.boot_id);
  return put->Bind(5, ToNanos(timer.due)).Run();
}

absl::Status EventStore::RemoveTimers(const std::string& incident_id, const std::string& unit_id) {
  ASSIGN_OR_RETURN(sqlite::Statement * remove,
                   Use("DELETE FROM timer WHERE incident_id = ? AND unit_id = ?"));
  return remove->Bind(1, incident_id).Bind(2, unit_id).Run();
}

absl::Status EventStore::RemoveTimer(const StoredTimer& timer) {
  ASSIGN_OR_RETURN(sqlite::Statement * remove,
                   Use("DELETE FROM timer WHERE kind = ? AND incident_id = ? AND unit_id = ?"));
  return remove->Bind(1, timer.kind).Bind(2, timer.incident_id).Bind(3, timer.unit_id).Run();
}

absl::StatusOr<std::vector<StoredAlert>> EventStore::Alerts(const AlertQuery& query) {
  std::string where = "1";
  if (!query.alert_id.empty()) where += " AND a.id = :id";
  if (!query.incident_id.empty()) where += " AND a.incident_id = :incident";
  if (!query.camera_id.empty()) where += " AND a.camera_id = :camera";
  if (query.kind) where += fmt::format(" AND a.kind = {}", static_cast<int>(*query.kind));
  if (query.since) where += fmt::format(" AND a.wall_us >= {}", ToMicros(*query.since));
  if (query.until) where += fmt::format(" AND a.wall_us < {}", ToMicros(*query.until));
  if (query.after) where += fmt::format(" AND a.number > {}", *query.after);
  const std::string sql = fmt::format(
      "SELECT a.body, a.number, a.incident_id, EXISTS(SELECT 1 FROM snapshot s WHERE s.alert_id = "
      "a.id),"
      " (SELECT v.true_alarm FROM verdict v WHERE v.alert_id = a.id ORDER BY v.number DESC LIMIT "
      "1),"
      " (SELECT e.body FROM evidence e WHERE e.alert_id = a.id),"
      " (SELECT h.held FROM hold_change h WHERE h.alert_id = a.id ORDER BY h.number DESC LIMIT 1)"
      " FROM alert a WHERE {} ORDER BY "
      "a.number {} LIMIT {}",
      where, query.newest_first ? "DESC" : "ASC", query.limit);
  ASSIGN_OR_RETURN(sqlite::Statement select, connection_->Prepare(sql));
  // SQLite numbers named parameters by first appearance.
  int at = 1;
  for (const std::string* text : {&query.alert_id, &query.incident_id, &query.camera_id})
    if (!text->empty()) select.Bind(at++, *text);
  std::vector<StoredAlert> alerts;
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return alerts;
    StoredAlert stored;
    ASSIGN_OR_RETURN(stored.alert, ParseBody<proto::Alert>(select.Blob(0), "alert"));
    stored.number = static_cast<uint64_t>(select.Int(1));
    stored.incident_id = std::string(select.Text(2));
    stored.has_snapshot = select.Int(3) != 0;
    if (!select.IsNull(4)) stored.verdict = select.Int(4) != 0;
    if (!select.IsNull(5)) {
      ASSIGN_OR_RETURN(stored.evidence,
                       ParseBody<proto::EvidenceReady>(select.Blob(5), "evidence record"));
    }
    stored.held = !select.IsNull(6) && select.Int(6) != 0;
    alerts.push_back(std::move(stored));
  }
}

absl::StatusOr<proto::ResponseCircles> EventStore::Circles(const std::string& alert_id) {
  ASSIGN_OR_RETURN(sqlite::Statement * select, Use("SELECT body FROM circles WHERE alert_id = ?"));
  ASSIGN_OR_RETURN(proto::ResponseCircles circles,
                   ReadOne<proto::ResponseCircles>(select->Bind(1, alert_id),
                                                   "response circles of alert", alert_id));
  ASSIGN_OR_RETURN(sqlite::Statement * drawn,
                   Use("SELECT a.body FROM circles c JOIN areas a ON a.sha256 = c.areas WHERE "
                       "c.alert_id = ?"));
  ASSIGN_OR_RETURN(const std::vector<proto::ResponseCircles> areas,
                   ReadAll<proto::ResponseCircles>(drawn->Bind(1, alert_id), "area"));
  for (const proto::ResponseCircles& area : areas) circles.MergeFrom(area);
  return circles;
}

absl::StatusOr<proto::Incident> EventStore::FindIncident(const std::string& id) {
  ASSIGN_OR_RETURN(sqlite::Statement * select, Use("SELECT body FROM incident WHERE id = ?"));
  return ReadOne<proto::Incident>(select->Bind(1, id), "incident", id);
}

absl::StatusOr<std::vector<proto::Incident>> EventStore::Incidents(bool open_only, uint32_t limit) {
  ASSIGN_OR_RETURN(
      sqlite::Statement * select,
      Use("SELECT body FROM incident WHERE open >= ? ORDER BY opened_us DESC LIMIT ?"));
  return ReadAll<proto::Incident>(select->Bind(1, int64_t{open_only}).Bind(2, int64_t{limit}),
                                  "incident");
}

absl::StatusOr<std::vector<proto::IncidentChange>> EventStore::IncidentChanges(
    const std::string& id) {
  ASSIGN_OR_RETURN(sqlite::Statement * select,
                   Use("SELECT body FROM incident_change WHERE incident_id = ? ORDER BY number"));
  return ReadAll<proto::IncidentChange>(select->Bind(1, id), "incident change");
}

absl::StatusOr<std::vector<proto::UnitChange>> EventStore::LastUnitChanges() {
  ASSIGN_OR_RETURN(sqlite::Statement * select,
                   Use("SELECT body FROM unit_change WHERE number IN (SELECT max(number) FROM "
                       "unit_change GROUP BY unit_id)"));
  return ReadAll<proto::UnitChange>(*select, "unit change");
}

absl::StatusOr<std::vector<proto::Notice>> EventStore::Notices(bool open_only, uint32_t limit) {
  ASSIGN_OR_RETURN(
      sqlite::Statement select,
      connection_->Prepare(fmt::format(
          "SELECT body, number, cleared_us FROM notice {} ORDER BY number DESC LIMIT {}",
          open_only ? "WHERE cleared_us = 0" : "", limit)));
  std::vector<proto::Notice> notices;
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return notices;
    ASSIGN_OR_RETURN(proto::Notice notice, ParseBody<proto::Notice>(select.Blob(0), "notice"));
    notice.set_number(static_cast<uint64_t>(select.Int(1)));
    notice.set_cleared_us(select.Int(2));
    notices.push_back(std::move(notice));
  }
}

absl::StatusOr<std::vector<proto::RoadClosureChange>> EventStore::Closures() {
  ASSIGN_OR_RETURN(sqlite::Statement * select,
                   Use("SELECT body FROM closure_change WHERE closed = 1 AND number IN (SELECT "
                       "max(number) FROM closure_change GROUP BY id)"));
  return ReadAll<proto::RoadClosureChange>(*select, "closure");
}

absl::StatusOr<std::vector<proto::ViewRecord>> EventStore::Views(const std::string& camera_id,
                                                                 uint32_t limit) {
  ASSIGN_OR_RETURN(sqlite::Statement * select,
                   Use("SELECT body, number FROM view WHERE ?1 = '' OR camera_id = ?1 ORDER BY "
                       "number DESC LIMIT ?2"));
  select->Bind(1, camera_id).Bind(2, int64_t{limit});
  std::vector<proto::ViewRecord> records;
  for (;;) {
    absl::StatusOr<bool> row = select->Step();
    if (!row.ok() || !*row) {
      select->Reset();
      RETURN_IF_ERROR(row.status());
      return records;
    }
    absl::StatusOr<proto::ViewRecord> record =
        ParseBody<proto::ViewRecord>(select->Blob(0), "view record");
    if (record.ok()) record->set_number(static_cast<uint64_t>(select->Int(1)));
    if (!record.ok()) {
      select->Reset();
      return record.status();
    }
    records.push_back(*std::move(record));
  }
}

absl::StatusOr<std::vector<StoredTimer>> EventStore::Timers() {
  ASSIGN_OR_RETURN(
      sqlite::Statement select,
      connection_->Prepare(
          "SELECT kind, incident_id, unit_id, boot_id, due_ns FROM timer ORDER BY due_ns"));
  std::vector<StoredTimer> timers;
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return timers;
    timers.push_back({std::string(select.Text(0)), std::string(select.Text(1)),
                      std::string(select.Text(2)), std::string(select.Text(3)),
                      BootFromNanos(select.Int(4))});
  }
}

}  // namespace cordon
