// SPDX-License-Identifier: Apache-2.0
#include "ingest/packet_ring.h"

#include <algorithm>

namespace cordon {
namespace {

bool IsKey(const Packet& packet) { return (packet.av->flags & AV_PKT_FLAG_KEY) != 0; }

// AVPacket, reference and allocator overhead beside the data.
constexpr size_t kOverhead = 400;

}  // namespace

size_t PacketRing::Cost(const Packet& packet) {
  return static_cast<size_t>(packet.av->size) + kOverhead;
}

uint64_t PacketRing::Push(PacketPtr packet) {
  absl::MutexLock lock(&mutex_);
  const uint64_t sequence = first_ + packets_.size();
  if (IsKey(*packet)) key_frames_.push_back({sequence, packet->received});
  bytes_ += Cost(*packet);
  packets_.push_back(std::move(packet));
  EvictLocked();
  return sequence;
}

void PacketRing::PopLocked() {
  bytes_ -= Cost(*packets_.front());
  if (!key_frames_.empty() && key_frames_.front().sequence == first_) key_frames_.pop_front();
  packets_.pop_front();
  ++first_;
}

void PacketRing::EvictLocked() {
  while (bytes_ > max_bytes_ && packets_.size() > 1) {
    PopLocked();
    // What follows a lost key frame cannot be decoded, unless it is all there is.
    if (key_frames_.empty()) continue;
    while (first_ < key_frames_.front().sequence) PopLocked();
  }
}

uint64_t PacketRing::OldestKeyFrom(uint64_t sequence) const {
  const auto it =
      std::lower_bound(key_frames_.begin(), key_frames_.end(), sequence,
                       [](const KeyFrame& key, uint64_t value) { return key.sequence < value; });
  return it == key_frames_.end() ? 0 : it->sequence;
}

std::optional<RingEntry> PacketRing::Find(uint64_t sequence) const {
  absl::MutexLock lock(&mutex_);
  if (sequence < first_) sequence = OldestKeyFrom(first_);
  if (sequence < first_ || sequence >= first_ + packets_.size()) return std::nullopt;
  return RingEntry{sequence, packets_[sequence - first_]};
}

std::vector<RingEntry> PacketRing::Read(uint64_t sequence, size_t most) const {
  absl::MutexLock lock(&mutex_);
  std::vector<RingEntry> entries;
  if (sequence < first_) sequence = OldestKeyFrom(first_);
  if (sequence < first_) return entries;
  for (; sequence < first_ + packets_.size() && entries.size() < most; ++sequence) {
    entries.push_back({sequence, packets_[sequence - first_]});
  }
  return entries;
}

uint64_t PacketRing::KeyFrameBefore(BootTime at) const {
  absl::MutexLock lock(&mutex_);
  if (key_frames_.empty()) return 0;
  const auto it =
      std::upper_bound(key_frames_.begin(), key_frames_.end(), at,
                       [](BootTime value, const KeyFrame& key) { return value < key.received; });
  return it == key_frames_.begin() ? it->sequence : std::prev(it)->sequence;
}

uint64_t PacketRing::KeyFrameAtOrBefore(uint64_t sequence) const {
  absl::MutexLock lock(&mutex_);
  const auto it =
      std::upper_bound(key_frames_.begin(), key_frames_.end(), sequence,
                       [](uint64_t value, const KeyFrame& key) { return value < key.sequence; });
  return it == key_frames_.begin() ? 0 : std::prev(it)->sequence;
}

uint64_t PacketRing::newest() const {
  absl::MutexLock lock(&mutex_);
  return packets_.empty() ? 0 : first_ + packets_.size() - 1;
}

uint64_t PacketRing::newest_key_frame() const {
  absl::MutexLock lock(&mutex_);
  return key_frames_.empty() ? 0 : key_frames_.back().sequence;
}

size_t PacketRing::bytes() const {
  absl::MutexLock lock(&mutex_);
  return bytes_;
}

uint64_t PacketRing::evicted() const {
  absl::MutexLock lock(&mutex_);
  return first_ - 1;
}

}  // namespace cordon
