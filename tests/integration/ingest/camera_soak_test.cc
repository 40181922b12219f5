// SPDX-License-Identifier: Apache-2.0
// Cameras that fall silent and return, in short. bench/cameras/camera_soak does it with 200, and
// drops a thousand times.
#include <gtest/gtest.h>

#include "tests/support/camera_fleet.h"

namespace cordon::testing {
namespace {

std::string SmallVideo() {
  TemporaryFolder folder;
  return EncodeTestVideo(folder, false, 20, 10, "160x120");
}

bool IsNotLive(proto::StreamState state) { return state != proto::STREAM_STATE_LIVE; }
bool IsLive(proto::StreamState state) { return state == proto::STREAM_STATE_LIVE; }

TEST(CameraSoak, ASilentCameraIsShownWithinFiveSecondsAndIsBackWithinTen) {
  FleetServer server(SmallVideo(), 0);
  CameraFleet fleet(8, server.Url());
  ASSERT_TRUE(Until(Seconds(10), [&] { return fleet.AllLive(); }));
  server.FallSilent();
  const std::vector<double> shown = TimesUntil(fleet, SystemClock().Boot(), Seconds(10), IsNotLive);
  EXPECT_LE(shown.back(), 5);
  server.Speak();
  const std::vector<double> back = TimesUntil(fleet, SystemClock().Boot(), Seconds(20), IsLive);
  EXPECT_LE(back.back(), 10);
}

TEST(CameraSoak, CamerasThatReturnTogetherAreBackWithinTenSeconds) {
  FleetServer server(SmallVideo(), 0);
  CameraFleet fleet(20, server.Url());
  ASSERT_TRUE(Until(Seconds(10), [&] { return fleet.AllLive(); }));
  server.Leave();
  ASSERT_TRUE(Until(Seconds(10), [&] { return fleet.Live() == 0; }));
  server.Return();
  const std::vector<double> back = TimesUntil(fleet, SystemClock().Boot(), Seconds(20), IsLive);
  EXPECT_LE(back.back(), 10);
}

}  // namespace
}  // namespace cordon::testing
