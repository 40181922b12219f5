// SPDX-License-Identifier: Apache-2.0
#include "dispatch/unit_board.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/limits.h"

namespace cordon {
namespace {

class UnitBoardTest : public ::testing::Test {
 protected:
  // Device time is the wall clock of the test plus `device_error`.
  proto::UnitPosition Fix(LatLon place, Seconds device_error = Seconds(0)) const {
    proto::UnitPosition fix;
    fix.set_unit_id("car-1");
    fix.set_source("osmand");
    fix.set_lat(place.lat);
    fix.set_lon(place.lon);
    fix.set_fix_time_us(ToMicros(clock_.Wall() + device_error));
    return fix;
  }
  UnitState Car() const { return *board_.Find(UnitId("car-1")); }

  const LatLon home_{41.15, -8.61};
  SimulatedClock clock_;
  Metrics metrics_;
  UnitBoard board_{clock_, metrics_, {}};
};

TEST_F(UnitBoardTest, AgesFromFreshOverUsableToStale) {
  ASSERT_TRUE(board_.Report(Fix(home_)).ok());
  EXPECT_EQ(Car().freshness, Freshness::kFresh);
  clock_.Advance(Seconds(16));
  EXPECT_EQ(Car().freshness, Freshness::kUsable);
  clock_.Advance(Seconds(45));
  EXPECT_EQ(Car().freshness, Freshness::kStale);
  EXPECT_EQ(Car().age, Seconds(61));
}

TEST_F(UnitBoardTest, WallClockJumpAgesNothing) {
  ASSERT_TRUE(board_.Report(Fix(home_)).ok());
  clock_.JumpWall(std::chrono::hours(5));
  EXPECT_EQ(Car().freshness, Freshness::kFresh);
}

TEST_F(UnitBoardTest, ConstantDeviceClockErrorDoesNotAge) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(board_.Report(Fix(home_, Seconds(-300))).ok());
    clock_.Advance(Seconds(1));
  }
  EXPECT_EQ(Car().freshness, Freshness::kFresh);
}

TEST_F(UnitBoardTest, BufferedFixIsAsOldAsItsDeviceTimeSays) {
  ASSERT_TRUE(board_.Report(Fix(home_)).ok());
  clock_.Advance(Seconds(120));
  const auto outcome = board_.Report(Fix(Offset(home_, 90, Metres{300}), Seconds(-70)));
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(*outcome, FixOutcome::kTaken);
  EXPECT_EQ(Car().age, Seconds(70));
  EXPECT_EQ(Car().freshness, Freshness::kStale);
}

TEST_F(UnitBoardTest, OlderDeviceTimeNeverMovesTheUnitBack) {
  ASSERT_TRUE(board_.Report(Fix(home_)).ok());
  clock_.Advance(Seconds(2));
  EXPECT_EQ(*board_.Report(Fix(Offset(home_, 0, Metres{40}), Seconds(-10))), FixOutcome::kLate);
  EXPECT_EQ(Car().place, home_);
}

TEST_F(UnitBoardTest, DeviceClockSetBackIsFollowedAfterSilence) {
  ASSERT_TRUE(board_.Report(Fix(home_)).ok());
  clock_.Advance(Seconds(31));
  EXPECT_EQ(*board_.Report(Fix(home_, Seconds(-3600))), FixOutcome::kTaken);
  EXPECT_EQ(Car().freshness, Freshness::kFresh);
}

TEST_F(UnitBoardTest, FutureDeviceTimeCountsAsTimeOfReceipt) {
  ASSERT_TRUE(board_.Report(Fix(home_, Seconds(3600))).ok());
  clock_.Advance(Seconds(1));
  EXPECT_EQ(*board_.Report(Fix(home_, Seconds(3600))), FixOutcome::kTaken);
}

TEST_F(UnitBoardTest, JumpNeedsASecondOpinion) {
  ASSERT_TRUE(board_.Report(Fix(home_)).ok());
  clock_.Advance(Seconds(1));
  const LatLon far = Offset(home_, 45, Metres{5000});
  EXPECT_EQ(*board_.Report(Fix(far)), FixOutcome::kJump);
  EXPECT_EQ(Car().place, home_);
  clock_.Advance(Seconds(1));
  EXPECT_EQ(*board_.Report(Fix(Offset(far, 45, Metres{10}))), FixOutcome::kTaken);
  EXPECT_NEAR(Distance(Car().place, far).value, 10, 0.1);
}

TEST_F(UnitBoardTest, LoneJumpIsForgotten) {
  ASSERT_TRUE(board_.Report(Fix(home_)).ok());
  clock_.Advance(Seconds(1));
  EXPECT_EQ(*board_.Report(Fix(Offset(home_, 45, Metres{5000}))), FixOutcome::kJump);
  clock_.Advance(Seconds(1));
  EXPECT_EQ(*board_.Report(Fix(Offset(home_, 45, Metres{20}))), FixOutcome::kTaken);
  clock_.Advance(Seconds(1));
  EXPECT_EQ(*board_.Report(Fix(Offset(home_, 45, Metres{5000}))), FixOutcome::kJump);
}

TEST_F(UnitBoardTest, RefusesPlacesThatCannotBe) {
  for (const LatLon place :
       {LatLon{0, 0}, LatLon{91, 0}, LatLon{1, 181}, LatLon{std::nan(""), 1}, LatLon{1, INFINITY}})
    EXPECT_EQ(board_.Report(Fix(place)).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(board_.Find(UnitId("car-1")).has_value());
}

TEST_F(UnitBoardTest, RefusesHostileIds) {
  for (const char* id : {"", "-x", "a b", "<script>", "../x", "ä"}) {
    proto::UnitPosition fix = Fix(home_);
    fix.set_unit_id(id);
    EXPECT_EQ(board_.Report(fix).status().code(), absl::StatusCode::kInvalidArgument) << id;
  }
}

TEST_F(UnitBoardTest, NonsenseSpeedAndAccuracyAreMissingNotWrong) {
  proto::UnitPosition fix = Fix(home_);
  fix.set_speed_mps(900);
  fix.set_course_deg(-4);
  fix.set_accuracy_m(std::nan(""));
  ASSERT_TRUE(board_.Report(fix).ok());
  EXPECT_FALSE(Car().speed_mps.has_value());
  EXPECT_FALSE(Car().course_deg.has_value());
  EXPECT_FALSE(Car().accuracy.has_value());
}

TEST_F(UnitBoardTest, HoldsNoMoreUnitsThanTheLimit) {
  proto::UnitPosition fix = Fix(home_);
  for (size_t i = 0; i < limits::kMaxUnits; ++i) {
    fix.set_unit_id("u" + std::to_string(i));
    ASSERT_TRUE(board_.Report(fix).ok());
  }
  fix.set_unit_id("one-too-many");
  EXPECT_EQ(board_.Report(fix).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(board_.Snapshot().size(), limits::kMaxUnits);
}

}  // namespace
}  // namespace cordon
