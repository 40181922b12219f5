// SPDX-License-Identifier: Apache-2.0
#include "ingest/camera_stream.h"

#include <utility>

#include "base/log.h"
#include "ingest/rtsp_metrics.h"
#include "ingest/source_factory.h"

namespace cordon {
namespace {

// One turn of decoding between two looks at the socket.
constexpr Milliseconds kDecodeSlice{20};
constexpr Milliseconds kShowEvery{1000};

size_t RingBytes(const proto::CameraConfig& camera) {
  return static_cast<size_t>(camera.ring_mib()) * 1024 * 1024;
}

std::string ThreadName(const char* prefix, const std::string& camera) {
  return (prefix + camera).substr(0, 15);
}

}  // namespace

// The camera's metrics, at most one update a second.
struct CameraStream::Counters {
  Counters(Metrics& metrics, const Labels& camera)
      : received(
            metrics.Counter("cordon_ingest_packets_total", "Encoded pictures received.", camera)),
        decoded(metrics.Counter("cordon_ingest_decoded_total", "Pictures decoded.", camera)),
        delivered(
            metrics.Counter("cordon_ingest_frames_total", "Frames given to analytics.", camera)),
        skipped(metrics.Counter("cordon_ingest_skipped_quiet_total",
                                "Pictures not decoded because the scene was quiet.", camera)),
        shed(metrics.Counter("cordon_ingest_shed_total",
                             "Frames due for analysis that overload took.", camera)),
        errors(metrics.Counter("cordon_ingest_decode_errors_total",
                               "Packets and pictures with decoding errors.", camera)),
        wakes(metrics.Counter("cordon_ingest_wakes_total",
                              "Changes from key frames to full decode.", camera)),
        reconnects(
            metrics.Gauge("cordon_ingest_reconnects", "Connections after the first.", camera)),
        full(metrics.Gauge("cordon_ingest_full_decode",
                           "1 while every picture is decoded, 0 while only key frames are.",
                           camera)),
        state(metrics.Gauge("cordon_ingest_stream_state",
                            "State of the stream: 0 connecting, 1 live, 2 stalled, 3 lost, 4 "
                            "authentication failed, 5 ended.",
                            camera)),
        ring_bytes(metrics.Gauge("cordon_ingest_ring_bytes", "Bytes in the packet ring.", camera)) {
  }
  prometheus::Counter& received;
  prometheus::Counter& decoded;
  prometheus::Counter& delivered;
  prometheus::Counter& skipped;
  prometheus::Counter& shed;
  prometheus::Counter& errors;
  prometheus::Counter& wakes;
  prometheus::Gauge& reconnects;
  prometheus::Gauge& full;
  prometheus::Gauge& state;
  prometheus::Gauge& ring_bytes;
};

absl::StatusOr<std::unique_ptr<CameraStream>> CameraStream::Make(const proto::CameraConfig& camera,
                                                                 const Secret& password,
                                                                 CameraStreamServices services) {
  ASSIGN_OR_RETURN(Masks masks, Masks::Parse(camera));
  if (!services.make_source) {
    for (const std::string& url : {camera.url(), camera.sub_url()}) {
      if (url.empty()) continue;
      ASSIGN_OR_RETURN(auto probe, MakePacketSource(camera, password, services.clock, url));
    }
  }
  std::unique_ptr<CameraStream> stream(
      new CameraStream(camera, std::move(masks), std::move(services)));
  stream->Start(password);
  return stream;
}

CameraStream::CameraStream(const proto::CameraConfig& camera, Masks masks,
                           CameraStreamServices services)
    : camera_(camera),
      masks_(std::move(masks)),
      services_(std::move(services)),
      health_(camera_, services_.clock),
      evidence_health_(camera_, services_.clock),
      ring_(std::make_shared<PacketRing>(RingBytes(camera_))),
      decoder_(camera_, masks_, *ring_, services_.frames, services_.clock),
      counters_(std::make_unique<Counters>(services_.metrics, Labels{{"camera", camera_.id()}})) {
  if (services_.budget != nullptr) share_ = services_.budget->Join(camera_.priority());
  if (!camera_.onvif_url().empty()) {
    metadata_ = std::make_unique<OnvifMetadata>(camera_.id(), services_.metrics, services_.clock,
                                                [this] { decoder_.Trigger(); });
  }
  decoder_.OnFrame([this](const FramePtr& frame) { Observe(frame); });
}

void CameraStream::Start(const Secret& password) {
  // Metadata come beside the stream that is analysed.
  const auto maker = [this, password](const std::string& url, const char* stream,
                                      OnvifMetadata* metadata) -> StreamReader::SourceMaker {
    if (services_.make_source) return services_.make_source;
    return [=, this]() -> absl::StatusOr<std::unique_ptr<PacketSource>> {
      ASSIGN_OR_RETURN(std::unique_ptr<PacketSource> source,
                       MakePacketSource(camera_, password, services_.clock, url, metadata));
      return WithRtspMetrics(std::move(source), services_.metrics,
                             {{"camera", camera_.id()}, {"stream", stream}}, services_.clock);
    };
  };
  const bool sub = !camera_.sub_url().empty();
  const uint64_t seed = std::hash<std::string>()(camera_.id());
  if (sub) {
    evidence_ring_ = std::make_shared<PacketRing>(RingBytes(camera_));
    evidence_ = std::make_unique<StreamReader>(
        StreamReader::Options{camera_.id() + " (main)", ThreadName("evi-", camera_.id()),
                              maker(camera_.url(), "main", nullptr), seed + 1},
        StreamReader::Hooks{}, *evidence_ring_, evidence_health_, services_.gate, services_.clock);
  }
  StreamReader::Hooks hooks;
  hooks.opened = [this](const StreamInfo& info, uint64_t first) {
    return decoder_.Open(info, first);
  };
  hooks.packet = [this](const RingEntry& entry) {
    counters_->received.Increment();
    decoder_.OnPacket(entry);
  };
  hooks.work = [this] { return Work(); };
  hooks.ended = [this] { decoder_.Finish(); };
  reader_ = std::make_unique<StreamReader>(
      StreamReader::Options{camera_.id(), ThreadName("cam-", camera_.id()),
                            sub ? maker(camera_.sub_url(), "sub", metadata_.get())
                                : maker(camera_.url(), "main", metadata_.get()),
                            seed},
      std::move(hooks), *ring_, health_, services_.gate, services_.clock);
}

CameraStream::~CameraStream() {
  reader_.reset();
  evidence_.reset();
}

bool CameraStream::Work() {
  const bool more = decoder_.Work(kDecodeSlice);
  if (services_.clock.Boot() - shown_at_ >= kShowEvery) {
    shown_at_ = services_.clock.Boot();
    Show();
  }
  return more;
}

void CameraStream::Observe(const FramePtr& frame) {
  health_.FrameMade(*frame);
  absl::MutexLock lock(&newest_mutex_);
  newest_ = frame;
}

void CameraStream::Show() {
  const double factor = share_.factor();
  decoder_.SetRateFactor(factor);
  const double fps = camera_.analysis_fps() * factor;
  health_.Shedding(factor < 1 ? fps : 0,
                   factor < 1 ? WeakenedRules(camera_, fps) : std::vector<std::string>());
  health_.DecodeMode(decoder_.effective_mode(), decoder_.mode_reason());
  const DecodeCounts now = decoder_.counts();
  health_.FramesShed(now.shed - shown_.shed);
  counters_->decoded.Increment(static_cast<double>(now.decoded - shown_.decoded));
  counters_->delivered.Increment(static_cast<double>(now.delivered - shown_.delivered));
  counters_->skipped.Increment(static_cast<double>(now.skipped_quiet - shown_.skipped_quiet));
  counters_->shed.Increment(static_cast<double>(now.shed - shown_.shed));
  if (now.errors > shown_.errors)
    counters_->errors.Increment(static_cast<double>(now.errors - shown_.errors));
  counters_->wakes.Increment(static_cast<double>(now.wakes - shown_.wakes));
  counters_->full.Set(decoder_.effective_mode() == "full" ? 1 : 0);
  counters_->ring_bytes.Set(static_cast<double>(ring_->bytes()));
  shown_ = now;
}

proto::CameraHealth CameraStream::Health() const {
  proto::CameraHealth health = health_.Snapshot();
  if (evidence_ != nullptr && health.state() == proto::STREAM_STATE_LIVE) {
    const proto::CameraHealth main = evidence_health_.Snapshot();
    if (main.state() != proto::STREAM_STATE_LIVE)
      health.set_reason("no evidence, main stream: " + main.reason());
  }
  return health;
}

std::vector<proto::Event> CameraStream::Tick() {
  std::vector<proto::Event> events = health_.Tick();
  if (evidence_ != nullptr) {
    for (proto::Event& event : evidence_health_.Tick()) {
      event.set_rule_id("main-stream");
      events.push_back(std::move(event));
    }
  }
  const proto::CameraHealth health = health_.Snapshot();
  counters_->state.Set(health.state());
  counters_->reconnects.Set(static_cast<double>(health.reconnects()));
  return events;
}

FramePtr CameraStream::Newest() const {
  absl::MutexLock lock(&newest_mutex_);
  return newest_;
}

}  // namespace cordon
