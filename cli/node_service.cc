// SPDX-License-Identifier: Apache-2.0
#include "cli/node_service.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/file_util.h"
#include "base/log.h"
#include "bus/node_metrics.h"
#include "cli/alert_snapshot.h"
#include "cli/commands.h"
#include "cli/node_live.h"
#include "cli/site.h"
#include "ingest/snapshot.h"
#include "ingest/site_watch.h"

namespace cordon::cli {
namespace {

constexpr Milliseconds kHealthTick{500};
constexpr int kTicksPerReport = 2;
constexpr int kTicksPerMetrics = static_cast<int>(kNodeMetricsEvery / kHealthTick);
constexpr int kPreviewWidth = 960;
constexpr Microseconds kTellChangeEvery = Seconds(10);

// One thread for each core of the budget: analysis is the node's work, and more threads than cores
// only wait.
int AnalysisThreads(const proto::NodeConfig& node) {
  return std::max(1, static_cast<int>(node.cpu_budget()));
}

}  // namespace

NodeService::NodeService(const proto::Site& site, const proto::NodeConfig& node, const Clock& clock)
    : site_(site),
      node_(node),
      clock_(clock),
      ids_(clock),
      usage_(clock),
      raised_total_(
          metrics_.Counter("cordon_node_alerts_raised_total", "Alerts committed to the outbox")),
      unraised_total_(
          metrics_.Counter("cordon_node_alerts_refused_total",
                           "Alerts that the outbox refused: it is full or its disk failed")),
      picture_changes_(metrics_.Counter("cordon_node_picture_changes_total",
                                        "Changes of a camera's whole picture that are no tampering: lamps, "
                                        "infra-red light, unexplained.")),
      analysis_seconds_(metrics_.Latency("cordon_node_analysis_seconds",
                                         "From decoded to analysed, one frame")) {}

absl::StatusOr<std::unique_ptr<NodeService>> NodeService::Start(const proto::Site& site,
                                                                const proto::NodeConfig& node,
                                                                const Clock& clock) {
  std::unique_ptr<NodeService> service(new NodeService(site, node, clock));
  RETURN_IF_ERROR(service->Open());
  return service;
}

NodeService::~NodeService() {
  {
    absl::MutexLock lock(&stop_mutex_);
    stopping_ = true;
  }
  if (health_.joinable()) health_.join();
  for (const auto& camera : cameras_) camera->onvif.reset();
  commands_.reset();
  live_.reset();
  if (pool_ != nullptr)
    pool_->Stop();  // its callbacks use the streams, which put frames into its sinks
  for (const auto& camera : cameras_) camera->stream.reset();
  evidence_.reset();  // clips under way are finished and raised while the outbox is still there
}

absl::Status NodeService::Open() {
  const std::string folder = site_.data_dir() + "/nodes/" + node_.id();
  RETURN_IF_ERROR(MakeDirectories(folder));
  RETURN_IF_ERROR(OpenBus(folder));
  EvidenceStore::Options store;
  store.folder = folder + "/evidence";
  ASSIGN_OR_RETURN(evidence_, EvidenceKeeper::Open(store, clock_, metrics_,
                                                   [this](const proto::EvidenceReady& evidence) {
                                                     RaiseEvidence(evidence);
                                                   }));
  // What is there already goes at the earlier of then and what the configuration says now.
  for (const proto::CameraConfig& camera : site_.cameras())
    RETURN_IF_ERROR(evidence_->store().Limit(CameraId(camera.id()), RetentionOf(camera)));
  left_behind_ = std::make_unique<LeftBehindKeeper>(site_, clock_);
  RETURN_IF_ERROR(OpenCameras());
  ASSIGN_OR_RETURN(commands_, CommandServer::Open(
                                  site_.bus().commands(), NodeId(node_.id()), *bus_,
                                  [this](const proto::Command& command) { return Answer(command); },
                                  clock_, metrics_));
  ASSIGN_OR_RETURN(live_, LiveServer::Open(
                              site_.bus().live(), NodeId(node_.id()), *bus_,
                              [this](const proto::LiveOpen& what) { return View(what); }, clock_,
                              metrics_));
  health_ = std::thread([this] { HealthLoop(); });
  log::Info("node is running", {{"cameras", cameras_.size()}, {"cpu_budget", node_.cpu_budget()}});
  return absl::OkStatus();
}

absl::Status NodeService::OpenBus(const std::string& folder) {
  ASSIGN_OR_RETURN(bus_, BusContext::Create(node_.id(), site_.bus().keys_dir(), metrics_));
  AlertOutboxOptions options;
  options.path = folder + "/outbox.db";
  options.site_id = site_.id();
  options.producer = node_.id();
  options.endpoint = site_.bus().alerts();
  options.limit = site_.bus().outbox_limit();
  std::map<std::string, Microseconds> keep;
  for (const proto::CameraConfig& camera : site_.cameras()) keep[camera.id()] = RetentionOf(camera);
  options.keep_picture = [keep = std::move(keep)](const std::string& camera) {
    const auto found = keep.find(camera);  // a camera's, always; of anything else at the next look
    return found == keep.end() ? Microseconds() : found->second;
  };
  ASSIGN_OR_RETURN(outbox_, AlertOutbox::Open(std::move(options), *bus_, clock_, metrics_));
  ASSIGN_OR_RETURN(telemetry_, TelemetryPublisher::Open(site_.bus().telemetry(), *bus_, metrics_));
  return absl::OkStatus();
}

absl::Status NodeService::OpenCameras() {
  budget_ = std::make_unique<CpuBudget>(node_.cpu_budget(), clock_);
  pool_ = std::make_unique<AnalysisPool>(
      AnalysisThreads(node_), clock_,
      [this](size_t index, const FramePtr& frame, Analysis analysis) {
        OnAnalysis(index, frame, std::move(analysis));
      });
  AnalyzerFactory analyzers(site_, metrics_, clock_);
  for (proto::CameraConfig& config : CamerasOf(site_, node_.id())) {
    ASSIGN_OR_RETURN(const Secret password, ReadPassword(config));
    ASSIGN_OR_RETURN(std::unique_ptr<CameraAnalyzer> analyzer, analyzers.Make(config));
    FrameSink& sink = pool_->Add(std::move(analyzer));
    auto camera = std::make_unique<Camera>();
    camera->config = std::move(config);
    ASSIGN_OR_RETURN(camera->stream,
                     CameraStream::Make(camera->config, password,
                                        {clock_, metrics_, gate_, sink, budget_.get(), {}}));
    cameras_.push_back(std::move(camera));
    Camera& added = *cameras_.back();
    if (added.config.onvif_url().empty()) continue;
    added.onvif = std::make_unique<OnvifEvents>(
        OnvifOptionsOf(added.config, password), clock_,
        [this, &added](const OnvifTrigger& trigger) { OnTrigger(added, trigger); });
  }
  pool_->Start();
  return absl::OkStatus();
}

void NodeService::OnAnalysis(size_t index, const FramePtr& frame, Analysis analysis) {
  Camera& camera = *cameras_[index];
  const BootTime analysed = clock_.Boot();
  analysis_seconds_.Observe(std::chrono::duration<double>(analysed - frame->times.decoded).count());
  camera.stream->SetActive(analysis.active);
  for (proto::Event& event : analysis.events)
    RaiseFromFrame(camera, *frame, std::move(event), analysed);
  PublishTracks(camera, *frame, analysis);
  if (analysis.change == PictureChange::kNone) return;
  picture_changes_.Increment();
  // A flickering lamp is counted, not told again and again.
  if (camera.change_told && analysed - *camera.change_told < kTellChangeEvery) return;
  camera.change_told = analysed;
  log::Info("the whole picture changed",
            {{"camera", camera.config.id()}, {"by", PictureChangeName(analysis.change)}});
}

void NodeService::RaiseFromFrame(Camera& camera, const Frame& frame, proto::Event event,
                                 BootTime analysed) {
  proto::Alert alert;
  alert.set_wall_time_us(ToMicros(frame.times.received_wall));
  if (frame.times.camera) alert.set_camera_time_us(ToMicros(*frame.times.camera));
  proto::StageTimes& stages = *alert.mutable_stages();
  stages.set_boot_id(HostBootId());
  stages.set_received_ns(ToNanos(frame.times.received));
  stages.set_decoded_ns(ToNanos(frame.times.decoded));
  stages.set_analysed_ns(ToNanos(analysed));
  absl::StatusOr<std::string> picture = AlertSnapshot(frame, camera.config, event);
  if (picture.ok()) {
    alert.set_snapshot_jpeg(*std::move(picture));
  } else {
    log::Error("the alert goes without a picture",
               {{"camera", camera.config.id()}, {"cause", MessageOf(picture.status())}});
  }
  *alert.mutable_event() = std::move(event);
  const Ulid clip = ids_.Next();
  alert.set_id(ids_.Next().str());
  alert.set_clip_id(clip.str());
  const std::string alert_id = alert.id();
  Raise(std::move(alert));
  evidence_->Cut(*camera.stream, clip, alert_id, frame.times.received);
}

void NodeService::OnTrigger(Camera& camera, const OnvifTrigger& trigger) {
  if (!trigger.active) return;
  camera.stream->Trigger();
  if (!RaisesAlert(trigger.kind)) return;
  const FramePtr frame = camera.stream->Newest();
  const MediaTime media = frame != nullptr ? frame->times.media : MediaTime();
  proto::Event event = ToEvent(trigger, camera.config, media);
  if (frame != nullptr) return RaiseFromFrame(camera, *frame, std::move(event), clock_.Boot());
  proto::Alert alert;
  alert.set_wall_time_us(ToMicros(clock_.Wall()));
  alert.mutable_stages()->set_boot_id(HostBootId());
  *alert.mutable_event() = std::move(event);
  Raise(std::move(alert));
}

void NodeService::Raise(proto::Alert alert) {
  if (alert.id().empty()) alert.set_id(ids_.Next().str());
  std::string subject = alert.event().camera_id() + "/" + alert.event().rule_id();
  proto::OutboxRecord record;
  *record.mutable_alert() = std::move(alert);
  Commit(std::move(record), std::move(subject));
}

void NodeService::RaiseEvidence(const proto::EvidenceReady& evidence) {
  proto::OutboxRecord record;
  *record.mutable_evidence() = evidence;
  Commit(std::move(record), "evidence of " + evidence.alert_id());
}

void NodeService::Commit(proto::OutboxRecord record, std::string subject) {
  outbox_->RaiseAsync(std::move(record), [this, subject = std::move(subject)](
                                             const absl::StatusOr<Raised>& raised) {
    if (raised.ok()) {
      raised_total_.Increment();
      return;
    }
    unraised_total_.Increment();
    log::Critical("AN ALERT WAS NOT RAISED",
                  {{"subject", subject}, {"cause", MessageOf(raised.status())}});
    if (raised.status().code() != absl::StatusCode::kInternal) return;
    // The outbox's file failed, and a sync is never retried. Opening the file again recovers what
    // was committed; the supervisor starts this process anew.
    log::Flush();
    ::_exit(kExitFailed);
  });
}

void NodeService::PublishTracks(const Camera& camera, const Frame& frame,
                                const Analysis& analysis) {
  proto::Envelope envelope;
  proto::CameraTracks& tracks = *envelope.mutable_camera_tracks();
  tracks.set_camera_id(camera.config.id());
  tracks.set_media_time_us(ToMicros(frame.times.media));
  tracks.set_wall_time_us(ToMicros(frame.times.received_wall));
  for (const proto::TrackBox& box : analysis.boxes) *tracks.add_boxes() = box;
  telemetry_->Publish("tracks/" + camera.config.id(), std::move(envelope));
}

void NodeService::HealthLoop() {
  SetThreadName("node-health");
  SiteWatch site_watch(cameras_.size(), clock_);
  for (int tick = 1;; ++tick) {
    {
      absl::MutexLock lock(&stop_mutex_);
      if (stop_mutex_.AwaitWithTimeout(absl::Condition(&stopping_), absl::FromChrono(kHealthTick)))
        return;
    }
    std::vector<proto::Event> events;
    for (const auto& camera : cameras_) {
      for (proto::Event& event : camera->stream->Tick()) events.push_back(std::move(event));
    }
    for (proto::Event& event : site_watch.Pass(std::move(events))) {
      proto::Alert alert;
      alert.set_wall_time_us(ToMicros(clock_.Wall()));
      alert.mutable_stages()->set_boot_id(HostBootId());
      *alert.mutable_event() = std::move(event);
      Raise(std::move(alert));
    }
    if (tick % kTicksPerMetrics == 0) PublishMetrics();
    if (tick % kTicksPerReport != 0) continue;
    budget_->Tick();
    PublishHealth();
  }
}

void NodeService::PublishHealth() {
  proto::Envelope envelope;
  proto::NodeHealth& health = *envelope.mutable_node_health();
  health.set_node_id(node_.id());
  health.set_wall_time_us(ToMicros(clock_.Wall()));
  health.set_cpu_cores(usage_.CpuCores());
  health.set_rss_bytes(ProcessUsage::RssBytes());
  const OutboxStatus outbox = outbox_->status();
  health.set_outbox_pending(outbox.pending);
  health.set_outbox_limit(outbox.limit);
  for (const auto& camera : cameras_) *health.add_cameras() = camera->stream->Health();
  telemetry_->Publish("health", std::move(envelope));
}

void NodeService::PublishMetrics() {
  for (proto::MetricsPart& part : ToMetricsParts(metrics_.Collect(), ++collections_)) {
    proto::Envelope envelope;
    const std::string subject = fmt::format("metrics/{}", part.part());
    *envelope.mutable_metrics_part() = std::move(part);
    telemetry_->Publish(subject, std::move(envelope));
  }
}

absl::StatusOr<proto::Reply> NodeService::Answer(const proto::Command& command) {
  switch (command.body_case()) {
    case proto::Command::kLivePreview:
      return Preview(command.live_preview().camera_id());
    case proto::Command::kFetchEvidence:
      return Clip(command.fetch_evidence());
    case proto::Command::kHoldEvidence:
      return Hold(command.hold_evidence());
    default:
      return absl::UnimplementedError(
          "this node does not know the command; it is older than the dispatcher");
  }
}

absl::StatusOr<const CameraStream*> NodeService::StreamOf(const std::string& camera_id) const {
  const auto camera = std::find_if(cameras_.begin(), cameras_.end(), [&](const auto& candidate) {
    return candidate->config.id() == camera_id;
  });
  if (camera == cameras_.end())
    return absl::NotFoundError(fmt::format("{} has no camera {}", node_.id(), camera_id));
  return (*camera)->stream.get();
}

absl::StatusOr<LiveOpening> NodeService::View(const proto::LiveOpen& what) {
  ASSIGN_OR_RETURN(const CameraStream* stream, StreamOf(what.camera_id()));
  return OpenLive(*stream, what, clock_);
}

absl::StatusOr<proto::Reply> NodeService::Preview(const std::string& camera_id) {
  ASSIGN_OR_RETURN(const CameraStream* stream, StreamOf(camera_id));
  const FramePtr frame = stream->Newest();
  if (frame == nullptr)
    return absl::UnavailableError(fmt::format("camera {} has shown no picture yet", camera_id));
  SnapshotOptions options;
  options.max_width = kPreviewWidth;
  ASSIGN_OR_RETURN(std::string jpeg, SnapshotJpeg(*frame, options));
  proto::Reply reply;
  reply.set_total_bytes(jpeg.size());
  reply.set_data(std::move(jpeg));
  reply.set_age_ms(
      std::chrono::duration_cast<Milliseconds>(clock_.Boot() - frame->times.received).count());
  return reply;
}

absl::StatusOr<proto::Reply> NodeService::Clip(const proto::FetchEvidence& request) {
  const std::optional<Ulid> id = Ulid::Parse(request.clip_id());
  if (!id) return absl::InvalidArgumentError("a clip's id has 26 characters");
  ASSIGN_OR_RETURN(const EvidenceRow row, evidence_->store().Find(*id));
  ASSIGN_OR_RETURN(std::string data,
                   evidence_->store().Read(*id, request.offset(), kMaxReplyBytes));
  proto::Reply reply;
  reply.set_total_bytes(row.facts.bytes);
  reply.set_data(std::move(data));
  return reply;
}

absl::StatusOr<proto::Reply> NodeService::Hold(const proto::HoldEvidence& request) {
  const std::optional<Ulid> id = Ulid::Parse(request.clip_id());
  if (!id) return absl::InvalidArgumentError("a clip's id has 26 characters");
  RETURN_IF_ERROR(evidence_->store().SetHold(*id, request.held(), request.reason()));
  return proto::Reply();
}

}  // namespace cordon::cli
