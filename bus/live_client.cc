// SPDX-License-Identifier: Apache-2.0
#include <zmq.h>

#include <atomic>
#include <deque>
#include <map>
#include <optional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/bounded_queue.h"
#include "base/log.h"
#include "bus/live_path.h"
#include "bus/node_directory.h"
#include "bus/sockets.h"
#include "bus/wire.h"

namespace cordon {
namespace {

constexpr Milliseconds kIdle{200};
// Opens, credits and closes that wait for the thread.
constexpr size_t kWaitingMessages = 1024;
// Credit is given back in portions: a message for each piece would double their number.
constexpr int64_t kCreditPortion = kLiveWindowBytes / 8;

int64_t WeightOf(const proto::LiveToViewer& message) {
  return message.has_data() ? static_cast<int64_t>(message.data().data().size()) + kLivePieceWeight
                            : 0;
}

}  // namespace

class LiveClient::Worker {
 public:
  Worker(Socket socket, const Clock& clock, Metrics& metrics)
      : endpoint_(socket.endpoint()),
        clock_(clock),
        viewers_gauge_(metrics.Gauge("cordon_live_viewers", "Live pictures being watched.")),
        bytes_total_(
            metrics.Counter("cordon_live_bytes_total", "Bytes of live pictures from nodes.")),
        trouble_(clock, log::Level::kWarning, "the live lane has trouble", endpoint_),
        socket_(std::move(socket)),
        thread_([this] { Run(); }) {}

  ~Worker() { Stop(); }

  // Ends all views. Once; nothing is sent or taken afterwards.
  void Stop() {
    if (!thread_.joinable()) return;
    stopping_ = true;
    wake_.Signal();
    thread_.join();
    absl::MutexLock lock(&mutex_);
    for (auto& [number, viewer] : viewers_)
      EndLocked(viewer, absl::CancelledError("the dispatcher ends"));
    socket_.reset();
  }

  absl::StatusOr<uint64_t> Watch(const NodeId& node, const proto::LiveOpen& what,
                                 std::function<void()> wake);
  absl::StatusOr<std::optional<proto::LiveToViewer>> Next(uint64_t number);
  void Close(uint64_t number);
  std::vector<NodeId> ConnectedNodes() const { return nodes_.Connected(clock_.Boot()); }
  const std::string& endpoint() const { return endpoint_; }

 private:
  struct Viewer {
    NodeId node;
    std::string peer;
    std::function<void()> wake;
    std::deque<proto::LiveToViewer> pieces;
    int64_t weight = 0;   // of pieces
    int64_t to_give = 0;  // credit not given back yet
    absl::Status end;     // why it is over; OK: it is not
  };
  struct Outgoing {
    std::string peer;
    proto::LiveToNode message;
  };

  void Run();
  void SendOne(const Outgoing& outgoing);
  void OnFrame(const Incoming& incoming);
  void OnPiece(const Incoming& incoming, proto::LiveToViewer message);
  void EndViewsOfLostNodes();
  bool Push(const std::string& peer, proto::LiveToNode message);
  static void EndLocked(Viewer& viewer, absl::Status why);

  const std::string endpoint_;
  const Clock& clock_;
  prometheus::Gauge& viewers_gauge_;
  prometheus::Counter& bytes_total_;

  // Both.
  BoundedQueue<Outgoing> queue_{kWaitingMessages};
  WakeEvent wake_;
  std::atomic<bool> stopping_ = false;
  NodeDirectory nodes_;
  mutable absl::Mutex mutex_;
  uint64_t last_number_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Viewer> viewers_ ABSL_GUARDED_BY(mutex_);

  // Only in the thread.
  log::OncePerSecond trouble_;
  std::optional<Socket> socket_;  // gone after Stop: it must not outlive its context

  std::thread thread_;
};

absl::StatusOr<uint64_t> LiveClient::Worker::Watch(const NodeId& node, const proto::LiveOpen& what,
                                                   std::function<void()> wake) {
  const std::string peer = nodes_.PeerOf(node, clock_.Boot());
  if (peer.empty())
    return absl::UnavailableError(fmt::format("{} is not connected", node.str()));
  uint64_t number = 0;
  {
    absl::MutexLock lock(&mutex_);
    if (viewers_.size() >= kMaxViewers)
      return absl::ResourceExhaustedError(
          fmt::format("{} live pictures are watched already; close one", viewers_.size()));
    number = ++last_number_;
    viewers_[number] = {node, peer, std::move(wake), {}, 0, 0, absl::OkStatus()};
    viewers_gauge_.Set(static_cast<double>(viewers_.size()));
  }
  proto::LiveToNode message;
  message.set_viewer(number);
  *message.mutable_open() = what;
  if (Push(peer, std::move(message))) return number;
  Close(number);
  return absl::ResourceExhaustedError("too many messages wait for the live lane");
}

absl::StatusOr<std::optional<proto::LiveToViewer>> LiveClient::Worker::Next(uint64_t number) {
  std::optional<proto::LiveToViewer> piece;
  proto::LiveToNode credit;
  std::string peer;
  {
    absl::MutexLock lock(&mutex_);
    Viewer& viewer = viewers_.at(number);
    if (viewer.pieces.empty()) {
      if (!viewer.end.ok()) return viewer.end;
      return piece;
    }
    piece = std::move(viewer.pieces.front());
    viewer.pieces.pop_front();
    const int64_t weight = WeightOf(*piece);
    viewer.weight -= weight;
    viewer.to_give += weight;
    if (viewer.to_give < kCreditPortion) return piece;
    credit.mutable_credit()->set_bytes(static_cast<uint64_t>(viewer.to_give));
    peer = viewer.peer;
  }
  credit.set_viewer(number);
  const auto given = static_cast<int64_t>(credit.credit().bytes());
  if (!Push(peer, std::move(credit))) return piece;  // tried again with the next piece
  absl::MutexLock lock(&mutex_);
  viewers_.at(number).to_give -= given;
  return piece;
}

void LiveClient::Worker::Close(uint64_t number) {
  std::string peer;
  {
    absl::MutexLock lock(&mutex_);
    const auto viewer = viewers_.find(number);
    if (viewer == viewers_.end()) return;
    if (viewer->second.end.ok()) peer = viewer->second.peer;
    viewers_.erase(viewer);
    viewers_gauge_.Set(static_cast<double>(viewers_.size()));
  }
  if (peer.empty()) return;
  proto::LiveToNode message;
  message.set_viewer(number);
  message.mutable_close();
  Push(peer, std::move(message));  // one that does not fit is closed by the node's patience
}

bool LiveClient::Worker::Push(const std::string& peer, proto::LiveToNode message) {
  const bool pushed = queue_.Push({peer, std::move(message)}) == PushResult::kPushed;
  wake_.Signal();
  return pushed;
}

void LiveClient::Worker::Run() {
  SetThreadName("live-client");
  while (!stopping_) {
    WaitReadable({socket_->handle()}, wake_, kIdle);
    wake_.Clear();
    while (const std::optional<Outgoing> outgoing = queue_.Pop(Milliseconds(0))) SendOne(*outgoing);
    while (!stopping_) {
      const std::optional<Incoming> incoming = socket_->Receive(true);
      if (!incoming) break;
      OnFrame(*incoming);
    }
    EndViewsOfLostNodes();
  }
}

void LiveClient::Worker::SendOne(const Outgoing& outgoing) {
  proto::Envelope envelope;
  envelope.set_version(wire::kProtocolVersion);
  *envelope.mutable_live_to_node() = outgoing.message;
  const absl::StatusOr<std::string> frame = wire::EncodeFrame(envelope);
  if (frame.ok() && socket_->SendTo(outgoing.peer, *frame) == SendResult::kSent) return;
  std::function<void()> wake;
  {
    absl::MutexLock lock(&mutex_);
    const auto viewer = viewers_.find(outgoing.message.viewer());
    if (viewer == viewers_.end()) return;
    EndLocked(viewer->second, absl::UnavailableError(fmt::format("{} cannot be reached",
                                                                 viewer->second.node.str())));
    wake = viewer->second.wake;
  }
  wake();
}

void LiveClient::Worker::OnFrame(const Incoming& incoming) {
  absl::StatusOr<proto::Envelope> envelope = wire::DecodeFrame(incoming.frame);
  if (!envelope.ok()) return trouble_.Note(MessageOf(envelope.status()));
  if (envelope->has_hello()) {
    const absl::Status heard = nodes_.Heard(incoming, envelope->hello(), clock_.Boot());
    if (!heard.ok()) trouble_.Note(MessageOf(heard));
  } else if (envelope->has_live_to_viewer()) {
    OnPiece(incoming, std::move(*envelope->mutable_live_to_viewer()));
  }
}

void LiveClient::Worker::OnPiece(const Incoming& incoming, proto::LiveToViewer message) {
  std::function<void()> wake;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = viewers_.find(message.viewer());
    // Too late, or from somebody who was not asked.
    if (found == viewers_.end() || found->second.peer != incoming.peer) return;
    Viewer& viewer = found->second;
    wake = viewer.wake;
    if (message.has_end()) {
      EndLocked(viewer, absl::AbortedError(message.end().reason()));
    } else if (viewer.weight + WeightOf(message) > kLiveWindowBytes + kLivePieceWeight +
                                                       static_cast<int64_t>(kLivePieceBytes)) {
      EndLocked(viewer, absl::AbortedError("the node sent more than it may"));
    } else if (viewer.end.ok()) {
      viewer.weight += WeightOf(message);
      bytes_total_.Increment(static_cast<double>(message.data().data().size()));
      viewer.pieces.push_back(std::move(message));
    }
  }
  wake();
}

void LiveClient::Worker::EndLocked(Viewer& viewer, absl::Status why) {
  if (viewer.end.ok()) viewer.end = std::move(why);
}

void LiveClient::Worker::EndViewsOfLostNodes() {
  std::vector<std::function<void()>> wakes;
  {
    absl::MutexLock lock(&mutex_);
    for (auto& [number, viewer] : viewers_) {
      if (!viewer.end.ok() || nodes_.PeerOf(viewer.node, clock_.Boot()) == viewer.peer) continue;
      EndLocked(viewer,
                absl::UnavailableError(fmt::format("{} went away", viewer.node.str())));
      wakes.push_back(viewer.wake);
    }
  }
  for (const auto& wake : wakes) wake();
}

LiveClient::View::~View() { worker_->Close(viewer_); }

absl::StatusOr<std::optional<proto::LiveToViewer>> LiveClient::View::Next() {
  return worker_->Next(viewer_);
}

LiveClient::LiveClient(std::shared_ptr<Worker> worker) : worker_(std::move(worker)) {}
LiveClient::~LiveClient() { worker_->Stop(); }
const std::string& LiveClient::endpoint() const { return worker_->endpoint(); }
std::vector<NodeId> LiveClient::ConnectedNodes() const { return worker_->ConnectedNodes(); }

absl::StatusOr<std::unique_ptr<LiveClient>> LiveClient::Open(const std::string& endpoint,
                                                             BusContext& context,
                                                             const Clock& clock,
                                                             Metrics& metrics) {
  ASSIGN_OR_RETURN(Socket socket, context.sockets().Bind(ZMQ_ROUTER, endpoint));
  return std::unique_ptr<LiveClient>(
      new LiveClient(std::make_shared<Worker>(std::move(socket), clock, metrics)));
}

absl::StatusOr<std::unique_ptr<LiveClient::View>> LiveClient::Watch(const NodeId& node,
                                                                    const proto::LiveOpen& what,
                                                                    std::function<void()> wake) {
  ASSIGN_OR_RETURN(const uint64_t number, worker_->Watch(node, what, std::move(wake)));
  return std::make_unique<View>(worker_, number);
}

}  // namespace cordon
