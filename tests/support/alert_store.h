// SPDX-License-Identifier: Apache-2.0
// The smallest honest AlertSink: one table with what arrived, in the ledger's transaction. For
// tests and benches of the bus.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/sqlite.h"
#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bus/alert_inbox.h"

namespace cordon::testing {

class AlertStore final : public AlertSink {
 public:
  static absl::StatusOr<std::unique_ptr<AlertStore>> Open(const std::string& path,
                                                          const Clock& clock) {
    std::unique_ptr<AlertStore> store(new AlertStore);
    ASSIGN_OR_RETURN(store->db_,
                     sqlite::Connection::Open(path, sqlite::Connection::Mode::kReadWrite));
    const std::array<std::string_view, 2> steps = {
        InboxLedger::kTables,
        "CREATE TABLE effects(n INTEGER PRIMARY KEY, id TEXT NOT NULL, producer TEXT NOT NULL, "
        "sequence INTEGER NOT NULL)"};
    RETURN_IF_ERROR(store->db_->Migrate(steps));
    ASSIGN_OR_RETURN(store->ledger_, InboxLedger::Open(*store->db_, clock));
    ASSIGN_OR_RETURN(auto insert, store->db_->Prepare(
                                      "INSERT INTO effects(id, producer, sequence) VALUES(?,?,?)"));
    store->insert_ = std::make_unique<sqlite::Statement>(std::move(insert));
    return store;
  }
  ~AlertStore() override {
    insert_.reset();
    ledger_.reset();
  }

  absl::StatusOr<Greeting> Greet(const ProducerHello& hello) override {
    ASSIGN_OR_RETURN(auto transaction, sqlite::Transaction::Begin(*db_));
    ASSIGN_OR_RETURN(Greeting greeting, ledger_->Greet(hello));
    RETURN_IF_ERROR(transaction.Commit());
    if (fault == Fault::kNoDedupe && greeting.accepted)
      greeting.durable_sequence = hello.lowest_unacknowledged - 1;
    return greeting;
  }

  absl::Status Commit(std::span<InboxRecord> records) override {
    std::function<void(size_t)> before;
    std::function<void(std::span<InboxRecord>)> after;
    {
      absl::MutexLock lock(&hooks_mutex_);
      before = before_commit_;
      after = after_commit_;
    }
    if (before) before(records.size());
    if (fault == Fault::kAckBeforeCommit) return CommitLater(records);
    RETURN_IF_ERROR(Apply(records, true));
    if (after) after(records);
    return absl::OkStatus();
  }

  // Effects in the order in which they happened.
  static std::vector<std::string> Effects(const std::string& path) {
    auto db = sqlite::Connection::Open(path, sqlite::Connection::Mode::kReadOnly);
    std::vector<std::string> ids;
    if (!db.ok()) return ids;
    auto query = (*db)->Prepare("SELECT id FROM effects ORDER BY n");
    if (!query.ok()) return ids;
    for (auto row = query->Step(); row.ok() && *row; row = query->Step())
      ids.emplace_back(query->Text(0));
    return ids;
  }

  sqlite::Connection& connection() { return *db_; }
  InboxLedger& ledger() { return *ledger_; }

  // Called on the inbox's thread; may be set while it runs.
  void BeforeCommit(std::function<void(size_t)> call) {
    absl::MutexLock lock(&hooks_mutex_);
    before_commit_ = std::move(call);
  }
  void AfterCommit(std::function<void(std::span<InboxRecord>)> call) {
    absl::MutexLock lock(&hooks_mutex_);
    after_commit_ = std::move(call);
  }
  // Deliberate faults: they prove that the checkers see them.
  enum class Fault {
    kNone,
    kNoDedupe,         // forgets what it has when it greets, and a repeat has its effect again
    kAckBeforeCommit,  // acknowledges now, commits with the next batch: a crash between the two
                       // loses
    kNeverCommit,      // every transaction rolls back
  };
  Fault fault = Fault::kNone;

 private:
  AlertStore() = default;

  absl::Mutex hooks_mutex_;
  std::function<void(size_t)> before_commit_ ABSL_GUARDED_BY(hooks_mutex_);
  std::function<void(std::span<InboxRecord>)> after_commit_ ABSL_GUARDED_BY(hooks_mutex_);

  absl::Status Apply(std::span<InboxRecord> records, bool commit) {
    ASSIGN_OR_RETURN(auto transaction, sqlite::Transaction::Begin(*db_));
    for (InboxRecord& record : records) {
      RETURN_IF_ERROR(ledger_->Admit(record));
      const bool repeats = fault == Fault::kNoDedupe && record.admission == Admission::kDuplicate;
      if (record.admission != Admission::kFresh && !repeats) continue;
      RETURN_IF_ERROR(insert_->Bind(1, RecordId(record.record))
                          .Bind(2, record.producer.producer)
                          .Bind(3, static_cast<int64_t>(record.sequence))
                          .Run());
    }
    return commit && fault != Fault::kNeverCommit ? transaction.Commit() : absl::OkStatus();
  }

  absl::Status CommitLater(std::span<InboxRecord> records) {
    RETURN_IF_ERROR(Apply(deferred_, true));
    deferred_.assign(records.begin(), records.end());
    return Apply(records, false);
  }

  std::vector<InboxRecord> deferred_;
  std::unique_ptr<sqlite::Connection> db_;
  std::unique_ptr<InboxLedger> ledger_;
  std::unique_ptr<sqlite::Statement> insert_;
};

}  // namespace cordon::testing
