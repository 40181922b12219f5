// SPDX-License-Identifier: Apache-2.0
// The only place that calls SQLite. Rule of the house: per file exactly one connection writes and checkpoints (versions
// up to 3.51.2 can corrupt a WAL that two connections reset at the same moment); any other opens read-only.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

struct sqlite3;
struct sqlite3_stmt;

namespace cordon::sqlite {

class Statement;

// One connection; used by one thread at a time. Not copyable, not movable: hold it by unique_ptr.
class Connection {
 public:
  enum class Mode {
    kReadWrite,  // creates the file; WAL, synchronous=FULL, foreign keys on, no mmap; takes an exclusive lock file
                 // (FILE.lock, flock) and answers FAILED_PRECONDITION when another process holds it
    kReadOnly,
  };
  // Errors: NOT_FOUND (read-only and missing), FAILED_PRECONDITION (second writer), DATA_LOSS (not a database or
  // corrupt), RESOURCE_EXHAUSTED (disk full), INTERNAL.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const std::string& path, Mode mode);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs SQL without parameters; several statements may be separated by ';'.
  absl::Status Execute(std::string_view sql);
  absl::StatusOr<Statement> Prepare(std::string_view sql);

  // PRAGMA user_version. Migrate runs steps[current..] each in one transaction; a newer file than steps.size() is
  // FAILED_PRECONDITION ("written by a newer Cordon").
  absl::Status Migrate(std::span<const std::string_view> steps);
  // For readers, which change nothing. FAILED_PRECONDITION: the file has not come so far yet.
  absl::Status RequireFormat(int64_t least);

  int64_t LastInsertRowId() const;
  int Changes() const;
  const std::string& path() const { return path_; }

 private:
  Connection() = default;
  absl::StatusOr<int64_t> Format();
  friend class Statement;
  sqlite3* db_ = nullptr;
  int lock_fd_ = -1;
  std::string path_;
};

// A prepared statement. Bind by 1-based position, Step until false, Reset to use again.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  ~Statement();

  Statement& Bind(int at, int64_t value);
  Statement& Bind(int at, double value);
  Statement& Bind(int at, std::string_view text);
  Statement& BindBlob(int at, std::string_view bytes);
  Statement& BindNull(int at);

  // True while a row is there; false when done. Errors as in Open, and ALREADY_EXISTS for a unique or primary key.
  absl::StatusOr<bool> Step();
  // For statements that return no rows: steps to the end and resets.
  absl::Status Run();
  void Reset();

  // Columns of the current row, 0-based. Text and blob views live until the next Step or Reset.
  int64_t Int(int column) const;
  double Real(int column) const;
  std::string_view Text(int column) const;
  std::string_view Blob(int column) const;
  bool IsNull(int column) const;

 private:
  friend class Connection;
  Statement(Connection* connection, sqlite3_stmt* stmt) : connection_(connection), stmt_(stmt) {}
  Connection* connection_ = nullptr;
  sqlite3_stmt* stmt_ = nullptr;
};

// BEGIN IMMEDIATE ... COMMIT; rolls back when destroyed without Commit().
class Transaction {
 public:
  static absl::StatusOr<Transaction> Begin(Connection& connection);
  Transaction(Transaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  // A failed COMMIT is never retried: the caller reopens the file or ends the process (fsync errors do not repeat).
  absl::Status Commit();

 private:
  explicit Transaction(Connection* connection) : connection_(connection) {}
  Connection* connection_;
};

}  // namespace cordon::sqlite
