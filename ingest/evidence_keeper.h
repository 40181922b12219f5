// SPDX-License-Identifier: Apache-2.0
// Cuts the clips of alerts from the cameras' packet rings while they happen.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "ingest/camera_stream.h"
#include "ingest/evidence_store.h"
#include "proto/alert.pb.h"

namespace cordon {

// One per node, with one thread of low priority, "evidence". A clip begins with the last key frame
// before the event minus pre-roll and goes on to the event plus post-roll: it is written as its
// packets come, so its length is not bounded by the ring's. Every request is answered exactly once
// through `done`, on the evidence thread: with the clip's facts, or with the failure in words.
class EvidenceKeeper {
 public:
  // Clips being cut at once; more are refused (and answered).
  static constexpr size_t kMostAtOnce = 64;
  using Done = std::function<void(const proto::EvidenceReady&)>;

  static absl::StatusOr<std::unique_ptr<EvidenceKeeper>> Open(EvidenceStore::Options options,
                                                              const Clock& clock, Metrics& metrics,
                                                              Done done);
  // Clips under way are finished with what has come so far.
  ~EvidenceKeeper();

  // Returns at once, any thread. `event` is when the deciding frame was received
  // (FrameTimes::received).
  void Cut(const CameraStream& camera, const Ulid& clip, const std::string& alert_id,
           BootTime event);

  EvidenceStore& store() { return *store_; }

 private:
  struct Job {
    Ulid clip;
    std::string alert_id;
    proto::CameraConfig camera;
    Masks masks;
    std::shared_ptr<const PacketRing> ring;
    std::shared_ptr<const AVCodecParameters> codec;
    BootTime from;
    BootTime to;
    uint64_t cursor = 0;
    std::unique_ptr<ClipFile> file;
    bool refused = false;
  };

  EvidenceKeeper(std::unique_ptr<EvidenceStore> store, const Clock& clock, Metrics& metrics,
                 Done done);
  void Run();
  void TakeRequests(std::vector<std::unique_ptr<Job>>& jobs);
  // True when the job is over (and answered).
  bool Advance(Job& job, bool stopping);
  absl::Status Feed(Job& job, bool& complete);
  void Complete(Job& job, absl::Status status);
  void SweepWhenDue();

  const std::unique_ptr<EvidenceStore> store_;
  const Clock& clock_;
  const Done done_;
  prometheus::Counter& clips_;
  prometheus::Counter& failures_;
  prometheus::Counter& deleted_;
  BootTime swept_{};
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::unique_ptr<Job>> requests_ ABSL_GUARDED_BY(mutex_);
  size_t open_jobs_ ABSL_GUARDED_BY(mutex_) = 0;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace cordon
