// SPDX-License-Identifier: Apache-2.0
// One camera of a node: connects, reconnects, keeps the encoded packets, decodes what is worth it,
// and says how it is.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "ingest/adaptive_decoder.h"
#include "ingest/cpu_budget.h"
#include "ingest/frame_sink.h"
#include "ingest/onvif_metadata.h"
#include "ingest/packet_ring.h"
#include "ingest/reconnect.h"
#include "ingest/stream_health.h"
#include "ingest/stream_reader.h"

namespace cordon {

// What all cameras of a node share, and where this one's frames go.
struct CameraStreamServices {
  const Clock& clock;
  Metrics& metrics;
  OpenGate& gate;
  FrameSink& frames;
  CpuBudget* budget = nullptr;  // null: never sheds
  // Makes the source of an address; empty: MakePacketSource. For tests.
  StreamReader::SourceMaker make_source;
};

// Life: Make starts the owner thread "cam-ID" (and "evi-ID" for the main stream when a sub-stream
// is analysed); the destructor interrupts and joins within about 100 ms. Frames go to the sink on
// the owner thread. Every public call is thread-safe and returns at once. Example:
//   ASSIGN_OR_RETURN(auto camera,
//                    CameraStream::Make(config, password, {clock, metrics, gate, pool.Add(...)}));
class CameraStream {
 public:
  // INVALID_ARGUMENT: an address, mask or password that cannot be used; everything later is a
  // matter of health.
  static absl::StatusOr<std::unique_ptr<CameraStream>> Make(const proto::CameraConfig& camera,
                                                            const Secret& password,
                                                            CameraStreamServices services);
  ~CameraStream();
  CameraStream(const CameraStream&) = delete;
  CameraStream& operator=(const CameraStream&) = delete;

  // From analytics: a track is live (true) or none is (false): full decode as long as it is.
  void SetActive(bool active) { decoder_.SetActive(active); }
  // From outside (the camera's own alarm, an operator): look closely now, from the last quiet key
  // frame on.
  void Trigger() { decoder_.Trigger(); }

  proto::CameraHealth Health() const;
  // Health events that are due; call about twice a second (HealthWatch does).
  std::vector<proto::Event> Tick();
  // Newest analysed picture; null before the first. Its age is times.received against the clock.
  FramePtr Newest() const;
  // Packets of the main stream (clips, live viewers), and how they are coded (null before the first
  // connection). Both may be kept longer than the camera.
  std::shared_ptr<const PacketRing> evidence() const {
    return evidence_ring_ != nullptr ? evidence_ring_ : ring_;
  }
  std::shared_ptr<const AVCodecParameters> evidence_codec() const {
    return evidence_ != nullptr ? evidence_->codec() : reader_->codec();
  }
  const proto::CameraConfig& config() const { return camera_; }
  const Masks& masks() const { return masks_; }

 private:
  CameraStream(const proto::CameraConfig& camera, Masks masks, CameraStreamServices services);
  void Start(const Secret& password);
  bool Work();
  void Observe(const FramePtr& frame);
  void Show();

  const proto::CameraConfig camera_;
  const Masks masks_;
  CameraStreamServices services_;
  StreamHealth health_;
  StreamHealth evidence_health_;  // of the main stream when a sub-stream is analysed
  std::shared_ptr<PacketRing> ring_;
  std::shared_ptr<PacketRing> evidence_ring_;
  AdaptiveDecoder decoder_;
  CpuBudget::Share share_;
  mutable absl::Mutex newest_mutex_;
  FramePtr newest_ ABSL_GUARDED_BY(newest_mutex_);

  // Only in the owner thread.
  DecodeCounts shown_;
  BootTime shown_at_{};
  struct Counters;
  std::unique_ptr<Counters> counters_;
  std::unique_ptr<OnvifMetadata> metadata_;  // null: the camera's own analytics are not asked

  std::unique_ptr<StreamReader> evidence_;
  std::unique_ptr<StreamReader> reader_;  // last: its thread uses all of the above
};

}  // namespace cordon
