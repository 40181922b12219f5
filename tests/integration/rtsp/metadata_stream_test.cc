// SPDX-License-Identifier: Apache-2.0
// A camera that offers its analytics beside the video: they wake, and whatever is wrong with them
// never costs the video.
#include "base/log.h"
#include "ingest/onvif_metadata.h"
#include "tests/integration/rtsp/rtsp_client_fixture.h"
#include "tests/support/metadata_stream.h"

namespace cordon::testing {
namespace {

constexpr uint8_t kMetadataChannel = 2;
constexpr size_t kPictures = 100;

class MetadataStreamTest : public ::testing::Test {
 protected:
  // Sends the test video, and before each picture one of `documents` in turn.
  static FaultRtspServer::Script Serve(std::vector<std::string> documents,
                                       const std::string& encoding = "vnd.onvif.metadata") {
    return [documents = std::move(documents), encoding](FaultSession& session) {
      if (!session.ServeUntilPlay(SdpWithMetadata(encoding))) return;
      MetadataPackets packets;
      size_t picture = kPictures;
      for (const RtpPiece& piece : Packetize(TestVideo(false), false)) {
        if (piece.picture != picture && !documents.empty()) {
          picture = piece.picture;
          for (const RtpPiece& cut : packets.Cut(documents[picture % documents.size()])) {
            if (!session.SendInterleaved(kMetadataChannel, cut.Bytes())) return;
          }
        }
        if (!session.SendRtp(piece.Bytes())) return;
      }
      session.Hold();
    };
  }

  void SetUp() override { ASSERT_FALSE(TestVideo(false).empty()); }

  Viewing Watch(const FaultRtspServer& server, RtspTransport transport = RtspTransport::kTcp) {
    RtspOptions options = QuickOptions(server.Url());
    options.transport = transport;
    options.metadata = &metadata_;
    return Play(std::move(options), kPictures);
  }
  double Count(const char* name) {
    return metrics_.Counter(std::string("cordon_onvif_metadata_") + name + "_total", "",
                            {{"camera", "gate"}})
        .Value();
  }
  static ptrdiff_t SetUps(const FaultRtspServer& server) {
    const std::vector<std::string> methods = server.Methods();
    return std::count(methods.begin(), methods.end(), "SETUP");
  }

  Metrics metrics_;
  int wakes_ = 0;
  OnvifMetadata metadata_{"gate", metrics_, SystemClock(), [this] { ++wakes_; }};
};

TEST_F(MetadataStreamTest, IsReceivedBesideTheVideo) {
  FaultRtspServer server(Serve({MotionEvent(false), ObjectFrame("7", "")}));
  const Viewing run = Watch(server);
  ASSERT_TRUE(run.opened.ok()) << run.opened;
  EXPECT_EQ(run.pictures.size(), kPictures);
  EXPECT_TRUE(run.Losses().empty());
  EXPECT_EQ(run.stats.foreign_packets, 0u);
  EXPECT_EQ(wakes_, 1);
  EXPECT_GT(Count("documents"), 0);
}

TEST_F(MetadataStreamTest, IsNotAskedForUnlessItIsWanted) {
  FaultRtspServer server(Serve({}));
  const Viewing run = Play(QuickOptions(server.Url()), kPictures);
  EXPECT_EQ(run.pictures.size(), kPictures);
  EXPECT_EQ(SetUps(server), 1);
}

class CompressedMetadataTest : public MetadataStreamTest,
                               public ::testing::WithParamInterface<const char*> {};

TEST_P(CompressedMetadataTest, IsRefusedByAClearLineAndTheVideoPlays) {
  FaultRtspServer server(Serve({}, GetParam()));
  log::Init("test", log::Format::kText, log::Level::kInfo);
  ::testing::internal::CaptureStderr();
  const Viewing run = Watch(server);
  log::Flush();
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              ::testing::HasSubstr("set the camera to plain XML"));
  EXPECT_EQ(run.pictures.size(), kPictures);
  EXPECT_EQ(SetUps(server), 1);
  EXPECT_FALSE(metadata_.Wanted());
}

INSTANTIATE_TEST_SUITE_P(Encodings, CompressedMetadataTest,
                         ::testing::Values("vnd.onvif.metadata.gzip",
                                           "VND.ONVIF.METADATA.EXI.ONVIF",
                                           "vnd.onvif.metadata.exi.ext"));

TEST_F(MetadataStreamTest, OverUdpTheVideoPlaysWithoutThem) {
  FaultRtspServer server(Serve({}));
  const Viewing run = Watch(server, RtspTransport::kUdp);
  EXPECT_GT(run.pictures.size(), 0u) << run.opened;
  EXPECT_EQ(SetUps(server), 1);
  EXPECT_FALSE(metadata_.Wanted());
}

TEST_F(MetadataStreamTest, ACameraThatRefusesThemPlaysItsVideo) {
  const FaultRtspServer::Script script = [](FaultSession& session) {
    int set_ups = 0;
    while (const auto request = session.Next()) {
      if (request->method == "SETUP" && ++set_ups == 2) {
        session.Reply(*request, 454);
      } else {
        session.Serve(*request, SdpWithMetadata());
      }
      if (request->method == "PLAY") break;
    }
    for (const RtpPiece& piece : Packetize(TestVideo(false), false)) {
      if (!session.SendRtp(piece.Bytes())) return;
    }
    session.Hold();
  };
  FaultRtspServer server(script);
  const Viewing run = Watch(server);
  EXPECT_EQ(run.pictures.size(), kPictures) << run.opened;
  EXPECT_FALSE(metadata_.Wanted());
}

TEST_F(MetadataStreamTest, ACameraThatHangsUpOverThemPlaysItsVideoNextTime) {
  const auto good = Serve({});
  const FaultRtspServer::Script script = [good](FaultSession& session) {
    if (session.number() > 1) return good(session);
    int set_ups = 0;
    while (const auto request = session.Next()) {
      if (request->method == "SETUP" && ++set_ups == 2) return;
      session.Serve(*request, SdpWithMetadata());
    }
  };
  FaultRtspServer server(script);
  EXPECT_FALSE(Watch(server).opened.ok());
  const Viewing run = Watch(server);
  EXPECT_EQ(run.pictures.size(), kPictures) << run.opened;
}

TEST_F(MetadataStreamTest, HostileOnesNeverCostAPicture) {
  const std::string huge(OnvifMetadata::kMaxDocumentBytes + 100'000, '<');
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "<a>";
  FaultRtspServer server(Serve(
      {huge, "<tt:MetadataStream><tt:Event>", deep, std::string(5000, '\0'),
       "<!DOCTYPE a [<!ENTITY b \"bbbbbbbb\">]><MetadataStream>&b;&b;&b;</MetadataStream>",
       "\x1f\x8b\x08 compressed", MetadataDocument("<tt:Event></tt:VideoAnalytics>")}));
  const double before = Holdings::Now().resident_mib;
  const Viewing run = Watch(server);
  EXPECT_EQ(run.pictures.size(), kPictures) << run.opened << run.ended;
  EXPECT_TRUE(run.Losses().empty());
  EXPECT_EQ(Count("documents"), 0);
  EXPECT_GE(Count("unread"), 90);
  EXPECT_EQ(wakes_, 0);
  EXPECT_LT(Holdings::Now().resident_mib, before + 16);
}

TEST_F(MetadataStreamTest, AFloodOfThemDoesNotHideThatTheVideoStopped) {
  const FaultRtspServer::Script script = [](FaultSession& session) {
    if (!session.ServeUntilPlay(SdpWithMetadata())) return;
    for (const RtpPiece& piece : Packetize(TestVideo(false), false)) {
      if (!session.SendRtp(piece.Bytes())) return;
    }
    MetadataPackets packets;
    std::string flood;
    for (int i = 0; i < 200; ++i) {
      for (const RtpPiece& piece : packets.Cut(MotionEvent(i % 2 == 0))) {
        const std::string bytes = piece.Bytes();
        flood += {'$', static_cast<char>(kMetadataChannel), static_cast<char>(bytes.size() >> 8),
                  static_cast<char>(bytes.size() & 0xff)};
        flood += bytes;
      }
    }
    while (session.Send(flood)) {
    }
  };
  FaultRtspServer server(script);
  const BootTime begin = SystemClock().Boot();
  const Viewing run = Watch(server);
  ASSERT_EQ(run.pictures.size(), kPictures) << run.opened;
  const absl::StatusOr<Packet> more = run.source->Read(Milliseconds(400));
  EXPECT_EQ(more.status().code(), absl::StatusCode::kDeadlineExceeded) << more.status();
  EXPECT_LT(SystemClock().Boot() - begin, Seconds(5));
}

}  // namespace
}  // namespace cordon::testing
