// SPDX-License-Identifier: Apache-2.0
// Cameras whose connections end again and again, watched from the cameras' own process: whatever a
// reconnect takes, it gives back. bench/cameras/camera_soak does it a thousand times.
#include <gtest/gtest.h>

#include "cli/process_usage.h"
#include "tests/support/camera_fleet.h"

namespace cordon::testing {
namespace {

constexpr size_t kCameras = 40;
// malloc counts what each thread keeps for itself, which fills up over some connections: 25 KiB a
// thread. A decoder that is not given back is 1 MiB for each drop.
constexpr double kMostAllocatedMib = kCameras * 25.0 / 1024;
constexpr double kMostResidentMib = 4;

TEST(CameraDrops, LeaveMemoryDescriptorsAndThreadsFlat) {
  TemporaryFolder folder;
  const FleetServerProcess server(EncodeTestVideo(folder, false, 20, 10, "160x120"), 2);
  cli::ReturnFreedPictures();  // as a node does
  const size_t descriptors = Holdings::Now().descriptors;
  CameraFleet fleet(kCameras, server.Url());
  const auto dropped = [&](uint64_t times) {
    return Until(Seconds(100), [&] { return fleet.Reconnects() >= times * kCameras; });
  };
  const auto ring_mib = [&] { return static_cast<double>(fleet.RingBytes()) / 1024 / 1024; };
  ASSERT_TRUE(dropped(3));
  const auto before = fleet.HoldingsBetweenConnections(descriptors);
  const double ring_before = ring_mib();
  ASSERT_TRUE(dropped(7));
  const auto after = fleet.HoldingsBetweenConnections(descriptors);
  // Pictures that the rings keep are no leak; they are bounded by themselves.
  const double ring = ring_mib() - ring_before;
  ASSERT_TRUE(before && after) << "a descriptor is never given back";
  std::printf("  allocated %.2f -> %.2f MiB, resident %.2f -> %.2f MiB, of it rings +%.2f MiB\n",
              before->allocated_mib, after->allocated_mib, before->resident_mib,
              after->resident_mib, ring);
  EXPECT_LE(after->allocated_mib, before->allocated_mib + ring + kMostAllocatedMib);
  if (kResidentTells) {
    EXPECT_LE(after->resident_mib, before->resident_mib + ring + kMostResidentMib);
  }
  EXPECT_EQ(after->threads, before->threads);
}

}  // namespace
}  // namespace cordon::testing
