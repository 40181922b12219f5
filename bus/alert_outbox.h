// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "bus/bus_context.h"
#include "proto/alert.pb.h"

namespace cordon {

struct AlertOutboxOptions {
  std::string path;  // the SQLite file, one per producer
  std::string site_id;
  std::string producer;        // node id
  std::string endpoint;        // of the dispatcher's inbox, resolved
  uint64_t limit = 1'000'000;  // undelivered records kept; above it new ones are refused
  uint64_t ballast_bytes =
      64 * 1024 * 1024;  // room kept beside the file (PATH.ballast), given up when the disk is full
  // How long an alert that cannot be delivered keeps its picture, by camera (the alert itself
  // stays); empty: until it is delivered. Called on the write thread.
  std::function<Microseconds(const std::string& camera_id)> keep_picture;
};

// A record that is durable.
struct Raised {
  std::string id;  // of the alert (assigned when it had none); of an evidence record: its alert's
  uint64_t sequence = 0;
  uint64_t epoch = 0;
  BootTime committed{};
};

struct OutboxStatus {
  uint64_t pending = 0;  // raised, not yet acknowledged by the dispatcher
  uint64_t limit = 0;
  uint64_t last_sequence = 0;
  uint64_t acknowledged = 0;
  uint64_t refused = 0;    // since the start
  bool connected = false;  // the dispatcher answers
  std::string fault;  // what an operator should know: refused by the dispatcher, disk full, limit;
                      // empty: fine
};

// The sending end of the durable alert lane. An alert counts as raised when its row is committed
// (SQLite WAL, synchronous=FULL); from then on it is sent until the dispatcher has acknowledged its
// own commit, across any number of restarts of either side. Rows go only below the acknowledged
// cursor. Three threads meet here: callers (any number), "outbox-write" (the only connection that
// writes; commits what has gathered, at most 64 rows at once), "outbox-send" (owns the DEALER
// socket and a read-only connection). No call waits for the network.
class AlertOutbox {
 public:
  using Done = std::function<void(const absl::StatusOr<Raised>&)>;

  // Opens or creates the file, begins a new epoch in it, and starts to connect.
  // FAILED_PRECONDITION: another process has the file. DATA_LOSS: it is corrupt. INVALID_ARGUMENT:
  // endpoint, or tcp without keys.
  static absl::StatusOr<std::unique_ptr<AlertOutbox>> Open(AlertOutboxOptions options,
                                                           BusContext& context, const Clock& clock,
                                                           Metrics& metrics);
  ~AlertOutbox();  // commits what was handed over, then stops sending at once; the rest goes after
                   // the next start

  // Fills id (when empty), site, producer, epoch, uuid, sequence and the commit time, and returns
  // when the record is durable (typically one fsync). RESOURCE_EXHAUSTED: limit reached or disk
  // full; counted, shown in status().fault and, at the limit, itself an alert
  // (EVENT_KIND_OUTBOX_FULL). INVALID_ARGUMENT: over a limit of base/limits.h or not finite.
  // DEADLINE_EXCEEDED after 10 s: it may still become durable. INTERNAL: the file failed; end the
  // process.
  absl::StatusOr<Raised> Raise(proto::OutboxRecord record);

  // The same without waiting: `done` is called once, on the outbox's write thread (or at once on
  // this one when refused), and must return quickly. For threads that must not wait for a disk:
  // analysis hands over and goes on.
  void RaiseAsync(proto::OutboxRecord record, Done done);

  // Waits until everything raised so far is acknowledged by the dispatcher; false when the time is
  // up.
  bool WaitUntilDelivered(Milliseconds wait);

  OutboxStatus status() const;

 private:
  class Impl;
  explicit AlertOutbox(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cordon
