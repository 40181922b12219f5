// SPDX-License-Identifier: Apache-2.0
// A camera's picture from its RTSP socket to a viewer's WebSocket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <opencv2/imgcodecs.hpp>

#include "ingest/clip_reader.h"
#include "tests/integration/console/web_client.h"
#include "tests/integration/live/live_site.h"

namespace cordon::testing {
namespace {

using ::testing::HasSubstr;

constexpr size_t kHeaderBytes = 8;

uint32_t BigEndian(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

// A viewer, from the moment when the camera has something to show.
struct Viewer {
  std::unique_ptr<SocketClient> socket;
  nlohmann::json start;

  std::optional<std::string> Piece() {
    const auto message = socket->Next();
    if (!message || message->text || message->bytes.size() < kHeaderBytes) return std::nullopt;
    return message->bytes;
  }
};

Viewer Watch(const LiveSite& site, const std::string& target, int receive_buffer = 0) {
  Viewer viewer;
  Eventually([&] {
    viewer.socket = std::make_unique<SocketClient>(site.port(), target, receive_buffer);
    const auto first = viewer.socket->Next();
    if (!first || !first->text) return false;  // the camera is not there yet
    viewer.start = nlohmann::json::parse(first->bytes, nullptr, false);
    return true;
  });
  return viewer;
}

int FramesIn(const std::string& path) {
  auto clip = ClipReader::Open(path, {}, SystemClock());
  EXPECT_TRUE(clip.ok()) << clip.status();
  int frames = 0;
  while (clip.ok()) {
    const auto frame = (*clip)->NextFrame();
    if (!frame.ok() || !frame->has_value()) break;
    ++frames;
  }
  return frames;
}

class LivePicture : public ::testing::Test {
 protected:
  // Serves a made clip. `encoder` replaces the usual test picture's options.
  std::string Serve(const std::string& name, const std::string& options,
                    const std::vector<std::string>& server_options = {}) {
    const std::string clip = clips_.File(name + ".mp4");
    EXPECT_TRUE(RunFfmpeg(options, clip));
    std::vector<std::string> arguments = server_options;
    arguments.push_back(name + "=" + clip);
    servers_.push_back(std::make_unique<RtspServer>(arguments, clips_.File("cache")));
    EXPECT_TRUE(servers_.back()->ready());
    return servers_.back()->url();
  }
  std::string ServePlain(const std::string& name) {
    return Serve(name,
                 "-f lavfi -i testsrc2=size=640x360:rate=25:duration=4 -c:v libx264 -preset "
                 "ultrafast -pix_fmt yuv420p -bf 0 -g 25");
  }
  nlohmann::json Views(const LiveSite& site) {
    return Fetch(site.port(), "GET", "/api/views").json()["views"];
  }

  TemporaryFolder clips_;
  std::vector<std::unique_ptr<RtspServer>> servers_;
};

TEST_F(LivePicture, AViewerGetsTheCamerasOwnPacketsWithTheirAgeAndIsOnRecord) {
  LiveSite site({{"gate", ServePlain("gate"), ""}});
  ASSERT_TRUE(site.Start().ok());
  Viewer viewer = Watch(site, "/api/cameras/gate/live?actor=Lin");
  EXPECT_THAT(viewer.start.value("mime", ""), HasSubstr("video/mp4; codecs=\"avc1."));
  EXPECT_EQ(viewer.start.value("why_pictures", "?"), "");
  std::ofstream file(site.folder().File("live.mp4"), std::ios::binary);
  uint32_t age = 0;
  for (int i = 0; i < 60; ++i) {
    const auto piece = viewer.Piece();
    ASSERT_TRUE(piece.has_value()) << i;
    age = BigEndian(*piece, 0);
    EXPECT_EQ(BigEndian(*piece, 4), 0u) << "a quick viewer loses nothing";
    file << piece->substr(kHeaderBytes);
  }
  file.close();
  EXPECT_LT(age, 2000u);
  EXPECT_GE(FramesIn(site.folder().File("live.mp4")), 50);

  const nlohmann::json began = Views(site);
  ASSERT_GE(began.size(), 1u);
  EXPECT_EQ(began[0]["camera"], "gate");
  EXPECT_EQ(began[0]["actor"], "operator:Lin");
  EXPECT_EQ(began[0]["address"], "127.0.0.1");
  EXPECT_FALSE(began[0].contains("ended"));
  viewer.socket.reset();
  ASSERT_TRUE(Eventually([&] { return Views(site)[0].contains("ended"); }));
  EXPECT_EQ(Views(site)[0]["ended"], began[0]["number"]);
  EXPECT_GT(Views(site)[0]["bytes"], 1000);
}

TEST_F(LivePicture, AMaskedCameraIsShownByPicturesWithItsMasksOnly) {
  // White all over; the mask covers the left half.
  const std::string url = Serve("white",
                                "-f lavfi -i color=white:size=640x360:rate=25:duration=4 -c:v "
                                "libx264 -preset ultrafast -pix_fmt yuv420p -bf 0 -g 25");
  LiveSite site({{"white", url, "    masks: [{points: ['0,0', '0.5,0', '0.5,1', '0,1']}]\n"}});
  ASSERT_TRUE(site.Start().ok());
  Viewer viewer = Watch(site, "/api/cameras/white/live");
  EXPECT_EQ(viewer.start.value("mime", ""), "image/jpeg") << "never its packets";
  EXPECT_THAT(viewer.start.value("why_pictures", ""), HasSubstr("privacy masks"));
  for (int i = 0; i < 3; ++i) {
    const auto piece = viewer.Piece();
    ASSERT_TRUE(piece.has_value());
    const std::vector<uint8_t> jpeg(piece->begin() + kHeaderBytes, piece->end());
    const cv::Mat picture = cv::imdecode(jpeg, cv::IMREAD_GRAYSCALE);
    ASSERT_FALSE(picture.empty());
    EXPECT_LT(picture.at<uint8_t>(picture.rows / 2, picture.cols / 4), 40) << "masked";
    EXPECT_GT(picture.at<uint8_t>(picture.rows / 2, picture.cols * 3 / 4), 200) << "not masked";
  }
}

TEST_F(LivePicture, AnH265CameraFallsBackToPicturesAndSaysWhy) {
  const std::string url = Serve("tower",
                                "-f lavfi -i testsrc2=size=320x240:rate=10:duration=4 -c:v libx264 "
                                "-preset ultrafast -pix_fmt yuv420p",
                                {"--codec", "h265", "--gop", "10"});
  LiveSite site({{"tower", url, ""}});
  ASSERT_TRUE(site.Start().ok());
  Viewer viewer = Watch(site, "/api/cameras/tower/live");
  EXPECT_EQ(viewer.start.value("mime", ""), "image/jpeg");
  EXPECT_THAT(viewer.start.value("why_pictures", ""), HasSubstr("hevc"));
  const auto piece = viewer.Piece();
  ASSERT_TRUE(piece.has_value());
  EXPECT_EQ(piece->substr(kHeaderBytes, 2), "\xFF\xD8");
}

TEST_F(LivePicture, PicturesCanBeAskedFor) {
  LiveSite site({{"gate", ServePlain("gate"), ""}});
  ASSERT_TRUE(site.Start().ok());
  Viewer viewer = Watch(site, "/api/cameras/gate/live?pictures=1");
  EXPECT_EQ(viewer.start.value("mime", ""), "image/jpeg");
  EXPECT_EQ(viewer.start.value("why_pictures", "?"), "");
}

TEST_F(LivePicture, ASlowViewerSkipsIsClosedWithItsCodeAndCostsTheOthersNothing) {
  // Noise: 50 pictures a second of about 40 kB, so that buffers fill within a second.
  const std::string url =
      Serve("noise",
            "-f lavfi -i nullsrc=size=640x360:rate=50:duration=2 -vf 'geq=random(1)*255:128:128' "
            "-c:v libx264 -preset ultrafast -qp 30 -pix_fmt yuv420p -bf 0 -g 10",
            {"--gop", "10", "--bitrate", "16M"});
  LiveSite site({{"noise", url, "    decode: keyframes\n"}});
  ASSERT_TRUE(site.Start().ok());
  Viewer slow = Watch(site, "/api/cameras/noise/live", 16 * 1024);
  Viewer quick = Watch(site, "/api/cameras/noise/live");
  uint32_t skipped = 0;
  int stalls = 0;
  // The slow one takes nothing while the quick one gets 250 pictures, then catches up.
  while (slow.socket->connected() && stalls < 8) {
    ++stalls;
    for (int i = 0; i < 250; ++i) {
      const auto piece = quick.Piece();
      ASSERT_TRUE(piece.has_value()) << "the quick viewer is served on";
      ASSERT_EQ(BigEndian(*piece, 4), 0u) << "and loses nothing";
    }
    const uint32_t before = skipped;
    while (skipped == before) {
      const auto piece = slow.Piece();
      if (!piece) break;
      skipped = BigEndian(*piece, 4);
    }
  }
  EXPECT_GT(skipped, 0u);
  EXPECT_EQ(slow.socket->close_code(), 4002) << slow.socket->close_reason();
  const std::string metrics = Fetch(site.port(), "GET", "/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("cordon_live_slow_viewers_total 1"));
}

TEST_F(LivePicture, WhatCannotBeWatchedIsSaidInWords) {
  LiveSite site({{"gate", "rtsp://127.0.0.1:1/nobody", ""}});
  ASSERT_TRUE(site.Start().ok());
  SocketClient unknown(site.port(), "/api/cameras/cellar/live");
  EXPECT_FALSE(unknown.Next().has_value());
  EXPECT_EQ(unknown.close_code(), 4003);
  EXPECT_THAT(unknown.close_reason(), HasSubstr("no camera cellar"));
  ASSERT_TRUE(Eventually([&] {
    SocketClient silent(site.port(), "/api/cameras/gate/live");
    silent.Next();
    return silent.close_code() == 4003 &&
           silent.close_reason().find("nothing has come yet") != std::string::npos;
  }));
  SocketClient foreign(site.port(), "/api/cameras/gate/live", 0, "http://evil.example");
  EXPECT_FALSE(foreign.connected());
  ASSERT_TRUE(Eventually([&] { return Views(site).size() >= 2; }));
  EXPECT_TRUE(Views(site)[0].contains("ended")) << "also what showed nothing is on record, ended";
}

TEST_F(LivePicture, ANodeThatEndsEndsTheViewAndOneThatIsBackShowsAgain) {
  LiveSite site({{"gate", ServePlain("gate"), ""}});
  ASSERT_TRUE(site.Start().ok());
  Viewer viewer = Watch(site, "/api/cameras/gate/live");
  ASSERT_TRUE(viewer.Piece().has_value());
  site.StopNode();
  while (viewer.Piece()) continue;
  EXPECT_EQ(viewer.socket->close_code(), 4003) << viewer.socket->close_reason();
  ASSERT_TRUE(site.StartNode().ok());
  Viewer again = Watch(site, "/api/cameras/gate/live");
  EXPECT_TRUE(again.Piece().has_value());
}

TEST_F(LivePicture, TheNodesMetricsAreServedWithItsName) {
  LiveSite site({{"gate", ServePlain("gate"), ""}});
  ASSERT_TRUE(site.Start().ok());
  std::string metrics;
  EXPECT_TRUE(Eventually([&] {
    metrics = Fetch(site.port(), "GET", "/metrics").body;
    return metrics.find("cordon_ingest_packets_total{camera=\"gate\",node=\"node-1\"}") !=
           std::string::npos;
  })) << metrics;
  EXPECT_THAT(metrics, HasSubstr("cordon_node_metrics_age_seconds{node=\"node-1\"}"));
  EXPECT_THAT(metrics, HasSubstr("cordon_ingest_full_decode{camera=\"gate\",node=\"node-1\"}"));
  // A family of both processes has one heading.
  const std::string heading = "# TYPE cordon_telemetry_sent_total";
  EXPECT_EQ(metrics.find(heading), metrics.rfind(heading));
}

}  // namespace
}  // namespace cordon::testing
