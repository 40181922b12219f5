// SPDX-License-Identifier: Apache-2.0
#include "dispatch/event_store.h"

#include <gtest/gtest.h>

#include "tests/support/test_data.h"

namespace cordon {
namespace {

class EventStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto store =
        EventStore::Open(folder_.File("dispatch.db"), sqlite::Connection::Mode::kReadWrite);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }
  void AddAlert(const std::string& id, int64_t wall_us) {
    proto::Alert alert;
    alert.set_id(id);
    alert.mutable_event()->set_camera_id("gate");
    alert.set_wall_time_us(wall_us);
    alert.set_snapshot_jpeg("jpeg of " + id);
    ASSERT_TRUE(store_->AddAlert(alert, "incident", WallFromMicros(wall_us)).ok());
  }
  void Hold(const std::string& alert, bool held) {
    proto::HoldChange change;
    change.set_alert_id(alert);
    change.set_held(held);
    change.set_reason("case 17");
    ASSERT_TRUE(store_->AddHold(change).ok());
  }
  PictureDeletion Drop(int64_t now_us) {
    const auto done = store_->DropSnapshots("gate", WallFromMicros(2000), WallFromMicros(now_us));
    EXPECT_TRUE(done.ok()) << done.status();
    return done.ok() ? *done : PictureDeletion{};
  }
  bool Held(const std::string& alert) {
    AlertQuery query;
    query.alert_id = alert;
    return (*store_->Alerts(query))[0].held;
  }
  testing::TemporaryFolder folder_;
  std::unique_ptr<EventStore> store_;
};

TEST_F(EventStoreTest, AHeldPictureOutlivesItsRetentionUntilItIsReleased) {
  AddAlert("a", 1000);
  AddAlert("b", 1000);
  Hold("a", true);
  EXPECT_TRUE(Held("a"));
  EXPECT_FALSE(Held("b"));
  EXPECT_EQ(Drop(3000).pictures, 1u);
  EXPECT_EQ(*store_->Snapshot("a"), "jpeg of a");
  EXPECT_TRUE(absl::IsNotFound(store_->Snapshot("b").status()));
  Hold("a", false);
  EXPECT_FALSE(Held("a"));
  EXPECT_EQ(Drop(4000).pictures, 1u);
  EXPECT_TRUE(absl::IsNotFound(store_->Snapshot("a").status()));
}

TEST_F(EventStoreTest, CirclesComeBackWholeAndAreasThatAreAlikeLieInTheFileOnce) {
  proto::ResponseCircles circles;
  circles.add_tiers()->set_tier_s(60);
  circles.mutable_tiers(0)->set_geojson(std::string(100'000, 'g'));
  for (const char* alert : {"a", "b"}) {
    circles.set_alert_id(alert);
    circles.clear_units();
    circles.add_units()->set_unit_id(std::string("car of ") + alert);
    ASSERT_TRUE(store_->PutCircles(circles).ok());
    const auto read = store_->Circles(alert);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->SerializeAsString(), circles.SerializeAsString());
  }
  auto count = store_->connection().Prepare("SELECT count(*) FROM areas");
  ASSERT_TRUE(count.ok() && *count->Step());
  EXPECT_EQ(count->Int(0), 1);
  circles.set_alert_id("c");
  circles.clear_tiers();
  ASSERT_TRUE(store_->PutCircles(circles).ok());
  EXPECT_EQ(store_->Circles("c")->tiers_size(), 0);
}

TEST_F(EventStoreTest, EveryDeletionOfPicturesAndWhatAHoldKeptIsOnRecord) {
  AddAlert("a", 1000);
  AddAlert("b", 1000);
  Hold("a", true);
  Drop(3000);
  Drop(4000);  // nothing has changed
  Hold("a", false);
  Drop(5000);
  const auto deletions = store_->PictureDeletions(10);
  ASSERT_TRUE(deletions.ok()) << deletions.status();
  ASSERT_EQ(deletions->size(), 2u);
  EXPECT_EQ((*deletions)[1].at, WallFromMicros(3000));
  EXPECT_EQ((*deletions)[1].before, WallFromMicros(2000));
  EXPECT_EQ((*deletions)[1].pictures, 1u);
  EXPECT_EQ((*deletions)[1].held, 1u);
  EXPECT_EQ((*deletions)[0].at, WallFromMicros(5000));
  EXPECT_EQ((*deletions)[0].held, 0u);
}

TEST_F(EventStoreTest, ScoresOfRulesCountTheLastVerdictWithinTheTimeAskedFor) {
  const int64_t day_us = 86'400'000'000;
  for (const char* id : {"a", "b", "c"}) AddAlert(id, day_us);
  AddAlert("later", 3 * day_us);
  const auto judge = [&](const char* alert, bool true_alarm) {
    proto::AlertVerdict verdict;
    verdict.set_alert_id(alert);
    verdict.set_true_alarm(true_alarm);
    ASSERT_TRUE(store_->AddVerdict(verdict).ok());
  };
  judge("a", true);
  judge("a", false);
  judge("b", true);
  judge("later", false);
  const WallTime now = WallFromMicros(5 * day_us);
  auto scores = store_->RuleScores(WallTime{}, now);
  ASSERT_TRUE(scores.ok()) << scores.status();
  ASSERT_EQ(scores->size(), 1u);
  EXPECT_EQ((*scores)[0].alerts, 4u);
  EXPECT_EQ((*scores)[0].judged_true, 1u);
  EXPECT_EQ((*scores)[0].judged_false, 2u);
  EXPECT_DOUBLE_EQ((*scores)[0].false_per_day(), 0.5);
  scores = store_->RuleScores(WallFromMicros(2 * day_us), now);
  EXPECT_EQ((*scores)[0].alerts, 1u);
  EXPECT_DOUBLE_EQ((*scores)[0].false_per_day(), 0.5);
}

TEST_F(EventStoreTest, ViewsAreNumberedAndReadNewestFirst) {
  proto::ViewRecord view;
  view.set_camera_id("gate");
  view.set_actor("operator:lin");
  const auto first = store_->AddView(view);
  ASSERT_TRUE(first.ok());
  view.set_began_number(*first);
  view.set_cause("the viewer left");
  ASSERT_TRUE(store_->AddView(view).ok());
  view.set_camera_id("yard");
  view.set_began_number(0);
  ASSERT_TRUE(store_->AddView(view).ok());
  const auto gate = store_->Views("gate", 10);
  ASSERT_TRUE(gate.ok());
  ASSERT_EQ(gate->size(), 2u);
  EXPECT_EQ((*gate)[0].began_number(), (*gate)[1].number());
  EXPECT_EQ(store_->Views("", 10)->size(), 3u);
  EXPECT_EQ(store_->Views("", 1)->front().camera_id(), "yard");
}

}  // namespace
}  // namespace cordon
