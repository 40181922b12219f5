// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtp_depacketizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace cordon {
namespace {

using testing::ElementsAre;

using Bytes = std::vector<uint8_t>;

Bytes Nal(std::initializer_list<int> head, size_t size, uint8_t fill = 0x55) {
  Bytes nal;
  for (int b : head) nal.push_back(static_cast<uint8_t>(b));
  nal.resize(std::max(size, nal.size()), fill);
  return nal;
}
// H.264: second byte 0x88 begins a picture (first_mb_in_slice 0), 0x48 does not.
Bytes Idr(size_t size = 20) { return Nal({0x65, 0x88}, size); }
Bytes Slice(size_t size = 20) { return Nal({0x41, 0x9a}, size); }
Bytes MoreSlice(size_t size = 20) { return Nal({0x41, 0x48}, size); }
const Bytes kSps = {0x67, 1, 2, 3};
const Bytes kPps = {0x68, 4, 5};
const Bytes kSei = {0x06, 5, 1, 0, 0x80};

Bytes AnnexB(std::initializer_list<Bytes> nals) {
  Bytes out;
  for (const Bytes& nal : nals) {
    out.insert(out.end(), {0, 0, 0, 1});
    out.insert(out.end(), nal.begin(), nal.end());
  }
  return out;
}

struct Unit {
  Bytes bytes;
  uint32_t timestamp;
  bool key;
  bool loss;
};

class DepacketizerTest : public testing::Test {
 protected:
  void Use(VideoCodec codec, std::vector<std::string> sets = {}, size_t max_bytes = 1 << 20) {
    VideoTrack track;
    track.codec = codec;
    track.parameter_sets = std::move(sets);
    depacketizer_ = NewDepacketizer(track, max_bytes, stats_, [this](const AccessUnit& unit) {
      units_.push_back({Bytes(unit.bytes.begin(), unit.bytes.end()), unit.timestamp, unit.key,
                        unit.loss_before});
    });
  }
  absl::Status Push(uint32_t timestamp, bool marker, const Bytes& payload, uint32_t lost = 0) {
    RtpSequencer::Delivery delivery;
    delivery.packet.timestamp = timestamp;
    delivery.packet.marker = marker;
    delivery.packet.payload = payload;
    delivery.lost_before = lost;
    return depacketizer_->Push(delivery);
  }
  // The pieces of FU-A.
  static std::vector<Bytes> FuA(const Bytes& nal, size_t pieces) {
    std::vector<Bytes> out;
    const size_t body = nal.size() - 1;
    for (size_t i = 0; i < pieces; ++i) {
      const size_t from = 1 + body * i / pieces;
      const size_t to = 1 + body * (i + 1) / pieces;
      Bytes piece = {static_cast<uint8_t>((nal[0] & 0xe0) | 28),
                     static_cast<uint8_t>(nal[0] & 0x1f)};
      if (i == 0) piece[1] |= 0x80;
      if (i + 1 == pieces) piece[1] |= 0x40;
      piece.insert(piece.end(), nal.begin() + static_cast<ptrdiff_t>(from),
                   nal.begin() + static_cast<ptrdiff_t>(to));
      out.push_back(piece);
    }
    return out;
  }

  RtspStats stats_;
  std::unique_ptr<RtpDepacketizer> depacketizer_;
  std::vector<Unit> units_;
};

class H264Test : public DepacketizerTest {
 protected:
  void SetUp() override { Use(VideoCodec::kH264); }
};

TEST_F(H264Test, EndsAUnitAtTheMarker) {
  ASSERT_TRUE(Push(1, false, Slice()).ok());
  ASSERT_TRUE(Push(1, true, MoreSlice()).ok());
  ASSERT_EQ(units_.size(), 1U);
  EXPECT_EQ(units_[0].bytes, AnnexB({Slice(), MoreSlice()}));
  EXPECT_FALSE(units_[0].key);
  EXPECT_FALSE(units_[0].loss);
}

TEST_F(H264Test, EndsAUnitAtANewTimestampWhenThereIsNoMarker) {
  ASSERT_TRUE(Push(1, false, Slice()).ok());
  ASSERT_TRUE(Push(2, false, Slice()).ok());
  ASSERT_TRUE(Push(3, false, Slice()).ok());
  ASSERT_EQ(units_.size(), 2U);
  EXPECT_EQ(units_[1].timestamp, 2U);
}

TEST_F(H264Test, JoinsFragmentsAndAggregates) {
  const Bytes big = Idr(3000);
  Bytes stap = {0x78};
  for (const Bytes* nal : {&kSps, &kPps}) {
    stap.push_back(0);
    stap.push_back(static_cast<uint8_t>(nal->size()));
    stap.insert(stap.end(), nal->begin(), nal->end());
  }
  ASSERT_TRUE(Push(1, false, stap).ok());
  const auto pieces = FuA(big, 4);
  for (size_t i = 0; i < pieces.size(); ++i)
    ASSERT_TRUE(Push(1, i + 1 == pieces.size(), pieces[i]).ok());
  ASSERT_EQ(units_.size(), 1U);
  EXPECT_EQ(units_[0].bytes, AnnexB({kSps, kPps, big}));
  EXPECT_TRUE(units_[0].key);
}

TEST_F(H264Test, PutsTheDescriptionsParameterSetsBeforeAKeyFrame) {
  Use(VideoCodec::kH264,
      {std::string(kSps.begin(), kSps.end()), std::string(kPps.begin(), kPps.end())});
  ASSERT_TRUE(Push(1, true, Idr()).ok());
  ASSERT_TRUE(Push(2, true, Slice()).ok());
  EXPECT_EQ(units_[0].bytes, AnnexB({kSps, kPps, Idr()}));
  EXPECT_EQ(units_[1].bytes, AnnexB({Slice()}));
}

TEST_F(H264Test, NewerSetsOfTheStreamReplaceTheDescriptions) {
  Use(VideoCodec::kH264,
      {std::string(kSps.begin(), kSps.end()), std::string(kPps.begin(), kPps.end())});
  const Bytes sps2 = {0x67, 9, 9, 9};
  ASSERT_TRUE(Push(1, false, sps2).ok());
  ASSERT_TRUE(Push(1, false, kPps).ok());
  ASSERT_TRUE(Push(1, true, Idr()).ok());
  ASSERT_TRUE(Push(2, true, Idr()).ok());
  EXPECT_EQ(units_[0].bytes, AnnexB({sps2, kPps, Idr()}));
  EXPECT_EQ(units_[1].bytes, AnnexB({sps2, kPps, Idr()}));
}

TEST_F(H264Test, KeepsTheDelimiterInFront) {
  Use(VideoCodec::kH264, {std::string(kSps.begin(), kSps.end())});
  const Bytes delimiter = {0x09, 0x10};
  ASSERT_TRUE(Push(1, false, delimiter).ok());
  ASSERT_TRUE(Push(1, true, Idr()).ok());
  EXPECT_EQ(units_[0].bytes, AnnexB({delimiter, kSps, Idr()}));
}

TEST_F(H264Test, AMarkerOnAnSeiDoesNotMakeAPicture) {
  ASSERT_TRUE(Push(1, true, kSei).ok());
  EXPECT_TRUE(units_.empty());
  ASSERT_TRUE(Push(1, true, Slice()).ok());
  ASSERT_EQ(units_.size(), 1U);
  EXPECT_EQ(units_[0].bytes, AnnexB({kSei, Slice()}));
}

TEST_F(H264Test, ARecoveryPointIsAKey) {
  ASSERT_TRUE(Push(1, false, {0x06, 6, 1, 0x84, 0x80}).ok());  // recovery_frame_cnt 0
  ASSERT_TRUE(Push(1, true, Slice()).ok());
  ASSERT_TRUE(Push(2, false, {0x06, 6, 1, 0x24, 0x80}).ok());  // later
  ASSERT_TRUE(Push(2, true, Slice()).ok());
  EXPECT_TRUE(units_[0].key);
  EXPECT_FALSE(units_[1].key);
}

TEST_F(H264Test, FindsOutAMarkerOnEverySlice) {
  for (uint32_t t = 1; t < 6; ++t) {
    ASSERT_TRUE(Push(t, true, Slice()).ok());
    ASSERT_TRUE(Push(t, true, MoreSlice()).ok());
  }
  ASSERT_GE(units_.size(), 4U);
  EXPECT_EQ(units_.back().bytes, AnnexB({Slice(), MoreSlice()}));
}

TEST_F(H264Test, DropsATornUnitAndMarksWhatFollows) {
  const auto pieces = FuA(Slice(3000), 4);
  ASSERT_TRUE(Push(1, true, Slice()).ok());
  ASSERT_TRUE(Push(2, false, pieces[0]).ok());
  ASSERT_TRUE(Push(2, false, pieces[2], 1).ok());
  ASSERT_TRUE(Push(2, true, pieces[3]).ok());
  ASSERT_TRUE(Push(3, true, Slice()).ok());
  ASSERT_TRUE(Push(4, true, Slice()).ok());
  ASSERT_EQ(units_.size(), 3U);
  EXPECT_EQ(units_[1].timestamp, 3U);
  EXPECT_TRUE(units_[1].loss);
  EXPECT_FALSE(units_[2].loss);
  EXPECT_EQ(stats_.dropped_pictures, 1U);
}

TEST_F(H264Test, KeepsTheSlicesThatCame) {
  ASSERT_TRUE(Push(1, false, Slice()).ok());
  ASSERT_TRUE(Push(1, true, MoreSlice(), 1).ok());
  ASSERT_EQ(units_.size(), 1U);
  EXPECT_TRUE(units_[0].loss);
  EXPECT_EQ(units_[0].bytes, AnnexB({Slice(), MoreSlice()}));
}

TEST_F(H264Test, MarksBothPicturesWhenTheirBorderIsLost) {
  ASSERT_TRUE(Push(1, false, Slice()).ok());
  ASSERT_TRUE(Push(2, true, Slice(), 2).ok());
  ASSERT_EQ(units_.size(), 2U);
  EXPECT_TRUE(units_[0].loss);
  EXPECT_TRUE(units_[1].loss);
}

TEST_F(H264Test, NeverHoldsMoreThanOnePictureMayHave) {
  Use(VideoCodec::kH264, {}, 10'000);
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(Push(1, false, i == 0 ? Slice(1000) : MoreSlice(1000)).ok());
  ASSERT_TRUE(Push(2, true, Slice()).ok());
  ASSERT_TRUE(Push(3, true, Slice()).ok());
  ASSERT_EQ(units_.size(), 2U);
  EXPECT_TRUE(units_[0].loss);
  EXPECT_EQ(stats_.dropped_pictures, 1U);
}

TEST_F(H264Test, AFloodWithoutPicturesEndsWithTheNextPicture) {
  Use(VideoCodec::kH264, {}, 10'000);
  for (uint32_t t = 1; t < 3000; ++t) ASSERT_TRUE(Push(t, true, kSei).ok());
  ASSERT_TRUE(Push(4000, true, Slice()).ok());
  ASSERT_TRUE(Push(4001, true, Slice()).ok());
  ASSERT_FALSE(units_.empty());
  EXPECT_EQ(units_.back().bytes, AnnexB({Slice()}));
}

TEST_F(H264Test, CountsContradictionsAndGoesOn) {
  ASSERT_TRUE(Push(1, false, {0x78, 0, 200, 1}).ok());   // STAP-A longer than its packet
  ASSERT_TRUE(Push(1, false, {0x7c, 0x05}).ok());        // FU-A without payload
  ASSERT_TRUE(Push(1, false, {0x7c, 0x05, 1, 2}).ok());  // FU-A that never began
  ASSERT_TRUE(Push(1, false, {0x1d, 0, 0}).ok());        // FU-B
  ASSERT_TRUE(Push(1, false, {}).ok());
  EXPECT_EQ(stats_.malformed, 4U);
  ASSERT_TRUE(Push(2, true, Slice()).ok());
  EXPECT_EQ(units_.size(), 1U);
}

TEST_F(H264Test, SaysWhenThePayloadBecomesH265) {
  absl::Status status;
  for (uint32_t t = 0; t < 40 && status.ok(); ++t)
    status = Push(t, true, Nal({0x02, 0x01, 0xd0}, 40));
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
}

TEST_F(H264Test, RandomPayloadsDoNoHarm) {
  const unsigned seed = 99;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 20000; ++i) {
    Bytes payload(random() % 40);
    for (uint8_t& b : payload) b = static_cast<uint8_t>(random());
    if (!Push(random() % 4, random() % 3 == 0, payload, random() % 5 == 0 ? 1 : 0).ok())
      Use(VideoCodec::kH264);
  }
}

// H.265.
Bytes H265Nal(int type, size_t size, bool first = true) {
  Bytes nal = {static_cast<uint8_t>(type << 1), 1, static_cast<uint8_t>(first ? 0x80 : 0x00)};
  nal.resize(size, 0x33);
  return nal;
}

class H265Test : public DepacketizerTest {
 protected:
  void SetUp() override { Use(VideoCodec::kH265); }
};

TEST_F(H265Test, JoinsFragmentsAndAggregates) {
  const Bytes vps = H265Nal(32, 6);
  const Bytes sps = H265Nal(33, 9);
  const Bytes pps = H265Nal(34, 5);
  const Bytes idr = H265Nal(19, 900);
  Bytes aggregate = {48 << 1, 1};
  for (const Bytes* nal : {&vps, &sps, &pps}) {
    aggregate.push_back(0);
    aggregate.push_back(static_cast<uint8_t>(nal->size()));
    aggregate.insert(aggregate.end(), nal->begin(), nal->end());
  }
  ASSERT_TRUE(Push(1, false, aggregate).ok());
  for (int i = 0; i < 3; ++i) {
    Bytes piece = {49 << 1, 1, 19};
    if (i == 0) piece[2] |= 0x80;
    if (i == 2) piece[2] |= 0x40;
    const size_t from = i == 0 ? 2 : 300 * static_cast<size_t>(i);
    piece.insert(piece.end(), idr.begin() + static_cast<ptrdiff_t>(from),
                 idr.begin() + 300 * (i + 1));
    ASSERT_TRUE(Push(1, i == 2, piece).ok());
  }
  ASSERT_EQ(units_.size(), 1U);
  EXPECT_EQ(units_[0].bytes, AnnexB({vps, sps, pps, idr}));
  EXPECT_TRUE(units_[0].key);
  ASSERT_TRUE(Push(2, true, H265Nal(21, 30)).ok());  // CRA without sets: they are put before it
  EXPECT_EQ(units_[1].bytes, AnnexB({vps, sps, pps, H265Nal(21, 30)}));
}

TEST_F(H265Test, SaysWhenThePayloadBecomesH264) {
  absl::Status status;
  for (uint32_t t = 0; t < 40 && status.ok(); ++t) status = Push(t, true, Slice(40));
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
}

TEST_F(H265Test, RandomPayloadsDoNoHarm) {
  std::mt19937 random(5);
  for (int i = 0; i < 20000; ++i) {
    Bytes payload(random() % 40);
    for (uint8_t& b : payload) b = static_cast<uint8_t>(random());
    if (payload.size() > 1 && i % 2 == 0) {
      payload[0] = static_cast<uint8_t>((random() % 50) << 1);
      payload[1] = 1;
    }
    if (!Push(random() % 4, random() % 3 == 0, payload, 0).ok()) Use(VideoCodec::kH265);
  }
}

}  // namespace
}  // namespace cordon
