// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtp_packet.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace cordon {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes Header() { return {0x80, 0xe0, 0x12, 0x34, 0, 0, 0x10, 0, 1, 2, 3, 4}; }

TEST(Rtp, ReadsAPlainPacket) {
  Bytes bytes = Header();
  bytes.insert(bytes.end(), {9, 8, 7});
  const auto packet = ParseRtp(bytes);
  ASSERT_TRUE(packet.has_value());
  EXPECT_EQ(packet->payload_type, 96);
  EXPECT_TRUE(packet->marker);
  EXPECT_EQ(packet->sequence, 0x1234);
  EXPECT_EQ(packet->timestamp, 0x1000U);
  EXPECT_EQ(packet->ssrc, 0x01020304U);
  EXPECT_EQ(packet->payload.size(), 3U);
}

TEST(Rtp, SkipsContributorsExtensionAndPadding) {
  Bytes bytes = Header();
  bytes[0] = 0xb1;  // padding, extension, one contributor
  bytes.insert(bytes.end(), {0, 0, 0, 1, 0xbe, 0xde, 0, 1, 5, 5, 5, 5, 42, 0, 2});
  const auto packet = ParseRtp(bytes);
  ASSERT_TRUE(packet.has_value());
  ASSERT_EQ(packet->payload.size(), 1U);
  EXPECT_EQ(packet->payload[0], 42);
}

TEST(Rtp, RefusesLengthsThatLie) {
  Bytes version = Header();
  version[0] = 0x40;
  EXPECT_FALSE(ParseRtp(version));
  Bytes contributors = Header();
  contributors[0] = 0x8f;
  EXPECT_FALSE(ParseRtp(contributors));
  Bytes extension = Header();
  extension[0] = 0x90;
  extension.insert(extension.end(), {0, 0, 0xff, 0xff});
  EXPECT_FALSE(ParseRtp(extension));
  Bytes padding = Header();
  padding[0] = 0xa0;
  padding.push_back(200);
  EXPECT_FALSE(ParseRtp(padding));
  padding.back() = 0;
  EXPECT_FALSE(ParseRtp(padding));
  EXPECT_FALSE(ParseRtp(Bytes(11, 0x80)));
}

Bytes Report(uint32_t ntp_seconds) {
  return {0x80,
          200,
          0,
          6,
          1,
          2,
          3,
          4,
          static_cast<uint8_t>(ntp_seconds >> 24),
          static_cast<uint8_t>(ntp_seconds >> 16),
          static_cast<uint8_t>(ntp_seconds >> 8),
          static_cast<uint8_t>(ntp_seconds),
          0x80,
          0,
          0,
          0,
          0,
          0,
          0x10,
          0,
          0,
          0,
          0,
          1,
          0,
          0,
          0,
          2};
}

TEST(Rtcp, ReadsASenderReportAndAGoodbye) {
  Bytes bytes = Report(2'208'988'800U + 1'700'000'000U);
  bytes.insert(bytes.end(), {0x81, 203, 0, 1, 1, 2, 3, 4});
  const auto content = ParseRtcp(bytes);
  ASSERT_TRUE(content.has_value());
  ASSERT_TRUE(content->report.has_value());
  ASSERT_TRUE(content->report->Wall().has_value());
  EXPECT_EQ(ToMicros(*content->report->Wall()), 1'700'000'000'500'000);
  EXPECT_EQ(content->bye, 0x01020304U);
}

TEST(Rtcp, DoesNotBelieveAClockThatStartedWithTheCamera) {
  EXPECT_FALSE(ParseRtcp(Report(77))->report->Wall().has_value());
}

TEST(Rtcp, RefusesLengthsThatLie) {
  Bytes bytes = Report(1);
  bytes[3] = 60;
  EXPECT_FALSE(ParseRtcp(bytes));
  bytes[3] = 2;
  EXPECT_FALSE(ParseRtcp(bytes));
  EXPECT_FALSE(ParseRtcp({}));
}

TEST(Rtcp, OurReportsAreWellFormed) {
  const std::string report = WriteReceiverReport(7, {.ssrc = 1, .fraction_lost = 3, .lost = 9});
  EXPECT_EQ(report.size() % 4, 0U);
  EXPECT_TRUE(
      ParseRtcp({reinterpret_cast<const uint8_t*>(report.data()), report.size()}).has_value());
}

TEST(Rtp, RandomBytesDoNoHarm) {
  std::mt19937 random(3);
  for (int i = 0; i < 50000; ++i) {
    Bytes bytes(random() % 64);
    for (uint8_t& b : bytes) b = static_cast<uint8_t>(random());
    if (!bytes.empty()) bytes[0] = static_cast<uint8_t>(0x80 | (bytes[0] & 0x3f));
    ParseRtp(bytes);
    ParseRtcp(bytes);
  }
}

}  // namespace
}  // namespace cordon
