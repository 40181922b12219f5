// SPDX-License-Identifier: Apache-2.0
#include "ingest/packet_ring.h"

#include <gtest/gtest.h>

namespace cordon {
namespace {

PacketPtr Make(bool key, int bytes, int64_t at_ms = 0) {
  Packet packet;
  packet.av.reset(av_packet_alloc());
  av_new_packet(packet.av.get(), bytes);
  if (key) packet.av->flags |= AV_PKT_FLAG_KEY;
  packet.received = BootTime(Milliseconds(at_ms));
  return std::make_shared<const Packet>(std::move(packet));
}

TEST(PacketRing, DropsTheOldestGroupWhole) {
  PacketRing ring(10'000);
  for (int i = 0; i < 30; ++i) ring.Push(Make(i % 5 == 0, 600));
  EXPECT_LE(ring.bytes(), 10'000u);
  EXPECT_EQ(ring.newest(), 30u);
  const auto entry = ring.Find(1);
  ASSERT_TRUE(entry);
  EXPECT_NE(entry->packet->av->flags & AV_PKT_FLAG_KEY, 0);
  EXPECT_EQ(entry->sequence % 5, 1u);
  EXPECT_EQ(ring.evicted() % 5, 0u);
}

TEST(PacketRing, StaysBoundedWithoutAnyKeyFrame) {
  PacketRing ring(10'000);
  ring.Push(Make(true, 100));
  for (int i = 0; i < 1000; ++i) ring.Push(Make(false, 600));
  EXPECT_LE(ring.bytes(), 10'000u);
  EXPECT_FALSE(ring.Find(1)) << "what follows a lost key frame cannot be decoded";
  const uint64_t key = ring.Push(Make(true, 100));
  ASSERT_TRUE(ring.Find(1));
  EXPECT_EQ(ring.Find(1)->sequence, key);
}

TEST(PacketRing, FindsKeyFramesByTimeAndSequence) {
  PacketRing ring(1 << 20);
  for (int i = 0; i < 20; ++i) ring.Push(Make(i % 5 == 0, 10, i * 100));
  EXPECT_EQ(ring.KeyFrameBefore(BootTime(Milliseconds(1299))), 11u);
  EXPECT_EQ(ring.KeyFrameBefore(BootTime(Milliseconds(1000))), 11u);
  EXPECT_EQ(ring.KeyFrameBefore(BootTime(Milliseconds(-5))), 1u);
  EXPECT_EQ(ring.KeyFrameAtOrBefore(10), 6u);
  EXPECT_EQ(ring.KeyFrameAtOrBefore(0), 0u);
  EXPECT_EQ(ring.newest_key_frame(), 16u);
  EXPECT_EQ(ring.Read(18, 10).size(), 3u);
  EXPECT_TRUE(ring.Read(21, 10).empty());
}

}  // namespace
}  // namespace cordon
