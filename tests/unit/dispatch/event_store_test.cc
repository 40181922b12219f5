// SPDX-License-Identifier: Apache-2.0
#include "dispatch/event_store.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>

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
  // Its picture may be kept for a millisecond.
  void AddAlert(const std::string& id, int64_t wall_us, const std::string& camera = "gate",
                std::optional<int64_t> delivered_us = {}) {
    proto::Alert alert;
    alert.set_id(id);
    alert.mutable_event()->set_camera_id(camera);
    alert.set_wall_time_us(wall_us);
    alert.set_snapshot_jpeg("jpeg of " + id);
    const WallTime delivered = WallFromMicros(delivered_us.value_or(wall_us));
    ASSERT_TRUE(store_->AddAlert(alert, "incident", delivered, Milliseconds(1)).ok());
  }
  void Hold(const std::string& alert, bool held) {
    proto::HoldChange change;
    change.set_alert_id(alert);
    change.set_held(held);
    change.set_reason("case 17");
    ASSERT_TRUE(store_->AddHold(change).ok());
  }
  std::vector<PictureDeletion> Drop(int64_t now_us) {
    const auto done = store_->DropPictures(WallFromMicros(now_us));
    EXPECT_TRUE(done.ok()) << done.status();
    return done.ok() ? *done : std::vector<PictureDeletion>{};
  }
  uint64_t Dropped(int64_t now_us) {
    uint64_t pictures = 0;
    for (const PictureDeletion& done : Drop(now_us)) pictures += done.pictures;
    return pictures;
  }
  void Limit(const std::string& camera, int64_t keep_us, int64_t now_us) {
    ASSERT_TRUE(store_->LimitPictures(camera, Microseconds(keep_us), WallFromMicros(now_us)).ok());
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
  EXPECT_EQ(Dropped(3000), 1u);
  EXPECT_EQ(*store_->Snapshot("a"), "jpeg of a");
  EXPECT_TRUE(absl::IsNotFound(store_->Snapshot("b").status()));
  Hold("a", false);
  EXPECT_FALSE(Held("a"));
  EXPECT_EQ(Dropped(4000), 1u);
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
  EXPECT_EQ((*deletions)[1].before, WallFromMicros(1001));
  EXPECT_EQ((*deletions)[1].pictures, 1u);
  EXPECT_EQ((*deletions)[1].held, 1u);
  EXPECT_EQ((*deletions)[0].at, WallFromMicros(5000));
  EXPECT_EQ((*deletions)[0].held, 0u);
}

TEST_F(EventStoreTest, APictureGoesWhenItsTimeIsOverWhateverBecameOfItsCamera) {
  AddAlert("gate's", 1000, "gate");
  AddAlert("yard's", 1500, "yard");
  EXPECT_EQ(Dropped(1999), 0u);
  const std::vector<PictureDeletion> first = Drop(2000);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].camera_id, "gate");
  EXPECT_EQ(Dropped(10'000), 1u);
  EXPECT_TRUE(absl::IsNotFound(store_->Snapshot("yard's").status()));
}

TEST_F(EventStoreTest, AProducersClockThatIsAheadKeepsNoPictureLonger) {
  const int64_t year_us = 365 * 86'400'000'000;
  AddAlert("from the future", 10 * year_us, "gate", 5000);
  EXPECT_EQ(Dropped(6000), 1u);
}

TEST_F(EventStoreTest, ARetentionMadeShorterHoldsForWhatIsThereAndALongerOneDoesNot) {
  AddAlert("a", 1000);
  Limit("yard", 1, 1200);
  EXPECT_EQ(Dropped(1200), 0u) << "another camera's";
  Limit("gate", 200, 1200);
  EXPECT_EQ(Dropped(1200), 1u);
  AddAlert("b", 1000);
  Limit("gate", 50'000, 1200);
  EXPECT_EQ(Dropped(2000), 1u) << "what was promised when it was taken stands";
}

TEST_F(EventStoreTest, APictureOfAnOlderFileIsLimitedBeforeItCanGo) {
  AddAlert("a", 1000);
  ASSERT_TRUE(store_->connection().Execute("UPDATE snapshot SET expires_us = 0").ok());
  EXPECT_EQ(Dropped(9000), 0u);
  Limit("", 500, 1200);
  EXPECT_EQ(Dropped(1499), 0u);
  EXPECT_EQ(Dropped(1500), 1u);
}

TEST_F(EventStoreTest, ManyPicturesGoInTurns) {
  for (uint32_t i = 0; i <= EventStore::kPicturesAtOnce; ++i)
    AddAlert(fmt::format("{}", i), 1000 + i);
  EXPECT_EQ(Dropped(9000), EventStore::kPicturesAtOnce);
  EXPECT_EQ(Dropped(9000), 1u);
}

TEST_F(EventStoreTest, ScoresOfRulesCountTheLastVerdictWithinTheTimeWatched) {
  const int64_t day_us = 86'400'000'000;
  // Watched from day 0 to 2 and from 3 to 5; alerts only later, as on a quiet site.
  for (const int64_t day : {0, 1, 2, 3, 4, 5})
    ASSERT_TRUE(
        store_
            ->AddWatched("gate", WallFromMicros(day * day_us), Microseconds(day == 3 ? 1 : day_us))
            .ok());
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
  const WallTime now = WallFromMicros(9 * day_us);
  auto scores = store_->RuleScores(WallTime{}, now);
  ASSERT_TRUE(scores.ok()) << scores.status();
  ASSERT_EQ(scores->size(), 1u);
  EXPECT_EQ((*scores)[0].alerts, 4u);
  EXPECT_EQ((*scores)[0].judged_true, 1u);
  EXPECT_EQ((*scores)[0].judged_false, 2u);
  EXPECT_DOUBLE_EQ((*scores)[0].days, 4.0);
  EXPECT_DOUBLE_EQ(*(*scores)[0].false_per_day(), 0.5);
  scores = store_->RuleScores(WallFromMicros(5 * day_us / 2), WallFromMicros(9 * day_us / 2));
  EXPECT_EQ((*scores)[0].alerts, 1u);
  EXPECT_DOUBLE_EQ((*scores)[0].days, 1.5) << "the window begins and ends within what was watched";
}

TEST_F(EventStoreTest, ACameraThatWasNotWatchedHasNoRate) {
  AddAlert("a", 1000);
  const auto scores = store_->RuleScores(WallTime{}, WallFromMicros(9000));
  ASSERT_TRUE(scores.ok()) << scores.status();
  EXPECT_EQ((*scores)[0].false_per_day(), std::nullopt);
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
