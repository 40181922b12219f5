// SPDX-License-Identifier: Apache-2.0
#include "bus/alert_outbox.h"

#include <zmq.h>

#include <atomic>
#include <deque>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "base/bounded_queue.h"
#include "base/check.h"
#include "base/ids.h"
#include "base/limits.h"
#include "base/log.h"
#include "bus/ballast.h"
#include "bus/outbox_session.h"
#include "bus/outbox_store.h"
#include "bus/sockets.h"
#include "bus/wire.h"

namespace cordon {
namespace {

constexpr size_t kQueued = 1024;  // handed over, not yet committed
constexpr size_t kRowsPerCommit = 64;
constexpr size_t kPruneRows = 256;  // acknowledged rows that are worth a delete...
constexpr Seconds kPruneAfter{1};   // ...or this long after the last one
constexpr Seconds kRaiseDeadline{10};
constexpr Milliseconds kIdle{200};
constexpr Milliseconds kTryAgain{5};  // the socket took no more
constexpr Seconds kTryKeyAgain{5};    // libzmq itself gives up when a key is rejected
constexpr Seconds kReserveAgain{60};
constexpr size_t kCommitTimes = 1024;
constexpr size_t kEnvelopeBytes =
    1024;                           // what the envelope and the outbox's own fields add to a record
constexpr double kRoomAgain = 0.9;  // of the limit: the next refusal is a new alarm

// Hands the session what the reader has, with the commit time where this process knows it.
class TimedRows final : public OutboxRows {
 public:
  explicit TimedRows(std::unique_ptr<OutboxReader> reader) : reader_(std::move(reader)) {}

  void Note(uint64_t first, uint64_t last, BootTime at) {
    absl::MutexLock lock(&mutex_);
    times_.push_back({first, last, ToNanos(at)});
    if (times_.size() > kCommitTimes) times_.pop_front();
  }

  absl::StatusOr<std::vector<OutboxRow>> ReadAfter(uint64_t sequence, size_t most) override {
    ASSIGN_OR_RETURN(std::vector<OutboxRow> rows, reader_->ReadAfter(sequence, most));
    absl::MutexLock lock(&mutex_);
    while (!times_.empty() && times_.front().last <= sequence) times_.pop_front();
    auto commit = times_.begin();
    for (OutboxRow& row : rows) {
      while (commit != times_.end() && commit->last < row.sequence) ++commit;
      if (commit != times_.end() && commit->first <= row.sequence) row.committed_ns = commit->at_ns;
    }
    return rows;
  }

 private:
  struct Commit {
    uint64_t first, last;
    int64_t at_ns;
  };
  const std::unique_ptr<OutboxReader> reader_;
  absl::Mutex mutex_;
  std::deque<Commit> times_ ABSL_GUARDED_BY(mutex_);
};

std::string IdOf(const proto::OutboxRecord& record) {
  return record.has_evidence() ? record.evidence().alert_id() : record.alert().id();
}

}  // namespace

class AlertOutbox::Impl {
 public:
  Impl(AlertOutboxOptions options, BusContext& context, const Clock& clock, Metrics& metrics,
       std::unique_ptr<OutboxStore> store, std::unique_ptr<OutboxReader> reader, Socket socket);
  ~Impl();

  void RaiseAsync(proto::OutboxRecord record, Done done);
  bool WaitUntilDelivered(Milliseconds wait);
  OutboxStatus status() const;

 private:
  struct Pending {
    proto::OutboxRecord record;
    Done done;
  };

  void WriteLoop();
  void WriteBatch(std::vector<Pending> batch);
  void CommitBatch(std::vector<Pending>& batch);
  void RefuseAboveLimit(std::vector<Pending>& batch);
  Pending FullAlarm();
  uint64_t DueAcknowledged();
  void Finish(Pending& pending, const absl::StatusOr<Raised>& result);
  bool GiveUpBallast();
  void KeepBallast();
  void OnWriteError(const absl::Status& error);

  void SendLoop();
  void ReadSocket(BootTime now);
  void ReadLinkEvents(BootTime now);
  void PumpSession(BootTime now);
  void PublishProgress();
  void Reconnect();

  void SetFault(std::string fault);

  // Given at the start, constant.
  const AlertOutboxOptions options_;
  BusContext& context_;
  const Clock& clock_;
  prometheus::Counter& raised_total_;
  prometheus::Counter& refused_total_;
  prometheus::Counter& resent_total_;
  prometheus::Gauge& pending_gauge_;
  prometheus::Gauge& connected_gauge_;
  prometheus::Histogram& commit_seconds_;

  // Only in the write thread after the start. Closed after rows_' connection: the last to close a
  // file moves its log into it.
  std::unique_ptr<OutboxStore> store_;

  // Between callers and threads.
  UlidGenerator ids_;
  BoundedQueue<Pending> queue_{kQueued};
  TimedRows rows_;
  WakeEvent wake_;
  std::atomic<bool> stopping_ = false;
  mutable absl::Mutex mutex_;
  uint64_t committed_ ABSL_GUARDED_BY(mutex_);
  uint64_t acknowledged_ ABSL_GUARDED_BY(mutex_);
  uint64_t refused_ ABSL_GUARDED_BY(mutex_) = 0;
  bool connected_ ABSL_GUARDED_BY(mutex_) = false;
  std::string write_fault_ ABSL_GUARDED_BY(mutex_);
  std::string send_fault_ ABSL_GUARDED_BY(mutex_);

  // Only in the write thread.
  absl::Status broken_;  // the file failed; nothing more is written
  Ballast ballast_;
  BootTime reserve_again_{};
  bool alarmed_full_ = false;
  BootTime pruned_{};

  // Only in the send thread.
  Socket socket_;
  OutboxSession session_;
  bool socket_full_ = false;
  BootTime connect_again_ = BootTime::max();
  uint64_t counted_resent_ = 0;
  log::OncePerSecond trouble_;

  std::thread writer_;
  std::thread sender_;
};

AlertOutbox::Impl::Impl(AlertOutboxOptions options, BusContext& context, const Clock& clock,
                        Metrics& metrics, std::unique_ptr<OutboxStore> store,
                        std::unique_ptr<OutboxReader> reader, Socket socket)
    : options_(std::move(options)),
      context_(context),
      clock_(clock),
      raised_total_(
          metrics.Counter("cordon_outbox_raised_total", "Records made durable in the outbox.")),
      refused_total_(metrics.Counter("cordon_outbox_refused_total",
                                     "Records refused: outbox or disk full, queue full.")),
      resent_total_(metrics.Counter("cordon_outbox_resent_total",
                                    "Records sent again after a break or without an answer.")),
      pending_gauge_(metrics.Gauge("cordon_outbox_pending",
                                   "Durable records that the dispatcher has not acknowledged.")),
      connected_gauge_(metrics.Gauge("cordon_outbox_connected", "1 while the dispatcher answers.")),
      commit_seconds_(metrics.Latency("cordon_outbox_commit_seconds",
                                      "Duration of one group commit of the outbox.")),
      store_(std::move(store)),
      ids_(clock),
      rows_(std::move(reader)),
      committed_(store_->last_sequence()),
      acknowledged_(store_->acknowledged()),
      ballast_(options_.path + ".ballast", options_.ballast_bytes),
      pruned_(clock.Boot()),
      socket_(std::move(socket)),
      session_(store_->identity(), rows_, store_->acknowledged(), store_->last_sequence()),
      trouble_(clock, log::Level::kWarning, "the alert lane has trouble", options_.producer),
      writer_([this] { WriteLoop(); }),
      sender_([this] { SendLoop(); }) {}

AlertOutbox::Impl::~Impl() {
  queue_.Close();
  writer_.join();
  stopping_ = true;
  wake_.Signal();
  sender_.join();
}

void AlertOutbox::Impl::RaiseAsync(proto::OutboxRecord record, Done done) {
  Pending pending{std::move(record), std::move(done)};
  absl::Status refusal = wire::CheckRecord(pending.record);
  if (refusal.ok() && pending.record.ByteSizeLong() + kEnvelopeBytes > limits::kMaxMessageBytes)
    refusal = absl::InvalidArgumentError(fmt::format("the record has {} bytes; the bus carries {}",
                                                     pending.record.ByteSizeLong(),
                                                     limits::kMaxMessageBytes));
  if (!refusal.ok()) return pending.done(refusal);
  if (pending.record.has_alert() && pending.record.alert().id().empty())
    pending.record.mutable_alert()->set_id(ids_.Next().str());
  // The queue takes or refuses the record whole; the callback must outlive a refusal.
  Done on_refusal = pending.done;
  switch (queue_.Push(std::move(pending))) {
    case PushResult::kPushed:
      return;
    case PushResult::kClosed:
      return on_refusal(absl::UnavailableError("the outbox is closing"));
    case PushResult::kFull:
      break;
  }
  refused_total_.Increment();
  {
    absl::MutexLock lock(&mutex_);
    ++refused_;
  }
  on_refusal(absl::ResourceExhaustedError(
      fmt::format("{} records already wait for the disk of {}: it is too slow or stuck", kQueued,
                  options_.path)));
}

// ---- the write thread ----

void AlertOutbox::Impl::WriteLoop() {
  SetThreadName("outbox-write");
  while (true) {
    std::vector<Pending> batch = queue_.PopSome(kRowsPerCommit, kIdle);
    if (batch.empty() && queue_.closed()) return;
    WriteBatch(std::move(batch));
  }
}

void AlertOutbox::Impl::WriteBatch(std::vector<Pending> batch) {
  if (!broken_.ok()) {
    for (Pending& pending : batch) Finish(pending, broken_);
    return;
  }
  RefuseAboveLimit(batch);
  if (batch.empty()) {
    KeepBallast();
    const uint64_t acknowledged = DueAcknowledged();
    if (acknowledged == store_->acknowledged()) return;
    if (const absl::Status status = store_->Commit({}, acknowledged, clock_); !status.ok())
      OnWriteError(status);
    return;
  }
  CommitBatch(batch);
}

// What to prune now: the acknowledged cursor when enough rows or time have gathered, else where the
// file already is.
uint64_t AlertOutbox::Impl::DueAcknowledged() {
  uint64_t acknowledged = 0;
  {
    absl::MutexLock lock(&mutex_);
    acknowledged = acknowledged_;
  }
  const BootTime now = clock_.Boot();
  if (acknowledged - store_->acknowledged() < kPruneRows && now - pruned_ < kPruneAfter)
    return store_->acknowledged();
  pruned_ = now;
  return acknowledged;
}

void AlertOutbox::Impl::RefuseAboveLimit(std::vector<Pending>& batch) {
  uint64_t pending = 0;
  {
    absl::MutexLock lock(&mutex_);
    pending = committed_ - acknowledged_;
  }
  if (static_cast<double>(pending) < kRoomAgain * static_cast<double>(options_.limit) &&
      alarmed_full_) {
    alarmed_full_ = false;
    SetFault("");
  }
  const size_t room = pending < options_.limit ? options_.limit - pending : 0;
  if (batch.size() <= room) return;
  const std::string reason = fmt::format(
      "the outbox holds its limit of {} undelivered alerts; restore the link to the "
      "dispatcher at {}",
      options_.limit, options_.endpoint);
  for (size_t i = room; i < batch.size(); ++i)
    Finish(batch[i], absl::ResourceExhaustedError(reason));
  batch.resize(room);
  if (alarmed_full_) return;
  alarmed_full_ = true;
  SetFault(reason);
  log::Error("the outbox is full; new alerts are refused",
             {{"limit", options_.limit}, {"endpoint", options_.endpoint}});
  batch.push_back(FullAlarm());
}

// One alert above the limit, so that the dispatcher learns of the refusals as soon as the link is
// back.
AlertOutbox::Impl::Pending AlertOutbox::Impl::FullAlarm() {
  Pending pending;
  proto::Alert& alert = *pending.record.mutable_alert();
  alert.set_id(ids_.Next().str());
  alert.set_wall_time_us(ToMicros(clock_.Wall()));
  alert.mutable_event()->set_kind(proto::EVENT_KIND_OUTBOX_FULL);
  alert.mutable_event()->set_severity(proto::RuleConfig::SEVERITY_CRITICAL);
  alert.mutable_event()->set_detail(
      fmt::format("The outbox of {} reached its limit of {} alerts; later ones were refused.",
                  options_.producer, options_.limit));
  pending.done = [](const absl::StatusOr<Raised>&) {};
  return pending;
}

void AlertOutbox::Impl::CommitBatch(std::vector<Pending>& batch) {
  std::vector<proto::OutboxRecord> records;
  records.reserve(batch.size());
  for (Pending& pending : batch) records.push_back(std::move(pending.record));
  const BootTime began = clock_.Boot();
  const uint64_t first = store_->last_sequence() + 1;
  absl::Status status = store_->Commit(records, DueAcknowledged(), clock_);
  if (status.code() == absl::StatusCode::kResourceExhausted && GiveUpBallast())
    status = store_->Commit(records, DueAcknowledged(), clock_);
  const BootTime committed = clock_.Boot();
  if (!status.ok()) {
    OnWriteError(status);
    for (Pending& pending : batch) Finish(pending, status);
    return;
  }
  commit_seconds_.Observe(std::chrono::duration<double>(committed - began).count());
  raised_total_.Increment(static_cast<double>(batch.size()));
  rows_.Note(first, store_->last_sequence(), committed);
  if (!alarmed_full_) SetFault("");
  {
    absl::MutexLock lock(&mutex_);
    committed_ = store_->last_sequence();
  }
  wake_.Signal();
  for (size_t i = 0; i < batch.size(); ++i)
    batch[i].done(Raised{IdOf(records[i]), first + i, store_->identity().epoch, committed});
}

// The disk is full: the room kept for this is freed. True when that helps.
bool AlertOutbox::Impl::GiveUpBallast() {
  reserve_again_ = clock_.Boot() + kReserveAgain;
  if (!ballast_.Release()) return false;
  log::Error("the disk is full; the outbox lives on its reserve",
             {{"path", options_.path}, {"reserve_bytes", options_.ballast_bytes}});
  return true;
}

void AlertOutbox::Impl::KeepBallast() {
  if (ballast_.has_room() || clock_.Boot() < reserve_again_) return;
  ballast_.Reserve();
  reserve_again_ = clock_.Boot() + kReserveAgain;
}

void AlertOutbox::Impl::OnWriteError(const absl::Status& error) {
  SetFault(std::string(MessageOf(error)));
  if (error.code() == absl::StatusCode::kResourceExhausted) {
    log::Error("the outbox cannot write: the disk is full", {{"path", options_.path}});
    return;
  }
  // A failed sync may have lost pages that the next one would report as written: never retried
  // (fsyncgate).
  broken_ = absl::InternalError(
      fmt::format("{}; end this process so that the file is recovered", MessageOf(error)));
  log::Critical("the outbox file failed", {{"path", options_.path}, {"why", MessageOf(error)}});
}

void AlertOutbox::Impl::Finish(Pending& pending, const absl::StatusOr<Raised>& result) {
  refused_total_.Increment();
  {
    absl::MutexLock lock(&mutex_);
    ++refused_;
  }
  pending.done(result);
}

void AlertOutbox::Impl::SetFault(std::string fault) {
  absl::MutexLock lock(&mutex_);
  write_fault_ = std::move(fault);
}

// ---- the send thread ----

void AlertOutbox::Impl::SendLoop() {
  SetThreadName("outbox-send");
  while (!stopping_) {
    const BootTime now = clock_.Boot();
    ReadLinkEvents(now);
    ReadSocket(now);
    PumpSession(now);
    PublishProgress();
    if (session_.lost(now))
      trouble_.Note("the dispatcher has been silent for 3 s; connecting anew");
    if (session_.lost(now) || now >= connect_again_) Reconnect();
    PublishProgress();
    const BootTime due =
        std::min(session_.next_due(),
                 now + (socket_full_ ? Nanoseconds(kTryAgain) : Nanoseconds(Seconds(1))));
    // Rounded up: a wait that ends just before the time is due would spin.
    const auto wait = std::chrono::ceil<Milliseconds>(due - clock_.Boot());
    WaitReadable({socket_.handle(), socket_.monitor()}, wake_, wait);
    wake_.Clear();
  }
}

void AlertOutbox::Impl::ReadLinkEvents(BootTime now) {
  while (const std::optional<LinkEvent> event = socket_.ReceiveLinkEvent()) {
    switch (*event) {
      case LinkEvent::kConnected:
        session_.OnConnected(now);
        break;
      case LinkEvent::kDisconnected:
        session_.OnDisconnected();
        break;
      case LinkEvent::kKeyRejected: {
        connect_again_ = now + kTryKeyAgain;
        absl::MutexLock lock(&mutex_);
        send_fault_ = fmt::format(
            "the dispatcher does not accept this node's key: copy {}.pub into its keys folder",
            context_.name());
        break;
      }
    }
  }
}

void AlertOutbox::Impl::ReadSocket(BootTime now) {
  while (const std::optional<Incoming> incoming = socket_.Receive(false)) {
    const absl::StatusOr<proto::Envelope> envelope = wire::DecodeFrame(incoming->frame);
    if (envelope.ok()) {
      session_.OnEnvelope(*envelope, now);
    } else {
      trouble_.Note(MessageOf(envelope.status()));
    }
  }
}

void AlertOutbox::Impl::PumpSession(BootTime now) {
  {
    absl::MutexLock lock(&mutex_);
    session_.OnCommitted(committed_);
  }
  socket_full_ = false;
  const absl::Status status = session_.Pump(now, [this](const proto::Envelope& envelope) {
    const absl::StatusOr<std::string> frame = wire::EncodeFrame(envelope);
    CORDON_CHECK(frame.ok(), "what the outbox took fits a frame");
    socket_full_ = socket_.Send(*frame) != SendResult::kSent;
    return !socket_full_;
  });
  if (!status.ok()) trouble_.Note(MessageOf(status));
}

void AlertOutbox::Impl::PublishProgress() {
  const bool connected = session_.state() == OutboxSession::State::kFlowing;
  resent_total_.Increment(static_cast<double>(session_.resent() - counted_resent_));
  counted_resent_ = session_.resent();
  absl::MutexLock lock(&mutex_);
  if (connected != connected_)
    log::Info(
        connected ? "the dispatcher answers" : "the dispatcher does not answer; alerts are kept",
        {{"endpoint", options_.endpoint}, {"pending", committed_ - session_.acknowledged()}});
  connected_ = connected;
  acknowledged_ = session_.acknowledged();
  if (session_.state() == OutboxSession::State::kRejected && send_fault_ != session_.fault()) {
    send_fault_ = session_.fault();
    log::Error("the dispatcher refuses this outbox", {{"why", send_fault_}});
  }
  if (connected) send_fault_.clear();
  pending_gauge_.Set(static_cast<double>(committed_ - acknowledged_));
  connected_gauge_.Set(connected ? 1 : 0);
}

// The peer has been silent for too long although the connection stands: a partition. A new
// connection starts clean.
void AlertOutbox::Impl::Reconnect() {
  session_.OnDisconnected();
  connect_again_ = BootTime::max();
  absl::StatusOr<Socket> fresh = context_.sockets().Connect(ZMQ_DEALER, options_.endpoint);
  if (fresh.ok()) {
    socket_ = *std::move(fresh);
  } else {
    trouble_.Note(MessageOf(fresh.status()));
  }
}

// ---- any thread ----

bool AlertOutbox::Impl::WaitUntilDelivered(Milliseconds wait) {
  absl::MutexLock lock(&mutex_);
  const uint64_t target = committed_;
  const auto delivered = [this, target]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return acknowledged_ >= target;
  };
  return mutex_.AwaitWithTimeout(absl::Condition(&delivered), absl::FromChrono(wait));
}

OutboxStatus AlertOutbox::Impl::status() const {
  absl::MutexLock lock(&mutex_);
  return {.pending = committed_ - acknowledged_,
          .limit = options_.limit,
          .last_sequence = committed_,
          .acknowledged = acknowledged_,
          .refused = refused_,
          .connected = connected_,
          .fault = !write_fault_.empty() ? write_fault_ : send_fault_};
}

// ---- the public face ----

AlertOutbox::AlertOutbox(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AlertOutbox::~AlertOutbox() = default;

absl::StatusOr<std::unique_ptr<AlertOutbox>> AlertOutbox::Open(AlertOutboxOptions options,
                                                               BusContext& context,
                                                               const Clock& clock,
                                                               Metrics& metrics) {
  ASSIGN_OR_RETURN(std::unique_ptr<OutboxStore> store,
                   OutboxStore::Open(options.path, options.site_id, options.producer));
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
