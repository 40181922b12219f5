// SPDX-License-Identifier: Apache-2.0
#include "bus/telemetry.h"

#include <zmq.h>

#include <atomic>
#include <map>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/log.h"
#include "bus/sockets.h"
#include "bus/wire.h"

namespace cordon {
namespace {

constexpr Milliseconds kIdle{200};
constexpr size_t kMaxSenders = 4096;

}  // namespace

class TelemetryPublisher::Worker {
 public:
  Worker(BusContext& context, const std::string& endpoint, Socket socket, Metrics& metrics)
      : sender_(context.name()),
        overwritten_(metrics.Counter(
            "cordon_telemetry_overwritten_total",
            "Telemetry replaced by newer before it was sent, or beyond the slots.")),
        sent_(metrics.Counter("cordon_telemetry_sent_total",
                              "Telemetry messages offered to the dispatcher.")),
        link_(context.sockets(), ZMQ_PUB, endpoint, std::move(socket)),
        thread_([this] { Run(); }) {}

  ~Worker() {
    stopping_ = true;
    wake_.Signal();
    thread_.join();
  }

  void Publish(const std::string& subject, proto::Envelope envelope) {
    {
      absl::MutexLock lock(&mutex_);
      const auto slot = slots_.find(subject);
      if (slot != slots_.end()) {
        slot->second = std::move(envelope);
        overwritten_.Increment();
      } else if (slots_.size() >= kMaxSubjects) {
        overwritten_.Increment();
        return;
      } else {
        slots_.emplace(subject, std::move(envelope));
      }
    }
    wake_.Signal();
  }

 private:
  void Run() {
    SetThreadName("telemetry-out");
    while (!stopping_) {
      WaitReadable({link_.socket().monitor()}, wake_, kIdle);
      wake_.Clear();
      link_.Tend(SystemClock().Boot());
      SendAll();
    }
  }

  void SendAll() {
    std::map<std::string, proto::Envelope> slots;
    {
      absl::MutexLock lock(&mutex_);
      slots.swap(slots_);
    }
    for (auto& [subject, envelope] : slots) {
      envelope.set_version(wire::kProtocolVersion);
      envelope.set_sender(sender_);
      envelope.set_number(++number_);
      const absl::StatusOr<std::string> frame = wire::EncodeFrame(envelope);
      if (!frame.ok()) {
        overwritten_.Increment();
        continue;
      }
      link_.socket().Send(*frame);  // a PUB never says no; the receiver counts what is missing
      sent_.Increment();
    }
  }

  const std::string sender_;
  prometheus::Counter& overwritten_;
  prometheus::Counter& sent_;

  // Both.
  WakeEvent wake_;
  std::atomic<bool> stopping_ = false;
  absl::Mutex mutex_;
  std::map<std::string, proto::Envelope> slots_ ABSL_GUARDED_BY(mutex_);

  // Only in the thread.
  ClientLink link_;
  uint64_t number_ = 0;

  std::thread thread_;
};

TelemetryPublisher::TelemetryPublisher(std::unique_ptr<Worker> worker)
    : worker_(std::move(worker)) {}
TelemetryPublisher::~TelemetryPublisher() = default;

absl::StatusOr<std::unique_ptr<TelemetryPublisher>> TelemetryPublisher::Open(
    const std::string& endpoint, BusContext& context, Metrics& metrics) {
  ASSIGN_OR_RETURN(Socket socket, context.sockets().Connect(ZMQ_PUB, endpoint));
  return std::unique_ptr<TelemetryPublisher>(new TelemetryPublisher(
      std::make_unique<Worker>(context, endpoint, std::move(socket), metrics)));
}

void TelemetryPublisher::Publish(const std::string& subject, proto::Envelope envelope) {
  worker_->Publish(subject, std::move(envelope));
}

class TelemetrySubscriber::Worker {
 public:
  Worker(Socket socket, Handler handler, Metrics& metrics)
      : endpoint_(socket.endpoint()),
        handler_(std::move(handler)),
        received_(
            metrics.Counter("cordon_telemetry_received_total", "Telemetry messages received.")),
        lost_(metrics.Counter("cordon_telemetry_lost_total",
                              "Telemetry messages that never arrived, by their numbers.")),
        bad_(metrics.Counter("cordon_telemetry_bad_total",
                             "Telemetry frames that could not be used.")),
        trouble_(SystemClock(), log::Level::kWarning, "telemetry cannot be used", endpoint_),
        socket_(std::move(socket)),
        thread_([this] { Run(); }) {}

  ~Worker() {
    stopping_ = true;
    wake_.Signal();
    thread_.join();
  }

  const std::string& endpoint() const { return endpoint_; }

 private:
  void Run() {
    SetThreadName("telemetry-in");
    while (!stopping_) {
      WaitReadable({socket_.handle()}, wake_, kIdle);
      while (!stopping_) {
        const std::optional<Incoming> incoming = socket_.Receive(false);
        if (!incoming) break;
        OnFrame(*incoming);
      }
    }
  }

  void OnFrame(const Incoming& incoming) {
    absl::StatusOr<proto::Envelope> envelope = wire::DecodeFrame(incoming.frame);
    if (envelope.ok() && !incoming.user.empty() && envelope->sender() != incoming.user)
      envelope = absl::PermissionDeniedError(
          fmt::format("the key of {} cannot speak for {}", incoming.user, envelope->sender()));
    if (!envelope.ok()) {
      bad_.Increment();
      trouble_.Note(MessageOf(envelope.status()));
      return;
    }
    received_.Increment();
    CountGap(envelope->sender(), envelope->number());
    handler_(*envelope);
  }

  void CountGap(const std::string& sender, uint64_t number) {
    if (last_.size() >= kMaxSenders && !last_.contains(sender)) last_.clear();
    uint64_t& last = last_[sender];
    // A lower number is a restarted sender; its first message tells of no loss.
    if (last != 0 && number > last + 1) lost_.Increment(static_cast<double>(number - last - 1));
    last = number;
  }

  const std::string endpoint_;
  const Handler handler_;
  prometheus::Counter& received_;
  prometheus::Counter& lost_;
  prometheus::Counter& bad_;

  // Both.
  WakeEvent wake_;
  std::atomic<bool> stopping_ = false;

  // Only in the thread.
  log::OncePerSecond trouble_;
  Socket socket_;
  std::map<std::string, uint64_t> last_;

  std::thread thread_;
};

TelemetrySubscriber::TelemetrySubscriber(std::unique_ptr<Worker> worker)
    : worker_(std::move(worker)) {}
TelemetrySubscriber::~TelemetrySubscriber() = default;
const std::string& TelemetrySubscriber::endpoint() const { return worker_->endpoint(); }

absl::StatusOr<std::unique_ptr<TelemetrySubscriber>> TelemetrySubscriber::Open(
    const std::string& endpoint, BusContext& context, Handler handler, Metrics& metrics) {
  ASSIGN_OR_RETURN(Socket socket, context.sockets().Bind(ZMQ_SUB, endpoint));
  return std::unique_ptr<TelemetrySubscriber>(new TelemetrySubscriber(
      std::make_unique<Worker>(std::move(socket), std::move(handler), metrics)));
}

}  // namespace cordon
