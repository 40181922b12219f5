// SPDX-License-Identifier: Apache-2.0
// Faults in the packets themselves: counted exactly, marked where they are, and the time line stays
// one.
#include <algorithm>
#include <random>

#include "tests/integration/rtsp/rtsp_client_fixture.h"

extern "C" {
#include <libavcodec/avcodec.h>
}

namespace cordon::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Viewing PlayPieces(std::vector<RtpPiece> pieces, bool h265 = false) {
  FaultRtspServer server(Camera(std::move(pieces), h265));
  return Play(QuickOptions(server.Url()));
}

// Decoding times rise strictly within the whole connection, and no picture of one run is later than
// its successor.
void ExpectMonotone(const Viewing& run) {
  for (size_t i = 1; i < run.pictures.size(); ++i) {
    EXPECT_GT(run.pictures[i].av->dts, run.pictures[i - 1].av->dts) << i;
    EXPECT_GE(run.pictures[i].run, run.pictures[i - 1].run) << i;
  }
}

// Decodes everything; returns how many pictures came out. The point is that nothing breaks.
size_t Decode(const Viewing& run) {
  const AVCodec* codec = avcodec_find_decoder(run.info.codec->codec_id);
  AVCodecContext* context = avcodec_alloc_context3(codec);
  context->thread_count = 1;
  av_log_set_level(AV_LOG_QUIET);
  avcodec_open2(context, codec, nullptr);
  AVFrame* frame = av_frame_alloc();
  size_t count = 0;
  const auto drain = [&] {
    while (avcodec_receive_frame(context, frame) == 0) ++count;
  };
  for (const Packet& packet : run.pictures) {
    avcodec_send_packet(context, packet.av.get());
    drain();
  }
  avcodec_send_packet(context, nullptr);
  drain();
  av_frame_free(&frame);
  avcodec_free_context(&context);
  return count;
}

class GoodStream : public ::testing::TestWithParam<bool> {};

TEST_P(GoodStream, EveryByteOfEveryPictureArrives) {
  const bool h265 = GetParam();
  const std::string& video = TestVideo(h265);
  ASSERT_FALSE(video.empty());
  const Viewing run = PlayPieces(Packetize(video, h265), h265);
  ASSERT_TRUE(run.opened.ok()) << run.opened;
  ASSERT_EQ(run.pictures.size(), 100U);
  std::vector<std::string> nals;
  for (const Packet& packet : run.pictures) {
    for (std::string& nal : SplitNals(BytesOf(packet))) nals.push_back(std::move(nal));
  }
  EXPECT_EQ(nals, SplitNals(video));
  for (size_t i = 0; i < run.pictures.size(); ++i) {
    EXPECT_EQ((run.pictures[i].av->flags & AV_PKT_FLAG_KEY) != 0, i % 25 == 0) << i;
    EXPECT_EQ(run.pictures[i].av->pts, static_cast<int64_t>(i) * 40'000);
    EXPECT_EQ(run.pictures[i].run, 1U);
    EXPECT_FALSE(run.pictures[i].loss_before);
  }
  EXPECT_EQ(Decode(run), 100U);
  const RtspStats& s = run.stats;
  EXPECT_EQ(
      s.lost_packets + s.duplicates + s.late + s.foreign_packets + s.malformed + s.garbage_bytes,
      0U);
}

INSTANTIATE_TEST_SUITE_P(Codecs, GoodStream, ::testing::Values(false, true),
                         [](const auto& codec) { return codec.param ? "H265" : "H264"; });

class RtpFault : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_FALSE(pieces_.empty()); }
  // Index of the first packet of a picture.
  size_t FirstOf(size_t picture) const {
    return static_cast<size_t>(
        std::find_if(pieces_.begin(), pieces_.end(),
                     [&](const RtpPiece& p) { return p.picture == picture; }) -
        pieces_.begin());
  }
  std::vector<RtpPiece> pieces_ = Packetize(TestVideo(false), false);
};

TEST_F(RtpFault, AGapIsCountedExactlyAndMarked) {
  for (size_t gap : {1, 50, 300}) {
    SCOPED_TRACE(gap);
    std::vector<RtpPiece> sent = pieces_;
    const size_t at = FirstOf(10);
    sent.erase(sent.begin() + static_cast<ptrdiff_t>(at),
               sent.begin() + static_cast<ptrdiff_t>(at + gap));
    const Viewing run = PlayPieces(sent);
    EXPECT_EQ(run.stats.lost_packets, gap);
    EXPECT_EQ(run.stats.gaps, 1U);
    // Pictures 0 to 9 came whole; whatever comes next is marked.
    ASSERT_FALSE(run.Losses().empty());
    EXPECT_EQ(run.Losses().front(), 10U);
    ExpectMonotone(run);
  }
}

TEST_F(RtpFault, DuplicatesVanish) {
  std::vector<RtpPiece> sent;
  for (const RtpPiece& piece : pieces_) sent.insert(sent.end(), 2, piece);
  const Viewing run = PlayPieces(sent);
  EXPECT_EQ(run.pictures.size(), 100U);
  EXPECT_EQ(run.stats.duplicates, pieces_.size());
  EXPECT_TRUE(run.Losses().empty());
}

TEST_F(RtpFault, ReorderedPacketsAreSorted) {
  std::vector<RtpPiece> sent = pieces_;
  const unsigned seed = 11;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (size_t i = 1; i + 20 < sent.size(); i += 20) {
    std::shuffle(sent.begin() + static_cast<ptrdiff_t>(i),
                 sent.begin() + static_cast<ptrdiff_t>(i + 20), random);
  }
  const Viewing run = PlayPieces(sent);
  EXPECT_EQ(run.pictures.size(), 100U);
  EXPECT_EQ(run.stats.lost_packets, 0U);
  EXPECT_GT(run.stats.reordered, 0U);
  EXPECT_TRUE(run.Losses().empty());
  EXPECT_EQ(Decode(run), 100U);
}

TEST_F(RtpFault, PacketsOfAnotherSenderAreDroppedAndCounted) {
  std::vector<RtpPiece> sent;
  for (const RtpPiece& piece : pieces_) {
    sent.push_back(piece);
    sent.push_back(piece);
    sent.back().ssrc = 666;
  }
  const Viewing run = PlayPieces(sent);
  EXPECT_EQ(run.pictures.size(), 100U);
  EXPECT_EQ(run.stats.foreign_packets, pieces_.size());
  EXPECT_TRUE(run.Losses().empty());
}

TEST_F(RtpFault, ANewSenderIsAdoptedAfterASecondOfSilence) {
  FaultRtspServer server([this](FaultSession& s) {
    if (!s.ServeUntilPlay(Sdp(false))) return;
    for (RtpPiece piece : pieces_) {
      if (piece.picture >= 50) {
        if (piece.sequence == pieces_[FirstOf(50)].sequence) s.Pause(Milliseconds(1200));
        piece.ssrc = 999;
        piece.sequence = static_cast<uint16_t>(piece.sequence + 7777);
        piece.timestamp += 123456789;
      }
      s.SendRtp(piece.Bytes());
    }
    s.Hold();
  });
  const Viewing run = Play(QuickOptions(server.Url()), 1000, Milliseconds(1600));
  EXPECT_EQ(run.stats.source_changes, 1U);
  EXPECT_EQ(run.pictures.back().run, 2U);
  EXPECT_GT(run.pictures.size(), 90U);
  EXPECT_FALSE(run.Losses().empty());
  ExpectMonotone(run);
}

TEST_F(RtpFault, ARestartOfTheNumberingIsNoEndOfTheStream) {
  std::vector<RtpPiece> sent = pieces_;
  for (size_t i = FirstOf(40); i < sent.size(); ++i)
    sent[i].sequence = static_cast<uint16_t>(sent[i].sequence + 20000);
  const Viewing run = PlayPieces(sent);
  EXPECT_EQ(run.stats.sequence_resets, 1U);
  EXPECT_GE(run.pictures.size(), 99U);
  EXPECT_FALSE(run.Losses().empty());
  ExpectMonotone(run);
}

TEST_F(RtpFault, WrapsOfSequenceAndTimestampAreNotSeen) {
  const Viewing run =
      PlayPieces(Packetize(TestVideo(false), false, 65500, 0xffffffffU - 30 * 3600));
  ASSERT_EQ(run.pictures.size(), 100U);
  for (size_t i = 0; i < run.pictures.size(); ++i) {
    EXPECT_EQ(run.pictures[i].av->pts, static_cast<int64_t>(i) * 40'000);
    EXPECT_EQ(run.pictures[i].run, 1U);
  }
  EXPECT_TRUE(run.Losses().empty());
}

TEST_F(RtpFault, ATimestampJumpOfAnHourBeginsANewRun) {
  for (int64_t hours : {1, -1}) {
    std::vector<RtpPiece> sent = pieces_;
    for (size_t i = FirstOf(50); i < sent.size(); ++i) {
      sent[i].timestamp += static_cast<uint32_t>(hours * 3600 * 90000);
    }
    const Viewing run = PlayPieces(sent);
    ASSERT_EQ(run.pictures.size(), 100U);
    EXPECT_EQ(run.stats.time_jumps, 1U);
    EXPECT_EQ(run.pictures[49].run, 1U);
    EXPECT_EQ(run.pictures[50].run, 2U);
    EXPECT_LT(run.pictures[50].av->pts - run.pictures[49].av->pts, 1'000'000);
    ExpectMonotone(run);
  }
}

TEST_F(RtpFault, AStepOfTheCamerasWallClockMovesNoPicture) {
  FaultRtspServer server([this](FaultSession& s) {
    if (!s.ServeUntilPlay(Sdp(false))) return;
    for (const RtpPiece& piece : pieces_) {
      if (piece.sequence == pieces_[0].sequence) {
        s.SendRtcp(SenderReportBytes(piece.ssrc, 1.7e9, piece.timestamp));
      }
      s.SendRtp(piece.Bytes());
      if (piece.marker && piece.picture == 0)
        s.SendRtcp(SenderReportBytes(piece.ssrc, 1.7e9, piece.timestamp));
      if (piece.marker && piece.picture == 49)
        s.SendRtcp(SenderReportBytes(piece.ssrc, 1.7e9 + 1000, piece.timestamp));
    }
    s.Hold();
  });
  const Viewing run = Play(QuickOptions(server.Url()));
  ASSERT_EQ(run.pictures.size(), 100U);
  EXPECT_EQ(run.stats.camera_clock_steps, 1U);
  for (size_t i = 0; i < run.pictures.size(); ++i) {
    EXPECT_EQ(run.pictures[i].av->pts, static_cast<int64_t>(i) * 40'000);
    EXPECT_EQ(run.pictures[i].run, 1U);
  }
  ASSERT_TRUE(run.pictures[99].camera.has_value());
  EXPECT_NEAR(static_cast<double>(ToMicros(*run.pictures[99].camera)), (1.7e9 + 1002) * 1e6, 1000);
}

TEST_F(RtpFault, NoSenderReportMeansNoCameraTime) {
  const Viewing run = PlayPieces(pieces_);
  for (const Packet& packet : run.pictures) EXPECT_FALSE(packet.camera.has_value());
}

TEST_F(RtpFault, ANewPictureSizeComesThroughWithItsParameterSets) {
  TemporaryFolder folder;
  const std::string larger = EncodeTestVideo(folder, false, 50, 25, "480x360");
  std::vector<RtpPiece> sent = pieces_;
  for (RtpPiece piece : Packetize(larger, false)) {
    piece.sequence = static_cast<uint16_t>(sent[sent.size() - 1].sequence + 1);
    piece.timestamp = pieces_.back().timestamp + 3600 * static_cast<uint32_t>(piece.picture + 1);
    sent.push_back(piece);
  }
  const Viewing run = PlayPieces(sent);
  EXPECT_EQ(run.pictures.size(), 150U);
  EXPECT_EQ(Decode(run), 150U);
  EXPECT_EQ(run.stats.lost_packets, 0U);
}

TEST_F(RtpFault, AChangeOfCodecEndsTheSourceWithItsReason) {
  std::vector<RtpPiece> sent = pieces_;
  for (RtpPiece piece : Packetize(TestVideo(true), true)) {
    piece.sequence = static_cast<uint16_t>(sent[sent.size() - 1].sequence + 1);
    piece.timestamp = pieces_.back().timestamp + 3600 * static_cast<uint32_t>(piece.picture + 1);
    sent.push_back(piece);
  }
  const Viewing run = PlayPieces(sent);
  EXPECT_EQ(run.ended.code(), absl::StatusCode::kDataLoss) << run.ended;
  EXPECT_THAT(std::string(run.ended.message()), HasSubstr("changed its codec"));
  EXPECT_GE(run.pictures.size(), 99U);
}

TEST_F(RtpFault, AChangeOfPayloadTypeEndsTheSourceWithItsReason) {
  std::vector<RtpPiece> sent = pieces_;
  for (size_t i = FirstOf(50); i < sent.size(); ++i) sent[i].payload_type = 97;
  const Viewing run = PlayPieces(sent);
  EXPECT_EQ(run.ended.code(), absl::StatusCode::kDataLoss) << run.ended;
  EXPECT_THAT(std::string(run.ended.message()), HasSubstr("payload type"));
}

TEST_F(RtpFault, BitErrorsDoNoHarm) {
  for (double rate : {1e-5, 1e-4, 1e-3}) {
    const unsigned seed = 4711;
    SCOPED_TRACE(::testing::Message() << "rate " << rate << " seed " << seed);
    std::mt19937 random(seed);
    std::bernoulli_distribution flips(rate * 8);
    std::vector<RtpPiece> sent = pieces_;
    for (RtpPiece& piece : sent) {
      for (char& byte : piece.payload) {
        if (flips(random)) byte = static_cast<char>(byte ^ 1 << random() % 8);
      }
    }
    const Viewing run = PlayPieces(sent);
    EXPECT_GT(run.pictures.size(), 50U);
    Decode(run);
    ExpectMonotone(run);
  }
}

TEST_F(RtpFault, LostSlicesAreMarkedWhereTheyWere) {
  for (unsigned percent : {1U, 20U}) {
    const unsigned seed = 17;
    std::mt19937 random(seed);
    std::vector<RtpPiece> sent;
    uint64_t lost = 0;
    for (const RtpPiece& piece : pieces_) {
      if (!sent.empty() && piece.sequence != pieces_.back().sequence && random() % 100 < percent) {
        ++lost;
      } else {
        sent.push_back(piece);
      }
    }
    const Viewing run = PlayPieces(sent);
    EXPECT_EQ(run.stats.lost_packets, lost);
    EXPECT_FALSE(run.Losses().empty());
    Decode(run);
  }
}

TEST_F(RtpFault, OverUdpTheSameFaultsAreCountedTheSame) {
  std::vector<RtpPiece> sent = pieces_;
  std::swap(sent[20], sent[25]);
  sent.erase(sent.begin() + 100);
  sent.insert(sent.begin() + 60, sent[60]);
  FaultRtspServer server([&](FaultSession& s) {
    if (!s.ServeUntilPlay(Sdp(false))) return;
    for (size_t i = 0; i < sent.size(); ++i) {
      s.SendRtp(sent[i].Bytes());
      if (i % 50 == 49) s.Pause(Milliseconds(2));  // a kernel buffer is finite
    }
    s.Hold();
  });
  RtspOptions options = QuickOptions(server.Url());
  options.transport = RtspTransport::kUdp;
  const Viewing run = Play(options);
  ASSERT_TRUE(run.opened.ok()) << run.opened;
  EXPECT_EQ(run.stats.lost_packets, 1U);
  EXPECT_EQ(run.stats.duplicates, 1U);
  EXPECT_EQ(run.stats.reordered, 5U);
  EXPECT_EQ(run.Losses().size(), 1U);
  EXPECT_GE(run.pictures.size(), 99U);
}

}  // namespace
}  // namespace cordon::testing
