// SPDX-License-Identifier: Apache-2.0
#include "bus/wire.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "base/limits.h"

namespace cordon::wire {
namespace {

proto::Envelope SomeEnvelope() {
  proto::Envelope envelope;
  envelope.set_version(kProtocolVersion);
  envelope.mutable_data()->set_sequence(7);
  envelope.mutable_data()->set_record("record");
  return envelope;
}

TEST(Crc32c, MatchesThePublishedVectors) {
  EXPECT_EQ(Crc32c(""), 0u);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720, B.4
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

TEST(Wire, AFrameRoundTrips) {
  const auto frame = EncodeFrame(SomeEnvelope());
  ASSERT_TRUE(frame.ok());
  const auto back = DecodeFrame(*frame);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->data().sequence(), 7u);
}

TEST(Wire, EveryFlippedBitIsSeen) {
  const std::string frame = *EncodeFrame(SomeEnvelope());
  for (size_t bit = 0; bit < frame.size() * 8; ++bit) {
    if (bit / 8 == 3) continue;  // the reserved byte
    std::string bad = frame;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(DecodeFrame(bad).ok()) << "bit " << bit;
  }
}

TEST(Wire, EveryTruncationIsSeen) {
  const std::string frame = *EncodeFrame(SomeEnvelope());
  for (size_t size = 0; size < frame.size(); ++size)
    EXPECT_FALSE(DecodeFrame(frame.substr(0, size)).ok()) << size;
  EXPECT_FALSE(DecodeFrame(frame + "x").ok());
}

TEST(Wire, RandomBytesAreNeverAFrame) {
  std::mt19937 random(20260301);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random() % 64, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    EXPECT_FALSE(DecodeFrame(bytes).ok());
    EXPECT_FALSE(DecodeRecord(bytes, Crc32c(bytes)).ok() && bytes.empty());
  }
}

TEST(Wire, OversizeIsRefusedOnBothSides) {
  proto::Envelope envelope = SomeEnvelope();
  envelope.mutable_data()->set_record(std::string(limits::kMaxMessageBytes, 'x'));
  EXPECT_EQ(EncodeFrame(envelope).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(DecodeFrame(std::string(limits::kMaxMessageBytes + 1, 'C')).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(Wire, AnotherFramingVersionSaysWhatToDo) {
  std::string frame = *EncodeFrame(SomeEnvelope());
  frame[2] = 9;
  const absl::Status status = DecodeFrame(frame).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(MessageOf(status).find("same release"), std::string_view::npos);
}

TEST(Wire, DeepNestingIsRefusedBeforeTheStackIs) {
  // Unknown groups nest without a schema: field 1000, start-group tags.
  std::string body;
  for (int i = 0; i < 10'000; ++i) body += std::string("\xc3\x3e", 2);
  proto::OutboxRecord record;
  EXPECT_FALSE(DecodeRecord(body, Crc32c(body)).ok());
}

TEST(Wire, NumbersThatAreNotFiniteAreRefusedByName) {
  proto::OutboxRecord record;
  record.mutable_alert()->mutable_event()->mutable_place()->set_lat(
      std::numeric_limits<double>::quiet_NaN());
  const absl::Status status = CheckRecord(record);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(MessageOf(status).find("GeoPoint.lat"), std::string_view::npos);
  record.mutable_alert()->mutable_event()->mutable_place()->set_lat(1);
  EXPECT_TRUE(CheckRecord(record).ok());
  (*record.mutable_alert()->mutable_event()->mutable_explanation()->mutable_measured())["speed"] =
      std::numeric_limits<double>::infinity();
  EXPECT_FALSE(CheckRecord(record).ok()) << "inside maps too";
}

TEST(Wire, RecordsKeepTheirLimits) {
  proto::OutboxRecord record;
  EXPECT_FALSE(CheckRecord(record).ok()) << "empty";
  record.mutable_alert()->set_snapshot_jpeg(std::string(limits::kMaxSnapshotBytes + 1, 'x'));
  EXPECT_FALSE(CheckRecord(record).ok());
  record.mutable_alert()->set_snapshot_jpeg(std::string(limits::kMaxSnapshotBytes, 'x'));
  EXPECT_TRUE(CheckRecord(record).ok());
  record.mutable_alert()->set_id("not a ulid");
  EXPECT_FALSE(CheckRecord(record).ok());
  record.mutable_evidence()->set_alert_id("nor this");
  EXPECT_FALSE(CheckRecord(record).ok());
}

TEST(Wire, ARecordsChecksumIsItsOwn) {
  proto::OutboxRecord record;
  record.mutable_alert()->mutable_event()->set_camera_id("gate");
  const std::string bytes = record.SerializeAsString();
  EXPECT_TRUE(DecodeRecord(bytes, Crc32c(bytes)).ok());
  EXPECT_FALSE(DecodeRecord(bytes, Crc32c(bytes) + 1).ok());
}

}  // namespace
}  // namespace cordon::wire
