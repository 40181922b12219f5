// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtp_sequencer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace cordon {
namespace {

using testing::ElementsAre;

constexpr uint32_t kCamera = 0x11111111;
constexpr uint32_t kOther = 0x22222222;

// Feeds sequence numbers and keeps what came out.
class SequencerTest : public testing::Test {
 protected:
  void Push(uint16_t sequence, uint32_t ssrc = kCamera) {
    payload_ = {static_cast<uint8_t>(sequence), static_cast<uint8_t>(sequence >> 8)};
    RtpPacket packet;
    packet.sequence = sequence;
    packet.ssrc = ssrc;
    packet.payload = payload_;
    sequencer_.Push(packet, now_);
  }
  void PushAll(std::initializer_list<int> sequences) {
    for (int s : sequences) Push(static_cast<uint16_t>(s));
  }

  BootTime now_{Seconds(100)};
  RtspStats stats_;
  std::vector<int> out_;
  std::vector<uint32_t> lost_;
  int fresh_ = 0;
  std::vector<uint8_t> payload_;
  RtpSequencer sequencer_{32, Milliseconds(100), stats_, [this](const RtpSequencer::Delivery& d) {
                            // A kept packet must still have its own bytes.
                            EXPECT_EQ(d.packet.payload[0] | d.packet.payload[1] << 8,
                                      d.packet.sequence);
                            out_.push_back(d.packet.sequence);
                            lost_.push_back(d.lost_before);
                            fresh_ += d.fresh ? 1 : 0;
                          }};
};

TEST_F(SequencerTest, PassesOrderedPacketsAndTheWrap) {
  PushAll({65533, 65534, 65535, 0, 1});
  EXPECT_THAT(out_, ElementsAre(65533, 65534, 65535, 0, 1));
  EXPECT_EQ(stats_.lost_packets, 0U);
  EXPECT_EQ(sequencer_.extended_highest() & 0xffff, 1U);
  EXPECT_EQ(sequencer_.expected_total(), 5U);
}

TEST_F(SequencerTest, PutsReorderedPacketsInPlace) {
  PushAll({10, 12, 13, 11, 14});
  EXPECT_THAT(out_, ElementsAre(10, 11, 12, 13, 14));
  EXPECT_EQ(stats_.reordered, 1U);
  EXPECT_EQ(stats_.lost_packets, 0U);
}

TEST_F(SequencerTest, CountsDuplicatesAndLateOnesApart) {
  PushAll({10, 11, 11, 10, 13});
  now_ += Milliseconds(150);
  sequencer_.Expire(now_);
  PushAll({12, 14, 13});
  EXPECT_THAT(out_, ElementsAre(10, 11, 13, 14));
  EXPECT_EQ(stats_.duplicates, 3U);
  EXPECT_EQ(stats_.late, 1U);
  EXPECT_EQ(stats_.lost_packets, 1U);
  EXPECT_EQ(stats_.gaps, 1U);
}

TEST_F(SequencerTest, MarksTheFirstPacketBehindAGapOfAnyLength) {
  for (int gap : {1, 50, 500, 2999}) {
    SCOPED_TRACE(gap);
    const uint64_t before = stats_.lost_packets;
    out_.clear();
    lost_.clear();
    const auto first = static_cast<uint16_t>(gap * 7);
    RtspStats stats;
    std::vector<uint32_t> lost;
    RtpSequencer sequencer(32, Milliseconds(100), stats,
                           [&](const RtpSequencer::Delivery& d) { lost.push_back(d.lost_before); });
    RtpPacket packet;
    packet.ssrc = kCamera;
    for (int i = 0; i < 2; ++i) {
      packet.sequence = static_cast<uint16_t>(first + i);
      sequencer.Push(packet, now_);
    }
    for (int i = 0; i < 3; ++i) {
      packet.sequence = static_cast<uint16_t>(first + 2 + gap + i);
      sequencer.Push(packet, now_);
    }
    sequencer.Expire(now_ + Milliseconds(150));
    EXPECT_THAT(lost, ElementsAre(0, 0, gap, 0, 0));
    EXPECT_EQ(stats.lost_packets, static_cast<uint64_t>(gap));
    EXPECT_EQ(stats.gaps, 1U);
    EXPECT_EQ(stats_.lost_packets, before);
  }
}

TEST_F(SequencerTest, NeverHoldsMoreThanItsDepth) {
  Push(0);
  for (int s = 2; s < 33; ++s) Push(static_cast<uint16_t>(s));
  EXPECT_EQ(out_.size(), 1U);
  Push(33);  // the window is full: 1 is given up
  EXPECT_EQ(out_.size(), 33U);
  EXPECT_EQ(stats_.lost_packets, 1U);
}

TEST_F(SequencerTest, SaysWhenToExpire) {
  EXPECT_FALSE(sequencer_.WakeAt().has_value());
  PushAll({1, 3});
  ASSERT_TRUE(sequencer_.WakeAt().has_value());
  EXPECT_EQ(*sequencer_.WakeAt(), now_ + Milliseconds(100));
}

TEST_F(SequencerTest, DropsAndCountsForeignPackets) {
  PushAll({1, 2});
  Push(3, kOther);
  Push(900, kOther);
  Push(3);
  EXPECT_THAT(out_, ElementsAre(1, 2, 3));
  EXPECT_EQ(stats_.foreign_packets, 2U);
}

TEST_F(SequencerTest, AdoptsANewSenderOnlyWhenOursIsSilent) {
  PushAll({1, 2});
  for (uint16_t s = 500; s < 520; ++s) Push(s, kOther);
  EXPECT_EQ(stats_.source_changes, 0U) << "ours spoke a moment ago";
  now_ += Milliseconds(1100);
  for (uint16_t s = 520; s < 523; ++s) Push(s, kOther);
  EXPECT_EQ(stats_.source_changes, 1U);
  EXPECT_THAT(out_, ElementsAre(1, 2, 520, 521, 522));
  EXPECT_EQ(fresh_, 2);
  EXPECT_EQ(sequencer_.ssrc(), kOther);
  Push(3);
  EXPECT_EQ(out_.size(), 5U) << "the old sender is foreign now";
}

TEST_F(SequencerTest, AcceptsANewNumberingAfterTwoPackets) {
  PushAll({100, 101, 30000});
  EXPECT_EQ(out_.size(), 2U) << "one stray packet is not believed";
  PushAll({102, 30000, 30001, 30002});
  EXPECT_THAT(out_, ElementsAre(100, 101, 102, 30001, 30002));
  EXPECT_EQ(stats_.sequence_resets, 1U);
  EXPECT_EQ(fresh_, 2);
}

TEST_F(SequencerTest, AnyShuffleWithinTheWindowComesOutInOrder) {
  const unsigned seed = 20260301;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  std::vector<int> order(5000);
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  for (size_t i = 1; i + 20 < order.size(); i += 20) {
    std::shuffle(order.begin() + static_cast<ptrdiff_t>(i),
                 order.begin() + static_cast<ptrdiff_t>(i + 20), random);
  }
  for (int s : order) Push(static_cast<uint16_t>(s + 60000));
  ASSERT_EQ(out_.size(), order.size());
  for (size_t i = 0; i < out_.size(); ++i) ASSERT_EQ(out_[i], static_cast<uint16_t>(i + 60000));
  EXPECT_EQ(stats_.lost_packets + stats_.duplicates + stats_.late, 0U);
}

TEST_F(SequencerTest, NothingIsLostFromTheBooksUnderRandomFaults) {
  const unsigned seed = 7;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  uint64_t sent = 0;
  uint16_t sequence = 1;
  for (int i = 0; i < 20000; ++i) {
    const unsigned dice = random() % 100;
    if (dice < 3) sequence = static_cast<uint16_t>(sequence + random() % 60);  // loss
    if (dice >= 97) Push(static_cast<uint16_t>(sequence - 1 - random() % 30)), ++sent;
    Push(sequence++);
    ++sent;
    now_ += Milliseconds(1);
  }
  sequencer_.Expire(now_ + Seconds(1));
  EXPECT_TRUE(std::is_sorted(out_.begin(), out_.end(), [](int a, int b) {
    return static_cast<int16_t>(static_cast<uint16_t>(a - b)) < 0;
  }));
  EXPECT_EQ(stats_.packets + stats_.duplicates + stats_.late + stats_.foreign_packets, sent);
  EXPECT_EQ(stats_.packets + stats_.lost_packets, sequencer_.expected_total());
}

}  // namespace
}  // namespace cordon
