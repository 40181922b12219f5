// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "bus/bus_context.h"
#include "bus/inbox_ledger.h"

namespace cordon {

// Where the alert lane ends: the dispatcher's database. Both calls come from the inbox's own
// thread, one at a time; the implementation locks if its connection has other users. Each is one
// durable transaction.
class AlertSink {
 public:
  virtual ~AlertSink() = default;

  // InboxLedger::Greet in a transaction.
  virtual absl::StatusOr<Greeting> Greet(const ProducerHello& hello) = 0;

  // InboxLedger::Admit for every record, the effect of the fresh ones, COMMIT. OK means durable:
  // only then are the records acknowledged. RESOURCE_EXHAUSTED (disk full): nothing is
  // acknowledged, the producers send again. Any other error is fatal for the inbox: a failed commit
  // is not repeated, the process restarts and recovers.
  virtual absl::Status Commit(std::span<InboxRecord> records) = 0;
};

struct AlertInboxOptions {
  std::string endpoint;    // bound; tcp://HOST:0 picks a port
  size_t max_batch = 256;  // records in one commit
  std::function<void(const absl::Status&)>
      on_fatal;  // called once, on the inbox's thread; it stops receiving then
};

// State of one producer as the inbox sees it.
struct ProducerStatus {
  ProducerKey key;
  bool connected = false;
  uint64_t durable_sequence = 0;
  uint64_t announced_sequence = 0;  // the producer's last; the difference is its backlog
  BootTime heard{};
  std::string fault;  // why it was refused; empty: fine
};

// The receiving end of the durable alert lane: binds a ROUTER, gathers what has arrived, has the
// sink commit it in one transaction, and only then acknowledges. Its own thread ("alert-inbox")
// owns the socket and calls the sink. Delivery is at least once, the effect is once (InboxLedger).
// A frame that cannot be used is quarantined and does not hold up those behind it. What it does not
// do: order records across producers.
class AlertInbox {
 public:
  // INVALID_ARGUMENT (endpoint, or tcp without keys), FAILED_PRECONDITION (the start-up self-test
  // of the keys failed), UNAVAILABLE (address in use). `context`, `sink`, `clock` and `metrics`
  // outlive the inbox.
  static absl::StatusOr<std::unique_ptr<AlertInbox>> Open(AlertInboxOptions options,
                                                          BusContext& context, AlertSink& sink,
                                                          const Clock& clock, Metrics& metrics);
  ~AlertInbox();  // joins the thread; a batch being committed is finished and acknowledged

  const std::string& endpoint() const;  // as bound
  std::vector<ProducerStatus> Producers() const;
  absl::Status status() const;  // OK, or what ended it

 private:
  class Worker;
  explicit AlertInbox(std::unique_ptr<Worker> worker);
  std::unique_ptr<Worker> worker_;
};

}  // namespace cordon
