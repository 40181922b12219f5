// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <gtest/gtest.h>

namespace cordon {
namespace {

TEST(SimulatedClock, MovesOnlyWhenTold) {
  SimulatedClock clock;
  const WallTime wall = clock.Wall();
  const BootTime boot = clock.Boot();
  EXPECT_EQ(clock.Wall(), wall);
  clock.Advance(Seconds(86'400));
  EXPECT_EQ(clock.Wall() - wall, Seconds(86'400));
  EXPECT_EQ(clock.Boot() - boot, Seconds(86'400));
}

TEST(SimulatedClock, AWallJumpLeavesBootTimeAlone) {
  SimulatedClock clock;
  const WallTime wall = clock.Wall();
  const BootTime boot = clock.Boot();
  clock.JumpWall(-Seconds(3600));
  EXPECT_EQ(clock.Wall() - wall, -Seconds(3600));
  EXPECT_EQ(clock.Boot(), boot);
}

TEST(SystemClock, BootTimeNeverRunsBackwards) {
  BootTime last = SystemClock().Boot();
  for (int i = 0; i < 1000; ++i) {
    const BootTime now = SystemClock().Boot();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(FormatWall, IsIso8601WithMilliseconds) {
  EXPECT_EQ(FormatWall(WallFromMicros(1'772'368'496'789'123)), "2026-03-01T12:34:56.789Z");
  EXPECT_EQ(FormatWall(WallFromMicros(-1)), "1969-12-31T23:59:59.999Z");
}

TEST(HostBootId, IsTheSameForTheWholeProcess) {
  EXPECT_EQ(HostBootId().size(), 36u);
  EXPECT_EQ(HostBootId(), HostBootId());
}

}  // namespace
}  // namespace cordon
