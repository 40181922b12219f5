// SPDX-License-Identifier: Apache-2.0
#include "base/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <utility>

#include "base/check.h"
#include "base/file_util.h"

namespace cordon::sqlite {
namespace {

absl::Status ToStatus(sqlite3* db, int code, std::string_view path) {
  const std::string message =
      fmt::format("{}: SQLite says: {}", path, db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code));
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT: {
      const int extended = db != nullptr ? sqlite3_extended_errcode(db) : code;
      if (extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY)
        return absl::AlreadyExistsError(message);
      return absl::InvalidArgumentError(message);
    }
    case SQLITE_FULL: return absl::ResourceExhaustedError(message + "; free space on this disk");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return absl::DataLossError(message);
    case SQLITE_CANTOPEN: return absl::NotFoundError(message);
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return absl::UnavailableError(message);
    default: return absl::InternalError(message);
  }
}

absl::StatusOr<int> LockForWriting(const std::string& path) {
  const std::string lock_path = path + ".lock";
  const int fd = ::open(lock_path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) return absl::ErrnoToStatus(errno, fmt::format("cannot create {}", lock_path));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    ::close(fd);
    return absl::FailedPreconditionError(
        fmt::format("{} is in use by another process; stop it, or give this one another data_dir", path));
  }
  return fd;
}

constexpr std::string_view kWriterPragmas =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA mmap_size=0;"
    "PRAGMA wal_autocheckpoint=1000; PRAGMA journal_size_limit=16777216;"
    // What is deleted (pictures) is overwritten, whatever the library was built with.
    "PRAGMA secure_delete=ON;";

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const std::string& path, Mode mode) {
  std::unique_ptr<Connection> connection(new Connection);
  connection->path_ = path;
  const bool writes = mode == Mode::kReadWrite;
  bool created = false;
  if (writes) {
    ASSIGN_OR_RETURN(connection->lock_fd_, LockForWriting(path));
    created = ::access(path.c_str(), F_OK) != 0;
  }
  if (!writes && ::access(path.c_str(), F_OK) != 0)
    return absl::NotFoundError(fmt::format("{}: no such file; check the path", path));
  const int flags = (writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &connection->db_, flags, nullptr);
  if (code != SQLITE_OK) return ToStatus(connection->db_, code, path);
  sqlite3_extended_result_codes(connection->db_, 1);
  sqlite3_busy_timeout(connection->db_, 2000);
  if (writes) {
    RETURN_IF_ERROR(connection->Execute(kWriterPragmas));
    if (created) RETURN_IF_ERROR(SyncParentDirectory(path));
  }
  return connection;
}

Connection::~Connection() {
  sqlite3_close_v2(db_);
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

absl::Status Connection::Execute(std::string_view sql) {
  const std::string text(sql);
  const int code = sqlite3_exec(db_, text.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : ToStatus(db_, code, path_);
}

absl::StatusOr<Statement> Connection::Prepare(std::string_view sql) {
  sqlite3_stmt* stmt = nullptr;
  const int code = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &stmt,
                                      nullptr);
  if (code != SQLITE_OK) return ToStatus(db_, code, path_);
  return Statement(this, stmt);
}

absl::StatusOr<int64_t> Connection::Format() {
  ASSIGN_OR_RETURN(Statement query, Prepare("PRAGMA user_version"));
  RETURN_IF_ERROR(query.Step().status());
  return query.Int(0);
}

absl::Status Connection::RequireFormat(int64_t least) {
  ASSIGN_OR_RETURN(const int64_t version, Format());
  if (version >= least) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("{} has format {} and was written by an older Cordon; this needs {}: start its node or dispatcher once "
                  "with this version",
                  path_, version, least));
}

absl::Status Connection::Migrate(std::span<const std::string_view> steps) {
  ASSIGN_OR_RETURN(int64_t version, Format());
  if (version > static_cast<int64_t>(steps.size())) {
    return absl::FailedPreconditionError(
        fmt::format("{} has format {} and was written by a newer Cordon; this one knows up to {}: upgrade, or use "
                    "another data_dir",
                    path_, version, steps.size()));
  }
  for (; version < static_cast<int64_t>(steps.size()); ++version) {
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*this));
    RETURN_IF_ERROR(Execute(steps[static_cast<size_t>(version)]));
    RETURN_IF_ERROR(Execute(fmt::format("PRAGMA user_version={}", version + 1)));
    RETURN_IF_ERROR(transaction.Commit());
  }
  return absl::OkStatus();
}

int64_t Connection::LastInsertRowId() const { return sqlite3_last_insert_rowid(db_); }
int Connection::Changes() const { return sqlite3_changes(db_); }

Statement::Statement(Statement&& other) noexcept
    : connection_(other.connection_), stmt_(std::exchange(other.stmt_, nullptr)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(connection_, other.connection_);
  std::swap(stmt_, other.stmt_);
  return *this;
}

Statement::~Statement() { sqlite3_finalize(stmt_); }

Statement& Statement::Bind(int at, int64_t value) {
  CORDON_CHECK(sqlite3_bind_int64(stmt_, at, value) == SQLITE_OK, "bind position out of range");
  return *this;
}

Statement& Statement::Bind(int at, double value) {
  CORDON_CHECK(sqlite3_bind_double(stmt_, at, value) == SQLITE_OK, "bind position out of range");
  return *this;
}

Statement& Statement::Bind(int at, std::string_view text) {
  CORDON_CHECK(sqlite3_bind_text64(stmt_, at, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8) == SQLITE_OK,
               "bind position out of range");
  return *this;
}

Statement& Statement::BindBlob(int at, std::string_view bytes) {
  const char* data = bytes.empty() ? "" : bytes.data();  // a null pointer would bind NULL
  CORDON_CHECK(sqlite3_bind_blob64(stmt_, at, data, bytes.size(), SQLITE_TRANSIENT) == SQLITE_OK,
               "bind position out of range");
  return *this;
}

Statement& Statement::BindNull(int at) {
  CORDON_CHECK(sqlite3_bind_null(stmt_, at) == SQLITE_OK, "bind position out of range");
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  const int code = sqlite3_step(stmt_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return ToStatus(connection_->db_, code, connection_->path_);
}

absl::Status Statement::Run() {
  absl::StatusOr<bool> row = Step();
  while (row.ok() && *row) row = Step();
  const absl::Status status = row.status();
  Reset();
  return status;
}

void Statement::Reset() {
  sqlite3_reset(stmt_);
  sqlite3_clear_bindings(stmt_);
}

int64_t Statement::Int(int column) const { return sqlite3_column_int64(stmt_, column); }
double Statement::Real(int column) const { return sqlite3_column_double(stmt_, column); }

std::string_view Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(stmt_, column));
  return text == nullptr ? std::string_view{} : std::string_view(text, static_cast<size_t>(sqlite3_column_bytes(stmt_, column)));
}

std::string_view Statement::Blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(stmt_, column));
  return bytes == nullptr ? std::string_view{} : std::string_view(bytes, static_cast<size_t>(sqlite3_column_bytes(stmt_, column)));
}

bool Statement::IsNull(int column) const { return sqlite3_column_type(stmt_, column) == SQLITE_NULL; }

absl::StatusOr<Transaction> Transaction::Begin(Connection& connection) {
  RETURN_IF_ERROR(connection.Execute("BEGIN IMMEDIATE"));
  return Transaction(&connection);
}

Transaction::~Transaction() {
  if (connection_ != nullptr) connection_->Execute("ROLLBACK").IgnoreError();
}

absl::Status Transaction::Commit() {
  RETURN_IF_ERROR(connection_->Execute("COMMIT"));
  connection_ = nullptr;
  return absl::OkStatus();
}

}  // namespace cordon::sqlite
