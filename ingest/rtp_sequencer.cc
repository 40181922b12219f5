// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtp_sequencer.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace cordon {
namespace {

// RFC 3550, A.1: a step forward beyond it, or backward beyond the other, is a new numbering rather
// than loss.
constexpr int kMaxDropout = 3000;
constexpr int kMaxMisorder = 100;
// When another sender may take the place of ours.
constexpr Milliseconds kSilence{1000};
constexpr int kSteadyRun = 10;

}  // namespace

RtpSequencer::RtpSequencer(size_t depth, Milliseconds patience, RtspStats& stats, Sink sink)
    : depth_(depth), patience_(patience), stats_(stats), sink_(std::move(sink)) {
  CORDON_CHECK(depth <= kMostKept, "reorder depth above its limit");
}

void RtpSequencer::Push(const RtpPacket& packet, BootTime now) {
  if (!Ours(packet, now)) {
    ++stats_.foreign_packets;
    return;
  }
  last_ours_ = now;
  const auto step =
      static_cast<int16_t>(static_cast<uint16_t>(packet.sequence - static_cast<uint16_t>(next_)));
  const int64_t sequence = next_ + step;
  if (step > kMaxDropout || step < -kMaxMisorder) {
    if (!JumpAccepted(packet)) return;
    Deliver(packet, now);
    return;
  }
  jump_next_.reset();
  if (step < 0 || Seen(sequence)) {
    ++(Seen(sequence) ? stats_.duplicates : stats_.late);
    return;
  }
  if (sequence < highest_) ++stats_.reordered;
  Remember(sequence);
  if (step == 0) {
    Deliver(packet, now);
    DeliverKept();
    return;
  }
  // The farthest that patience is exercised for; what lies before that window is lost.
  AdvanceTo(sequence - static_cast<int64_t>(depth_) + 1);
  if (sequence == next_) {
    Deliver(packet, now);
    DeliverKept();
  } else {
    Keep(sequence, packet, now);
  }
}

bool RtpSequencer::Ours(const RtpPacket& packet, BootTime now) {
  if (!ssrc_) {
    Adopt(packet);
    last_ours_ = now;
    return true;
  }
  if (packet.ssrc == *ssrc_) {
    other_run_ = 0;
    return true;
  }
  const bool follows =
      packet.ssrc == other_ssrc_ && packet.sequence == static_cast<uint16_t>(other_sequence_ + 1);
  other_run_ = follows ? other_run_ + 1 : 1;
  other_ssrc_ = packet.ssrc;
  other_sequence_ = packet.sequence;
  if (other_run_ < kSteadyRun || now - last_ours_ < kSilence) return false;
  AdvanceTo(highest_ + 1);
  ++stats_.source_changes;
  Adopt(packet);
  return true;
}

void RtpSequencer::Adopt(const RtpPacket& packet) {
  if (ssrc_) earlier_expected_ += static_cast<uint64_t>(highest_ - first_ + 1);
  ssrc_ = packet.ssrc;
  other_run_ = 0;
  jump_next_.reset();
  seen_.reset();
  // One cycle up, so that a late packet never has a negative number.
  next_ = first_ = 0x10000 + packet.sequence;
  highest_ = next_ - 1;
  fresh_ = true;
  lost_before_ = 0;
}

bool RtpSequencer::JumpAccepted(const RtpPacket& packet) {
  if (jump_next_ != packet.sequence) {
    // The first packet beyond the jump cannot be told from a stray one; it is given up.
    jump_next_ = static_cast<uint16_t>(packet.sequence + 1);
    ++stats_.late;
    return false;
  }
  AdvanceTo(highest_ + 1);
  --stats_.late;
  ++stats_.lost_packets;
  ++stats_.sequence_resets;
  Adopt(packet);
  Remember(next_);
  return true;
}

void RtpSequencer::Remember(int64_t sequence) {
  for (int64_t s = highest_ + 1; s <= sequence; ++s)
    seen_.reset(static_cast<size_t>(s) % seen_.size());
  highest_ = std::max(highest_, sequence);
  seen_.set(static_cast<size_t>(sequence) % seen_.size());
}

bool RtpSequencer::Seen(int64_t sequence) const {
  if (sequence > highest_ || sequence <= highest_ - static_cast<int64_t>(seen_.size()))
    return false;
  return seen_.test(static_cast<size_t>(sequence) % seen_.size());
}

void RtpSequencer::Deliver(const RtpPacket& packet, BootTime received) {
  ++next_;
  ++stats_.packets;
  stats_.bytes += packet.payload.size();
  const Delivery delivery{packet, received, std::exchange(lost_before_, 0),
                          std::exchange(fresh_, false)};
  if (delivery.lost_before > 0) ++stats_.gaps;
  sink_(delivery);
}

void RtpSequencer::Keep(int64_t sequence, const RtpPacket& packet, BootTime now) {
  Slot& slot = SlotOf(sequence);
  slot.bytes.assign(packet.payload.begin(), packet.payload.end());
  slot.packet = packet;
  slot.packet.payload = slot.bytes;
  slot.received = now;
  slot.used = true;
  ++kept_;
}

void RtpSequencer::DeliverKept() {
  while (kept_ > 0 && SlotOf(next_).used) {
    Slot& slot = SlotOf(next_);
    slot.used = false;
    --kept_;
    Deliver(slot.packet, slot.received);
  }
}

void RtpSequencer::AdvanceTo(int64_t sequence) {
  while (next_ < sequence) {
    if (kept_ == 0) {
      lost_before_ += static_cast<uint32_t>(sequence - next_);
      stats_.lost_packets += static_cast<uint64_t>(sequence - next_);
      next_ = sequence;
      return;
    }
    Slot& slot = SlotOf(next_);
    if (!slot.used) {
      ++lost_before_;
      ++stats_.lost_packets;
      ++next_;
      continue;
    }
    slot.used = false;
    --kept_;
    Deliver(slot.packet, slot.received);
  }
  DeliverKept();
}

void RtpSequencer::Expire(BootTime now) {
  while (kept_ > 0) {
    int64_t first = next_;
    while (!SlotOf(first).used) ++first;
    if (now - SlotOf(first).received < patience_) return;
    AdvanceTo(first);
  }
}

std::optional<BootTime> RtpSequencer::WakeAt() const {
  if (kept_ == 0) return std::nullopt;
  std::optional<BootTime> earliest;
  for (const Slot& slot : slots_) {
    if (slot.used && (!earliest || slot.received < *earliest)) earliest = slot.received;
  }
  return *earliest + patience_;
}

uint64_t RtpSequencer::expected_total() const {
  return ssrc_ ? earlier_expected_ + static_cast<uint64_t>(highest_ - first_ + 1) : 0;
}

}  // namespace cordon
