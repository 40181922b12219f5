// SPDX-License-Identifier: Apache-2.0
#include "bus/inbox_ledger.h"

#include <sodium.h>

#include <optional>

#include "base/check.h"

namespace cordon {

constexpr std::string_view InboxLedger::kTables = R"sql(
  CREATE TABLE inbox_producers(
    id INTEGER PRIMARY KEY, site TEXT NOT NULL, producer TEXT NOT NULL, lineage BLOB NOT NULL,
    epoch INTEGER NOT NULL, epoch_uuid BLOB NOT NULL,
    durable INTEGER NOT NULL,           -- every sequence up to this one is in
    greeted_us INTEGER NOT NULL,
    UNIQUE(site, producer, lineage));
  CREATE TABLE inbox_ahead(             -- in, but something before is not yet
    producer INTEGER NOT NULL, sequence INTEGER NOT NULL,
    PRIMARY KEY(producer, sequence)) WITHOUT ROWID;
  CREATE TABLE inbox_ids(               -- kept for ever: an id has its effect once
    id TEXT PRIMARY KEY, fingerprint BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE inbox_quarantine(
    id INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, site TEXT NOT NULL, producer TEXT NOT NULL,
    epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, reason TEXT NOT NULL, bytes BLOB NOT NULL);
  CREATE TABLE inbox_faults(
    id INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, site TEXT NOT NULL, producer TEXT NOT NULL,
    kind TEXT NOT NULL, detail TEXT NOT NULL);
)sql";

struct InboxLedger::Statements {
  sqlite::Statement find, add, greet, set_durable, is_ahead, add_ahead, drop_ahead, find_id, add_id,
      quarantine, trim_quarantine, fault, trim_faults, list_quarantine;
};

namespace {

constexpr int64_t kMaxFaultRows = 1000;

// 128 bits of BLAKE2b: tells a repeat from other bytes under the same id.
std::string Fingerprint(std::string_view bytes) {
  std::string hash(crypto_generichash_BYTES_MIN, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(hash.data()), hash.size(),
                     reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), nullptr,
                     0);
  return hash;
}

// What is kept of a record that is put aside: all but its picture; of what cannot be read, the
// beginning, which holds no more of a picture than its tables.
std::string WithoutPicture(const std::string& bytes) {
  proto::OutboxRecord record;
  if (record.ParseFromString(bytes)) {
    record.DiscardUnknownFields();
    if (record.has_alert()) record.mutable_alert()->clear_snapshot_jpeg();
    if (record.ByteSizeLong() > 0)
      return record.SerializeAsString().substr(0, InboxLedger::kMaxQuarantinedBytes);
  }
  return bytes.substr(0, InboxLedger::kMaxUnreadableBytes);
}

struct ProducerRow {
  int64_t id = 0;
  uint64_t epoch = 0;
  std::string epoch_uuid;
  uint64_t durable = 0;
};

absl::StatusOr<std::optional<ProducerRow>> FindProducer(sqlite::Statement& find,
                                                        const ProducerKey& key) {
  find.Bind(1, key.site_id).Bind(2, key.producer).BindBlob(3, key.lineage);
  const absl::StatusOr<bool> found = find.Step();
  std::optional<ProducerRow> row;
  if (found.ok() && *found)
    row = ProducerRow{find.Int(0), static_cast<uint64_t>(find.Int(1)), std::string(find.Blob(2)),
                      static_cast<uint64_t>(find.Int(3))};
  find.Reset();
  if (!found.ok()) return found.status();
  return row;
}

// Why this producer may not go on, or empty.
std::string Objection(const ProducerHello& hello, const ProducerRow& known) {
  const std::string& name = hello.producer.producer;
  if (hello.epoch == known.epoch && hello.epoch_uuid != known.epoch_uuid)
    return fmt::format(
        "{} shows epoch {} with another mark: its disk was cloned or restored. Stop the copy, or "
        "remove "
        "its outbox file so that it begins a new one",
        name, hello.epoch);
  if (hello.epoch < known.epoch)
    return fmt::format(
        "{} shows epoch {} after {}: an older copy of its outbox was restored. Remove its outbox "
        "file so "
        "that it begins a new one",
        name, hello.epoch, known.epoch);
  if (hello.last_sequence < known.durable)
    return fmt::format(
        "{} knows {} records but {} are already here: an older copy of its outbox was restored. "
        "Remove "
        "its outbox file so that it begins a new one",
        name, hello.last_sequence, known.durable);
  return "";
}

}  // namespace

InboxLedger::InboxLedger(sqlite::Connection& connection, const Clock& clock)
    : connection_(connection), clock_(clock) {}
InboxLedger::~InboxLedger() = default;

absl::StatusOr<std::unique_ptr<InboxLedger>> InboxLedger::Open(sqlite::Connection& db,
                                                               const Clock& clock) {
  CORDON_CHECK(sodium_init() >= 0, "libsodium starts");
  ASSIGN_OR_RETURN(auto find,
                   db.Prepare("SELECT id, epoch, epoch_uuid, durable FROM inbox_producers "
                              "WHERE site=? AND producer=? AND lineage=?"));
  ASSIGN_OR_RETURN(
      auto add,
      db.Prepare("INSERT INTO inbox_producers(site, producer, lineage, epoch, epoch_uuid, durable, "
                 "greeted_us) VALUES(?,?,?,0,x'',0,0)"));
  ASSIGN_OR_RETURN(
      auto greet,
      db.Prepare("UPDATE inbox_producers SET epoch=?, epoch_uuid=?, greeted_us=? WHERE id=?"));
  ASSIGN_OR_RETURN(auto set_durable, db.Prepare("UPDATE inbox_producers SET durable=? WHERE id=?"));
  ASSIGN_OR_RETURN(auto is_ahead,
                   db.Prepare("SELECT 1 FROM inbox_ahead WHERE producer=? AND sequence=?"));
  ASSIGN_OR_RETURN(auto add_ahead, db.Prepare("INSERT OR IGNORE INTO inbox_ahead VALUES(?,?)"));
  ASSIGN_OR_RETURN(auto drop_ahead,
                   db.Prepare("DELETE FROM inbox_ahead WHERE producer=? AND sequence<=?"));
  ASSIGN_OR_RETURN(auto find_id, db.Prepare("SELECT fingerprint FROM inbox_ids WHERE id=?"));
  ASSIGN_OR_RETURN(auto add_id, db.Prepare("INSERT INTO inbox_ids VALUES(?,?)"));
  ASSIGN_OR_RETURN(
      auto quarantine,
      db.Prepare("INSERT INTO inbox_quarantine(at_us, site, producer, epoch, sequence, "
                 "reason, bytes) VALUES(?,?,?,?,?,?,?)"));
  ASSIGN_OR_RETURN(auto trim_quarantine, db.Prepare("DELETE FROM inbox_quarantine WHERE id<=?"));
  ASSIGN_OR_RETURN(
      auto fault,
      db.Prepare(
          "INSERT INTO inbox_faults(at_us, site, producer, kind, detail) VALUES(?,?,?,?,?)"));
  ASSIGN_OR_RETURN(auto trim_faults, db.Prepare("DELETE FROM inbox_faults WHERE id<=?"));
  ASSIGN_OR_RETURN(
      auto list,
      db.Prepare("SELECT at_us, producer, epoch, sequence, reason, bytes FROM inbox_quarantine "
                 "ORDER BY id DESC LIMIT ?"));
  std::unique_ptr<InboxLedger> ledger(new InboxLedger(db, clock));
  ledger->statements_ = std::make_unique<Statements>(Statements{
      std::move(find), std::move(add), std::move(greet), std::move(set_durable),
      std::move(is_ahead), std::move(add_ahead), std::move(drop_ahead), std::move(find_id),
      std::move(add_id), std::move(quarantine), std::move(trim_quarantine), std::move(fault),
      std::move(trim_faults), std::move(list)});
  return ledger;
}

absl::StatusOr<Greeting> InboxLedger::Greet(const ProducerHello& hello) {
  Statements& sql = *statements_;
  ASSIGN_OR_RETURN(std::optional<ProducerRow> row, FindProducer(sql.find, hello.producer));
  if (row && row->epoch != 0) {
    if (const std::string objection = Objection(hello, *row); !objection.empty()) {
      RETURN_IF_ERROR(NoteFault(hello.producer, "refused", objection));
      return Greeting{.accepted = false, .reason = objection};
    }
  }
  if (!row) {
    RETURN_IF_ERROR(sql.add.Bind(1, hello.producer.site_id)
                        .Bind(2, hello.producer.producer)
                        .BindBlob(3, hello.producer.lineage)
                        .Run());
    row = ProducerRow{.id = connection_.LastInsertRowId()};
  }
  RETURN_IF_ERROR(sql.greet.Bind(1, static_cast<int64_t>(hello.epoch))
                      .BindBlob(2, hello.epoch_uuid)
                      .Bind(3, ToMicros(clock_.Wall()))
                      .Bind(4, row->id)
                      .Run());
  Greeting greeting{.accepted = true, .durable_sequence = row->durable};
  if (hello.lowest_unacknowledged > row->durable + 1) {
    greeting.missing = hello.lowest_unacknowledged - row->durable - 1;
    greeting.durable_sequence = hello.lowest_unacknowledged - 1;
    RETURN_IF_ERROR(NoteFault(
        hello.producer, "gap",
        fmt::format("records {} to {} are neither here nor in the producer's outbox: this database "
                    "was restored from an older copy",
                    row->durable + 1, greeting.durable_sequence)));
    RETURN_IF_ERROR(sql.set_durable.Bind(1, static_cast<int64_t>(greeting.durable_sequence))
                        .Bind(2, row->id)
                        .Run());
  }
  return greeting;
}

absl::Status InboxLedger::Admit(InboxRecord& record) {
  CORDON_CHECK(record.admission == Admission::kUndecided,
               "a record is admitted once per transaction");
  Statements& sql = *statements_;
  ASSIGN_OR_RETURN(const std::optional<ProducerRow> row, FindProducer(sql.find, record.producer));
  if (!row)
    return absl::FailedPreconditionError(
        fmt::format("{} sends before it was greeted", record.producer.producer));
  record.durable_sequence = row->durable;
  if (record.sequence == 0) {  // a frame that could not be read: whose number it was is unknown
    record.admission = Admission::kQuarantined;
    return Quarantine(record, record.poison);
  }
  bool seen = record.sequence <= row->durable;
  if (!seen) {
    const absl::StatusOr<bool> ahead =
        sql.is_ahead.Bind(1, row->id).Bind(2, static_cast<int64_t>(record.sequence)).Step();
    sql.is_ahead.Reset();
    RETURN_IF_ERROR(ahead.status());
    seen = *ahead;
  }
  if (seen) {
    record.admission = Admission::kDuplicate;
    return absl::OkStatus();
  }
  if (!record.poison.empty()) {
    RETURN_IF_ERROR(Quarantine(record, record.poison));
    record.admission = Admission::kQuarantined;
  } else {
    RETURN_IF_ERROR(DecideById(record));
  }
  return MoveCursor(row->id, record);
}

absl::Status InboxLedger::DecideById(InboxRecord& record) {
  Statements& sql = *statements_;
  const std::string id = RecordId(record.record);
  const std::string fingerprint = Fingerprint(record.bytes);
  const absl::StatusOr<bool> found = sql.find_id.Bind(1, id).Step();
  const bool same = found.ok() && *found && sql.find_id.Blob(0) == fingerprint;
  sql.find_id.Reset();
  RETURN_IF_ERROR(found.status());
  if (!*found) {
    record.admission = Admission::kFresh;
    return sql.add_id.Bind(1, id).BindBlob(2, fingerprint).Run();
  }
  if (same) {
    record.admission = Admission::kDuplicate;
    return absl::OkStatus();
  }
  record.admission = Admission::kQuarantined;
  return Quarantine(record, fmt::format("{} is already here with other content", id));
}

absl::Status InboxLedger::MoveCursor(int64_t producer_row, InboxRecord& record) {
  Statements& sql = *statements_;
  if (record.sequence != record.durable_sequence + 1)
    return sql.add_ahead.Bind(1, producer_row).Bind(2, static_cast<int64_t>(record.sequence)).Run();
  uint64_t durable = record.sequence;
  while (true) {
    const absl::StatusOr<bool> next =
        sql.is_ahead.Bind(1, producer_row).Bind(2, static_cast<int64_t>(durable + 1)).Step();
    sql.is_ahead.Reset();
    RETURN_IF_ERROR(next.status());
    if (!*next) break;
    ++durable;
  }
  if (durable > record.sequence)
    RETURN_IF_ERROR(
        sql.drop_ahead.Bind(1, producer_row).Bind(2, static_cast<int64_t>(durable)).Run());
  record.durable_sequence = durable;
  return sql.set_durable.Bind(1, static_cast<int64_t>(durable)).Bind(2, producer_row).Run();
}

absl::Status InboxLedger::Quarantine(const InboxRecord& record, std::string_view reason) {
  RETURN_IF_ERROR(statements_->quarantine.Bind(1, ToMicros(clock_.Wall()))
                      .Bind(2, record.producer.site_id)
                      .Bind(3, record.producer.producer)
                      .Bind(4, static_cast<int64_t>(record.epoch))
                      .Bind(5, static_cast<int64_t>(record.sequence))
                      .Bind(6, reason)
                      .BindBlob(7, WithoutPicture(record.bytes))
                      .Run());
  const auto oldest_kept =
      connection_.LastInsertRowId() - static_cast<int64_t>(kMaxQuarantinedRows);
  return statements_->trim_quarantine.Bind(1, oldest_kept).Run();
}

absl::Status InboxLedger::NoteFault(const ProducerKey& producer, std::string_view kind,
                                    std::string_view detail) {
  RETURN_IF_ERROR(statements_->fault.Bind(1, ToMicros(clock_.Wall()))
                      .Bind(2, producer.site_id)
                      .Bind(3, producer.producer)
                      .Bind(4, kind)
                      .Bind(5, detail)
                      .Run());
  return statements_->trim_faults.Bind(1, connection_.LastInsertRowId() - kMaxFaultRows).Run();
}

absl::StatusOr<uint64_t> InboxLedger::DurableSequence(const ProducerKey& producer) {
  ASSIGN_OR_RETURN(const std::optional<ProducerRow> row, FindProducer(statements_->find, producer));
  return row ? row->durable : 0;
}

absl::StatusOr<std::vector<QuarantinedRecord>> InboxLedger::Quarantined(size_t most) {
  sqlite::Statement& list = statements_->list_quarantine;
  list.Bind(1, static_cast<int64_t>(most));
  std::vector<QuarantinedRecord> rows;
  while (true) {
    const absl::StatusOr<bool> row = list.Step();
    if (!row.ok() || !*row) {
      list.Reset();
      RETURN_IF_ERROR(row.status());
      return rows;
    }
    rows.push_back({WallFromMicros(list.Int(0)), std::string(list.Text(1)),
                    static_cast<uint64_t>(list.Int(2)), static_cast<uint64_t>(list.Int(3)),
                    std::string(list.Text(4)), std::string(list.Blob(5))});
  }
}

std::string RecordId(const proto::OutboxRecord& record) {
  return record.has_evidence() ? "evidence:" + record.evidence().alert_id() : record.alert().id();
}

}  // namespace cordon
