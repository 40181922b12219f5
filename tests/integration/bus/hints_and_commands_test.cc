// SPDX-License-Identifier: Apache-2.0
// Telemetry and the command path over real sockets.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "bus/command_path.h"
#include "bus/keys.h"
#include "bus/telemetry.h"
#include "tests/support/eventually.h"
#include "tests/support/test_data.h"

namespace cordon {
namespace {

using testing::Eventually;

constexpr Milliseconds kLong{15'000};

double Value(Metrics& metrics, const std::string& name) {
  return metrics.Counter(name, "").Value();
}

proto::Envelope Health(const std::string& node, uint64_t pending) {
  proto::Envelope envelope;
  envelope.mutable_node_health()->set_node_id(node);
  envelope.mutable_node_health()->set_outbox_pending(pending);
  return envelope;
}

class HintsAndCommands : public ::testing::Test {
 protected:
  void SetUp() override {
    dispatch_ = *BusContext::Create(kDispatcherName, "", metrics_);
    node_ = *BusContext::Create("node-1", "", metrics_);
  }
  std::string Endpoint() const { return "ipc://" + folder_.File("x.sock"); }
  const testing::TemporaryFolder folder_;
  Metrics metrics_;
  std::unique_ptr<BusContext> dispatch_, node_;
};

TEST_F(HintsAndCommands, TheNewestTelemetryArrivesWithItsSender) {
  std::atomic<uint64_t> newest = 0;
  auto subscriber = TelemetrySubscriber::Open(
      Endpoint(), *dispatch_,
      [&](const proto::Envelope& envelope) {
        EXPECT_EQ(envelope.sender(), "node-1");
        newest = envelope.node_health().outbox_pending();
      },
      metrics_);
  ASSERT_TRUE(subscriber.ok()) << subscriber.status();
  auto publisher = TelemetryPublisher::Open(Endpoint(), *node_, metrics_);
  ASSERT_TRUE(publisher.ok()) << publisher.status();
  uint64_t value = 0;  // what is published before the subscription is known is nobody's
  ASSERT_TRUE(Eventually([&] {
    (*publisher)->Publish("health", Health("node-1", ++value));
    std::this_thread::yield();
    return newest > 0;
  }));
  ASSERT_TRUE(Eventually([&] { return newest == value; }))
      << "the last one is never the one dropped";
}

TEST_F(HintsAndCommands, WithKeysTelemetryProvesItsLockAndLetsItsNodesIn) {
  const std::string keys = folder_.File("keys");
  for (const char* name : {kDispatcherName, "node-1"})
    ASSERT_TRUE(GenerateKeyFiles(keys, name).ok());
  const auto dispatch = BusContext::Create(kDispatcherName, keys, metrics_);
  const auto node = BusContext::Create("node-1", keys, metrics_);
  ASSERT_TRUE(dispatch.ok()) << dispatch.status();
  ASSERT_TRUE(node.ok()) << node.status();
  std::atomic<bool> heard = false;
  auto subscriber = TelemetrySubscriber::Open(
      Endpoint(), **dispatch, [&](const proto::Envelope&) { heard = true; }, metrics_);
  ASSERT_TRUE(subscriber.ok()) << subscriber.status();
  auto publisher = TelemetryPublisher::Open(Endpoint(), **node, metrics_);
  ASSERT_TRUE(publisher.ok()) << publisher.status();
  ASSERT_TRUE(Eventually([&] {
    (*publisher)->Publish("health", Health("node-1", 1));
    std::this_thread::yield();
    return heard.load();
  }));
}

TEST_F(HintsAndCommands, OverwrittenTelemetryIsCounted) {
  auto publisher = TelemetryPublisher::Open(Endpoint(), *node_, metrics_);
  for (int i = 0; i < 2000; ++i) (*publisher)->Publish("health", Health("node-1", 1));
  ASSERT_TRUE(Eventually([&] { return Value(metrics_, "cordon_telemetry_sent_total") > 0; }));
  const auto accounted = [&] {
    return Value(metrics_, "cordon_telemetry_sent_total") +
           Value(metrics_, "cordon_telemetry_overwritten_total");
  };
  EXPECT_TRUE(Eventually([&] { return accounted() == 2000; })) << accounted();
}

TEST_F(HintsAndCommands, ASlowReadersLossesAreCountedByTheNumbers) {
  std::atomic<bool> slow = true;
  std::atomic<uint64_t> seen = 0;
  auto subscriber = TelemetrySubscriber::Open(
      Endpoint(), *dispatch_,
      [&](const proto::Envelope&) {
        ++seen;
        while (slow) std::this_thread::yield();
      },
      metrics_);
  auto publisher = TelemetryPublisher::Open(Endpoint(), *node_, metrics_);
  proto::Envelope large;
  for (int i = 0; i < 100; ++i)
    large.mutable_camera_tracks()->add_boxes()->set_object_class(std::string(200, 'x'));
  uint64_t subject = 0;
  ASSERT_TRUE(Eventually([&] {
    (*publisher)->Publish(std::to_string(++subject), large);
    return seen > 0;
  }));
  for (int i = 0; i < 2000; ++i) (*publisher)->Publish(std::to_string(++subject), large);
  ASSERT_TRUE(Eventually([&] { return Value(metrics_, "cordon_telemetry_sent_total") >= 2000; }));
  slow = false;
  ASSERT_TRUE(Eventually([&] {
    (*publisher)->Publish("last", Health("node-1", 1));
    return Value(metrics_, "cordon_telemetry_lost_total") > 0;
  }));
}

class Commands : public HintsAndCommands {
 protected:
  void SetUp() override {
    HintsAndCommands::SetUp();
    client_ = *CommandClient::Open(Endpoint(), *dispatch_, SystemClock(), metrics_);
  }
  std::unique_ptr<CommandServer> Serve(CommandServer::Handler handler) {
    auto server = *CommandServer::Open(Endpoint(), node_id_, *node_, std::move(handler),
                                       SystemClock(), metrics_);
    EXPECT_TRUE(Eventually([&] { return !client_->ConnectedNodes().empty(); }));
    return server;
  }
  static proto::Command Preview() {
    proto::Command command;
    command.mutable_live_preview()->set_camera_id("gate");
    return command;
  }
  const NodeId node_id_{"node-1"};
  std::unique_ptr<CommandClient> client_;
};

TEST_F(Commands, AnAnswerComesBack) {
  const auto server = Serve([](const proto::Command& command) -> absl::StatusOr<proto::Reply> {
    proto::Reply reply;
    reply.set_data("picture of " + command.live_preview().camera_id());
    return reply;
  });
  const auto reply = client_->Call(node_id_, Preview(), kLong);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->data(), "picture of gate");
}

TEST_F(Commands, ManyCallersGetTheirOwnAnswers) {
  const auto server = Serve([](const proto::Command& command) -> absl::StatusOr<proto::Reply> {
    proto::Reply reply;
    reply.set_data(command.live_preview().camera_id());
    return reply;
  });
  std::vector<std::thread> callers;
  for (int t = 0; t < 8; ++t)
    callers.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        proto::Command command;
        command.mutable_live_preview()->set_camera_id(std::to_string(t * 100 + i));
        const auto reply = client_->Call(node_id_, command, kLong);
        ASSERT_TRUE(reply.ok()) << reply.status();
        EXPECT_EQ(reply->data(), command.live_preview().camera_id());
      }
    });
  for (std::thread& caller : callers) caller.join();
}

TEST_F(Commands, AClipComesInChunks) {
  std::string clip;
  for (int i = 0; i < 500'000; ++i) clip += static_cast<char>(i * 31);
  const auto server = Serve([&](const proto::Command& command) -> absl::StatusOr<proto::Reply> {
    if (command.fetch_evidence().clip_id() != "c1") return absl::NotFoundError("no such clip");
    proto::Reply reply;
    reply.set_data(clip.substr(command.fetch_evidence().offset(), kMaxReplyBytes));
    reply.set_total_bytes(clip.size());
    return reply;
  });
  const auto fetched = client_->FetchClip(node_id_, "c1", 1 << 20, kLong);
  ASSERT_TRUE(fetched.ok()) << fetched.status();
  EXPECT_TRUE(*fetched == clip);
  EXPECT_EQ(client_->FetchClip(node_id_, "c1", 1000, kLong).status().code(),
            absl::StatusCode::kResourceExhausted);
  const auto missing = client_->FetchClip(node_id_, "c2", 1 << 20, kLong);
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(MessageOf(missing.status()), "no such clip");
}

TEST_F(Commands, AnAbsentNodeIsSaidAtOnce) {
  const auto reply = client_->Call(NodeId("node-7"), Preview(), kLong);
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(MessageOf(reply.status()), "node-7 is not connected");
}

TEST_F(Commands, ASlowNodeCostsTheDeadlineAndNoMore) {
  std::atomic<bool> hold = true;
  const auto server = Serve([&](const proto::Command&) -> absl::StatusOr<proto::Reply> {
    while (hold) std::this_thread::yield();
    return proto::Reply();
  });
  EXPECT_EQ(client_->Call(node_id_, Preview(), Milliseconds(100)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  hold = false;
  EXPECT_TRUE(client_->Call(node_id_, Preview(), kLong).ok())
      << "a late answer is not taken for the next one";
}

TEST_F(Commands, AnOversizeAnswerBecomesAnError) {
  const auto server = Serve([](const proto::Command&) -> absl::StatusOr<proto::Reply> {
    proto::Reply reply;
    reply.set_data(std::string(kMaxReplyBytes + 1, 'x'));
    return reply;
  });
  EXPECT_EQ(client_->Call(node_id_, Preview(), kLong).status().code(), absl::StatusCode::kAborted);
}

}  // namespace
}  // namespace cordon
