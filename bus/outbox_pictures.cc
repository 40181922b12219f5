// SPDX-License-Identifier: Apache-2.0
#include "bus/outbox_pictures.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/log.h"
#include "bus/outbox_store.h"
#include "bus/wire.h"
#include "proto/alert.pb.h"

namespace cordon {
namespace {

constexpr uint64_t kPicturesAtOnce = 64;

struct Due {
  int64_t sequence = 0;
  std::string bytes;  // of the record
};

absl::StatusOr<std::vector<Due>> DueRecords(sqlite::Connection& connection, WallTime now) {
  ASSIGN_OR_RETURN(
      sqlite::Statement select,
      connection.Prepare("SELECT sequence, record FROM outbox WHERE picture_until_us > 0 "
                         "AND picture_until_us <= ? ORDER BY picture_until_us LIMIT ?"));
  select.Bind(1, ToMicros(now)).Bind(2, static_cast<int64_t>(kPicturesAtOnce));
  std::vector<Due> due;
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return due;
    due.push_back({select.Int(0), std::string(select.Blob(1))});
  }
}

absl::Status Record(sqlite::Connection& connection, const proto::Alert& alert, WallTime now) {
  ASSIGN_OR_RETURN(
      sqlite::Statement add,
      connection.Prepare("INSERT INTO picture_deletion(at_us, camera, alert_id, bytes) "
                         "VALUES(?,?,?,?)"));
  add.Bind(1, ToMicros(now)).Bind(2, alert.event().camera_id()).Bind(3, alert.id());
  return add.Bind(4, static_cast<int64_t>(alert.snapshot_jpeg().size())).Run();
}

// Takes the picture out of the record. False: it has none.
absl::StatusOr<bool> TakePicture(sqlite::Connection& connection, Due& due, WallTime now) {
  proto::OutboxRecord record;
  if (!record.ParseFromString(due.bytes)) {
    // The dispatcher will refuse it; what it may hold of a picture goes all the same.
    log::Error("a damaged record of an outbox was emptied: its picture's time is over",
               {{"path", connection.path()}, {"sequence", due.sequence}});
    due.bytes.clear();
    return false;
  }
  if (!record.has_alert() || record.alert().snapshot_jpeg().empty()) return false;
  RETURN_IF_ERROR(Record(connection, record.alert(), now));
  record.mutable_alert()->clear_snapshot_jpeg();
  due.bytes = record.SerializeAsString();
  return true;
}

}  // namespace

absl::StatusOr<uint64_t> DropOutboxPictures(sqlite::Connection& connection, WallTime now) {
  ASSIGN_OR_RETURN(std::vector<Due> due, DueRecords(connection, now));
  if (due.empty()) return 0;
  ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(connection));
  ASSIGN_OR_RETURN(
      sqlite::Statement put,
      connection.Prepare("UPDATE outbox SET record = ?, crc32c = ?, picture_until_us = 0 "
                         "WHERE sequence = ?"));
  uint64_t dropped = 0;
  for (Due& one : due) {
    ASSIGN_OR_RETURN(const bool had_picture, TakePicture(connection, one, now));
    if (had_picture) ++dropped;
    put.BindBlob(1, one.bytes).Bind(2, static_cast<int64_t>(wire::Crc32c(one.bytes)));
    RETURN_IF_ERROR(put.Bind(3, one.sequence).Run());
  }
  RETURN_IF_ERROR(transaction.Commit());
  return dropped;
}

absl::StatusOr<LeftOutbox> TendLeftOutbox(const std::string& path, WallTime now) {
  if (!std::filesystem::exists(path)) return absl::NotFoundError(fmt::format("no file {}", path));
  ASSIGN_OR_RETURN(auto connection,
                   sqlite::Connection::Open(path, sqlite::Connection::Mode::kReadWrite));
  RETURN_IF_ERROR(MigrateOutbox(*connection));
  LeftOutbox left;
  for (;;) {
    ASSIGN_OR_RETURN(const uint64_t dropped, DropOutboxPictures(*connection, now));
    left.pictures_dropped += dropped;
    ASSIGN_OR_RETURN(const std::vector<Due> more, DueRecords(*connection, now));
    if (more.empty()) break;
  }
  ASSIGN_OR_RETURN(
      sqlite::Statement state,
      connection->Prepare("SELECT producer, last_sequence - acknowledged FROM outbox_state"));
  ASSIGN_OR_RETURN(const bool known, state.Step());
  if (!known) return left;
  left.producer = std::string(state.Text(0));
  left.undelivered = static_cast<uint64_t>(state.Int(1));
  return left;
}

absl::StatusOr<std::vector<OutboxPictureDeletion>> ReadOutboxPictureDeletions(
    const std::string& path, size_t newest) {
  ASSIGN_OR_RETURN(const auto connection,
                   sqlite::Connection::Open(path, sqlite::Connection::Mode::kReadOnly));
  RETURN_IF_ERROR(RequireOutboxFormat(*connection));
  ASSIGN_OR_RETURN(
      sqlite::Statement select,
      connection->Prepare("SELECT at_us, camera, alert_id, bytes FROM picture_deletion "
                          "ORDER BY number DESC LIMIT ?"));
  select.Bind(1, static_cast<int64_t>(newest));
  std::vector<OutboxPictureDeletion> deletions;
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return deletions;
    deletions.push_back({WallFromMicros(select.Int(0)), std::string(select.Text(1)),
                         std::string(select.Text(2)), static_cast<uint64_t>(select.Int(3))});
  }
}

}  // namespace cordon
