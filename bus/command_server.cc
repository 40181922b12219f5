// SPDX-License-Identifier: Apache-2.0
#include <zmq.h>

#include <atomic>
#include <thread>

#include "bus/command_path.h"
#include "bus/node_link.h"
#include "bus/wire.h"

namespace cordon {

namespace {

constexpr Milliseconds kIdle{1000};

}  // namespace

class CommandServer::Worker {
 public:
  Worker(BusContext& context, const std::string& endpoint, NodeId node, Socket socket,
         Handler handler, const Clock& clock, Metrics& metrics)
      : handler_(std::move(handler)),
        answered_(metrics.Counter("cordon_commands_answered_total",
                                  "Commands of the dispatcher answered.")),
        link_(context, endpoint, std::move(node), std::move(socket), clock,
              "the command path has trouble"),
        thread_([this] { Run(); }) {}

  ~Worker() {
    stopping_ = true;
    wake_.Signal();
    thread_.join();
  }

 private:
  void Run() {
    SetThreadName("command-server");
    while (!stopping_) {
      link_.Tend();
      while (!stopping_) {
        const std::optional<proto::Envelope> envelope = link_.Receive();
        if (!envelope) break;
        if (envelope->has_command()) Answer(*envelope);
      }
      link_.Wait(wake_, kIdle);
    }
  }

  void Answer(const proto::Envelope& envelope) {
    proto::Envelope answer;
    answer.set_version(wire::kProtocolVersion);
    answer.set_trace_id(envelope.trace_id());
    absl::StatusOr<proto::Reply> reply = handler_(envelope.command());
    if (reply.ok() && reply->data().size() > kMaxReplyBytes)
      reply = absl::ResourceExhaustedError("the answer is larger than a chunk");
    if (reply.ok()) {
      *answer.mutable_reply() = *std::move(reply);
    } else {
      answer.mutable_reply()->set_error(std::string(MessageOf(reply.status())));
    }
    answer.mutable_reply()->set_request(envelope.command().request());
    answered_.Increment();
    if (!link_.Send(answer))
      link_.trouble().Note("an answer could not be sent; the dispatcher will ask again");
  }

  const Handler handler_;
  prometheus::Counter& answered_;

  // Both.
  WakeEvent wake_;
  std::atomic<bool> stopping_ = false;

  // Only in the thread.
  NodeLink link_;

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
