// SPDX-License-Identifier: Apache-2.0
#include "bus/outbox_store.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace cordon
