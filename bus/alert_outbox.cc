// SPDX-License-Identifier: Apache-2.0
#include "bus/alert_outbox.h"

#include <zmq.h>

#include "absl/synchronization/notification.h"
#include "bus/outbox_progress.h"
#include "bus/outbox_sender.h"
#include "bus/outbox_store.h"
#include "bus/outbox_writer.h"

namespace cordon {
namespace {

constexpr Seconds kRaiseDeadline{10};

// Hands the session what the reader has, with the commit time where this process knows it.
class TimedRows final : public OutboxRows {
 public:
  TimedRows(std::unique_ptr<OutboxReader> reader, const OutboxProgress& progress)
      : reader_(std::move(reader)), progress_(progress) {}

  absl::StatusOr<std::vector<OutboxRow>> ReadAfter(uint64_t sequence, size_t most) override {
    ASSIGN_OR_RETURN(std::vector<OutboxRow> rows, reader_->ReadAfter(sequence, most));
    for (OutboxRow& row : rows) row.committed_ns = progress_.CommitTime(row.sequence);
    return rows;
  }

 private:
  const std::unique_ptr<OutboxReader> reader_;
  const OutboxProgress& progress_;
};

}  // namespace

// Ends from the bottom up: the writer commits what was handed over, the sender stops and closes its
// connection, and the file's own connection goes last, for the last one to close moves the log into
// the file.
class AlertOutbox::Impl {
 public:
  Impl(AlertOutboxOptions options, BusContext& context, const Clock& clock, Metrics& metrics,
       std::unique_ptr<OutboxStore> store, std::unique_ptr<OutboxReader> reader, Socket socket)
      : limit_(options.limit),
        store_(std::move(store)),
        progress_(store_->last_sequence(), store_->acknowledged()),
        sender_(options.endpoint, store_->identity(),
                std::make_unique<TimedRows>(std::move(reader), progress_), std::move(socket),
                progress_, context, clock, metrics),
        writer_(
            options, *store_, progress_, [this] { sender_.Wake(); }, clock, metrics) {}

  void RaiseAsync(proto::OutboxRecord record, Done done) {
    writer_.Write(std::move(record), std::move(done));
  }
  bool WaitUntilDelivered(Milliseconds wait) { return progress_.WaitUntilDelivered(wait); }
  OutboxStatus status() const { return progress_.Status(limit_); }

 private:
  const uint64_t limit_;
  const std::unique_ptr<OutboxStore> store_;  // used by the writer alone after the start
  OutboxProgress progress_;
  OutboxSender sender_;
  OutboxWriter writer_;
};

AlertOutbox::AlertOutbox(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AlertOutbox::~AlertOutbox() = default;

absl::StatusOr<std::unique_ptr<AlertOutbox>> AlertOutbox::Open(AlertOutboxOptions options,
                                                               BusContext& context,
                                                               const Clock& clock,
                                                               Metrics& metrics) {
  ASSIGN_OR_RETURN(std::unique_ptr<OutboxStore> store,
                   OutboxStore::Open(options.path, options.site_id, options.producer));
  store->set_keep_picture(options.keep_picture);
  ASSIGN_OR_RETURN(std::unique_ptr<OutboxReader> reader, OutboxReader::Open(options.path));
  ASSIGN_OR_RETURN(Socket socket, context.sockets().Connect(ZMQ_DEALER, options.endpoint));
  return std::unique_ptr<AlertOutbox>(new AlertOutbox(
      std::make_unique<Impl>(std::move(options), context, clock, metrics, std::move(store),
                             std::move(reader), std::move(socket))));
}

absl::StatusOr<Raised> AlertOutbox::Raise(proto::OutboxRecord record) {
  struct Answer {
    absl::Notification ready;
    absl::StatusOr<Raised> result = absl::UnknownError("no answer");
  };
  const auto answer = std::make_shared<Answer>();
  RaiseAsync(std::move(record), [answer](const absl::StatusOr<Raised>& result) {
    answer->result = result;
    answer->ready.Notify();
  });
  if (!answer->ready.WaitForNotificationWithTimeout(absl::FromChrono(kRaiseDeadline)))
    return absl::DeadlineExceededError(
        "the disk did not answer within 10 s; the alert may still become durable");
  return answer->result;
}

void AlertOutbox::RaiseAsync(proto::OutboxRecord record, Done done) {
  impl_->RaiseAsync(std::move(record), std::move(done));
}

bool AlertOutbox::WaitUntilDelivered(Milliseconds wait) { return impl_->WaitUntilDelivered(wait); }

OutboxStatus AlertOutbox::status() const { return impl_->status(); }

}  // namespace cordon
