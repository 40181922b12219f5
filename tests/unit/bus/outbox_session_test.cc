// SPDX-License-Identifier: Apache-2.0
#include "bus/outbox_session.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "bus/wire.h"

namespace cordon {
namespace {

class Rows final : public OutboxRows {
 public:
  absl::StatusOr<std::vector<OutboxRow>> ReadAfter(uint64_t sequence, size_t most) override {
    std::vector<OutboxRow> rows;
    for (uint64_t next = sequence + 1; next <= last && rows.size() < most; ++next)
      rows.push_back({next, 1, 0, 0, std::string(bytes_each, 'x')});
    return rows;
  }
  uint64_t last = 0;
  size_t bytes_each = 10;
};

class OutboxSessionTest : public ::testing::Test {
 protected:
  // Pumps and returns what was sent.
  std::vector<proto::Envelope> Pump(size_t room = 1'000'000) {
    std::vector<proto::Envelope> sent;
    EXPECT_TRUE(session_
                    .Pump(clock_.Boot(),
                          [&](const proto::Envelope& envelope) {
                            if (sent.size() >= room) return false;
                            sent.push_back(envelope);
                            return true;
                          })
                    .ok());
    return sent;
  }
  void Raise(uint64_t count) {
    rows_.last += count;
    session_.OnCommitted(rows_.last);
  }
  void Welcome(uint64_t durable, uint32_t credit = 256) {
    proto::Envelope envelope;
    envelope.mutable_welcome()->set_durable_sequence(durable);
    envelope.mutable_welcome()->set_credit(credit);
    session_.OnEnvelope(envelope, clock_.Boot());
  }
  void Ack(uint64_t durable, uint32_t credit = 256) {
    proto::Envelope envelope;
    envelope.mutable_ack()->set_durable_sequence(durable);
    envelope.mutable_ack()->set_credit(credit);
    session_.OnEnvelope(envelope, clock_.Boot());
  }
  void Refuse(proto::Refused::Kind kind) {
    proto::Envelope envelope;
    envelope.mutable_refused()->set_kind(kind);
    envelope.mutable_refused()->set_reason("because");
    session_.OnEnvelope(envelope, clock_.Boot());
  }
  static size_t DataIn(const std::vector<proto::Envelope>& sent) {
    return static_cast<size_t>(
        std::count_if(sent.begin(), sent.end(), [](const auto& e) { return e.has_data(); }));
  }

  SimulatedClock clock_;
  Rows rows_;
  OutboxSession session_{
      {"site", "node-1", std::string(16, 'L'), 3, std::string(16, 'u')}, rows_, 0, 0};
};

TEST_F(OutboxSessionTest, SaysHelloFirstAndNothingElse) {
  Raise(5);
  EXPECT_TRUE(Pump().empty()) << "offline";
  session_.OnConnected(clock_.Boot());
  const auto sent = Pump();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].hello().last_sequence(), 5u);
  EXPECT_EQ(sent[0].hello().lowest_unacknowledged(), 1u);
  EXPECT_EQ(sent[0].hello().epoch(), 3u);
}

TEST_F(OutboxSessionTest, RepeatsHelloEverySecondUntilItIsWelcome) {
  session_.OnConnected(clock_.Boot());
  EXPECT_EQ(Pump().size(), 1u);
  clock_.Advance(Milliseconds(999));
  EXPECT_EQ(Pump().size(), 0u);
  clock_.Advance(Milliseconds(1));
  EXPECT_EQ(Pump().size(), 1u);
}

TEST_F(OutboxSessionTest, SendsFromTheWelcomedCursorWithinTheCredit) {
  Raise(500);
  session_.OnConnected(clock_.Boot());
  Pump();
  Welcome(100, 50);
  const auto sent = Pump();
  ASSERT_EQ(DataIn(sent), 50u);
  EXPECT_EQ(sent.front().data().sequence(), 101u);
  EXPECT_EQ(DataIn(Pump()), 0u) << "no credit left";
  Ack(110, 50);
  EXPECT_EQ(DataIn(Pump()), 10u);
}

TEST_F(OutboxSessionTest, TheCreditIsNeverMoreThanTheHousesLimit) {
  Raise(5000);
  session_.OnConnected(clock_.Boot());
  Pump();
  Welcome(0, 1'000'000);
  EXPECT_EQ(DataIn(Pump()), limits::kMaxInFlight);
}

TEST_F(OutboxSessionTest, LargeRecordsAreBoundedInBytes) {
  rows_.bytes_each = 200'000;
  Raise(256);
  session_.OnConnected(clock_.Boot());
  Pump();
  Welcome(0);
  EXPECT_LE(DataIn(Pump()), OutboxSession::kMaxInFlightBytes / 200'000 + 1);
}

TEST_F(OutboxSessionTest, AFullSocketIsTriedAgainWithoutASkip) {
  Raise(10);
  session_.OnConnected(clock_.Boot());
  Pump();
  Welcome(0);
  EXPECT_EQ(DataIn(Pump(4)), 4u);
  const auto rest = Pump();
  ASSERT_EQ(DataIn(rest), 6u);
  EXPECT_EQ(rest.front().data().sequence(), 5u);
}

TEST_F(OutboxSessionTest, ResendsWhenTheAnswersStopAlthoughThePeerLives) {
  Raise(3);
  session_.OnConnected(clock_.Boot());
  Pump();
  Welcome(0);
  EXPECT_EQ(DataIn(Pump()), 3u);
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(Milliseconds(700));
    Ack(0);  // alive, but nothing moves
  }
  EXPECT_EQ(DataIn(Pump()), 3u);
  EXPECT_EQ(session_.resent(), 3u);
}

TEST_F(OutboxSessionTest, ASilentPeerIsLostAfterThreeSeconds) {
  session_.OnConnected(clock_.Boot());
  Pump();
  Welcome(0);
  clock_.Advance(Milliseconds(2999));
  EXPECT_FALSE(session_.lost(clock_.Boot()));
  EXPECT_LE(session_.next_due(), clock_.Boot() + Milliseconds(1));
  clock_.Advance(Milliseconds(1));
  EXPECT_TRUE(session_.lost(clock_.Boot()));
}

TEST_F(OutboxSessionTest, ARestartedReceiverAsksForAHelloAndGetsIt) {
  Raise(3);
  session_.OnConnected(clock_.Boot());
  Pump();
  Welcome(0);
  Pump();
  Refuse(proto::Refused::KIND_SAY_HELLO);
  Refuse(proto::Refused::KIND_SAY_HELLO);  // one for each frame that was on its way
  auto sent = Pump();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_TRUE(sent[0].has_hello());
  Welcome(2);
  sent = Pump();
  ASSERT_EQ(DataIn(sent), 1u);
  EXPECT_EQ(sent[0].data().sequence(), 3u);
}

TEST_F(OutboxSessionTest, ARejectionIsAFaultAndAskedAgainLater) {
  session_.OnConnected(clock_.Boot());
  Pump();
  Refuse(proto::Refused::KIND_REJECTED);
  EXPECT_EQ(session_.fault(), "because");
  EXPECT_FALSE(session_.lost(clock_.Boot() + Seconds(9))) << "silence is what it was told";
  EXPECT_TRUE(Pump().empty());
  clock_.Advance(Seconds(10));
  ASSERT_EQ(Pump().size(), 1u);
  Welcome(0);
  EXPECT_EQ(session_.fault(), "");
}

TEST_F(OutboxSessionTest, AcknowledgementsOnlyMoveForwardAndNeverBeyondWhatIsHere) {
  Raise(5);
  session_.OnConnected(clock_.Boot());
  Pump();
  Welcome(0);
  Pump();
  Ack(4);
  Ack(2);
  EXPECT_EQ(session_.acknowledged(), 4u);
  Ack(1000);
  EXPECT_EQ(session_.acknowledged(), 4u) << "a stray word frees no rows";
}

TEST_F(OutboxSessionTest, AnIdleLinkBeatsOnceASecondWithItsLastSequence) {
  Raise(2);
  session_.OnConnected(clock_.Boot());
  Pump();
  Welcome(2);
  EXPECT_TRUE(Pump().empty());
  clock_.Advance(Seconds(1));
  const auto sent = Pump();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].heartbeat().last_sequence(), 2u);
}

}  // namespace
}  // namespace cordon
