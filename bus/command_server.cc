// SPDX-License-Identifier: Apache-2.0
#include <zmq.h>

#include <atomic>
#include <thread>

#include "base/log.h"
#include "bus/command_path.h"
#include "bus/node_directory.h"
#include "bus/sockets.h"
#include "bus/wire.h"

namespace cordon {

class CommandServer::Worker {
 public:
  Worker(BusContext& context, const std::string& endpoint, NodeId node, Socket socket,
         Handler handler, const Clock& clock, Metrics& metrics)
      : node_(std::move(node)),
        handler_(std::move(handler)),
        clock_(clock),
        answered_(metrics.Counter("cordon_commands_answered_total",
                                  "Commands of the dispatcher answered.")),
        trouble_(clock, log::Level::kWarning, "the command path has trouble", node_.str()),
        link_(context.sockets(), ZMQ_DEALER, endpoint, std::move(socket)),
        thread_([this] { Run(); }) {}

  ~Worker() {
    stopping_ = true;
    wake_.Signal();
    thread_.join();
  }

 private:
  void Run() {
    SetThreadName("command-server");
    BootTime announce = clock_.Boot();
    while (!stopping_) {
      const BootTime now = clock_.Boot();
      if (link_.Tend(now)) announce = now;
      if (now >= announce && Announce()) announce = now + NodeDirectory::kAnnounceEvery;
      while (!stopping_) {
        const std::optional<Incoming> incoming = link_.socket().Receive(false);
        if (!incoming) break;
        OnFrame(incoming->frame);
      }
      const auto wait = std::chrono::ceil<Milliseconds>(announce - clock_.Boot());
      WaitReadable({link_.socket().handle(), link_.socket().monitor()}, wake_,
                   std::max(wait, Milliseconds(20)));
    }
  }

  // Says whose commands this connection takes; repeated, so that a restarted dispatcher learns it
  // too.
  bool Announce() { return Send(AnnouncementOf(node_)); }

  void OnFrame(const std::string& frame) {
    const absl::StatusOr<proto::Envelope> envelope = wire::DecodeFrame(frame);
    if (!envelope.ok()) return trouble_.Note(MessageOf(envelope.status()));
    if (!envelope->has_command()) return;
    proto::Envelope answer;
    answer.set_version(wire::kProtocolVersion);
    answer.set_trace_id(envelope->trace_id());
    absl::StatusOr<proto::Reply> reply = handler_(envelope->command());
    if (reply.ok() && reply->data().size() > kMaxReplyBytes)
      reply = absl::ResourceExhaustedError("the answer is larger than a chunk");
    if (reply.ok()) {
      *answer.mutable_reply() = *std::move(reply);
    } else {
      answer.mutable_reply()->set_error(std::string(MessageOf(reply.status())));
    }
    answer.mutable_reply()->set_request(envelope->command().request());
    answered_.Increment();
    if (!Send(answer)) trouble_.Note("an answer could not be sent; the dispatcher will ask again");
  }

  bool Send(const proto::Envelope& envelope) {
    const absl::StatusOr<std::string> frame = wire::EncodeFrame(envelope);
    return frame.ok() && link_.socket().Send(*frame) == SendResult::kSent;
  }

  const NodeId node_;
  const Handler handler_;
  const Clock& clock_;
  prometheus::Counter& answered_;

  // Both.
  WakeEvent wake_;
  std::atomic<bool> stopping_ = false;

  // Only in the thread.
  log::OncePerSecond trouble_;
  ClientLink link_;

  std::thread thread_;
};

CommandServer::CommandServer(std::unique_ptr<Worker> worker) : worker_(std::move(worker)) {}
CommandServer::~CommandServer() = default;

absl::StatusOr<std::unique_ptr<CommandServer>> CommandServer::Open(const std::string& endpoint,
                                                                   NodeId node, BusContext& context,
                                                                   Handler handler,
                                                                   const Clock& clock,
                                                                   Metrics& metrics) {
  ASSIGN_OR_RETURN(Socket socket, context.sockets().Connect(ZMQ_DEALER, endpoint));
  return std::unique_ptr<CommandServer>(new CommandServer(std::make_unique<Worker>(
      context, endpoint, std::move(node), std::move(socket), std::move(handler), clock, metrics)));
}

}  // namespace cordon
