// SPDX-License-Identifier: Apache-2.0
#include "bus/alert_inbox.h"

#include <zmq.h>

#include <atomic>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/check.h"
#include "base/log.h"
#include "bus/inbox_session.h"
#include "bus/sockets.h"
#include "bus/wire.h"

namespace cordon {
namespace {

constexpr Milliseconds kIdle{200};
constexpr size_t kFramesPerRound = 1024;  // then the status is published, however busy it is

}  // namespace

class AlertInbox::Worker {
 public:
  Worker(AlertInboxOptions options, Socket socket, AlertSink& sink, const Clock& clock,
         Metrics& metrics)
      : options_(std::move(options)),
        endpoint_(socket.endpoint()),
        commit_seconds_(metrics.Latency("cordon_inbox_commit_seconds",
                                        "Duration of one commit of received alerts.")),
        unreachable_(metrics.Counter("cordon_inbox_unreachable_total",
                                     "Answers whose connection was gone or full.")),
        clock_(clock),
        socket_(std::move(socket)),
        session_(sink, clock, metrics),
        thread_([this] { Run(); }) {}

  ~Worker() {
    stopping_ = true;
    wake_.Signal();
    thread_.join();
  }

  const std::string& endpoint() const { return endpoint_; }
  std::vector<ProducerStatus> Producers() const {
    absl::MutexLock lock(&mutex_);
    return producers_;
  }
  absl::Status status() const {
    absl::MutexLock lock(&mutex_);
    return ended_with_;
  }

 private:
  void Run();
  absl::Status Round();
  absl::Status FlushAndAnswer();
  void Publish(const absl::Status& status);

  const AlertInboxOptions options_;
  const std::string endpoint_;
  prometheus::Histogram& commit_seconds_;
  prometheus::Counter& unreachable_;
  const Clock& clock_;

  // Both.
  WakeEvent wake_;
  std::atomic<bool> stopping_ = false;
  mutable absl::Mutex mutex_;
  std::vector<ProducerStatus> producers_ ABSL_GUARDED_BY(mutex_);
  absl::Status ended_with_ ABSL_GUARDED_BY(mutex_);

  // Only in the thread.
  Socket socket_;
  InboxSession session_;

  std::thread thread_;
};

void AlertInbox::Worker::Run() {
  SetThreadName("alert-inbox");
  while (!stopping_) {
    WaitReadable({socket_.handle()}, wake_, kIdle);
    const absl::Status status = Round();
    Publish(status);
    if (status.ok()) continue;
    log::Critical("the alert inbox stops; nothing more is acknowledged",
                  {{"why", MessageOf(status)}});
    if (options_.on_fatal) options_.on_fatal(status);
    return;
  }
}

// Reads what has arrived, in batches of one commit each.
absl::Status AlertInbox::Worker::Round() {
  for (size_t frames = 0; frames < kFramesPerRound; ++frames) {
    const std::optional<Incoming> incoming = socket_.Receive(true);
    if (!incoming) break;
    RETURN_IF_ERROR(session_.OnFrame(incoming->peer, incoming->user, incoming->frame));
    if (session_.gathered() >= options_.max_batch) RETURN_IF_ERROR(FlushAndAnswer());
  }
  session_.ForgetSilent();
  return FlushAndAnswer();
}

absl::Status AlertInbox::Worker::FlushAndAnswer() {
  if (session_.gathered() > 0) {
    const StageTimer timer(clock_, commit_seconds_);
    RETURN_IF_ERROR(session_.Flush());
  }
  for (const InboxSession::Outgoing& answer : session_.TakeOutgoing()) {
    const absl::StatusOr<std::string> frame = wire::EncodeFrame(answer.envelope);
    CORDON_CHECK(frame.ok(), "an answer fits a frame");
    if (socket_.SendTo(answer.peer, *frame) != SendResult::kSent) unreachable_.Increment();
  }
  return absl::OkStatus();
}

void AlertInbox::Worker::Publish(const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  producers_ = session_.Producers();
  ended_with_ = status;
}

AlertInbox::AlertInbox(std::unique_ptr<Worker> worker) : worker_(std::move(worker)) {}
AlertInbox::~AlertInbox() = default;

absl::StatusOr<std::unique_ptr<AlertInbox>> AlertInbox::Open(AlertInboxOptions options,
                                                             BusContext& context, AlertSink& sink,
                                                             const Clock& clock, Metrics& metrics) {
  ASSIGN_OR_RETURN(Socket socket, context.sockets().Bind(ZMQ_ROUTER, options.endpoint));
  return std::unique_ptr<AlertInbox>(new AlertInbox(
      std::make_unique<Worker>(std::move(options), std::move(socket), sink, clock, metrics)));
}

const std::string& AlertInbox::endpoint() const { return worker_->endpoint(); }
std::vector<ProducerStatus> AlertInbox::Producers() const { return worker_->Producers(); }
absl::Status AlertInbox::status() const { return worker_->status(); }

}  // namespace cordon
