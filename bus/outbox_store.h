// SPDX-License-Identifier: Apache-2.0
// The outbox's SQLite file. Internal to bus/.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/sqlite.h"
#include "base/status.h"
#include "bus/outbox_session.h"
#include "proto/alert.pb.h"

namespace cordon {

// Brings the tables of an outbox to this program's format, and asks a reader's file for it.
absl::Status MigrateOutbox(sqlite::Connection& connection);
absl::Status RequireOutboxFormat(sqlite::Connection& connection);

// The writing connection: owned and used by the write thread after Open.
class OutboxStore {
 public:
  // Opens or creates the file and commits a new epoch with a fresh uuid. FAILED_PRECONDITION: in
  // use by another process, or it belongs to another site or producer.
  static absl::StatusOr<std::unique_ptr<OutboxStore>> Open(const std::string& path,
                                                           const std::string& site_id,
                                                           const std::string& producer);

  // As AlertOutboxOptions::keep_picture.
  using KeepPicture = std::function<Microseconds(const std::string& camera_id)>;
  void set_keep_picture(KeepPicture keep) { keep_picture_ = std::move(keep); }

  // One transaction: the records in order with sequences from last_sequence() + 1, and, when
  // `acknowledged` has moved, the end of the rows up to it. Fills site, producer, epoch, uuid,
  // sequence and commit time of each alert. On an error nothing has happened.
  absl::Status Commit(std::span<proto::OutboxRecord> records, uint64_t acknowledged,
                      const Clock& clock);

  const OutboxIdentity& identity() const { return identity_; }
  uint64_t last_sequence() const { return last_; }
  uint64_t acknowledged() const { return acknowledged_; }  // as the file says
  sqlite::Connection& connection() { return *connection_; }

 private:
  OutboxStore() = default;
  absl::Status BeginEpoch(const std::string& site_id, const std::string& producer);
  absl::Status Insert(proto::OutboxRecord& record, uint64_t sequence, const Clock& clock);
  int64_t PictureUntil(const proto::OutboxRecord& record, const Clock& clock) const;

  std::unique_ptr<sqlite::Connection> connection_;
  struct Statements;
  struct Deleter {
    void operator()(Statements* statements) const;
  };
  std::unique_ptr<Statements, Deleter> statements_;  // ended before the connection
  KeepPicture keep_picture_;
  OutboxIdentity identity_;
  uint64_t last_ = 0;
  uint64_t acknowledged_ = 0;
};

// A read-only connection to the same file, for the send thread.
class OutboxReader final : public OutboxRows {
 public:
  static absl::StatusOr<std::unique_ptr<OutboxReader>> Open(const std::string& path);
  absl::StatusOr<std::vector<OutboxRow>> ReadAfter(uint64_t sequence, size_t most) override;

 private:
  OutboxReader(std::unique_ptr<sqlite::Connection> connection, sqlite::Statement read)
      : connection_(std::move(connection)), read_(std::move(read)) {}
  std::unique_ptr<sqlite::Connection> connection_;
  sqlite::Statement read_;  // ended before the connection
};

}  // namespace cordon
