// SPDX-License-Identifier: Apache-2.0
// On good streams: every slice that GStreamer's server sends, over every transport; and the same
// bytes as FFmpeg's demuxer.
#include <unordered_map>

#include "tests/integration/ingest/rtsp_server.h"
#include "tests/integration/rtsp/rtsp_client_fixture.h"
#include "tests/support/made_clips.h"

namespace cordon::testing {
namespace {

bool IsSlice(const std::string& nal, bool h265) {
  const auto first = static_cast<uint8_t>(nal[0]);
  return h265 ? (first >> 1 & 0x3f) < 32 : (first & 0x1f) == 1 || (first & 0x1f) == 5;
}

std::vector<std::string> Slices(const std::string& annex_b, bool h265) {
  std::vector<std::string> slices;
  for (std::string& nal : SplitNals(annex_b)) {
    if (IsSlice(nal, h265)) slices.push_back(std::move(nal));
  }
  return slices;
}

std::string AllBytes(const Viewing& viewing) {
  std::string bytes;
  for (const Packet& packet : viewing.pictures) bytes += BytesOf(packet);
  return bytes;
}

std::string ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool HaveGStreamer() {
  return std::system(
             "/usr/bin/python3 -c 'import gi; gi.require_version(\"GstRtspServer\", \"1.0\")' "
             "2>/dev/null") == 0;
}

class GStreamerCamera : public ::testing::TestWithParam<bool> {};

TEST_P(GStreamerCamera, EverySliceArrivesInOrderOverEveryTransport) {
  if (!HaveGStreamer())
    GTEST_SKIP() << "GStreamer's RTSP server is not installed (gir1.2-gst-rtsp-server-1.0)";
  const bool h265 = GetParam();
  TemporaryFolder folder;
  const std::string clip = MakeClip(folder, "clip.mp4", 320, 240, 25, 2);
  RtspServer server({"--codec", h265 ? "h265" : "h264", "a=" + clip}, folder.File("cache"));
  ASSERT_TRUE(server.ready());
  // Where each slice is in what is served in a loop.
  std::unordered_map<std::string, size_t> place;
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.File("cache"))) {
    for (std::string& slice : Slices(ReadBytes(entry.path()), h265))
      place.emplace(std::move(slice), count++);
  }
  ASSERT_EQ(place.size(), count) << "the slices must differ for this test";
  for (const RtspTransport transport :
       {RtspTransport::kTcp, RtspTransport::kUdp, RtspTransport::kHttpTunnel}) {
    SCOPED_TRACE(static_cast<int>(transport));
    RtspOptions options;
    options.url = server.url();
    options.transport = transport;
    const Viewing viewing = Play(options, 40, Milliseconds(5000));
    ASSERT_TRUE(viewing.opened.ok()) << viewing.opened;
    ASSERT_EQ(viewing.pictures.size(), 40U) << viewing.ended;
    std::vector<size_t> places;
    for (const std::string& slice : Slices(AllBytes(viewing), h265)) {
      const auto found = place.find(slice);
      ASSERT_NE(found, place.end()) << "a slice that was never sent";
      places.push_back(found->second);
    }
    for (size_t i = 1; i < places.size(); ++i) EXPECT_EQ(places[i], (places[i - 1] + 1) % count);
    EXPECT_EQ(viewing.stats.lost_packets, 0U);
    EXPECT_EQ(viewing.stats.malformed, 0U);
    EXPECT_TRUE(viewing.Losses().empty());
    // Its clock is this machine's; reports come every few seconds only.
    for (const Packet& packet : viewing.pictures) {
      if (!packet.camera) continue;
      EXPECT_LT(std::chrono::abs(*packet.camera - packet.received_wall), Seconds(3));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Codecs, GStreamerCamera, ::testing::Values(false, true),
                         [](const auto& codec) { return codec.param ? "H265" : "H264"; });

class SameAsFfmpeg : public ::testing::TestWithParam<bool> {};

TEST_P(SameAsFfmpeg, SlicesHaveTheSameBytes) {
  const bool h265 = GetParam();
  const std::vector<RtpPiece> pieces = Packetize(TestVideo(h265), h265);
  FaultRtspServer server([&](FaultSession& session) {
    if (!session.ServeUntilPlay(Sdp(h265))) return;
    for (const RtpPiece& piece : pieces) session.SendRtp(piece.Bytes());
    // The end comes with the connection's: ffmpeg reads until then.
  });
  const Viewing ours = Play(QuickOptions(server.Url()));
  TemporaryFolder folder;
  const std::string theirs = folder.File(h265 ? "out.hevc" : "out.h264");
  ASSERT_TRUE(RunFfmpeg(
      "-rtsp_transport tcp -i " + server.Url() + " -c copy -f " + (h265 ? "hevc" : "h264"),
      theirs));
  const std::vector<std::string> expected = Slices(ReadBytes(theirs), h265);
  EXPECT_EQ(ours.pictures.size(), 100U);
  EXPECT_EQ(Slices(AllBytes(ours), h265), expected);
  EXPECT_EQ(expected, Slices(TestVideo(h265), h265));
}

INSTANTIATE_TEST_SUITE_P(Codecs, SameAsFfmpeg, ::testing::Values(false, true),
                         [](const auto& codec) { return codec.param ? "H265" : "H264"; });

}  // namespace
}  // namespace cordon::testing
