// SPDX-License-Identifier: Apache-2.0
// The outbox's SQLite file. Internal to bus/.
#pragma once

#include <cstdint>
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

// The writing connection: owned and used by the write thread after Open.
class OutboxStore {
 public:
  // Opens or creates the file and commits a new epoch with a fresh uuid. FAILED_PRECONDITION: in
  // use by another process, or it belongs to another site or producer.
  static absl::StatusOr<std::unique_ptr<OutboxStore>> Open(const std::string& path,
                                                           const std::string& site_id,
                                                           const std::string& producer);

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

  std::unique_ptr<sqlite::Connection> connection_;
  struct Statements;
  struct Deleter {
    void operator()(Statements* statements) const;
  };
  std::unique_ptr<Statements, Deleter> statements_;  // ended before the connection
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
