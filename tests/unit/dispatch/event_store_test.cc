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
  EXPECT_EQ(*store_->DropSnapshots("gate", WallFromMicros(2000)), 1);
  EXPECT_EQ(*store_->Snapshot("a"), "jpeg of a");
  EXPECT_TRUE(absl::IsNotFound(store_->Snapshot("b").status()));
  Hold("a", false);
  EXPECT_FALSE(Held("a"));
  EXPECT_EQ(*store_->DropSnapshots("gate", WallFromMicros(2000)), 1);
  EXPECT_TRUE(absl::IsNotFound(store_->Snapshot("a").status()));
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
