// SPDX-License-Identifier: Apache-2.0
// A camera through the real RTSP server, end to end.
#include "ingest/camera_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/integration/ingest/rtsp_server.h"
#include "tests/support/frame_collector.h"
#include "tests/support/made_clips.h"

namespace cordon {
namespace {

using testing::MakeClip;
using testing::RtspServer;
using testing::TemporaryFolder;

proto::CameraConfig Camera(const std::string& url,
                           proto::CameraConfig::Decode decode = proto::CameraConfig::DECODE_FULL) {
  proto::CameraConfig camera;
  camera.set_id("gate");
  camera.set_url(url);
  camera.set_decode(decode);
  camera.set_analysis_width(320);
  camera.set_analysis_fps(10);
  camera.set_ring_mib(8);
  camera.set_priority(5);
  return camera;
}

// Polls `done` until it is true; false after `limit`.
bool Within(Seconds limit, const std::function<bool()>& done) {
  const BootTime until = SystemClock().Boot() + limit;
  absl::Mutex mutex;
  const bool never = false;
  while (SystemClock().Boot() < until) {
    if (done()) return true;
    absl::MutexLock lock(&mutex);
    mutex.AwaitWithTimeout(absl::Condition(&never), absl::Milliseconds(20));
  }
  return done();
}

class CameraStreamTest : public ::testing::Test {
 protected:
  std::unique_ptr<CameraStream> Start(const proto::CameraConfig& camera) {
    auto stream = CameraStream::Make(camera, Secret(), {SystemClock(), metrics_, gate_, frames_});
    EXPECT_TRUE(stream.ok()) << stream.status();
    return *std::move(stream);
  }
  TemporaryFolder folder_;
  Metrics metrics_;
  OpenGate gate_;
  testing::FrameCollector frames_;
};

TEST_F(CameraStreamTest, DeliversFramesOverTcpAndUdp) {
  RtspServer server({"gate=" + MakeClip(folder_, "clip.mp4", 640, 360, 25, 4)},
                    folder_.File("cache"));
  ASSERT_TRUE(server.ready());
  for (auto transport : {proto::CameraConfig::TRANSPORT_TCP, proto::CameraConfig::TRANSPORT_UDP}) {
    proto::CameraConfig camera = Camera(server.url());
    camera.set_transport(transport);
    auto stream = Start(camera);
    int got = 0;
    MediaTime last{};
    ASSERT_TRUE(Within(Seconds(10), [&] {
      while (auto frame = frames_.Take(Milliseconds(100))) {
        EXPECT_TRUE(got == 0 || (*frame)->times.media > last);
        last = (*frame)->times.media;
        EXPECT_EQ((*frame)->source_width, 640);
        ++got;
        if (got >= 15) return true;
      }
      return false;
    })) << stream->Health().ShortDebugString();
    EXPECT_EQ(stream->Health().state(), proto::STREAM_STATE_LIVE)
        << stream->Health().ShortDebugString();
    EXPECT_EQ(stream->Health().codec(), "h264");
  }
}

TEST_F(CameraStreamTest, SaysLostAndComesBackWithTheServer) {
  const std::string clip = MakeClip(folder_, "clip.mp4");
  auto server =
      std::make_unique<RtspServer>(std::vector<std::string>{"gate=" + clip}, folder_.File("cache"));
  ASSERT_TRUE(server->ready());
  const int port = server->port();
  auto stream = Start(Camera(server->url()));
  ASSERT_TRUE(
      Within(Seconds(10), [&] { return stream->Health().state() == proto::STREAM_STATE_LIVE; }));
  std::vector<proto::Event> events;
  const auto tick = [&](proto::EventKind kind) {
    for (proto::Event& event : stream->Tick()) events.push_back(std::move(event));
    return !events.empty() && events.back().kind() == kind;
  };
  server->Stop(SIGKILL);
  EXPECT_TRUE(Within(Seconds(6), [&] { return tick(proto::EVENT_KIND_STREAM_LOST); }));
  EXPECT_NE(stream->Health().state(), proto::STREAM_STATE_LIVE);
  EXPECT_FALSE(stream->Health().reason().empty());
  server = std::make_unique<RtspServer>(std::vector<std::string>{"gate=" + clip},
                                        folder_.File("cache"), port);
  ASSERT_TRUE(server->ready());
  EXPECT_TRUE(Within(Seconds(14), [&] { return tick(proto::EVENT_KIND_STREAM_RESTORED); }))
      << stream->Health().ShortDebugString();
  EXPECT_EQ(events.size(), 2u);
}

TEST_F(CameraStreamTest, PlaysAFileAtItsOwnPaceAndSaysWhenItEnds) {
  const BootTime begin = SystemClock().Boot();
  auto stream = Start(Camera(MakeClip(folder_, "clip.mp4", 320, 240, 25, 2)));
  ASSERT_TRUE(
      Within(Seconds(8), [&] { return stream->Health().state() == proto::STREAM_STATE_ENDED; }));
  EXPECT_GE(SystemClock().Boot() - begin, Milliseconds(1900));
}

TEST_F(CameraStreamTest, SaysWhatIsWrongAndKeepsTrying) {
  auto absent = Start(Camera(folder_.File("absent.mp4")));
  EXPECT_TRUE(
      Within(Seconds(3), [&] { return absent->Health().state() == proto::STREAM_STATE_LOST; }));
  EXPECT_THAT(absent->Health().reason(), ::testing::HasSubstr("no such file"));
  proto::CameraConfig closed = Camera("rtsp://127.0.0.1:9/nobody");
  auto refused = Start(closed);
  EXPECT_TRUE(
      Within(Seconds(5), [&] { return refused->Health().state() == proto::STREAM_STATE_LOST; }));
  EXPECT_FALSE(refused->Health().reason().empty());
}

}  // namespace
}  // namespace cordon
