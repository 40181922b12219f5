// SPDX-License-Identifier: Apache-2.0
// The last seconds of a camera, still encoded: what adaptive decode, clips and live viewers are cut
// from.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/time.h"
#include "ingest/packet_source.h"

namespace cordon {

// Immutable once it is in the ring; its data is shared by everyone who holds it.
using PacketPtr = std::shared_ptr<const Packet>;

// A packet and its place in the stream: 1, 2, 3 ... without gaps, across reconnects.
struct RingEntry {
  uint64_t sequence = 0;
  PacketPtr packet;
};

// Bounded in bytes; always begins with a key frame: the oldest group of pictures goes as a whole
// when the bound is passed (the newest group never goes, unless it alone is larger than the bound:
// then its oldest packets go and Find skips to the next key frame). One writer, any number of
// readers; no call waits.
class PacketRing {
 public:
  explicit PacketRing(size_t max_bytes) : max_bytes_(max_bytes) {}

  // Returns the packet's sequence.
  uint64_t Push(PacketPtr packet);

  // The packet with this sequence; if that is gone already, the oldest key frame after it. Nothing
  // when there is none yet.
  std::optional<RingEntry> Find(uint64_t sequence) const;
  // Up to `most` packets from `sequence` on, as Find.
  std::vector<RingEntry> Read(uint64_t sequence, size_t most) const;
  // The last key frame received at or before `at`; the oldest key frame when all are younger. 0:
  // there is none.
  uint64_t KeyFrameBefore(BootTime at) const;
  // The last key frame with a sequence of at most `sequence`. 0: there is none.
  uint64_t KeyFrameAtOrBefore(uint64_t sequence) const;
  uint64_t newest() const;  // 0: empty
  uint64_t newest_key_frame() const;
  size_t bytes() const;
  uint64_t evicted() const;  // packets that left

 private:
  static size_t Cost(const Packet& packet);
  void EvictLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PopLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint64_t OldestKeyFrom(uint64_t sequence) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  struct KeyFrame {
    uint64_t sequence = 0;
    BootTime received;
  };
  const size_t max_bytes_;
  mutable absl::Mutex mutex_;
  std::deque<PacketPtr> packets_ ABSL_GUARDED_BY(mutex_);
  std::deque<KeyFrame> key_frames_ ABSL_GUARDED_BY(mutex_);
  uint64_t first_ ABSL_GUARDED_BY(mutex_) = 1;  // sequence of packets_.front()
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace cordon
