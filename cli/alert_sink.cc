// SPDX-License-Identifier: Apache-2.0
#include "cli/alert_sink.h"

#include <algorithm>
#include <iterator>

#include "base/check.h"
#include "base/log.h"

namespace cordon::cli {

absl::Status DispatcherSink::Prepare(sqlite::Connection& connection) {
  bool exists = false;
  {
    ASSIGN_OR_RETURN(sqlite::Statement query,
                     connection.Prepare("SELECT 1 FROM sqlite_master WHERE type='table' AND name "
                                        "LIKE 'inbox\\_%' ESCAPE '\\'"));
    ASSIGN_OR_RETURN(exists, query.Step());
  }
  if (!exists) RETURN_IF_ERROR(connection.Execute(InboxLedger::kTables));
  ASSIGN_OR_RETURN(ledger_, InboxLedger::Open(connection, clock_));
  return absl::OkStatus();
}

void DispatcherSink::Close() {
  if (dispatcher_ == nullptr) return;
  const absl::Status status = dispatcher_->Deliver([this](sqlite::Connection&) {
    ledger_.reset();
    return absl::StatusOr<std::vector<proto::OutboxRecord>>(std::vector<proto::OutboxRecord>());
  });
  if (!status.ok())
    log::Error("the inbox could not be closed in order", {{"cause", MessageOf(status)}});
}

// Deliver may stop waiting while its work still runs: what the work touches is shared with it.
absl::StatusOr<Greeting> DispatcherSink::Greet(const ProducerHello& hello) {
  CORDON_CHECK(dispatcher_ != nullptr, "Attach comes first");
  auto greeting = std::make_shared<Greeting>();
  RETURN_IF_ERROR(dispatcher_->Deliver([this, greeting, hello](sqlite::Connection&)
                                           -> absl::StatusOr<std::vector<proto::OutboxRecord>> {
    ASSIGN_OR_RETURN(*greeting, ledger_->Greet(hello));
    return std::vector<proto::OutboxRecord>();
  }));
  dispatcher_->ProducerHeard(hello.producer.producer);
  return *std::move(greeting);
}

absl::Status DispatcherSink::Commit(std::span<InboxRecord> records) {
  CORDON_CHECK(dispatcher_ != nullptr, "Attach comes first");
  auto batch = std::make_shared<std::vector<InboxRecord>>(std::make_move_iterator(records.begin()),
                                                          std::make_move_iterator(records.end()));
  const absl::Status status = dispatcher_->Deliver(
      [this, batch](sqlite::Connection&) -> absl::StatusOr<std::vector<proto::OutboxRecord>> {
        std::vector<proto::OutboxRecord> fresh;
        for (InboxRecord& record : *batch) {
          RETURN_IF_ERROR(ledger_->Admit(record));
          if (record.admission == Admission::kFresh) fresh.push_back(record.record);
        }
        return fresh;
      });
  if (status.ok()) std::move(batch->begin(), batch->end(), records.begin());
  return status;
}

}  // namespace cordon::cli
