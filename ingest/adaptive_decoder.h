// SPDX-License-Identifier: Apache-2.0
// Decides which packets of a live camera are decoded, and decodes them: key frames while the scene
// is quiet, everything from the last quiet key frame on when something happens. docs/decisions/
// tells why it runs on the camera's own thread.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "ingest/change_detector.h"
#include "ingest/complexity_monitor.h"
#include "ingest/decoder.h"
#include "ingest/frame_pacer.h"
#include "ingest/frame_sink.h"
#include "ingest/packet_ring.h"
#include "proto/config.pb.h"

namespace cordon {

// What the decoder did so far; every frame that was not analysed is in one of these.
struct DecodeCounts {
  uint64_t decoded = 0;           // pictures decoded
  uint64_t delivered = 0;         // frames given to the sink
  uint64_t skipped_quiet = 0;     // packets not decoded because the scene was quiet
  uint64_t shed = 0;              // pictures due for analysis that overload took
  uint64_t errors = 0;            // packets and pictures with errors
  uint64_t wakes = 0;             // changes from key frames to full
  uint64_t wakes_by_packets = 0;  // of these, heard in packets that were not decoded
};

// Owned by the camera's thread; SetActive and Trigger may be called by any thread. Order of calls:
// Open for each connection, then OnPacket for each packet after it went into the ring, and Work
// whenever there is time.
class AdaptiveDecoder {
 public:
  AdaptiveDecoder(const proto::CameraConfig& camera, Masks masks, const PacketRing& ring,
                  FrameSink& sink, const Clock& clock);

  // A new connection, whose first packet will be `first_sequence`. INVALID_ARGUMENT: no decoder for
  // this codec.
  absl::Status Open(const StreamInfo& info, uint64_t first_sequence);
  void OnPacket(const RingEntry& entry);
  // Decodes for at most about `slice`. True when there is more to do now (the live edge is not
  // reached).
  bool Work(Milliseconds slice);
  // Everything decoded and delivered as far as the sink has room (a file came to its end).
  void Finish();

  // Analytics: a track is live (or none is). Wakes full decode and keeps it as long as it is.
  void SetActive(bool active) {
    if (!active_.exchange(active) && active) activated_.store(true);
  }
  // Something outside says that this camera sees something (its own alarm, a neighbour camera, an
  // operator).
  void Trigger() { triggered_.store(true); }

  // "full" or "keyframes", and why when that is not what was asked for.
  std::string effective_mode() const { return mode_ == Mode::kQuiet ? "keyframes" : "full"; }
  const std::string& mode_reason() const { return mode_reason_; }
  const DecodeCounts& counts() const { return counts_; }
  Milliseconds key_frame_interval() const { return key_interval_; }

  // Lowers the analysis rate under overload; 1 is the configured rate.
  void SetRateFactor(double factor);
  // Called for each frame given to the sink. Set once, before Open.
  void OnFrame(std::function<void(const FramePtr&)> observer) { observer_ = std::move(observer); }

 private:
  enum class Mode { kQuiet, kFull };

  void NoteKeyFrame(const RingEntry& entry);
  bool GopTooLong() const;
  void Wake(uint64_t from, std::string why);
  bool TrackIsBelieved();
  // Of the stretch between the last quiet key frame and what woke us, while it shows the quiet
  // scene: an encoder sends hardly any residual there, so that deblocking would hardly change it.
  bool LooksStill(uint64_t sequence) const { return sequence <= still_until_ && !differs_; }
  void CalmDown();
  bool MayCalmDown(const Packet& next) const;
  void WorkQuiet(const RingEntry& key_frame);
  bool StepFull();
  bool ReleaseHeld();
  void DecodeNext(const RingEntry& entry);
  void Deliver(const Picture& picture);
  void Look(const Frame& frame);
  void Glance(const Frame& frame);
  void Give(FramePtr frame);
  Nanoseconds LateBy(BootTime received) const { return clock_.Boot() - received; }
  Nanoseconds LatenessLimit() const;
  void SkipToNewest();
  bool adaptive() const { return camera_.decode() == proto::CameraConfig::DECODE_ADAPTIVE; }

  const proto::CameraConfig camera_;
  const Masks masks_;
  const PacketRing& ring_;
  FrameSink& sink_;
  const Clock& clock_;
  std::function<void(const FramePtr&)> observer_;
  std::atomic<bool> active_{false};
  std::atomic<bool> activated_{false};  // active_ rose and nobody has reacted yet
  std::atomic<bool> triggered_{false};

  std::unique_ptr<Decoder> decoder_;
  FramePacer pacer_;          // at the configured rate
  FramePacer reduced_pacer_;  // at the rate that overload leaves
  ChangeDetector change_;       // full decode: against a moment before
  ChangeDetector quiet_scene_;  // against the last key frame that was found quiet
  ComplexityMonitor complexity_;
  Mode mode_ = Mode::kFull;
  std::string mode_reason_;
  uint64_t cursor_ = 1;                   // next packet to decode in full mode
  uint64_t wake_edge_ = 0;                // newest packet at the last wake: its cause is not newer
  uint64_t still_until_ = 0;              // last packet of what we woke up late for; 0: of nothing
  uint64_t quiet_key_ = 0;                // last key frame that was analysed and found quiet
  std::optional<RingEntry> pending_key_;  // key frame that waits for Work in quiet mode
  std::deque<FramePtr>
      held_;  // due, but the sink has no room and we are catching up; a packet's worth
  uint64_t delivered_run_ = 0;
  MediaTime delivered_media_{};
  uint64_t errors_before_ = 0;
  uint64_t pictures_before_ = 0;  // of earlier connections' decoders
  Milliseconds key_interval_{0};
  std::optional<MediaTime> last_key_media_;
  uint64_t last_key_run_ = 0;
  int key_frames_seen_ = 0;
  MediaTime busy_until_{};  // media time up to which the scene counts as busy
  uint64_t busy_run_ = 0;
  bool woken_by_track_ = false;  // nothing but analytics' word woke us
  bool saw_change_ = false;      // since the last wake
  int doubts_ = 0;               // wakes by analytics' word after which nothing was seen, in a row
  int active_key_frames_ = 0;    // quiet key frames in a row on which analytics was active
  MediaTime looked_{};           // when the scene was last compared with its past
  MediaTime glanced_{};          // ... and with the quiet scene
  bool differs_ = false;         // from the quiet scene, at the last glance since the last wake
  bool differed_ = false;        // ... at any of them
  int as_before_ = 0;            // glances in a row at which it did not
  DecodeCounts counts_;
};

}  // namespace cordon
