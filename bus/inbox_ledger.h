// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/sqlite.h"
#include "base/status.h"
#include "proto/alert.pb.h"

namespace cordon {

// One outbox file: sequences are contiguous within a lineage. A node that got a new disk has a new
// lineage.
struct ProducerKey {
  std::string site_id;
  std::string producer;
  std::string lineage;  // 16 bytes
  friend auto operator<=>(const ProducerKey&, const ProducerKey&) = default;
};

// What InboxLedger::Admit said of a record.
enum class Admission {
  kUndecided,    // Admit was not called
  kFresh,        // seen for the first time: apply its effect now, in this transaction
  kDuplicate,    // seen before, same bytes: no effect
  kQuarantined,  // unusable, or the same id with other bytes: kept aside, no effect
};

// One record of the alert lane on its way into the dispatcher's database.
struct InboxRecord {
  ProducerKey producer;
  uint64_t epoch = 0;
  uint64_t sequence =
      0;  // 0: a frame that could not be read; it is quarantined and moves no cursor
  proto::OutboxRecord record;  // parsed and within limits; empty when `poison` says why not
  std::string bytes;           // as the producer committed them
  std::string poison;          // empty: usable
  BootTime received{};
  // Filled by InboxLedger::Admit:
  Admission admission = Admission::kUndecided;
  uint64_t durable_sequence = 0;  // the producer's cursor with this record in
};

// A producer's first words, as the ledger judges them.
struct ProducerHello {
  ProducerKey producer;
  uint64_t epoch = 0;
  std::string epoch_uuid;  // 16 bytes
  uint64_t lowest_unacknowledged = 0;
  uint64_t last_sequence = 0;
};

struct Greeting {
  bool accepted = false;
  std::string reason;             // why not, and what to do
  uint64_t durable_sequence = 0;  // the producer sends from the next one
  uint64_t missing = 0;  // records that the producer no longer has and this ledger never saw
};

struct QuarantinedRecord {
  WallTime at{};
  std::string producer;
  uint64_t epoch = 0;
  uint64_t sequence = 0;
  std::string reason;
  std::string bytes;  // without the picture, which would have no retention here
};

// The receiving half of exactly-once: which records of which producer are in, by sequence (a
// contiguous cursor and a small set ahead of it) and by record id, for ever. Works on the caller's
// connection inside the caller's transaction, so that the effect of a record and the memory of it
// are one commit:
//
//   ASSIGN_OR_RETURN(auto transaction, sqlite::Transaction::Begin(db));
//   for (InboxRecord& record : records) {
//     RETURN_IF_ERROR(ledger.Admit(record));
//     if (record.admission == Admission::kFresh) ... insert the alert ...
//   }
//   return transaction.Commit();
//
// Holds prepared statements and no other state: a rolled back transaction needs no repair here.
// Used by one thread at a time, like its connection. Destroy before the connection.
class InboxLedger {
 public:
  static constexpr size_t kMaxQuarantinedBytes = 64 * 1024;  // of one record
  static constexpr size_t kMaxUnreadableBytes = 1024;        // of one that is no record: no picture
  static constexpr size_t kMaxQuarantinedRows = 1000;        // the oldest go first

  // The ledger's tables (names begin with inbox_): one step of the caller's Connection::Migrate
  // list.
  static const std::string_view kTables;

  static absl::StatusOr<std::unique_ptr<InboxLedger>> Open(sqlite::Connection& connection,
                                                           const Clock& clock);
  ~InboxLedger();

  // Judges who begins to talk and remembers epoch and uuid. Refused, with the reason: the same
  // epoch with another uuid (a cloned disk), an older epoch or fewer records than are already here
  // (a restored copy). A gap (records that the producer has dropped and this ledger never saw) is
  // accepted, counted in `missing` and kept in inbox_faults.
  absl::StatusOr<Greeting> Greet(const ProducerHello& hello);

  // Decides about one record, moves the producer's cursor over it and fills record.admission and
  // .durable_sequence. FAILED_PRECONDITION: its producer was never greeted.
  absl::Status Admit(InboxRecord& record);

  absl::StatusOr<uint64_t> DurableSequence(const ProducerKey& producer);
  // Newest first.
  absl::StatusOr<std::vector<QuarantinedRecord>> Quarantined(size_t most);

 private:
  struct Statements;
  InboxLedger(sqlite::Connection& connection, const Clock& clock);
  absl::Status Quarantine(const InboxRecord& record, std::string_view reason);
  absl::Status NoteFault(const ProducerKey& producer, std::string_view kind,
                         std::string_view detail);
  absl::Status MoveCursor(int64_t producer_row, InboxRecord& record);
  absl::Status DecideById(InboxRecord& record);

  sqlite::Connection& connection_;
  const Clock& clock_;
  std::unique_ptr<Statements> statements_;
};

// The id under which a record has its effect once: the alert's ULID, or "evidence:" + the alert's.
std::string RecordId(const proto::OutboxRecord& record);

}  // namespace cordon
