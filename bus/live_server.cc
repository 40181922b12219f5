// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "bus/live_path.h"
#include "bus/node_link.h"
#include "bus/wire.h"

namespace cordon {
namespace {

// A turn over all viewers; below the distance of two pictures.
constexpr Milliseconds kTurn{40};
constexpr Milliseconds kIdle{500};
// A viewer's picture may be late, analysis may not. Linux nice values are per thread.
constexpr int kNice = 10;

}  // namespace

class LiveServer::Worker {
 public:
  Worker(BusContext& context, const std::string& endpoint, NodeId node, Socket socket, Opener open,
         const Clock& clock, Metrics& metrics)
      : open_(std::move(open)),
        clock_(clock),
        viewers_gauge_(
            metrics.Gauge("cordon_live_node_viewers", "Viewers of this node's cameras.")),
        bytes_total_(metrics.Counter("cordon_live_node_bytes_total",
                                     "Bytes of live pictures sent to the dispatcher.")),
        skipped_total_(
            metrics.Counter("cordon_live_node_skipped_total",
                            "Pictures left out because a viewer or the link was too slow.")),
        link_(context, endpoint, std::move(node), std::move(socket), clock,
              "the live lane has trouble"),
        thread_([this] { Run(); }) {}

  ~Worker() {
    stopping_ = true;
    wake_.Signal();
    thread_.join();
  }

 private:
  struct Viewer {
    std::string camera;
    std::unique_ptr<LiveSource> source;
    int64_t window = kLiveWindowBytes;
    LiveSource::Part part;  // what is being sent
    size_t sent = 0;        // of part.bytes
    uint64_t skipped = 0;
    BootTime credited{};
  };

  void Run();
  void OnMessage(const proto::LiveToNode& message);
  void OpenViewer(uint64_t number, const proto::LiveOpen& what);
  // False: the viewer is over.
  bool Serve(uint64_t number, Viewer& viewer);
  bool SendPiece(uint64_t number, Viewer& viewer);
  void End(uint64_t number, std::string_view reason);
  static proto::Envelope EnvelopeFor(uint64_t number);

  const Opener open_;
  const Clock& clock_;
  prometheus::Gauge& viewers_gauge_;
  prometheus::Counter& bytes_total_;
  prometheus::Counter& skipped_total_;

  // Both.
  WakeEvent wake_;
  std::atomic<bool> stopping_ = false;

  // Only in the thread.
  NodeLink link_;
  std::map<uint64_t, Viewer> viewers_;

  std::thread thread_;
};

void LiveServer::Worker::Run() {
  SetThreadName("live-server");
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNice);
  while (!stopping_) {
    // A new connection: whoever watched over the old one asks again.
    if (link_.Tend()) viewers_.clear();
    while (!stopping_) {
      const std::optional<proto::Envelope> envelope = link_.Receive();
      if (!envelope) break;
      if (envelope->has_live_to_node()) OnMessage(envelope->live_to_node());
    }
    for (auto viewer = viewers_.begin(); viewer != viewers_.end();)
      viewer = Serve(viewer->first, viewer->second) ? std::next(viewer) : viewers_.erase(viewer);
    viewers_gauge_.Set(static_cast<double>(viewers_.size()));
    link_.Wait(wake_, viewers_.empty() ? kIdle : kTurn);
  }
  while (!viewers_.empty()) {
    End(viewers_.begin()->first, "the node ends");
    viewers_.erase(viewers_.begin());
  }
}

void LiveServer::Worker::OnMessage(const proto::LiveToNode& message) {
  if (message.has_open()) return OpenViewer(message.viewer(), message.open());
  const auto viewer = viewers_.find(message.viewer());
  if (viewer == viewers_.end()) return;
  if (message.has_close()) {
    viewers_.erase(viewer);
  } else if (message.has_credit()) {
    const auto given = static_cast<int64_t>(
        std::min<uint64_t>(message.credit().bytes(), static_cast<uint64_t>(kLiveWindowBytes)));
    viewer->second.window = std::min(viewer->second.window + given, kLiveWindowBytes);
    viewer->second.credited = clock_.Boot();
  }
}

void LiveServer::Worker::OpenViewer(uint64_t number, const proto::LiveOpen& what) {
  if (viewers_.size() >= kMaxViewers)
    return End(number, fmt::format("{} shows its cameras to {} viewers already", link_.node().str(),
                                   viewers_.size()));
  absl::StatusOr<LiveOpening> opening = open_(what);
  if (!opening.ok()) return End(number, MessageOf(opening.status()));
  proto::Envelope envelope = EnvelopeFor(number);
  proto::LiveStart& start = *envelope.mutable_live_to_viewer()->mutable_start();
  start.set_mime(opening->mime);
  start.set_why_pictures(opening->why_pictures);
  if (!link_.Send(envelope)) return;
  Viewer& viewer = viewers_[number];
  viewer.camera = what.camera_id();
  viewer.source = std::move(opening->source);
  viewer.credited = clock_.Boot();
}

bool LiveServer::Worker::Serve(uint64_t number, Viewer& viewer) {
  while (viewer.window > 0) {
    if (viewer.sent == viewer.part.bytes.size()) {
      absl::StatusOr<LiveSource::Part> part = viewer.source->Take();
      if (!part.ok()) {
        End(number, MessageOf(part.status()));
        return false;
      }
      skipped_total_.Increment(static_cast<double>(part->skipped - viewer.skipped));
      viewer.skipped = part->skipped;
      viewer.part = *std::move(part);
      viewer.sent = 0;
      if (viewer.part.bytes.empty()) {
        viewer.credited = clock_.Boot();  // it waits for the camera, not the other way round
        return true;
      }
    }
    if (!SendPiece(number, viewer)) break;
  }
  if (clock_.Boot() - viewer.credited < kGoneAfter) return true;
  End(number, "nothing was taken for too long");
  return false;
}

bool LiveServer::Worker::SendPiece(uint64_t number, Viewer& viewer) {
  const size_t size = std::min(kLivePieceBytes, viewer.part.bytes.size() - viewer.sent);
  proto::Envelope envelope = EnvelopeFor(number);
  proto::LiveData& data = *envelope.mutable_live_to_viewer()->mutable_data();
  data.set_data(viewer.part.bytes.substr(viewer.sent, size));
  data.set_picture_age_ms(viewer.part.age.count());
  data.set_skipped(viewer.part.skipped);
  if (!link_.Send(envelope)) return false;
  viewer.sent += size;
  viewer.window -= static_cast<int64_t>(size) + kLivePieceWeight;
  bytes_total_.Increment(static_cast<double>(size));
  return true;
}

void LiveServer::Worker::End(uint64_t number, std::string_view reason) {
  proto::Envelope envelope = EnvelopeFor(number);
  envelope.mutable_live_to_viewer()->mutable_end()->set_reason(std::string(reason));
  link_.Send(envelope);  // when the link is full or gone, the dispatcher notices by itself
}

proto::Envelope LiveServer::Worker::EnvelopeFor(uint64_t number) {
  proto::Envelope envelope;
  envelope.set_version(wire::kProtocolVersion);
  envelope.mutable_live_to_viewer()->set_viewer(number);
  return envelope;
}

LiveServer::LiveServer(std::unique_ptr<Worker> worker) : worker_(std::move(worker)) {}
LiveServer::~LiveServer() = default;

absl::StatusOr<std::unique_ptr<LiveServer>> LiveServer::Open(const std::string& endpoint,
                                                             NodeId node, BusContext& context,
                                                             Opener open, const Clock& clock,
                                                             Metrics& metrics) {
  ASSIGN_OR_RETURN(Socket socket, context.sockets().Connect(ZMQ_DEALER, endpoint));
  return std::unique_ptr<LiveServer>(new LiveServer(std::make_unique<Worker>(
      context, endpoint, std::move(node), std::move(socket), std::move(open), clock, metrics)));
}

}  // namespace cordon
