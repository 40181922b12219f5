// SPDX-License-Identifier: Apache-2.0
#include "bus/outbox_store.h"

#include <gtest/gtest.h>

#include "bus/outbox_pictures.h"
#include "bus/wire.h"
#include "tests/support/test_data.h"

namespace cordon {
namespace {

class OutboxStoreTest : public ::testing::Test {
 protected:
  std::string Path() const { return folder_.File("outbox.db"); }
  std::unique_ptr<OutboxStore> MustOpen() {
    auto store = OutboxStore::Open(Path(), "site", "node-1");
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  static std::vector<proto::OutboxRecord> Records(size_t count, size_t bytes = 10) {
    std::vector<proto::OutboxRecord> records(count);
    for (auto& record : records)
      record.mutable_alert()->mutable_event()->set_detail(std::string(bytes, 'x'));
    return records;
  }
  absl::Status Commit(OutboxStore& store, size_t count, uint64_t acknowledged = 0,
                      size_t bytes = 10) {
    auto records = Records(count, bytes);
    return store.Commit(records, acknowledged, clock_);
  }
  const testing::TemporaryFolder folder_;
  SimulatedClock clock_;
};

TEST_F(OutboxStoreTest, SequencesGoOnAcrossStartsAndEpochsRise) {
  std::string uuid, lineage;
  {
    auto store = MustOpen();
    EXPECT_EQ(store->identity().epoch, 1u);
    uuid = store->identity().epoch_uuid;
    lineage = store->identity().lineage;
    ASSERT_TRUE(Commit(*store, 3).ok());
  }
  auto store = MustOpen();
  EXPECT_EQ(store->identity().epoch, 2u);
  EXPECT_NE(store->identity().epoch_uuid, uuid);
  EXPECT_EQ(store->identity().lineage, lineage);
  EXPECT_EQ(store->last_sequence(), 3u);
  auto records = Records(1);
  ASSERT_TRUE(store->Commit(records, 0, clock_).ok());
  EXPECT_EQ(records[0].alert().sequence(), 4u);
  EXPECT_EQ(records[0].alert().epoch(), 2u);
  EXPECT_EQ(records[0].alert().producer(), "node-1");
}

TEST_F(OutboxStoreTest, NumbersNeverReturnEvenWhenAllRowsAreGone) {
  {
    auto store = MustOpen();
    ASSERT_TRUE(Commit(*store, 5).ok());
    ASSERT_TRUE(Commit(*store, 0, 5).ok());
  }
  auto store = MustOpen();
  EXPECT_EQ(store->last_sequence(), 5u);
  EXPECT_EQ(store->acknowledged(), 5u);
}

TEST_F(OutboxStoreTest, RowsGoOnlyBelowTheAcknowledgedCursor) {
  auto store = MustOpen();
  ASSERT_TRUE(Commit(*store, 10).ok());
  ASSERT_TRUE(Commit(*store, 0, 4).ok());
  auto reader = OutboxReader::Open(Path());
  ASSERT_TRUE(reader.ok()) << reader.status();
  const auto rows = (*reader)->ReadAfter(0, 100);
  ASSERT_EQ(rows->size(), 6u);
  EXPECT_EQ(rows->front().sequence, 5u);
  EXPECT_EQ(wire::Crc32c(rows->front().bytes), rows->front().crc32c);
}

TEST_F(OutboxStoreTest, AFullDiskLosesNothingThatWasPromisedAndNoNumber) {
  auto store = MustOpen();
  ASSERT_TRUE(Commit(*store, 2).ok());
  ASSERT_TRUE(store->connection().Execute("PRAGMA max_page_count=1").ok());
  const absl::Status full = Commit(*store, 3, 0, 10'000);
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE(MessageOf(full).find("free space"), std::string_view::npos);
  EXPECT_EQ(store->last_sequence(), 2u);
  ASSERT_TRUE(store->connection().Execute("PRAGMA max_page_count=100000").ok());
  ASSERT_TRUE(Commit(*store, 1).ok());
  EXPECT_EQ(store->last_sequence(), 3u);
}

TEST_F(OutboxStoreTest, AnotherNodesFileIsRefused) {
  MustOpen();
  const auto other = OutboxStore::Open(Path(), "site", "node-2");
  EXPECT_EQ(other.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(MessageOf(other.status()).find("belongs to node-1"), std::string_view::npos);
}

TEST_F(OutboxStoreTest, ASecondWriterIsRefused) {
  const auto first = MustOpen();
  EXPECT_EQ(OutboxStore::Open(Path(), "site", "node-1").status().code(),
            absl::StatusCode::kFailedPrecondition);
}

// An undelivered alert of a camera with its picture.
proto::OutboxRecord Pictured(const std::string& camera) {
  proto::OutboxRecord record;
  record.mutable_alert()->set_id("alert of " + camera);
  record.mutable_alert()->mutable_event()->set_camera_id(camera);
  record.mutable_alert()->set_snapshot_jpeg("jpeg");
  return record;
}

TEST_F(OutboxStoreTest, AnUndeliveredAlertLosesItsPictureWhenItsTimeIsOverAndStaysItself) {
  auto store = MustOpen();
  store->set_keep_picture(
      [](const std::string& camera) { return camera == "gate" ? Seconds(10) : Seconds(100); });
  std::vector<proto::OutboxRecord> records = {Pictured("gate"), Pictured("yard"),
                                              proto::OutboxRecord()};
  records[2].mutable_evidence()->set_alert_id("gate");
  ASSERT_TRUE(store->Commit(records, 0, clock_).ok());
  clock_.Advance(Seconds(9));
  EXPECT_EQ(*DropOutboxPictures(store->connection(), clock_.Wall()), 0u);
  clock_.Advance(Seconds(2));
  EXPECT_EQ(*DropOutboxPictures(store->connection(), clock_.Wall()), 1u);
  EXPECT_EQ(*DropOutboxPictures(store->connection(), clock_.Wall()), 0u);
  auto reader = OutboxReader::Open(Path());
  ASSERT_TRUE(reader.ok()) << reader.status();
  const auto rows = (*reader)->ReadAfter(0, 10);
  ASSERT_EQ(rows->size(), 3u);
  proto::OutboxRecord gate, yard;
  ASSERT_TRUE(gate.ParseFromString((*rows)[0].bytes));
  ASSERT_TRUE(yard.ParseFromString((*rows)[1].bytes));
  EXPECT_EQ(gate.alert().snapshot_jpeg(), "");
  EXPECT_EQ(gate.alert().id(), "alert of gate");
  EXPECT_EQ((*rows)[0].crc32c, wire::Crc32c((*rows)[0].bytes));
  EXPECT_EQ(yard.alert().snapshot_jpeg(), "jpeg");
  const auto log = ReadOutboxPictureDeletions(Path(), 10);
  ASSERT_TRUE(log.ok()) << log.status();
  ASSERT_EQ(log->size(), 1u);
  EXPECT_EQ((*log)[0].camera_id, "gate");
  EXPECT_EQ((*log)[0].alert_id, "alert of gate");
  EXPECT_EQ((*log)[0].bytes, 4u);
}

TEST_F(OutboxStoreTest, TheOutboxOfANodeThatDoesNotRunIsTendedButNotOneThatIsInUse) {
  {
    auto store = MustOpen();
    store->set_keep_picture([](const std::string&) { return Seconds(10); });
    std::vector<proto::OutboxRecord> records(200, Pictured("gate"));
    ASSERT_TRUE(store->Commit(records, 0, clock_).ok());
    EXPECT_TRUE(absl::IsFailedPrecondition(TendLeftOutbox(Path(), clock_.Wall()).status()));
  }
  const auto left = TendLeftOutbox(Path(), clock_.Wall() + Seconds(11));
  ASSERT_TRUE(left.ok()) << left.status();
  EXPECT_EQ(left->producer, "node-1");
  EXPECT_EQ(left->undelivered, 200u);
  EXPECT_EQ(left->pictures_dropped, 200u);
  EXPECT_TRUE(absl::IsNotFound(TendLeftOutbox(Path() + "x", clock_.Wall()).status()));
}

TEST_F(OutboxStoreTest, PicturesInAFileOfAnOlderCordonHaveADay) {
  {
    auto store = MustOpen();
    std::vector<proto::OutboxRecord> records = {Pictured("gate")};
    ASSERT_TRUE(store->Commit(records, 0, clock_).ok());
    // As the first format had it.
    ASSERT_TRUE(
        store->connection()
            .Execute("DROP INDEX outbox_by_picture; DROP TABLE picture_deletion; ALTER TABLE "
                     "outbox DROP COLUMN picture_until_us; PRAGMA user_version = 1")
            .ok());
  }
  auto store = MustOpen();
  const WallTime now = SystemClock().Wall();
  EXPECT_EQ(*DropOutboxPictures(store->connection(), now + std::chrono::hours(23)), 0u);
  EXPECT_EQ(*DropOutboxPictures(store->connection(), now + std::chrono::hours(25)), 1u);
}

}  // namespace
}  // namespace cordon
