// SPDX-License-Identifier: Apache-2.0
// A camera whose own analytics, told beside the video, wake the full decode of a scene in which
// nothing seems to move.
#include <gtest/gtest.h>

#include "tests/support/camera_fleet.h"
#include "tests/support/metadata_stream.h"

namespace cordon::testing {
namespace {

class NoFrames final : public FrameSink {
 public:
  bool HasRoom() const override { return true; }
  void Put(FramePtr /*frame*/) override {}
};

TEST(CameraMetadata, WakesAQuietCameraOnce) {
  TemporaryFolder folder;
  const std::vector<RtpPiece> pieces = Packetize(
      EncodeTestVideo(folder, false, 50, 10, "160x120", "-vf lutyuv=y=100:u=128:v=128"), false);
  std::atomic<bool> moves{false};
  FaultRtspServer server([&](FaultSession& session) {
    if (!session.ServeUntilPlay(SdpWithMetadata())) return;
    MetadataPackets packets;
    for (size_t loop = 0;; ++loop) {
      for (RtpPiece piece : pieces) {
        piece.sequence = static_cast<uint16_t>(piece.sequence + loop * pieces.size());
        piece.timestamp += static_cast<uint32_t>(loop * 50 * 3600);
        if (!session.SendRtp(piece.Bytes())) return;
        if (!piece.marker) continue;
        for (const RtpPiece& cut : packets.Cut(MotionEvent(moves))) {
          if (!session.SendInterleaved(2, cut.Bytes())) return;
        }
        if (!session.Pause(Milliseconds(40))) return;
      }
    }
  });
  proto::CameraConfig camera;
  camera.set_id("gate");
  camera.set_url(server.Url());
  camera.set_onvif_url("http://127.0.0.1:9/onvif/device_service");
  camera.set_decode(proto::CameraConfig::DECODE_ADAPTIVE);
  camera.set_analysis_width(160);
  camera.set_analysis_fps(10);
  camera.set_ring_mib(4);
  Metrics metrics;
  OpenGate gate;
  NoFrames frames;
  auto stream = CameraStream::Make(camera, Secret(), {SystemClock(), metrics, gate, frames});
  ASSERT_TRUE(stream.ok()) << stream.status();
  const auto mode = [&] { return (*stream)->Health().decode_mode(); };
  ASSERT_TRUE(Until(Seconds(15), [&] { return mode() == "keyframes"; })) << mode();
  moves = true;
  EXPECT_TRUE(Until(Seconds(5), [&] { return mode() == "full"; })) << mode();
  EXPECT_TRUE(Until(Seconds(10), [&] { return mode() == "keyframes"; }))
      << "a state that stays wakes once";
}

}  // namespace
}  // namespace cordon::testing
