// SPDX-License-Identifier: Apache-2.0
// Internal to bus/: the outbox's only writing connection and its thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/metrics.h"
#include "bus/alert_outbox.h"
#include "bus/ballast.h"
#include "bus/outbox_progress.h"
#include "bus/outbox_store.h"

namespace cordon {

// Commits what callers hand over, at most 64 records at once and never waiting for more to gather;
// prunes what is acknowledged; refuses above the limit. Thread: "outbox-write".
class OutboxWriter {
 public:
  // `committed` is called after each commit, to wake the sender.
  OutboxWriter(const AlertOutboxOptions& options, OutboxStore& store, OutboxProgress& progress,
               std::function<void()> committed, const Clock& clock, Metrics& metrics);
  ~OutboxWriter();  // commits what was handed over

  void Write(proto::OutboxRecord record, AlertOutbox::Done done);

 private:
  struct Pending {
    proto::OutboxRecord record;
    AlertOutbox::Done done;
  };

  void Run();
  void WriteBatch(std::vector<Pending> batch);
  void CommitBatch(std::vector<Pending>& batch);
  void Prune();
  void DropPicturesWhenDue();
  void RefuseAboveLimit(std::vector<Pending>& batch);
  Pending FullAlarm();
  uint64_t DueAcknowledged();
  void Refuse(const AlertOutbox::Done& done, const absl::Status& why);
  bool GiveUpBallast();
  void KeepBallast();
  void OnWriteError(const absl::Status& error);

  const AlertOutboxOptions options_;
  const std::function<void()> committed_;
  const Clock& clock_;
  prometheus::Counter& raised_total_;
  prometheus::Counter& refused_total_;
  prometheus::Histogram& commit_seconds_;

  // Callers and the thread.
  OutboxProgress& progress_;
  UlidGenerator ids_;
  BoundedQueue<Pending> queue_;

  // Only in the thread.
  OutboxStore& store_;
  absl::Status broken_;  // the file failed; nothing more is written
  Ballast ballast_;
  BootTime reserve_again_{};
  BootTime pruned_{};
  BootTime pictures_checked_{};
  bool alarmed_full_ = false;

  std::thread thread_;
};

}  // namespace cordon
