// SPDX-License-Identifier: Apache-2.0
#include "bus/inbox_session.h"

#include <gtest/gtest.h>

#include "base/ids.h"
#include "bus/wire.h"
#include "tests/support/alert_store.h"
#include "tests/support/test_data.h"

namespace cordon {
namespace {

class InboxSessionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto store = testing::AlertStore::Open(folder_.File("d.db"), clock_);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    session_ = std::make_unique<InboxSession>(*store_, clock_, metrics_);
  }

  std::vector<InboxSession::Outgoing> Give(const std::string& peer, const proto::Envelope& envelope,
                                           const std::string& user = "") {
    EXPECT_TRUE(session_->OnFrame(peer, user, *wire::EncodeFrame(envelope)).ok());
    EXPECT_TRUE(session_->Flush().ok());
    return session_->TakeOutgoing();
  }
  static proto::Envelope Hello(char lineage = 'L', uint64_t epoch = 1) {
    proto::Envelope envelope;
    proto::Hello& hello = *envelope.mutable_hello();
    hello.set_protocol(wire::kProtocolVersion);
    hello.set_site_id("site");
    hello.set_producer("node-1");
    hello.set_lineage(std::string(16, lineage));
    hello.set_epoch(epoch);
    hello.set_epoch_uuid(std::string(16, static_cast<char>('a' + epoch)));
    hello.set_lowest_unacknowledged(1);
    hello.set_last_sequence(10);
    return envelope;
  }
  proto::Envelope Data(uint64_t sequence) {
    proto::OutboxRecord record;
    record.mutable_alert()->set_id(ids_.Next().str());
    record.mutable_alert()->set_site_id("site");
    record.mutable_alert()->set_producer("node-1");
    record.mutable_alert()->set_epoch(1);
    record.mutable_alert()->set_sequence(sequence);
    return Wrap(record, sequence);
  }
  static proto::Envelope Wrap(const proto::OutboxRecord& record, uint64_t sequence) {
    proto::Envelope envelope;
    envelope.mutable_data()->set_epoch(1);
    envelope.mutable_data()->set_sequence(sequence);
    envelope.mutable_data()->set_record(record.SerializeAsString());
    envelope.mutable_data()->set_crc32c(wire::Crc32c(envelope.data().record()));
    return envelope;
  }
  size_t Effects() { return testing::AlertStore::Effects(folder_.File("d.db")).size(); }

  const testing::TemporaryFolder folder_;
  SimulatedClock clock_;
  Metrics metrics_;
  UlidGenerator ids_{clock_, 1};
  std::unique_ptr<testing::AlertStore> store_;
  std::unique_ptr<InboxSession> session_;
};

TEST_F(InboxSessionTest, AnswersHelloWithItsCursorAndDataWithTheCommit) {
  auto out = Give("p", Hello());
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].envelope.welcome().durable_sequence(), 0u);
  EXPECT_EQ(out[0].envelope.welcome().credit(), limits::kMaxInFlight);
  out = Give("p", Data(1));
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].envelope.ack().durable_sequence(), 1u);
  EXPECT_EQ(Effects(), 1u);
}

TEST_F(InboxSessionTest, AnUnknownConnectionIsAskedForItsHello) {
  const auto out = Give("p", Data(1));
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].envelope.refused().kind(), proto::Refused::KIND_SAY_HELLO);
  EXPECT_EQ(Effects(), 0u);
}

TEST_F(InboxSessionTest, AKeyCannotSpeakForAnotherName) {
  const auto out = Give("p", Hello(), "node-2");
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].envelope.refused().kind(), proto::Refused::KIND_REJECTED);
  EXPECT_EQ(Give("p", Hello(), "node-1")[0].envelope.has_welcome(), true);
}

TEST_F(InboxSessionTest, AnotherProtocolIsRefusedInWords) {
  proto::Envelope hello = Hello();
  hello.mutable_hello()->set_protocol(99);
  const auto out = Give("p", hello);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_NE(out[0].envelope.refused().reason().find("same release"), std::string::npos);
}

TEST_F(InboxSessionTest, AnIncompleteHelloIsRefused) {
  proto::Envelope hello = Hello();
  hello.mutable_hello()->set_epoch_uuid("short");
  EXPECT_EQ(Give("p", hello)[0].envelope.refused().kind(), proto::Refused::KIND_REJECTED);
  hello = Hello();
  hello.mutable_hello()->set_producer(std::string(1000, 'x'));
  EXPECT_EQ(Give("p", hello)[0].envelope.refused().kind(), proto::Refused::KIND_REJECTED);
}

TEST_F(InboxSessionTest, ANewConnectionOfTheSameOutboxReplacesTheOld) {
  Give("old", Hello());
  EXPECT_TRUE(Give("new", Hello())[0].envelope.has_welcome());
  EXPECT_EQ(Give("old", Data(1))[0].envelope.refused().kind(), proto::Refused::KIND_SAY_HELLO);
  EXPECT_EQ(Give("new", Data(1))[0].envelope.ack().durable_sequence(), 1u);
}

TEST_F(InboxSessionTest, ASecondOutboxUnderALiveNameIsRefusedUntilTheFirstIsSilent) {
  Give("a", Hello('L'));
  EXPECT_EQ(Give("b", Hello('M'))[0].envelope.refused().kind(), proto::Refused::KIND_REJECTED);
  clock_.Advance(Seconds(3));
  EXPECT_TRUE(Give("b", Hello('M'))[0].envelope.has_welcome()) << "a new disk is welcome";
}

TEST_F(InboxSessionTest, ARecordThatCannotBeUsedIsQuarantinedAndPassed) {
  Give("p", Hello());
  proto::Envelope rotten = Data(1);
  rotten.mutable_data()->set_crc32c(0);
  EXPECT_EQ(Give("p", rotten)[0].envelope.ack().durable_sequence(), 1u);
  EXPECT_EQ(Give("p", Wrap({}, 2))[0].envelope.ack().durable_sequence(), 2u)
      << "an empty record too";
  proto::OutboxRecord foreign;
  foreign.mutable_alert()->set_id(ids_.Next().str());
  foreign.mutable_alert()->set_producer("node-7");
  EXPECT_EQ(Give("p", Wrap(foreign, 3))[0].envelope.ack().durable_sequence(), 3u)
      << "one in another's name too";
  EXPECT_EQ(Give("p", Data(4))[0].envelope.ack().durable_sequence(), 4u);
  EXPECT_EQ(Effects(), 1u);
  EXPECT_EQ(store_->ledger().Quarantined(10)->size(), 3u);
}

TEST_F(InboxSessionTest, AnUnreadableFrameIsKeptButMovesNoCursor) {
  Give("p", Hello());
  std::string frame = *wire::EncodeFrame(Data(1));
  frame.back() = static_cast<char>(frame.back() ^ 1);
  ASSERT_TRUE(session_->OnFrame("p", "", frame).ok());
  ASSERT_TRUE(session_->Flush().ok());
  const auto out = session_->TakeOutgoing();
  for (const auto& answer : out) EXPECT_EQ(answer.envelope.ack().durable_sequence(), 0u);
  EXPECT_EQ(store_->ledger().Quarantined(10)->size(), 1u);
  ASSERT_TRUE(session_->OnFrame("stranger", "", "garbage").ok());
  ASSERT_TRUE(session_->Flush().ok());
  EXPECT_EQ(store_->ledger().Quarantined(10)->size(), 1u) << "strangers fill no disk";
}

TEST_F(InboxSessionTest, ASequenceBeyondAnyCreditIsDropped) {
  Give("p", Hello());
  EXPECT_TRUE(Give("p", Data(InboxSession::kWindow + 2)).empty());
  EXPECT_EQ(Effects(), 0u);
}

TEST_F(InboxSessionTest, AHeartbeatIsAnsweredWithTheCursor) {
  Give("p", Hello());
  proto::Envelope beat;
  beat.mutable_heartbeat()->set_last_sequence(7);
  const auto out = Give("p", beat);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_TRUE(out[0].envelope.has_ack());
  const auto producers = session_->Producers();
  ASSERT_EQ(producers.size(), 1u);
  EXPECT_EQ(producers[0].announced_sequence, 10u) << "the hello said 10";
  EXPECT_TRUE(producers[0].connected);
  clock_.Advance(Seconds(3));
  EXPECT_FALSE(session_->Producers()[0].connected);
}

TEST_F(InboxSessionTest, NothingIsAcknowledgedWhenTheDiskIsFull) {
  Give("p", Hello());
  ASSERT_TRUE(store_->connection().Execute("PRAGMA max_page_count=1").ok());
  proto::OutboxRecord large;
  large.mutable_alert()->set_id(ids_.Next().str());
  bool refused = false;
  for (uint64_t sequence = 1; sequence < 400 && !refused; ++sequence)
    refused = Give("p", Data(sequence)).empty();
  EXPECT_TRUE(refused);
}

}  // namespace
}  // namespace cordon
