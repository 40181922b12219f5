// SPDX-License-Identifier: Apache-2.0
#include <zmq.h>

#include <atomic>
#include <map>
#include <optional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/bounded_queue.h"
#include "base/log.h"
#include "bus/command_path.h"
#include "bus/node_directory.h"
#include "bus/sockets.h"
#include "bus/wire.h"

namespace cordon {
namespace {

constexpr Milliseconds kIdle{200};

}  // namespace

class CommandClient::Worker {
 public:
  Worker(Socket socket, const Clock& clock, Metrics& metrics)
      : endpoint_(socket.endpoint()),
        clock_(clock),
        seconds_(metrics.Latency("cordon_command_seconds", "From a command to its answer.")),
        failed_(
            metrics.Counter("cordon_commands_failed_total", "Commands without an answer in time.")),
        trouble_(clock, log::Level::kWarning, "the command path has trouble", endpoint_),
        socket_(std::move(socket)),
        thread_([this] { Run(); }) {}

  ~Worker() {
    queue_.Close();
    stopping_ = true;
    wake_.Signal();
    thread_.join();
    absl::MutexLock lock(&mutex_);
    for (auto& [request, call] : calls_)
      if (!call->result) call->result = absl::CancelledError("the dispatcher ends");
    // Callers still read their result under this lock.
    const auto gone = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return calls_.empty(); };
    mutex_.Await(absl::Condition(&gone));
  }

  absl::StatusOr<proto::Reply> Call(const NodeId& node, proto::Command command,
                                    Milliseconds deadline);
  std::vector<NodeId> ConnectedNodes() const { return nodes_.Connected(clock_.Boot()); }
  const std::string& endpoint() const { return endpoint_; }

 private:
  struct Pending {
    std::string peer;  // who was asked; only its answer counts
    std::optional<absl::StatusOr<proto::Reply>> result;
  };
  struct Request {
    uint64_t number;
    NodeId node;
    proto::Command command;
  };
  void Run();
  void SendRequest(Request request);
  void OnFrame(const Incoming& incoming);
  void Finish(uint64_t number, absl::StatusOr<proto::Reply> result);

  const std::string endpoint_;
  const Clock& clock_;
  prometheus::Histogram& seconds_;
  prometheus::Counter& failed_;

  // Both.
  BoundedQueue<Request> queue_{kMaxPending};
  WakeEvent wake_;
  std::atomic<bool> stopping_ = false;
  mutable absl::Mutex mutex_;
  uint64_t last_number_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, std::shared_ptr<Pending>> calls_ ABSL_GUARDED_BY(mutex_);

  NodeDirectory nodes_;

  // Only in the thread.
  log::OncePerSecond trouble_;
  Socket socket_;

  std::thread thread_;
};

absl::StatusOr<proto::Reply> CommandClient::Worker::Call(const NodeId& node, proto::Command command,
                                                         Milliseconds deadline) {
  const StageTimer timer(clock_, seconds_);
  const auto call = std::make_shared<Pending>();
  uint64_t number = 0;
  {
    absl::MutexLock lock(&mutex_);
    if (calls_.size() >= kMaxPending)
      return absl::ResourceExhaustedError("too many questions to nodes at once");
    number = ++last_number_;
    calls_[number] = call;
  }
  if (queue_.Push({number, node, std::move(command)}) != PushResult::kPushed)
    Finish(number, absl::CancelledError("the dispatcher ends"));
  wake_.Signal();
  absl::MutexLock lock(&mutex_);
  const auto answered = [&call] { return call->result.has_value(); };
  mutex_.AwaitWithTimeout(absl::Condition(&answered), absl::FromChrono(deadline));
  calls_.erase(number);
  if (!call->result) {
    failed_.Increment();
    return absl::DeadlineExceededError(
        fmt::format("{} did not answer within {} ms", node.str(), deadline.count()));
  }
  if (!call->result->ok()) failed_.Increment();
  return *std::move(call->result);
}

void CommandClient::Worker::Run() {
  SetThreadName("command-client");
  while (!stopping_) {
    WaitReadable({socket_.handle()}, wake_, kIdle);
    wake_.Clear();
    while (std::optional<Request> request = queue_.Pop(Milliseconds(0)))
      SendRequest(*std::move(request));
    while (const std::optional<Incoming> incoming = socket_.Receive(true)) OnFrame(*incoming);
  }
}

void CommandClient::Worker::SendRequest(Request request) {
  const std::string peer = nodes_.PeerOf(request.node, clock_.Boot());
  if (peer.empty())
    return Finish(request.number,
                  absl::UnavailableError(fmt::format("{} is not connected", request.node.str())));
  {
    absl::MutexLock lock(&mutex_);
    const auto call = calls_.find(request.number);
    if (call == calls_.end()) return;  // its deadline has passed
    call->second->peer = peer;
  }
  proto::Envelope envelope;
  envelope.set_version(wire::kProtocolVersion);
  *envelope.mutable_command() = std::move(request.command);
  envelope.mutable_command()->set_request(request.number);
  const absl::StatusOr<std::string> frame = wire::EncodeFrame(envelope);
  if (!frame.ok()) return Finish(request.number, frame.status());
  if (socket_.SendTo(peer, *frame) != SendResult::kSent)
    Finish(request.number,
           absl::UnavailableError(fmt::format("{} cannot be reached", request.node.str())));
}

void CommandClient::Worker::OnFrame(const Incoming& incoming) {
  absl::StatusOr<proto::Envelope> envelope = wire::DecodeFrame(incoming.frame);
  if (!envelope.ok()) return trouble_.Note(MessageOf(envelope.status()));
  if (envelope->has_hello()) {
    const absl::Status heard = nodes_.Heard(incoming, envelope->hello(), clock_.Boot());
    if (!heard.ok()) trouble_.Note(MessageOf(heard));
    return;
  }
  if (!envelope->has_reply()) return;
  const uint64_t number = envelope->reply().request();
  {
    absl::MutexLock lock(&mutex_);
    const auto call = calls_.find(number);
    if (call == calls_.end() || call->second->peer != incoming.peer)
      return;  // too late, or not who was asked
  }
  if (!envelope->reply().error().empty())
    return Finish(number, absl::AbortedError(envelope->reply().error()));
  Finish(number, std::move(*envelope->mutable_reply()));
}

void CommandClient::Worker::Finish(uint64_t number, absl::StatusOr<proto::Reply> result) {
  absl::MutexLock lock(&mutex_);
  const auto call = calls_.find(number);
  if (call != calls_.end() && !call->second->result) call->second->result = std::move(result);
}

CommandClient::CommandClient(std::unique_ptr<Worker> worker) : worker_(std::move(worker)) {}
CommandClient::~CommandClient() = default;
const std::string& CommandClient::endpoint() const { return worker_->endpoint(); }
std::vector<NodeId> CommandClient::ConnectedNodes() const { return worker_->ConnectedNodes(); }

absl::StatusOr<std::unique_ptr<CommandClient>> CommandClient::Open(const std::string& endpoint,
                                                                   BusContext& context,
                                                                   const Clock& clock,
                                                                   Metrics& metrics) {
  ASSIGN_OR_RETURN(Socket socket, context.sockets().Bind(ZMQ_ROUTER, endpoint));
  return std::unique_ptr<CommandClient>(
      new CommandClient(std::make_unique<Worker>(std::move(socket), clock, metrics)));
}

absl::StatusOr<proto::Reply> CommandClient::Call(const NodeId& node, proto::Command command,
                                                 Milliseconds deadline) {
  return worker_->Call(node, std::move(command), deadline);
}

absl::StatusOr<std::string> CommandClient::FetchClip(const NodeId& node, const std::string& clip_id,
                                                     size_t limit, Milliseconds deadline) {
  std::string clip;
  while (true) {
    proto::Command command;
    command.mutable_fetch_evidence()->set_node_id(node.str());
    command.mutable_fetch_evidence()->set_clip_id(clip_id);
    command.mutable_fetch_evidence()->set_offset(clip.size());
    ASSIGN_OR_RETURN(const proto::Reply reply, Call(node, std::move(command), deadline));
    if (reply.total_bytes() > limit)
      return absl::ResourceExhaustedError(fmt::format(
          "clip {} has {} bytes; at most {} are fetched", clip_id, reply.total_bytes(), limit));
    clip += reply.data();
    if (clip.size() == reply.total_bytes()) return clip;
    if (reply.data().empty() || clip.size() > reply.total_bytes())
      return absl::DataLossError(
          fmt::format("{} sent clip {} with other lengths than it announced", node.str(), clip_id));
  }
}

}  // namespace cordon
