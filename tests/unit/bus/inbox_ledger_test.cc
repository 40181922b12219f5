// SPDX-License-Identifier: Apache-2.0
#include "bus/inbox_ledger.h"

#include <gtest/gtest.h>

#include "base/ids.h"
#include "tests/support/alert_store.h"
#include "tests/support/test_data.h"

namespace cordon {
namespace {

class InboxLedgerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto store = testing::AlertStore::Open(folder_.File("d.db"), clock_);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }

  ProducerHello Hello(uint64_t epoch, uint64_t last = 1000) {
    return {key_, epoch, std::string(16, static_cast<char>('a' + epoch)), 1, last};
  }
  Greeting MustGreet(const ProducerHello& hello) {
    auto greeting = store_->Greet(hello);
    EXPECT_TRUE(greeting.ok()) << greeting.status();
    return *greeting;
  }
  InboxRecord Record(uint64_t sequence, const std::string& id = "", const std::string& text = "") {
    InboxRecord record;
    record.producer = key_;
    record.epoch = 1;
    record.sequence = sequence;
    record.record.mutable_alert()->set_id(id.empty() ? ids_.Next().str() : id);
    record.record.mutable_alert()->mutable_event()->set_detail(text);
    record.bytes = record.record.SerializeAsString();
    return record;
  }
  InboxRecord Commit(InboxRecord record) {
    const absl::Status status = store_->Commit(std::span(&record, 1));
    EXPECT_TRUE(status.ok()) << status;
    return record;
  }
  size_t Effects() { return testing::AlertStore::Effects(folder_.File("d.db")).size(); }

  const testing::TemporaryFolder folder_;
  SimulatedClock clock_;
  UlidGenerator ids_{clock_, 1};
  ProducerKey key_{"site", "node-1", std::string(16, 'L')};
  std::unique_ptr<testing::AlertStore> store_;
};

TEST_F(InboxLedgerTest, TheCursorFollowsContiguousRecords) {
  EXPECT_EQ(MustGreet(Hello(1)).durable_sequence, 0u);
  for (uint64_t sequence = 1; sequence <= 3; ++sequence) {
    const InboxRecord record = Commit(Record(sequence));
    EXPECT_EQ(record.admission, Admission::kFresh);
    EXPECT_EQ(record.durable_sequence, sequence);
  }
  EXPECT_EQ(MustGreet(Hello(2)).durable_sequence, 3u);
}

TEST_F(InboxLedgerTest, ARecordAheadWaitsForTheGapToClose) {
  MustGreet(Hello(1));
  EXPECT_EQ(Commit(Record(3)).durable_sequence, 0u);
  EXPECT_EQ(Commit(Record(2)).durable_sequence, 0u);
  EXPECT_EQ(Commit(Record(5)).durable_sequence, 0u);
  EXPECT_EQ(Commit(Record(1)).durable_sequence, 3u);
  EXPECT_EQ(Commit(Record(4)).durable_sequence, 5u);
  EXPECT_EQ(Effects(), 5u);
}

TEST_F(InboxLedgerTest, ARepeatHasNoEffectWhereverItIs) {
  MustGreet(Hello(1));
  const InboxRecord first = Record(1), ahead = Record(3);
  Commit(first);
  Commit(ahead);
  EXPECT_EQ(Commit(first).admission, Admission::kDuplicate);
  EXPECT_EQ(Commit(ahead).admission, Admission::kDuplicate);
  EXPECT_EQ(Effects(), 2u);
}

TEST_F(InboxLedgerTest, AnIdHasItsEffectOnceEvenFromAnotherOutbox) {
  MustGreet(Hello(1));
  const InboxRecord record = Commit(Record(1));
  key_.lineage = std::string(16, 'M');
  MustGreet(Hello(1));
  InboxRecord again = Record(1, record.record.alert().id());
  EXPECT_EQ(Commit(again).admission, Admission::kDuplicate);
  EXPECT_EQ(Effects(), 1u);
}

TEST_F(InboxLedgerTest, TheSameIdWithOtherContentIsQuarantinedAndTheCursorGoesOn) {
  MustGreet(Hello(1));
  const InboxRecord record = Commit(Record(1));
  const InboxRecord forged = Commit(Record(2, record.record.alert().id(), "other"));
  EXPECT_EQ(forged.admission, Admission::kQuarantined);
  EXPECT_EQ(forged.durable_sequence, 2u);
  EXPECT_EQ(Effects(), 1u);
  const auto rows = store_->ledger().Quarantined(10);
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_NE((*rows)[0].reason.find("other content"), std::string::npos);
}

TEST_F(InboxLedgerTest, APoisonedRecordIsKeptAsideAndDoesNotBlock) {
  MustGreet(Hello(1));
  InboxRecord poison = Record(1);
  poison.poison = "the record's checksum does not match";
  poison.bytes = std::string(200'000, 'x');
  EXPECT_EQ(Commit(poison).admission, Admission::kQuarantined);
  EXPECT_EQ(Commit(Record(2)).durable_sequence, 2u);
  const auto rows = store_->ledger().Quarantined(10);
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ((*rows)[0].bytes.size(), InboxLedger::kMaxUnreadableBytes);
  EXPECT_EQ((*rows)[0].sequence, 1u);
}

TEST_F(InboxLedgerTest, ARecordIsPutAsideWithoutItsPicture) {
  MustGreet(Hello(1));
  const InboxRecord record = Commit(Record(1));
  InboxRecord forged = Record(2, record.record.alert().id(), "other");
  forged.record.mutable_alert()->set_snapshot_jpeg(std::string(5000, 'j'));
  forged.bytes = forged.record.SerializeAsString();
  EXPECT_EQ(Commit(forged).admission, Admission::kQuarantined);
  const auto rows = store_->ledger().Quarantined(10);
  ASSERT_EQ(rows->size(), 1u);
  proto::OutboxRecord kept;
  ASSERT_TRUE(kept.ParseFromString((*rows)[0].bytes));
  EXPECT_EQ(kept.alert().snapshot_jpeg(), "");
  EXPECT_EQ(kept.alert().id(), record.record.alert().id());
}

TEST_F(InboxLedgerTest, TheQuarantineIsBounded) {
  MustGreet(Hello(1));
  std::vector<InboxRecord> records;
  for (size_t i = 0; i < InboxLedger::kMaxQuarantinedRows + 20; ++i) {
    records.push_back(Record(0));
    records.back().poison = "unreadable";
  }
  ASSERT_TRUE(store_->Commit(records).ok());
  EXPECT_EQ(store_->ledger().Quarantined(100'000)->size(), InboxLedger::kMaxQuarantinedRows);
}

TEST_F(InboxLedgerTest, ACloneOfTheDiskIsRefusedInWords) {
  MustGreet(Hello(4));
  ProducerHello clone = Hello(4);
  clone.epoch_uuid = std::string(16, 'z');
  const Greeting greeting = MustGreet(clone);
  EXPECT_FALSE(greeting.accepted);
  EXPECT_NE(greeting.reason.find("cloned"), std::string::npos);
  EXPECT_TRUE(MustGreet(Hello(4)).accepted) << "the original goes on";
}

TEST_F(InboxLedgerTest, ARestoredCopyIsRefusedInWords) {
  MustGreet(Hello(4));
  for (uint64_t sequence = 1; sequence <= 5; ++sequence) Commit(Record(sequence));
  EXPECT_FALSE(MustGreet(Hello(3)).accepted) << "older epoch";
  const Greeting fewer = MustGreet(Hello(5, 4));
  EXPECT_FALSE(fewer.accepted) << "knows less than is here";
  EXPECT_NE(fewer.reason.find("Remove its outbox file"), std::string::npos);
}

TEST_F(InboxLedgerTest, ANewDiskBeginsItsOwnCount) {
  MustGreet(Hello(4));
  Commit(Record(1));
  key_.lineage = std::string(16, 'M');
  const Greeting greeting = MustGreet(Hello(1));
  EXPECT_TRUE(greeting.accepted);
  EXPECT_EQ(greeting.durable_sequence, 0u);
}

TEST_F(InboxLedgerTest, AGapThatCannotCloseIsCountedAndPassed) {
  MustGreet(Hello(1));
  Commit(Record(1));
  ProducerHello later = Hello(2, 9);
  later.lowest_unacknowledged = 5;  // this database forgot 2 to 4
  const Greeting greeting = MustGreet(later);
  EXPECT_TRUE(greeting.accepted);
  EXPECT_EQ(greeting.missing, 3u);
  EXPECT_EQ(greeting.durable_sequence, 4u);
  EXPECT_EQ(MustGreet(later).missing, 0u) << "said once";
}

TEST_F(InboxLedgerTest, ARolledBackTransactionLeavesNoMemory) {
  MustGreet(Hello(1));
  const InboxRecord record = Record(1);
  store_->fault = testing::AlertStore::Fault::kNeverCommit;
  Commit(record);
  store_->fault = testing::AlertStore::Fault::kNone;
  EXPECT_EQ(Commit(record).admission, Admission::kFresh);
}

TEST_F(InboxLedgerTest, AnUngreetedProducerIsAnError) {
  InboxRecord record = Record(1);
  EXPECT_EQ(store_->Commit(std::span(&record, 1)).code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace cordon
