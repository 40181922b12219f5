// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "bus/alert_outbox.h"
#include "bus/bus_context.h"
#include "bus/command_path.h"
#include "bus/live_path.h"
#include "bus/telemetry.h"
#include "cli/analysis_pool.h"
#include "cli/analyzers.h"
#include "cli/left_behind.h"
#include "cli/process_usage.h"
#include "ingest/camera_stream.h"
#include "ingest/evidence_keeper.h"
#include "ingest/onvif_events.h"
#include "proto/config.pb.h"

namespace cordon::cli {

// A node: its cameras' streams, their analysis, the outbox, telemetry and the answers to the
// dispatcher's commands.
//
// Threads of its own: "node-health" looks at every stream twice a second, raises what their health
// says, and publishes the node's health once a second and its metrics every five. Everything else belongs to the parts: a
// thread for each camera, the analysis pool, the outbox.
class NodeService {
 public:
  // Everything that can be wrong with the input is found here: INVALID_ARGUMENT, NOT_FOUND,
  // FAILED_PRECONDITION, each naming the camera or file. A camera that cannot be reached is no
  // error: it is a matter of health.
  static absl::StatusOr<std::unique_ptr<NodeService>> Start(const proto::Site& site,
                                                            const proto::NodeConfig& node,
                                                            const Clock& clock);
  ~NodeService();
  NodeService(const NodeService&) = delete;
  NodeService& operator=(const NodeService&) = delete;

 private:
  struct Camera {
    proto::CameraConfig config;
    std::unique_ptr<CameraStream> stream;
    std::unique_ptr<OnvifEvents> onvif;  // null: the camera has none
    std::optional<BootTime> change_told;  // only on its analysis thread
  };

  NodeService(const proto::Site& site, const proto::NodeConfig& node, const Clock& clock);
  absl::Status Open();
  absl::Status OpenBus(const std::string& folder);
  absl::Status OpenCameras();

  // On analysis threads.
  void OnAnalysis(size_t index, const FramePtr& frame, Analysis analysis);
  void RaiseFromFrame(Camera& camera, const Frame& frame, proto::Event event, BootTime analysed);
  // On a camera's "onvif" thread.
  void OnTrigger(Camera& camera, const OnvifTrigger& trigger);
  void PublishTracks(const Camera& camera, const Frame& frame, const Analysis& analysis);
  // On "node-health".
  void HealthLoop();
  void PublishHealth();
  void PublishMetrics();
  // Any thread.
  void Raise(proto::Alert alert);
  void RaiseEvidence(const proto::EvidenceReady& evidence);
  void Commit(proto::OutboxRecord record, std::string subject);
  // On "command-server".
  absl::StatusOr<proto::Reply> Answer(const proto::Command& command);
  absl::StatusOr<proto::Reply> Preview(const std::string& camera_id);
  absl::StatusOr<proto::Reply> Clip(const proto::FetchEvidence& request);
  absl::StatusOr<proto::Reply> Hold(const proto::HoldEvidence& request);
  // On "live-server".
  absl::StatusOr<LiveOpening> View(const proto::LiveOpen& what);
  // Any thread, once the cameras are open. NOT_FOUND.
  absl::StatusOr<const CameraStream*> StreamOf(const std::string& camera_id) const;

  const proto::Site& site_;
  const proto::NodeConfig node_;
  const Clock& clock_;
  Metrics metrics_;
  UlidGenerator ids_;
  ProcessUsage usage_;
  prometheus::Counter& raised_total_;
  prometheus::Counter& unraised_total_;
  prometheus::Counter& picture_changes_;
  prometheus::Histogram& analysis_seconds_;
  std::unique_ptr<BusContext> bus_;
  std::unique_ptr<AlertOutbox> outbox_;
  std::unique_ptr<TelemetryPublisher> telemetry_;
  std::unique_ptr<EvidenceKeeper> evidence_;
  std::unique_ptr<LeftBehindKeeper> left_behind_;
  OpenGate gate_;
  std::unique_ptr<CpuBudget> budget_;
  std::unique_ptr<AnalysisPool> pool_;
  std::vector<std::unique_ptr<Camera>> cameras_;
  std::unique_ptr<CommandServer> commands_;
  std::unique_ptr<LiveServer> live_;
  uint64_t collections_ = 0;  // of metrics; only in "node-health"
  absl::Mutex stop_mutex_;
  bool stopping_ ABSL_GUARDED_BY(stop_mutex_) = false;
  std::thread health_;
};

}  // namespace cordon::cli
