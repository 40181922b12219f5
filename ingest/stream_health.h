// SPDX-License-Identifier: Apache-2.0
// What is known of one stream's condition, from evidence only (packets, key frames, pictures,
// errors), and the events that follow from it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "ingest/frame.h"
#include "ingest/packet_source.h"
#include "ingest/reconnect.h"
#include "proto/config.pb.h"
#include "proto/event.pb.h"
#include "proto/telemetry.pb.h"

namespace cordon {

// A condition that is raised only after it held for a while and cleared only after it was gone for
// a while. Not thread-safe.
class DampedCondition {
 public:
  enum class Change { kNone, kRaised, kCleared };
  DampedCondition(Milliseconds raise_after, Milliseconds clear_after)
      : raise_after_(raise_after), clear_after_(clear_after) {}
  Change Update(bool holds, BootTime now);
  bool raised() const { return raised_; }

 private:
  const Milliseconds raise_after_;
  const Milliseconds clear_after_;
  bool raised_ = false;
  std::optional<BootTime> differs_since_;
};

// Packets and bytes of the last seconds, by receive time. Not thread-safe.
class RateMeter {
 public:
  void Add(BootTime at, size_t bytes);
  double PerSecond(BootTime now) const;
  double BytesPerSecond(BootTime now) const;

 private:
  static constexpr int64_t kBuckets = 6;  // one second each; the running one does not count
  struct Bucket {
    int64_t second = -1;
    uint64_t count = 0;
    uint64_t bytes = 0;
  };
  template <class Get>
  double Mean(BootTime now, Get get) const;
  std::array<Bucket, kBuckets> buckets_;
  int64_t first_second_ = -1;
};

// Thread-safe: the camera's owner thread notes, anybody reads, one watcher calls Tick about twice a
// second.
class StreamHealth {
 public:
  StreamHealth(const proto::CameraConfig& camera, const Clock& clock);

  void Connecting();
  void Opened(const StreamInfo& info);
  void PacketArrived(const Packet& packet);
  // A picture that was decoded for analysis; its small luma tells whether the scene is frozen.
  void FrameMade(const Frame& frame);
  void FramesShed(uint64_t count);
  // Analysed at `fps` only because the machine is overloaded, with these rules weakened; 0: at the
  // rate that was asked for.
  void Shedding(double fps, std::vector<std::string> weakened_rules);
  void DecodeMode(const std::string& mode, const std::string& why);
  void ConnectionEnded(LossCause cause, const std::string& reason);
  void FileEnded(const std::string& reason);

  proto::CameraHealth Snapshot() const;
  // The events that are due now. Lost after 4 s without video, restored after 3 s with it; a
  // connection that comes and goes (4 losses in 10 minutes) raises one "unstable" instead of a pair
  // each time, until it held for 5 minutes.
  std::vector<proto::Event> Tick();

 private:
  struct Conditions;
  proto::StreamState StateLocked(BootTime now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string ReasonLocked(BootTime now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string SheddingLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  proto::Event EventLocked(proto::EventKind kind, proto::RuleConfig::Severity severity,
                           const std::string& detail) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TickLossLocked(BootTime now, std::vector<proto::Event>& events)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TickRatesLocked(BootTime now, std::vector<proto::Event>& events)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TickPictureLocked(BootTime now, std::vector<proto::Event>& events)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TickClockLocked(BootTime now, std::vector<proto::Event>& events)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Report(DampedCondition& condition, bool holds, BootTime now, proto::EventKind kind,
              const std::string& raised, const std::string& cleared,
              std::vector<proto::Event>& events) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const proto::CameraConfig camera_;
  const Clock& clock_;
  mutable absl::Mutex mutex_;
  // Connection.
  bool connected_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  BootTime began_ ABSL_GUARDED_BY(mutex_);
  std::optional<LossCause> cause_ ABSL_GUARDED_BY(mutex_);
  std::string reason_ ABSL_GUARDED_BY(mutex_);
  uint64_t connections_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string codec_ ABSL_GUARDED_BY(mutex_);
  // Packets.
  std::optional<BootTime> last_packet_ ABSL_GUARDED_BY(mutex_);
  std::optional<BootTime> last_key_frame_ ABSL_GUARDED_BY(mutex_);
  Milliseconds key_frame_interval_ ABSL_GUARDED_BY(mutex_){2000};
  RateMeter received_ ABSL_GUARDED_BY(mutex_);
  double usual_fps_ ABSL_GUARDED_BY(mutex_) = 0;
  double usual_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  BootTime rates_updated_ ABSL_GUARDED_BY(mutex_){};
  BootTime rates_began_ ABSL_GUARDED_BY(mutex_){};
  int64_t media_us_ ABSL_GUARDED_BY(mutex_) = 0;
  // Clocks: offset of the camera's clocks to ours at the run's start and now.
  uint64_t run_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t first_media_offset_us_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t media_offset_us_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<int64_t> wall_offset_us_ ABSL_GUARDED_BY(mutex_);
  // Pictures.
  RateMeter analysed_ ABSL_GUARDED_BY(mutex_);
  uint32_t width_ ABSL_GUARDED_BY(mutex_) = 0;
  uint32_t height_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t picture_hash_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t same_pictures_ ABSL_GUARDED_BY(mutex_) = 0;
  BootTime picture_changed_ ABSL_GUARDED_BY(mutex_){};
  uint64_t shed_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::string> weakened_ ABSL_GUARDED_BY(mutex_);
  double shedding_fps_ ABSL_GUARDED_BY(mutex_) = 0;  // 0: nothing is shed
  WallTime shedding_since_ ABSL_GUARDED_BY(mutex_){};
  std::string mode_ ABSL_GUARDED_BY(mutex_) = "full";
  std::string mode_why_ ABSL_GUARDED_BY(mutex_);
  // What was raised.
  DampedCondition lost_ ABSL_GUARDED_BY(mutex_);
  DampedCondition no_key_frame_ ABSL_GUARDED_BY(mutex_);
  DampedCondition slow_ ABSL_GUARDED_BY(mutex_);
  DampedCondition thin_ ABSL_GUARDED_BY(mutex_);
  DampedCondition frozen_ ABSL_GUARDED_BY(mutex_);
  DampedCondition drifts_ ABSL_GUARDED_BY(mutex_);
  bool authentication_failed_ ABSL_GUARDED_BY(mutex_) = false;
  bool authentication_reported_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<BootTime> losses_ ABSL_GUARDED_BY(mutex_);
  bool unstable_ ABSL_GUARDED_BY(mutex_) = false;
  bool loss_reported_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace cordon
