// SPDX-License-Identifier: Apache-2.0
#include "bus/outbox_sender.h"

#include <zmq.h>

#include <algorithm>

#include "base/check.h"
#include "bus/wire.h"

namespace cordon {
namespace {

constexpr Milliseconds kTryAgain{5};  // the socket took no more

}  // namespace

OutboxSender::OutboxSender(std::string endpoint, OutboxIdentity identity,
                           std::unique_ptr<OutboxRows> rows, Socket socket,
                           OutboxProgress& progress, BusContext& context, const Clock& clock,
                           Metrics& metrics)
    : endpoint_(std::move(endpoint)),
      context_(context),
      clock_(clock),
      resent_total_(metrics.Counter("cordon_outbox_resent_total",
                                    "Records sent again after a break or without an answer.")),
      pending_gauge_(metrics.Gauge("cordon_outbox_pending",
                                   "Durable records that the dispatcher has not acknowledged.")),
      connected_gauge_(metrics.Gauge("cordon_outbox_connected", "1 while the dispatcher answers.")),
      progress_(progress),
      rows_(std::move(rows)),
      socket_(std::move(socket)),
      session_(identity, *rows_, progress.acknowledged(), progress.committed()),
      trouble_(clock, log::Level::kWarning, "the alert lane has trouble", identity.producer),
      thread_([this] { Run(); }) {}

OutboxSender::~OutboxSender() {
  stopping_ = true;
  wake_.Signal();
  thread_.join();
}

void OutboxSender::Run() {
  SetThreadName("outbox-send");
  while (!stopping_) {
    const BootTime now = clock_.Boot();
    ReadLinkEvents(now);
    ReadSocket(now);
    PumpSession(now);
    // A silent peer on a connection that stands is a partition: a new connection starts clean.
    if (session_.lost(now))
      trouble_.Note("the dispatcher has been silent for 3 s; connecting anew");
    if (session_.lost(now) || now >= connect_again_) Reconnect();
    PublishProgress();
    Wait(now);
  }
}

void OutboxSender::Wait(BootTime now) {
  const Nanoseconds most = socket_full_ ? Nanoseconds(kTryAgain) : Nanoseconds(Seconds(1));
  const BootTime due = std::min({session_.next_due(), connect_again_, now + most});
  // Rounded up: a wait that ends just before the time is due would spin.
  const auto wait = std::chrono::ceil<Milliseconds>(due - clock_.Boot());
  WaitReadable({socket_.handle(), socket_.monitor()}, wake_, wait);
  wake_.Clear();
}

void OutboxSender::ReadLinkEvents(BootTime now) {
  while (const std::optional<LinkEvent> event = socket_.ReceiveLinkEvent()) {
    switch (*event) {
      case LinkEvent::kConnected:
        session_.OnConnected(now);
        break;
      case LinkEvent::kDisconnected:
        session_.OnDisconnected();
        break;
      case LinkEvent::kKeyRejected:
        // libzmq takes this as final; a key may be admitted later.
        connect_again_ = now + ClientLink::kTryKeyAgain;
        progress_.SetSendFault(fmt::format(
            "the dispatcher does not accept this node's key: copy {}.pub into its keys folder",
            context_.name()));
        break;
    }
  }
}

void OutboxSender::ReadSocket(BootTime now) {
  while (const std::optional<Incoming> incoming = socket_.Receive(false)) {
    const absl::StatusOr<proto::Envelope> envelope = wire::DecodeFrame(incoming->frame);
    if (envelope.ok()) {
      session_.OnEnvelope(*envelope, now);
    } else {
      trouble_.Note(MessageOf(envelope.status()));
    }
  }
}

void OutboxSender::PumpSession(BootTime now) {
  session_.OnCommitted(progress_.committed());
  socket_full_ = false;
  const absl::Status status = session_.Pump(now, [this](const proto::Envelope& envelope) {
    const absl::StatusOr<std::string> frame = wire::EncodeFrame(envelope);
    CORDON_CHECK(frame.ok(), "what the outbox took fits a frame");
    socket_full_ = socket_.Send(*frame) != SendResult::kSent;
    return !socket_full_;
  });
  if (!status.ok()) trouble_.Note(MessageOf(status));
}

void OutboxSender::PublishProgress() {
  const bool connected = session_.state() == OutboxSession::State::kFlowing;
  resent_total_.Increment(static_cast<double>(session_.resent() - counted_resent_));
  counted_resent_ = session_.resent();
  progress_.SetAcknowledged(session_.acknowledged());
  const uint64_t pending = progress_.committed() - session_.acknowledged();
  if (progress_.SetConnected(connected))
    log::Info(
        connected ? "the dispatcher answers" : "the dispatcher does not answer; alerts are kept",
        {{"endpoint", endpoint_}, {"pending", pending}});
  if (session_.state() == OutboxSession::State::kRejected) {
    progress_.SetSendFault(session_.fault());
    if (said_fault_ != session_.fault())
      log::Error("the dispatcher refuses this outbox", {{"why", session_.fault()}});
  }
  said_fault_ = session_.fault();
  pending_gauge_.Set(static_cast<double>(pending));
  connected_gauge_.Set(connected ? 1 : 0);
}

void OutboxSender::Reconnect() {
  session_.OnDisconnected();
  connect_again_ = BootTime::max();
  absl::StatusOr<Socket> fresh = context_.sockets().Connect(ZMQ_DEALER, endpoint_);
  if (fresh.ok()) {
    socket_ = *std::move(fresh);
  } else {
    trouble_.Note(MessageOf(fresh.status()));
  }
}

}  // namespace cordon
