// SPDX-License-Identifier: Apache-2.0
#include "bus/outbox_store.h"

#include <sodium.h>

#include <array>

#include "base/check.h"
#include "bus/wire.h"

namespace cordon {
namespace {

constexpr size_t kUuidBytes = 16;

constexpr std::array<std::string_view, 2> kMigrations = {R"sql(
  CREATE TABLE outbox(
    sequence INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, crc32c INTEGER NOT NULL, record BLOB NOT NULL);
  CREATE TABLE outbox_state(
    id INTEGER PRIMARY KEY CHECK(id = 1), site TEXT NOT NULL, producer TEXT NOT NULL,
    lineage BLOB NOT NULL,             -- of this file, for ever
    epoch INTEGER NOT NULL,            -- rises with each start
    epoch_uuid BLOB NOT NULL,          -- the same epoch with another uuid is a copy
    last_sequence INTEGER NOT NULL,    -- rows may be gone, numbers never return
    acknowledged INTEGER NOT NULL);
)sql",
                                                         R"sql(
  -- When an undelivered alert loses its picture; 0: it has none. What is here already has a day.
  ALTER TABLE outbox ADD COLUMN picture_until_us INTEGER NOT NULL DEFAULT 0;
  UPDATE outbox SET picture_until_us = (strftime('%s', 'now') + 86400) * 1000000;
  CREATE INDEX outbox_by_picture ON outbox(picture_until_us) WHERE picture_until_us > 0;
  CREATE TABLE picture_deletion(
    number INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, camera TEXT NOT NULL, alert_id TEXT NOT NULL, bytes INTEGER NOT NULL);
)sql"};

std::string RandomUuid() {
  CORDON_CHECK(sodium_init() >= 0, "libsodium starts");
  std::string bytes(kUuidBytes, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

}  // namespace

absl::Status MigrateOutbox(sqlite::Connection& connection) {
  return connection.Migrate(kMigrations);
}

absl::Status RequireOutboxFormat(sqlite::Connection& connection) {
  return connection.RequireFormat(kMigrations.size());
}

struct OutboxStore::Statements {
  sqlite::Statement insert, save_last, prune, save_acknowledged;
};
void OutboxStore::Deleter::operator()(Statements* statements) const { delete statements; }

absl::StatusOr<std::unique_ptr<OutboxStore>> OutboxStore::Open(const std::string& path,
                                                               const std::string& site_id,
                                                               const std::string& producer) {
  std::unique_ptr<OutboxStore> store(new OutboxStore);
  ASSIGN_OR_RETURN(store->connection_,
                   sqlite::Connection::Open(path, sqlite::Connection::Mode::kReadWrite));
  RETURN_IF_ERROR(MigrateOutbox(*store->connection_));
  RETURN_IF_ERROR(store->BeginEpoch(site_id, producer));
  sqlite::Connection& db = *store->connection_;
  ASSIGN_OR_RETURN(auto insert, db.Prepare("INSERT INTO outbox(sequence, epoch, crc32c, record, "
                                           "picture_until_us) VALUES(?,?,?,?,?)"));
  ASSIGN_OR_RETURN(auto save_last, db.Prepare("UPDATE outbox_state SET last_sequence=?"));
  ASSIGN_OR_RETURN(auto prune, db.Prepare("DELETE FROM outbox WHERE sequence<=?"));
  ASSIGN_OR_RETURN(auto save_acknowledged, db.Prepare("UPDATE outbox_state SET acknowledged=?"));
  store->statements_.reset(new Statements{std::move(insert), std::move(save_last), std::move(prune),
                                          std::move(save_acknowledged)});
  return store;
}

absl::Status OutboxStore::BeginEpoch(const std::string& site_id, const std::string& producer) {
  sqlite::Connection& db = *connection_;
  ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(db));
  identity_ = {site_id, producer, RandomUuid(), 1, RandomUuid()};
  ASSIGN_OR_RETURN(
      sqlite::Statement query,
      db.Prepare(
          "SELECT site, producer, lineage, epoch, last_sequence, acknowledged FROM outbox_state"));
  ASSIGN_OR_RETURN(const bool known, query.Step());
  if (known) {
    if (query.Text(0) != site_id || query.Text(1) != producer)
      return absl::FailedPreconditionError(fmt::format(
          "{} belongs to {} of site {}, not to {} of {}: give each node its own data_dir",
          db.path(), query.Text(1), query.Text(0), producer, site_id));
    identity_.lineage = query.Blob(2);
    identity_.epoch = static_cast<uint64_t>(query.Int(3)) + 1;
    last_ = static_cast<uint64_t>(query.Int(4));
    acknowledged_ = static_cast<uint64_t>(query.Int(5));
  }
  query.Reset();
  ASSIGN_OR_RETURN(
      sqlite::Statement save,
      db.Prepare(
          "INSERT OR REPLACE INTO outbox_state(id, site, producer, lineage, epoch, epoch_uuid, "
          "last_sequence, acknowledged) VALUES(1,?,?,?,?,?,?,?)"));
  RETURN_IF_ERROR(save.Bind(1, site_id)
                      .Bind(2, producer)
                      .BindBlob(3, identity_.lineage)
                      .Bind(4, static_cast<int64_t>(identity_.epoch))
                      .BindBlob(5, identity_.epoch_uuid)
                      .Bind(6, static_cast<int64_t>(last_))
                      .Bind(7, static_cast<int64_t>(acknowledged_))
                      .Run());
  return transaction.Commit();
}

absl::Status OutboxStore::Commit(std::span<proto::OutboxRecord> records, uint64_t acknowledged,
                                 const Clock& clock) {
  ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(*connection_));
  uint64_t sequence = last_;
  for (proto::OutboxRecord& record : records) RETURN_IF_ERROR(Insert(record, ++sequence, clock));
  if (!records.empty())
    RETURN_IF_ERROR(statements_->save_last.Bind(1, static_cast<int64_t>(sequence)).Run());
  if (acknowledged > acknowledged_) {
    RETURN_IF_ERROR(statements_->prune.Bind(1, static_cast<int64_t>(acknowledged)).Run());
    RETURN_IF_ERROR(
        statements_->save_acknowledged.Bind(1, static_cast<int64_t>(acknowledged)).Run());
  }
  RETURN_IF_ERROR(transaction.Commit());
  last_ = sequence;
  acknowledged_ = std::max(acknowledged_, acknowledged);
  return absl::OkStatus();
}

absl::Status OutboxStore::Insert(proto::OutboxRecord& record, uint64_t sequence,
                                 const Clock& clock) {
  if (record.has_alert()) {
    proto::Alert& alert = *record.mutable_alert();
    alert.set_site_id(identity_.site_id);
    alert.set_producer(identity_.producer);
    alert.set_epoch(identity_.epoch);
    alert.set_epoch_uuid(identity_.epoch_uuid);
    alert.set_sequence(sequence);
    alert.mutable_stages()->set_boot_id(HostBootId());
    alert.mutable_stages()->set_committed_ns(ToNanos(clock.Boot()));
  }
  const std::string bytes = record.SerializeAsString();
  return statements_->insert.Bind(1, static_cast<int64_t>(sequence))
      .Bind(2, static_cast<int64_t>(identity_.epoch))
      .Bind(3, static_cast<int64_t>(wire::Crc32c(bytes)))
      .BindBlob(4, bytes)
      .Bind(5, PictureUntil(record, clock))
      .Run();
}

int64_t OutboxStore::PictureUntil(const proto::OutboxRecord& record, const Clock& clock) const {
  if (record.alert().snapshot_jpeg().empty() || !keep_picture_) return 0;
  return ToMicros(clock.Wall() + keep_picture_(record.alert().event().camera_id()));
}

absl::StatusOr<std::unique_ptr<OutboxReader>> OutboxReader::Open(const std::string& path) {
  ASSIGN_OR_RETURN(auto connection,
                   sqlite::Connection::Open(path, sqlite::Connection::Mode::kReadOnly));
  ASSIGN_OR_RETURN(auto read,
                   connection->Prepare("SELECT sequence, epoch, crc32c, record FROM outbox "
                                       "WHERE sequence>? ORDER BY sequence LIMIT ?"));
  return std::unique_ptr<OutboxReader>(new OutboxReader(std::move(connection), std::move(read)));
}

absl::StatusOr<std::vector<OutboxRow>> OutboxReader::ReadAfter(uint64_t sequence, size_t most) {
  std::vector<OutboxRow> rows;
  read_.Bind(1, static_cast<int64_t>(sequence)).Bind(2, static_cast<int64_t>(most));
  absl::StatusOr<bool> found = read_.Step();
  for (; found.ok() && *found; found = read_.Step())
    rows.push_back({.sequence = static_cast<uint64_t>(read_.Int(0)),
                    .epoch = static_cast<uint64_t>(read_.Int(1)),
                    .crc32c = static_cast<uint32_t>(read_.Int(2)),
                    .bytes = std::string(read_.Blob(3))});
  read_.Reset();  // ends the read transaction, so that checkpoints can finish
  if (!found.ok()) return found.status();
  return rows;
}

}  // namespace cordon
