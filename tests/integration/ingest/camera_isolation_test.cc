// SPDX-License-Identifier: Apache-2.0
// A camera that lies costs its own session: another camera of the same node goes on at its rate, and
// the process does not grow. One test for each way of misbehaving.
#include <gtest/gtest.h>

#include <random>

#include "tests/support/camera_fleet.h"
#include "tests/support/frame_collector.h"

namespace cordon::testing {
namespace {

constexpr Seconds kWatch{3};
constexpr double kMostGrowthMib = 64;

// Serves until PLAY, then pictures at 25 a second that `bend` may change.
FaultRtspServer::Script Stream(const std::string& video,
                               std::function<void(RtpPiece&, size_t)> bend) {
  return [pieces = Packetize(video, false), bend = std::move(bend)](FaultSession& session) {
    if (!session.ServeUntilPlay(Sdp(false))) return;
    for (size_t i = 0;; ++i) {
      RtpPiece piece = pieces[i % pieces.size()];
      const size_t loop = i / pieces.size();
      piece.sequence = static_cast<uint16_t>(piece.sequence + loop * pieces.size());
      piece.timestamp += static_cast<uint32_t>(loop * (pieces.back().picture + 1) * 3600);
      if (bend) bend(piece, i);
      if (!session.SendRtp(piece.Bytes())) return;
      if (piece.marker && !session.Pause(Milliseconds(40))) return;
    }
  };
}

// Answers DESCRIBE with `head` and then `more` for ever.
FaultRtspServer::Script EndlessDescription(const std::string& head, const std::string& more) {
  return [=](FaultSession& session) {
    while (const auto request = session.Next()) {
      if (request->method != "DESCRIBE") {
        session.Serve(*request, "");
        continue;
      }
      session.Send(fmt::format("RTSP/1.0 200 OK\r\nCSeq: {}\r\n{}", request->Header("CSeq"), head));
      while (session.Send(more)) {
      }
      return;
    }
  };
}

struct Misbehaviour {
  const char* name;
  FaultRtspServer::Script script;
};

std::vector<Misbehaviour> Misbehaviours(const std::string& video) {
  const auto flip = [](RtpPiece& piece, size_t i) {
    std::mt19937 random(static_cast<unsigned>(i));
    for (char& byte : piece.payload) {
      if (random() % 500 == 0) byte = static_cast<char>(byte ^ 1 << random() % 8);
    }
  };
  const auto jump = [](RtpPiece& piece, size_t i) {
    if (i / 20 % 2 == 1) piece.timestamp += 324'000'000;  // an hour to and fro
  };
  const auto lose = [](RtpPiece& piece, size_t i) {
    piece.sequence = static_cast<uint16_t>(piece.sequence + 500 * (i / 30));
  };
  return {
      {"silent after accept", [](FaultSession& s) { s.Silence(); }},
      {"silent after PLAY",
       [](FaultSession& s) {
         if (s.ServeUntilPlay(Sdp(false))) s.Hold();
       }},
      {"one byte at a time",
       [](FaultSession& s) { s.Drip(std::string(100'000, 'R'), Milliseconds(5)); }},
      {"a body of two gigabytes",
       EndlessDescription("Content-Length: 1900000000\r\n\r\n", std::string(65536, 'a'))},
      {"a description without end",
       EndlessDescription("Content-Type: application/sdp\r\n\r\n", std::string(8192, 'a'))},
      {"garbage without end",
       [](FaultSession& s) {
         if (!s.ServeUntilPlay(Sdp(false))) return;
         while (s.Send(std::string(65536, '\x5a'))) {
         }
       }},
      {"bit errors", Stream(video, flip)},
      {"time jumps of an hour", Stream(video, jump)},
      {"gaps of 500 packets", Stream(video, lose)},
  };
}

proto::CameraConfig Camera(const std::string& id, const std::string& url) {
  proto::CameraConfig camera;
  camera.set_id(id);
  camera.set_url(url);
  camera.set_decode(proto::CameraConfig::DECODE_FULL);
  camera.set_analysis_width(160);
  camera.set_analysis_fps(25);
  camera.set_ring_mib(2);
  return camera;
}

TEST(CameraIsolation, AnotherCameraGoesOnWhateverOneDoes) {
  TemporaryFolder folder;
  const std::string video = EncodeTestVideo(folder, false, 100, 25, "160x120");
  FaultRtspServer good(Stream(video, {}));
  Metrics metrics;
  OpenGate gate;
  FrameCollector frames(8);
  auto watched = CameraStream::Make(Camera("good", good.Url()), Secret(),
                                    {SystemClock(), metrics, gate, frames});
  ASSERT_TRUE(watched.ok()) << watched.status();
  ASSERT_TRUE(frames.Take(Seconds(5)).has_value());
  for (const Misbehaviour& bad : Misbehaviours(video)) {
    SCOPED_TRACE(bad.name);
    FaultRtspServer server(bad.script);
    FrameCollector ignored(8);
    const double memory = Holdings::Now().resident_mib;
    auto stream = CameraStream::Make(Camera("bad", server.Url()), Secret(),
                                     {SystemClock(), metrics, gate, ignored});
    ASSERT_TRUE(stream.ok()) << stream.status();
    const BootTime until = SystemClock().Boot() + kWatch;
    int pictures = 0;
    while (SystemClock().Boot() < until) {
      ASSERT_TRUE(frames.Take(Seconds(1)).has_value()) << "no picture for a second";
      ++pictures;
    }
    EXPECT_GE(pictures, 60);
    EXPECT_LE(Holdings::Now().resident_mib, memory + kMostGrowthMib);
  }
}

}  // namespace
}  // namespace cordon::testing
