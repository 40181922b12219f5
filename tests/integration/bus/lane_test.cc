// SPDX-License-Identifier: Apache-2.0
// The durable alert lane over real sockets and real files, within one process.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zmq.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <random>
#include <set>

#include "absl/cleanup/cleanup.h"
#include "absl/synchronization/notification.h"
#include "base/file_util.h"
#include "base/limits.h"
#include "bus/alert_inbox.h"
#include "bus/alert_outbox.h"
#include "bus/keys.h"
#include "bus/sockets.h"
#include "bus/wire.h"
#include "tests/support/alert_store.h"
#include "tests/support/eventually.h"
#include "tests/support/test_data.h"

namespace cordon {
namespace {

using testing::AlertStore;
using testing::Eventually;
constexpr Milliseconds kLong{15'000};

proto::OutboxRecord SomeAlert(const std::string& detail = "") {
  proto::OutboxRecord record;
  record.mutable_alert()->mutable_event()->set_camera_id("gate");
  record.mutable_alert()->mutable_event()->set_kind(proto::EVENT_KIND_TEST);
  record.mutable_alert()->mutable_event()->set_detail(detail);
  return record;
}

// One dispatcher's end.
struct Receiver {
  Receiver(const std::string& database, const std::string& endpoint, const std::string& keys = "") {
    auto made = BusContext::Create(kDispatcherName, keys, metrics);
    EXPECT_TRUE(made.ok()) << made.status();
    context = *std::move(made);
    auto opened = AlertStore::Open(database, SystemClock());
    EXPECT_TRUE(opened.ok()) << opened.status();
    store = *std::move(opened);
    auto bound = AlertInbox::Open({.endpoint = endpoint}, *context, *store, SystemClock(), metrics);
    EXPECT_TRUE(bound.ok()) << bound.status();
    if (bound.ok()) inbox = *std::move(bound);
  }
  Metrics metrics;
  std::unique_ptr<BusContext> context;
  std::unique_ptr<AlertStore> store;
  std::unique_ptr<AlertInbox> inbox;
};

// One node's end.
struct Sender {
  Sender(const std::string& path, const std::string& endpoint, const std::string& keys = "",
         const std::string& producer = "node-1", uint64_t limit = 1'000'000,
         const std::string& key_name = "") {
    auto made = BusContext::Create(key_name.empty() ? producer : key_name, keys, metrics);
    EXPECT_TRUE(made.ok()) << made.status();
    context = *std::move(made);
    auto opened = AlertOutbox::Open({.path = path,
                                     .site_id = "site",
                                     .producer = producer,
                                     .endpoint = endpoint,
                                     .limit = limit},
                                    *context, SystemClock(), metrics);
    status = opened.status();
    if (opened.ok()) outbox = *std::move(opened);
  }
  Metrics metrics;
  std::unique_ptr<BusContext> context;
  std::unique_ptr<AlertOutbox> outbox;
  absl::Status status;
};

class LaneTest : public ::testing::Test {
 protected:
  std::string Ipc() const { return "ipc://" + folder_.File("alerts.sock"); }
  std::string Database() const { return folder_.File("dispatch.db"); }
  std::string OutboxFile() const { return folder_.File("outbox.db"); }
  std::vector<std::string> Effects() const { return AlertStore::Effects(Database()); }
  std::string MakeKeys() const {
    for (const char* name : {kDispatcherName, "node-1", "node-2"})
      EXPECT_TRUE(GenerateKeyFiles(folder_.File("keys"), name).ok());
    return folder_.File("keys");
  }
  const testing::TemporaryFolder folder_;
};

TEST_F(LaneTest, WhatIsRaisedArrivesOnceAndInOrder) {
  Receiver receiver(Database(), Ipc());
  Sender sender(OutboxFile(), Ipc());
  ASSERT_TRUE(sender.status.ok()) << sender.status;
  std::vector<std::string> raised;
  for (int i = 0; i < 200; ++i) {
    const auto result = sender.outbox->Raise(SomeAlert());
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->sequence, static_cast<uint64_t>(i) + 1);
    raised.push_back(result->id);
  }
  ASSERT_TRUE(sender.outbox->WaitUntilDelivered(kLong));
  EXPECT_EQ(Effects(), raised);
  EXPECT_TRUE(sender.outbox->status().connected);
  EXPECT_EQ(sender.outbox->status().pending, 0u);
  ASSERT_TRUE(Eventually([&] { return !receiver.inbox->Producers().empty(); }));
}

TEST_F(LaneTest, ABacklogGoesWhenTheDispatcherComes) {
  Sender sender(OutboxFile(), Ipc());
  for (int i = 0; i < 600; ++i)
    sender.outbox->RaiseAsync(
        SomeAlert(), [](const absl::StatusOr<Raised>& raised) { EXPECT_TRUE(raised.ok()); });
  ASSERT_TRUE(sender.outbox->Raise(SomeAlert()).ok());
  EXPECT_FALSE(sender.outbox->status().connected);
  Receiver receiver(Database(), Ipc());
  ASSERT_TRUE(sender.outbox->WaitUntilDelivered(kLong));
  EXPECT_EQ(Effects().size(), 601u);
}

TEST_F(LaneTest, ARestartedProducerGoesOnWhereItWas) {
  {
    Sender sender(OutboxFile(), Ipc());
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(sender.outbox->Raise(SomeAlert()).ok());
  }
  Receiver receiver(Database(), Ipc());
  Sender sender(OutboxFile(), Ipc());
  const auto raised = sender.outbox->Raise(SomeAlert());
  ASSERT_TRUE(raised.ok());
  EXPECT_EQ(raised->sequence, 11u);
  EXPECT_EQ(raised->epoch, 2u);
  ASSERT_TRUE(sender.outbox->WaitUntilDelivered(kLong));
  EXPECT_EQ(Effects().size(), 11u);
}

TEST_F(LaneTest, ARestartedDispatcherIsFoundAgain) {
  Sender sender(OutboxFile(), Ipc());
  for (int round = 0; round < 3; ++round) {
    Receiver receiver(Database(), Ipc());
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(sender.outbox->Raise(SomeAlert()).ok());
    ASSERT_TRUE(sender.outbox->WaitUntilDelivered(kLong));
  }
  EXPECT_EQ(Effects().size(), 60u);
}

TEST_F(LaneTest, SeveralProducersShareOneInbox) {
  Receiver receiver(Database(), Ipc());
  std::vector<std::unique_ptr<Sender>> senders;
  for (int n = 1; n <= 4; ++n)
    senders.push_back(std::make_unique<Sender>(folder_.File("outbox" + std::to_string(n)), Ipc(),
                                               "", "node-" + std::to_string(n)));
  for (int i = 0; i < 50; ++i)
    for (auto& sender : senders) sender->outbox->RaiseAsync(SomeAlert(), [](const auto&) {});
  for (auto& sender : senders) {
    ASSERT_TRUE(sender->outbox->Raise(SomeAlert()).ok());
    ASSERT_TRUE(sender->outbox->WaitUntilDelivered(kLong));
  }
  const auto effects = Effects();
  EXPECT_EQ(std::set(effects.begin(), effects.end()).size(), 204u);
  EXPECT_EQ(effects.size(), 204u);
}

TEST_F(LaneTest, TheCommitTimeOnTheWireIsTheEndOfTheCommit) {
  Receiver receiver(Database(), Ipc());
  absl::Notification arrived;
  int64_t committed_ns = 0;
  receiver.store->AfterCommit([&](std::span<InboxRecord> records) {
    committed_ns = records[0].record.alert().stages().committed_ns();
    if (!arrived.HasBeenNotified()) arrived.Notify();
  });
  Sender sender(OutboxFile(), Ipc());
  const auto raised = sender.outbox->Raise(SomeAlert());
  ASSERT_TRUE(raised.ok());
  ASSERT_TRUE(arrived.WaitForNotificationWithTimeout(absl::FromChrono(kLong)));
  EXPECT_EQ(committed_ns, ToNanos(raised->committed));
}

TEST_F(LaneTest, WhatDoesNotFitIsRefusedBeforeItIsRaised) {
  Sender sender(OutboxFile(), Ipc());
  EXPECT_EQ(sender.outbox->Raise({}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(
      sender.outbox->Raise(SomeAlert(std::string(limits::kMaxMessageBytes, 'x'))).status().code(),
      absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(sender.outbox->status().last_sequence, 0u);
}

TEST_F(LaneTest, AFullOutboxRefusesCountsAndSaysSoAsAnAlert) {
  constexpr uint64_t kLimit = 20;
  Sender sender(OutboxFile(), Ipc(), "", "node-1", kLimit);
  for (uint64_t i = 0; i < kLimit; ++i) ASSERT_TRUE(sender.outbox->Raise(SomeAlert()).ok());
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(sender.outbox->Raise(SomeAlert()).status().code(),
              absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(sender.outbox->status().refused, 3u);
  EXPECT_NE(sender.outbox->status().fault.find("limit of 20"), std::string::npos);
  EXPECT_EQ(sender.outbox->status().last_sequence, kLimit + 1)
      << "one alarm, not one for each refusal";

  Receiver receiver(Database(), Ipc());
  ASSERT_TRUE(sender.outbox->WaitUntilDelivered(kLong));
  EXPECT_TRUE(sender.outbox->Raise(SomeAlert()).ok()) << "recovers by itself";
  EXPECT_EQ(sender.outbox->status().fault, "");
}

TEST_F(LaneTest, ASecondProcessOnTheSameOutboxIsRefused) {
  Sender first(OutboxFile(), Ipc());
  Sender second(OutboxFile(), Ipc());
  EXPECT_EQ(second.status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(first.outbox->Raise(SomeAlert()).ok());
}

TEST_F(LaneTest, ACloneOfALiveOutboxIsRefusedAndVisible) {
  Receiver receiver(Database(), Ipc());
  {
    Sender sender(OutboxFile(), Ipc());
    ASSERT_TRUE(sender.outbox->Raise(SomeAlert()).ok());
    ASSERT_TRUE(sender.outbox->WaitUntilDelivered(kLong));
  }
  std::filesystem::copy(OutboxFile(), folder_.File("clone.db"));
  Sender sender(OutboxFile(), Ipc());
  ASSERT_TRUE(Eventually([&] { return sender.outbox->status().connected; }));
  Sender clone(folder_.File("clone.db"), Ipc());
  ASSERT_TRUE(Eventually([&] { return !clone.outbox->status().fault.empty(); }));
  EXPECT_NE(clone.outbox->status().fault.find("cloned or restored"), std::string::npos);
  ASSERT_TRUE(sender.outbox->Raise(SomeAlert()).ok());
  EXPECT_TRUE(sender.outbox->WaitUntilDelivered(kLong)) << "the original is not disturbed";
}

TEST_F(LaneTest, TwoMachinesUnderOneNameAreToldApart) {
  Receiver receiver(Database(), Ipc());
  Sender first(OutboxFile(), Ipc());
  ASSERT_TRUE(Eventually([&] { return first.outbox->status().connected; }));
  Sender second(folder_.File("other.db"), Ipc());
  ASSERT_TRUE(Eventually([&] { return !second.outbox->status().fault.empty(); }));
  EXPECT_NE(second.outbox->status().fault.find("another process already sends as node-1"),
            std::string::npos);
}

TEST_F(LaneTest, AFullDispatcherDiskAcknowledgesNothingAndRecovers) {
  Receiver receiver(Database(), Ipc());
  Sender sender(OutboxFile(), Ipc());
  ASSERT_TRUE(sender.outbox->Raise(SomeAlert()).ok());
  ASSERT_TRUE(sender.outbox->WaitUntilDelivered(kLong));
  std::atomic<bool> full = true;
  std::atomic<int> tries = 0;
  // On the inbox's thread, which owns the connection: a quota of pages stands for a full disk.
  receiver.store->BeforeCommit([&](size_t) {
    ++tries;
    EXPECT_TRUE(receiver.store->connection()
                    .Execute(full ? "PRAGMA max_page_count=1" : "PRAGMA max_page_count=100000")
                    .ok());
  });
  for (int i = 0; i < 30; ++i)
    ASSERT_TRUE(sender.outbox->Raise(SomeAlert(std::string(4000, 'x'))).ok());
  ASSERT_TRUE(Eventually([&] { return tries >= 2; }));
  EXPECT_GT(sender.outbox->status().pending, 0u) << "no acknowledgement without a commit";
  EXPECT_TRUE(receiver.inbox->status().ok()) << "a full disk is not fatal";
  full = false;
  EXPECT_TRUE(sender.outbox->WaitUntilDelivered(kLong));
  EXPECT_EQ(Effects().size(), 31u);
}

// A file system of its own that really fills up; needs the right to mount.
TEST_F(LaneTest, AFullNodeDiskRefusesAloudLivesOnItsReserveAndRecovers) {
  const std::string disk = folder_.File("disk");
  ASSERT_TRUE(MakeDirectories(disk).ok());
  if (::mount("none", disk.c_str(), "tmpfs", 0, "size=3m") != 0)
    GTEST_SKIP() << "may not mount a file system to fill: " << std::strerror(errno);
  const absl::Cleanup unmount = [&] { ::umount2(disk.c_str(), MNT_DETACH); };
  Metrics metrics;
  auto context = BusContext::Create("node-1", "", metrics);
  auto opened = AlertOutbox::Open({.path = disk + "/outbox.db",
                                   .site_id = "site",
                                   .producer = "node-1",
                                   .endpoint = Ipc(),
                                   .ballast_bytes = 500'000},
                                  **context, SystemClock(), metrics);
  ASSERT_TRUE(opened.ok()) << opened.status();
  AlertOutbox& outbox = **opened;
  ASSERT_TRUE(Eventually([&] { return std::filesystem::exists(disk + "/outbox.db.ballast"); }));
  std::set<std::string> raised;
  absl::Status refusal;
  while (refusal.ok()) {
    const auto result = outbox.Raise(SomeAlert(std::string(20'000, 'x')));
    refusal = result.status();
    if (result.ok()) raised.insert(result->id);
    ASSERT_LT(raised.size(), 1000u);
  }
  EXPECT_EQ(refusal.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE(outbox.status().fault.find("free space"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(disk + "/outbox.db.ballast"))
      << "the reserve was used first";

  Receiver receiver(Database(), Ipc());
  EXPECT_TRUE(outbox.WaitUntilDelivered(kLong)) << "a full disk does not stop delivery";
  ASSERT_TRUE(Eventually([&] {
    const auto result = outbox.Raise(SomeAlert());
    if (result.ok()) raised.insert(result->id);
    return result.ok();
  })) << "room comes back as delivered rows go";
  EXPECT_EQ(outbox.status().fault, "");
  EXPECT_TRUE(outbox.WaitUntilDelivered(kLong));
  const auto effects = Effects();
  EXPECT_EQ(std::set(effects.begin(), effects.end()), raised);
}

TEST_F(LaneTest, AFailedCommitEndsTheInboxWithoutAcknowledging) {
  Receiver receiver(Database(), Ipc());
  Sender sender(OutboxFile(), Ipc());
  ASSERT_TRUE(Eventually([&] { return sender.outbox->status().connected; }));
  receiver.store->BeforeCommit([&](size_t) {
    ASSERT_TRUE(receiver.store->connection().Execute("DROP TABLE IF EXISTS effects").ok());
  });
  ASSERT_TRUE(sender.outbox->Raise(SomeAlert()).ok());
  ASSERT_TRUE(Eventually([&] { return !receiver.inbox->status().ok(); }));
  EXPECT_EQ(sender.outbox->status().pending, 1u);
}

TEST_F(LaneTest, LocalSocketsAreClosedToOthers) {
  Receiver receiver(Database(), "ipc://" + folder_.File("private/alerts.sock"));
  struct stat info {};
  ASSERT_EQ(::stat(folder_.File("private/alerts.sock").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat(folder_.File("private").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

// Frames that no Cordon would send, from a peer that got in, while a good one works.
TEST_F(LaneTest, HostileFramesHoldUpNobody) {
  Receiver receiver(Database(), Ipc());
  Sender sender(OutboxFile(), Ipc());
  auto hostile = BusContext::Create("node-2", "", receiver.metrics);
  auto socket = (*hostile)->sockets().Connect(ZMQ_DEALER, Ipc());
  ASSERT_TRUE(socket.ok()) << socket.status();
  std::mt19937 random(11);
  proto::Envelope hello;
  hello.mutable_hello()->set_protocol(wire::kProtocolVersion);
  const std::string good = *wire::EncodeFrame(hello);
  std::vector<std::string> frames = {
      "", "x", std::string(limits::kMaxMessageBytes, 'C'), good, good.substr(0, 14), good + "more"};
  for (int i = 0; i < 300; ++i) {
    std::string bad = good;
    bad[random() % bad.size()] ^= static_cast<char>(1 << (random() % 8));
    frames.push_back(bad);
    frames.emplace_back(random() % 2000, static_cast<char>(random()));
  }
  size_t sent = 0;
  ASSERT_TRUE(Eventually([&] {
    if (socket->Send(frames[sent % frames.size()]) == SendResult::kSent) ++sent;
    return sent >= frames.size();
  }));
  // Over the size limit libzmq itself cuts the connection.
  ASSERT_TRUE(Eventually([&] {
    return socket->Send(std::string(limits::kMaxMessageBytes + 1, 'C')) == SendResult::kSent;
  }));
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(sender.outbox->Raise(SomeAlert()).ok());
  EXPECT_TRUE(sender.outbox->WaitUntilDelivered(kLong));
  EXPECT_TRUE(receiver.inbox->status().ok());
  EXPECT_EQ(Effects().size(), 50u);
  EXPECT_GT(receiver.metrics.Counter("cordon_inbox_bad_frames_total", "").Value(), 300);
}

// A row that rotted on the producer's disk: set aside, said, and nothing behind it waits.
TEST_F(LaneTest, ARottenRowIsQuarantinedAndPassed) {
  {
    Sender sender(OutboxFile(), Ipc());
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(sender.outbox->Raise(SomeAlert()).ok());
  }
  {
    auto db = sqlite::Connection::Open(OutboxFile(), sqlite::Connection::Mode::kReadWrite);
    ASSERT_TRUE((*db)->Execute("UPDATE outbox SET record = zeroblob(20) WHERE sequence = 3").ok());
  }
  Receiver receiver(Database(), Ipc());
  Sender sender(OutboxFile(), Ipc());
  EXPECT_TRUE(sender.outbox->WaitUntilDelivered(kLong));
  EXPECT_EQ(Effects().size(), 4u);
  receiver.inbox.reset();
  const auto rows = receiver.store->ledger().Quarantined(10);
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ((*rows)[0].sequence, 3u);
  EXPECT_EQ((*rows)[0].reason, "the record's checksum does not match");
}

// ---- keys ----

TEST_F(LaneTest, TheLaneRunsOverTcpWithKeys) {
  const std::string keys = MakeKeys();
  Receiver receiver(Database(), "tcp://127.0.0.1:0", keys);
  Sender sender(OutboxFile(), receiver.inbox->endpoint(), keys);
  ASSERT_TRUE(sender.outbox->Raise(SomeAlert()).ok());
  EXPECT_TRUE(sender.outbox->WaitUntilDelivered(kLong));
}

TEST_F(LaneTest, TcpWithoutKeysDoesNotStart) {
  Metrics metrics;
  auto context = BusContext::Create("node-1", "", metrics);
  ASSERT_TRUE(context.ok());
  const auto opened = AlertOutbox::Open({.path = OutboxFile(),
                                         .site_id = "site",
                                         .producer = "node-1",
                                         .endpoint = "tcp://127.0.0.1:5"},
                                        **context, SystemClock(), metrics);
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(MessageOf(opened.status()).find("cordon keys generate"), std::string_view::npos);
}

TEST_F(LaneTest, AnUnknownKeyIsRejectedAndTheNodeIsToldWhy) {
  const std::string keys = MakeKeys();
  Receiver receiver(Database(), "tcp://127.0.0.1:0", keys);
  const std::string foreign = folder_.File("foreign");
  ASSERT_TRUE(GenerateKeyFiles(foreign, "node-1").ok());
  std::filesystem::copy(keys + "/dispatch.pub", foreign + "/dispatch.pub");
  Sender stranger(OutboxFile(), receiver.inbox->endpoint(), foreign);
  ASSERT_TRUE(stranger.outbox->Raise(SomeAlert()).ok()) << "kept locally";
  ASSERT_TRUE(Eventually([&] { return !stranger.outbox->status().fault.empty(); }));
  EXPECT_NE(stranger.outbox->status().fault.find("does not accept this node's key"),
            std::string::npos);
  Sender known(folder_.File("known.db"), receiver.inbox->endpoint(), keys);
  ASSERT_TRUE(known.outbox->Raise(SomeAlert()).ok());
  EXPECT_TRUE(known.outbox->WaitUntilDelivered(kLong)) << "legitimate traffic is unaffected";
  EXPECT_EQ(stranger.outbox->status().pending, 1u);
  EXPECT_EQ(Effects().size(), 1u);
}

// Connections that never finish their handshake, and plain clients without a key.
TEST_F(LaneTest, AFloodOfUnfinishedHandshakesLeavesTheOthersAlone) {
  const std::string keys = MakeKeys();
  Receiver receiver(Database(), "tcp://127.0.0.1:0", keys);
  const std::string endpoint = receiver.inbox->endpoint();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port =
      htons(static_cast<uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))));
  std::vector<int> connections;
  for (int i = 0; i < 100; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    if (i % 2 == 0) {
      EXPECT_EQ(::write(fd, "GET / HTTP/1.1\r\n", 16), 16);
    }
    connections.push_back(fd);
  }
  Sender sender(OutboxFile(), endpoint, keys);
  ASSERT_TRUE(sender.outbox->Raise(SomeAlert()).ok());
  EXPECT_TRUE(sender.outbox->WaitUntilDelivered(kLong));
  for (const int fd : connections) ::close(fd);
}

TEST_F(LaneTest, AKeyCannotSpeakForAnotherName) {
  const std::string keys = MakeKeys();
  Receiver receiver(Database(), "tcp://127.0.0.1:0", keys);
  Sender impostor(OutboxFile(), receiver.inbox->endpoint(), keys, "node-1", 1'000'000, "node-2");
  ASSERT_TRUE(Eventually([&] { return !impostor.outbox->status().fault.empty(); }));
  EXPECT_NE(impostor.outbox->status().fault.find("the key of node-2 cannot speak for node-1"),
            std::string::npos);
}

TEST_F(LaneTest, AKeyThatIsAddedLaterIsAdmittedWithoutARestart) {
  const std::string keys = MakeKeys();
  Receiver receiver(Database(), "tcp://127.0.0.1:0", keys);
  const std::string far = folder_.File("far");
  ASSERT_TRUE(GenerateKeyFiles(far, "node-9").ok());
  std::filesystem::copy(keys + "/dispatch.pub", far + "/dispatch.pub");
  Sender sender(OutboxFile(), receiver.inbox->endpoint(), far, "node-9");
  ASSERT_TRUE(sender.outbox->Raise(SomeAlert()).ok());
  ASSERT_TRUE(Eventually([&] { return !sender.outbox->status().fault.empty(); }));
  std::filesystem::copy(far + "/node-9.pub", keys + "/node-9.pub");
  EXPECT_TRUE(sender.outbox->WaitUntilDelivered(kLong));
}

}  // namespace
}  // namespace cordon
