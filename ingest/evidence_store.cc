// SPDX-License-Identifier: Apache-2.0
#include "ingest/evidence_store.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <set>
#include <utility>

#include "base/log.h"

namespace cordon {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSchema[] = {R"(
  CREATE TABLE evidence(
    id TEXT PRIMARY KEY, camera TEXT NOT NULL, alert_id TEXT NOT NULL, sha256 BLOB NOT NULL, bytes INTEGER NOT NULL,
    first_wall_us INTEGER NOT NULL, duration_us INTEGER NOT NULL, expires_us INTEGER NOT NULL,
    held INTEGER NOT NULL DEFAULT 0, hold_reason TEXT NOT NULL DEFAULT '') WITHOUT ROWID;
  CREATE INDEX evidence_by_expiry ON evidence(expires_us) WHERE held = 0;
  CREATE TABLE deletion(
    id TEXT NOT NULL, camera TEXT NOT NULL, sha256 BLOB, bytes INTEGER NOT NULL, deleted_us INTEGER NOT NULL,
    reason TEXT NOT NULL);
)",
                                        R"(
  ALTER TABLE deletion ADD COLUMN alert_id TEXT NOT NULL DEFAULT '';
  CREATE TABLE prevented_deletion(
    id TEXT NOT NULL, camera TEXT NOT NULL, bytes INTEGER NOT NULL, prevented_us INTEGER NOT NULL, reason TEXT NOT NULL,
    alert_id TEXT NOT NULL, hold_reason TEXT NOT NULL, PRIMARY KEY (id, reason, hold_reason)) WITHOUT ROWID;
  CREATE INDEX evidence_held_by_expiry ON evidence(expires_us) WHERE held = 1;
)"};

constexpr int kDeletionsAtOnce = 64;
constexpr std::string_view kSelect =
    "SELECT id, camera, alert_id, sha256, bytes, first_wall_us, duration_us, expires_us, held FROM "
    "evidence ";

absl::StatusOr<std::vector<DeletionRow>> ReadLog(sqlite::Connection& db, size_t newest) {
  ASSIGN_OR_RETURN(
      sqlite::Statement select,
      db.Prepare("SELECT id, camera, deleted_us AS at_us, reason, bytes, alert_id, 0, '' FROM deletion "
                 "UNION ALL "
                 "SELECT id, camera, prevented_us, reason, bytes, alert_id, 1, hold_reason FROM "
                 "prevented_deletion ORDER BY at_us DESC, id DESC LIMIT ?"));
  select.Bind(1, static_cast<int64_t>(newest));
  std::vector<DeletionRow> rows;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, select.Step());
    if (!more) return rows;
    rows.push_back({Ulid::Parse(select.Text(0)).value_or(Ulid()),
                    CameraId(std::string(select.Text(1))), WallFromMicros(select.Int(2)),
                    std::string(select.Text(3)), static_cast<uint64_t>(select.Int(4)),
                    std::string(select.Text(5)), select.Int(6) != 0, std::string(select.Text(7))});
  }
}

EvidenceRow RowOf(const sqlite::Statement& s) {
  EvidenceRow row;
  row.id = Ulid::Parse(s.Text(0)).value_or(Ulid());
  row.camera = CameraId(std::string(s.Text(1)));
  row.alert_id = std::string(s.Text(2));
  const std::string_view sha = s.Blob(3);
  std::copy_n(sha.begin(), std::min(sha.size(), row.facts.sha256.size()), row.facts.sha256.begin());
  row.facts.bytes = static_cast<uint64_t>(s.Int(4));
  row.facts.first_wall = WallFromMicros(s.Int(5));
  row.facts.duration = Microseconds(s.Int(6));
  row.expires = WallFromMicros(s.Int(7));
  row.held = s.Int(8) != 0;
  return row;
}

std::string_view BytesOf(const std::array<uint8_t, 32>& sha) {
  return {reinterpret_cast<const char*>(sha.data()), sha.size()};
}

}  // namespace

absl::StatusOr<std::unique_ptr<EvidenceStore>> EvidenceStore::Open(Options options,
                                                                   const Clock& clock) {
  ASSIGN_OR_RETURN(Folder folder, Folder::Open(options.folder));
  std::unique_ptr<EvidenceStore> store(
      new EvidenceStore(std::move(options), std::move(folder), clock));
  absl::MutexLock lock(&store->mutex_);
  ASSIGN_OR_RETURN(store->db_, sqlite::Connection::Open(store->options_.folder + "/evidence.db",
                                                        sqlite::Connection::Mode::kReadWrite));
  RETURN_IF_ERROR(store->db_->Migrate(kSchema));
  RETURN_IF_ERROR(store->Repair());
  return store;
}

// A file without a row was never announced; a row without a file lost its file to somebody else.
absl::Status EvidenceStore::Repair() {
  std::set<std::string> rows;
  ASSIGN_OR_RETURN(sqlite::Statement all, db_->Prepare("SELECT id FROM evidence"));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, all.Step());
    if (!more) break;
    rows.insert(std::string(all.Text(0)));
  }
  std::error_code error;
  for (fs::directory_iterator it(options_.folder, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    const bool part = name.ends_with(".mp4.part");
    if (!part && !name.ends_with(".mp4")) continue;
    if (!part && rows.erase(name.substr(0, name.size() - 4)) > 0) continue;
    log::Warning("unfinished clip removed", {{"file", name}});
    RETURN_IF_ERROR(folder_.Remove(name));
  }
  for (const std::string& id : rows) {
    log::Error("a clip's file is missing", {{"clip", id}});
    ASSIGN_OR_RETURN(EvidenceRow row, [&]() -> absl::StatusOr<EvidenceRow> {
      ASSIGN_OR_RETURN(sqlite::Statement one, db_->Prepare(fmt::format("{}WHERE id = ?", kSelect)));
      one.Bind(1, id);
      RETURN_IF_ERROR(one.Step().status());
      return RowOf(one);
    }());
    RETURN_IF_ERROR(
        DeleteLocked({row.id, row.camera, clock_.Wall(), "file missing", row.facts.bytes}));
  }
  return absl::OkStatus();
}

absl::Status EvidenceStore::Add(const EvidenceRow& row) {
  absl::MutexLock lock(&mutex_);
  ASSIGN_OR_RETURN(
      sqlite::Statement insert,
      db_->Prepare(
          "INSERT INTO evidence(id, camera, alert_id, sha256, bytes, first_wall_us, duration_us, "
          "expires_us) VALUES(?,?,?,?,?,?,?,?)"));
  insert.Bind(1, row.id.str())
      .Bind(2, row.camera.str())
      .Bind(3, row.alert_id)
      .BindBlob(4, BytesOf(row.facts.sha256));
  insert.Bind(5, static_cast<int64_t>(row.facts.bytes)).Bind(6, ToMicros(row.facts.first_wall));
  insert.Bind(7, static_cast<int64_t>(row.facts.duration.count())).Bind(8, ToMicros(row.expires));
  return insert.Run();
}

absl::StatusOr<EvidenceRow> EvidenceStore::Find(const Ulid& id) const {
  absl::MutexLock lock(&mutex_);
  ASSIGN_OR_RETURN(sqlite::Statement one, db_->Prepare(fmt::format("{}WHERE id = ?", kSelect)));
  one.Bind(1, id.str());
  ASSIGN_OR_RETURN(const bool found, one.Step());
  if (!found)
    return absl::NotFoundError(
        fmt::format("no clip {}: unknown, or deleted by its retention", id.str()));
  return RowOf(one);
}

absl::StatusOr<std::string> EvidenceStore::Read(const Ulid& id, uint64_t offset,
                                                size_t most) const {
  ASSIGN_OR_RETURN(const EvidenceRow row, Find(id));
  if (offset > row.facts.bytes) return absl::OutOfRangeError("beyond the end of the clip");
  ASSIGN_OR_RETURN(const int fd, folder_.OpenFile(NameOf(id), O_RDONLY));
  std::string bytes(std::min<uint64_t>(most, row.facts.bytes - offset), '\0');
  const ssize_t got = pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
  close(fd);
  if (got < 0)
    return absl::DataLossError(fmt::format("clip {}: {}", id.str(), std::strerror(errno)));
  bytes.resize(static_cast<size_t>(got));
  return bytes;
}

absl::Status EvidenceStore::Limit(const CameraId& camera, Microseconds keep) {
  absl::MutexLock lock(&mutex_);
  ASSIGN_OR_RETURN(
      sqlite::Statement limit,
      db_->Prepare("UPDATE evidence SET expires_us = min(first_wall_us, ?1) + duration_us + ?2 "
                   "WHERE camera = ?3 AND expires_us > min(first_wall_us, ?1) + duration_us + ?2"));
  return limit.Bind(1, ToMicros(clock_.Wall()))
      .Bind(2, int64_t{keep.count()})
      .Bind(3, camera.str())
      .Run();
}

absl::Status EvidenceStore::SetHold(const Ulid& id, bool held, const std::string& reason) {
  absl::MutexLock lock(&mutex_);
  ASSIGN_OR_RETURN(sqlite::Statement update,
                   db_->Prepare("UPDATE evidence SET held = ?, hold_reason = ? WHERE id = ?"));
  update.Bind(1, static_cast<int64_t>(held ? 1 : 0)).Bind(2, reason).Bind(3, id.str());
  RETURN_IF_ERROR(update.Run());
  return db_->Changes() > 0 ? absl::OkStatus()
                            : absl::NotFoundError(fmt::format("no clip {}", id.str()));
}

absl::Status EvidenceStore::DeleteLocked(const DeletionRow& row) {
  ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(*db_));
  ASSIGN_OR_RETURN(
      sqlite::Statement log_it,
      db_->Prepare("INSERT INTO deletion(id, camera, sha256, bytes, alert_id, deleted_us, reason) "
                   "SELECT id, camera, sha256, bytes, alert_id, ?, ? FROM evidence WHERE id = ?"));
  log_it.Bind(1, ToMicros(row.at)).Bind(2, row.reason).Bind(3, row.id.str());
  RETURN_IF_ERROR(log_it.Run());
  ASSIGN_OR_RETURN(sqlite::Statement remove, db_->Prepare("DELETE FROM evidence WHERE id = ?"));
  remove.Bind(1, row.id.str());
  RETURN_IF_ERROR(remove.Run());
  RETURN_IF_ERROR(transaction.Commit());
  RemoveFiles({NameOf(row.id)});
  log::Info("clip deleted",
            {{"clip", row.id.str()}, {"camera", row.camera.str()}, {"why", row.reason}});
  return absl::OkStatus();
}

void EvidenceStore::RemoveFiles(std::vector<std::string> names) {
  for (std::string& name : names) {
    const absl::Status removed = folder_.Remove(name);
    if (removed.ok()) continue;
    log::Error("a deleted clip's file could not be removed; it is tried again",
               {{"file", name}, {"cause", MessageOf(removed)}});
    unremoved_.push_back(std::move(name));
  }
}

absl::StatusOr<std::vector<DeletionRow>> EvidenceStore::Candidates(std::string_view where,
                                                                   int64_t value,
                                                                   const char* reason) {
  ASSIGN_OR_RETURN(sqlite::Statement select,
                   db_->Prepare(fmt::format(
                       "SELECT id, camera, bytes, alert_id FROM evidence WHERE held = 0 AND {} LIMIT {}",
                       where, kDeletionsAtOnce)));
  select.Bind(1, value);
  std::vector<DeletionRow> rows;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, select.Step());
    if (!more) return rows;
    rows.push_back({Ulid::Parse(select.Text(0)).value_or(Ulid()),
                    CameraId(std::string(select.Text(1))), clock_.Wall(), reason,
                    static_cast<uint64_t>(select.Int(2)), std::string(select.Text(3))});
  }
}

absl::Status EvidenceStore::LogPrevented(std::string_view where, int64_t value,
                                         const char* reason) {
  ASSIGN_OR_RETURN(
      sqlite::Statement log_it,
      db_->Prepare(fmt::format("INSERT OR IGNORE INTO prevented_deletion(id, camera, bytes, alert_id, "
                               "hold_reason, prevented_us, reason) SELECT id, camera, bytes, "
                               "alert_id, hold_reason, ?, ? FROM evidence WHERE held = 1 AND {}",
                               where)));
  return log_it.Bind(1, ToMicros(clock_.Wall())).Bind(2, std::string_view(reason)).Bind(3, value).Run();
}

uint64_t EvidenceStore::FreeBytes() const {
  if (options_.free_bytes) return options_.free_bytes();
  struct statvfs info {};
  if (statvfs(options_.folder.c_str(), &info) != 0) return UINT64_MAX;
  return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
}

absl::StatusOr<std::vector<DeletionRow>> EvidenceStore::Sweep() {
  absl::MutexLock lock(&mutex_);
  RemoveFiles(std::exchange(unremoved_, {}));
  std::vector<DeletionRow> deleted;
  const int64_t now_us = ToMicros(clock_.Wall());
  RETURN_IF_ERROR(LogPrevented("expires_us <= ?", now_us, "retention"));
  ASSIGN_OR_RETURN(std::vector<DeletionRow> expired,
                   Candidates("expires_us <= ?", now_us, "retention"));
  for (DeletionRow& row : expired) {
    RETURN_IF_ERROR(DeleteLocked(row));
    deleted.push_back(std::move(row));
  }
  while (FreeBytes() < options_.free_bytes_floor && deleted.size() < kDeletionsAtOnce) {
    // ULIDs sort by time: the smallest id is the oldest clip.
    ASSIGN_OR_RETURN(std::vector<DeletionRow> oldest, Candidates("? = 0 ORDER BY id", 0, "space"));
    if (oldest.empty()) {
      RETURN_IF_ERROR(LogPrevented("? = 0", 0, "space"));
      break;
    }
    RETURN_IF_ERROR(DeleteLocked(oldest.front()));
    deleted.push_back(std::move(oldest.front()));
  }
  return deleted;
}

absl::StatusOr<std::vector<DeletionRow>> EvidenceStore::Deletions(size_t newest) const {
  absl::MutexLock lock(&mutex_);
  return ReadLog(*db_, newest);
}

absl::StatusOr<std::vector<DeletionRow>> EvidenceStore::ReadDeletions(const std::string& folder,
                                                                      size_t newest) {
  ASSIGN_OR_RETURN(const auto db, sqlite::Connection::Open(folder + "/evidence.db",
                                                           sqlite::Connection::Mode::kReadOnly));
  RETURN_IF_ERROR(db->RequireFormat(std::size(kSchema)));
  return ReadLog(*db, newest);
}

bool EvidenceStore::full() const { return FreeBytes() < options_.free_bytes_floor / 2; }

}  // namespace cordon
