// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "bus/alert_inbox.h"
#include "dispatch/dispatcher.h"

namespace cordon::cli {

// Joins the two halves of exactly-once: the bus's ledger and the dispatcher's records are written
// in one transaction on the dispatcher's connection, on its thread. Made before the dispatcher
// (Prepare goes into its options), told about it with Attach, and closed before it goes.
class DispatcherSink final : public AlertSink {
 public:
  explicit DispatcherSink(const Clock& clock) : clock_(clock) {}

  // For Dispatcher::Options::prepare: makes the ledger's tables on first use and opens it.
  absl::Status Prepare(sqlite::Connection& connection);
  void Attach(Dispatcher& dispatcher) { dispatcher_ = &dispatcher; }
  // Lets go of the dispatcher's connection, on the dispatcher's thread.
  void Close();

  // On the inbox's thread; wait for the dispatcher's COMMIT.
  absl::StatusOr<Greeting> Greet(const ProducerHello& hello) override;
  absl::Status Commit(std::span<InboxRecord> records) override;

 private:
  const Clock& clock_;
  Dispatcher* dispatcher_ = nullptr;
  std::unique_ptr<InboxLedger> ledger_;  // only on the dispatcher's thread
};

}  // namespace cordon::cli
