// SPDX-License-Identifier: Apache-2.0
// Puts the RTP packets of one sender in order and counts what is wrong with them. No I/O.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/time.h"
#include "ingest/rtp_packet.h"
#include "ingest/rtsp_options.h"

namespace cordon {

// Delivers packets in sequence order. A packet that is ahead of its turn is kept (copied) until the
// missing ones come, but no more than `depth` packets and no longer than `patience`; then the
// missing ones count as lost. A packet in its turn is passed through without a copy. The sender is
// pinned: the SSRC of the first packet (in practice more reliable than the one announced in SETUP).
// Packets of others are dropped and counted; only when ours has been silent for a second and
// another one has sent a steady run is it adopted (source_changes). A numbering that restarts
// elsewhere is accepted after two consecutive packets, of which the first is lost (RFC 3550, A.1).
// Counting: lost_packets never came; late came after it had been given up (and is in lost_packets
// too); reordered came after a higher number and was put in its place.
class RtpSequencer {
 public:
  // `lost_before`: packets between the previous delivered one and this that never came; `fresh`:
  // numbering or sender are new, so nothing may be concluded from the previous packet.
  struct Delivery {
    RtpPacket packet;
    BootTime received;
    uint32_t lost_before = 0;
    bool fresh = false;
  };
  using Sink = std::function<void(const Delivery&)>;

  // depth <= kMostKept. `stats` and what `sink` uses must outlive it.
  RtpSequencer(size_t depth, Milliseconds patience, RtspStats& stats, Sink sink);

  void Push(const RtpPacket& packet, BootTime now);
  // Gives up waiting for packets that are overdue. Call when time passes without packets.
  void Expire(BootTime now);
  // When Expire must be called, if anything waits.
  std::optional<BootTime> WakeAt() const;

  // For receiver reports.
  std::optional<uint32_t> ssrc() const { return ssrc_; }
  uint32_t extended_highest() const { return static_cast<uint32_t>(highest_); }
  uint64_t expected_total() const;

  static constexpr size_t kMostKept = 128;

 private:
  struct Slot {
    bool used = false;
    RtpPacket packet;  // payload points into bytes
    BootTime received;
    std::vector<uint8_t> bytes;
  };

  bool Ours(const RtpPacket& packet, BootTime now);
  void Adopt(const RtpPacket& packet);
  bool JumpAccepted(const RtpPacket& packet);
  void Deliver(const RtpPacket& packet, BootTime received);
  void DeliverKept();                // those that are in turn now
  void AdvanceTo(int64_t sequence);  // deliver or give up everything before it
  void Keep(int64_t sequence, const RtpPacket& packet, BootTime now);
  Slot& SlotOf(int64_t sequence) { return slots_[static_cast<size_t>(sequence) % kMostKept]; }
  void Remember(int64_t sequence);
  bool Seen(int64_t sequence) const;

  const size_t depth_;
  const Milliseconds patience_;
  RtspStats& stats_;
  const Sink sink_;
  std::optional<uint32_t> ssrc_;
  BootTime last_ours_;
  uint32_t other_ssrc_ = 0;
  uint16_t other_sequence_ = 0;
  int other_run_ = 0;
  int64_t next_ = 0;  // extended number whose turn it is
  int64_t first_ = 0;
  int64_t highest_ = 0;
  uint64_t earlier_expected_ = 0;  // of numberings before this one
  bool fresh_ = true;
  uint32_t lost_before_ = 0;
  size_t kept_ = 0;
  std::optional<uint16_t> jump_next_;
  std::array<Slot, kMostKept> slots_;
  std::bitset<256> seen_;  // of the last 256 numbers, to tell duplicates from late ones
};

}  // namespace cordon
