// SPDX-License-Identifier: Apache-2.0
#include "dispatch/eta_watch.h"

#include <gtest/gtest.h>

namespace cordon {
namespace {

class EtaWatchTest : public ::testing::Test {
 protected:
  EtaWatchTest() {
    incident_.set_id("incident");
    incident_.add_assigned_units("car-1");
  }
  // What the watch says when car-1 needs `left` after `passed` since the assignment; car-2 is free
  // and needs 40 s.
  std::vector<proto::Notice> At(Seconds passed, Seconds left,
                                proto::UnitStatus status = proto::UNIT_STATUS_EN_ROUTE) {
    proto::ResponseCircles circles;
    proto::UnitEta& car = *circles.add_units();
    car.set_unit_id("car-1");
    car.set_status(status);
    car.set_eta_ms(static_cast<uint32_t>(left.count() * 1000));
    proto::UnitEta& other = *circles.add_units();
    other.set_unit_id("car-2");
    other.set_eta_ms(40'000);
    return watch_.Look(incident_, circles, BootTime(Seconds(1000)) + passed);
  }

  proto::Incident incident_;
  EtaWatch watch_;
};

TEST_F(EtaWatchTest, KeptPromiseIsNotTalkedAbout) {
  for (int s = 0; s < 120; s += 2) EXPECT_TRUE(At(Seconds(s), Seconds(120 - s)).empty()) << s;
}

TEST_F(EtaWatchTest, NoProgressIsToldOnceUntilThereIsSome) {
  EXPECT_TRUE(At(Seconds(0), Seconds(120)).empty());
  EXPECT_TRUE(At(Seconds(28), Seconds(120)).empty());
  const auto notices = At(Seconds(30), Seconds(120));
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].kind(), "eta_not_falling");
  EXPECT_EQ(notices[0].subject(), "car-1");
  EXPECT_TRUE(At(Seconds(34), Seconds(120)).empty());
  EXPECT_TRUE(At(Seconds(36), Seconds(110)).empty());
  EXPECT_EQ(At(Seconds(66), Seconds(110)).at(0).kind(), "eta_not_falling");
}

TEST_F(EtaWatchTest, WhoHasNotSetOffYetIsTheTimersBusiness) {
  At(Seconds(0), Seconds(120), proto::UNIT_STATUS_ASSIGNED);
  for (const proto::Notice& notice : At(Seconds(40), Seconds(120), proto::UNIT_STATUS_ASSIGNED))
    EXPECT_NE(notice.kind(), "eta_not_falling");
}

TEST_F(EtaWatchTest, MuchLaterThanPromisedNamesWhoIsNearer) {
  At(Seconds(0), Seconds(100));
  At(Seconds(20), Seconds(95));
  const auto notices = At(Seconds(40), Seconds(120));
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].kind(), "eta_exceeded");
  EXPECT_NE(notices[0].text().find("car-2"), std::string::npos) << notices[0].text();
  EXPECT_TRUE(At(Seconds(42), Seconds(121)).empty()) << "told once";
}

TEST_F(EtaWatchTest, OnSceneIsNotWatched) {
  At(Seconds(0), Seconds(100));
  EXPECT_TRUE(At(Seconds(300), Seconds(100), proto::UNIT_STATUS_ON_SCENE).empty());
}

}  // namespace
}  // namespace cordon
