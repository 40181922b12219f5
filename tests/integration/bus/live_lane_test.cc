// SPDX-License-Identifier: Apache-2.0
// The live lane over real sockets: windows, pieces, ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "bus/keys.h"
#include "bus/live_path.h"
#include "tests/support/eventually.h"
#include "tests/support/test_data.h"

namespace cordon {
namespace {

using testing::Eventually;

using ::testing::HasSubstr;

// Parts of so many bytes, each filled with its number, without end.
class Counting final : public LiveSource {
 public:
  explicit Counting(size_t part_bytes) : part_bytes_(part_bytes) {}
  absl::StatusOr<Part> Take() override {
    Part part;
    part.bytes = std::string(part_bytes_, static_cast<char>('a' + number_++ % 26));
    part.age = Milliseconds(number_);
    part.skipped = number_ / 2;
    return part;
  }

 private:
  const size_t part_bytes_;
  uint64_t number_ = 0;
};

class Ending final : public LiveSource {
 public:
  absl::StatusOr<Part> Take() override {
    return absl::OutOfRangeError("the camera changed its picture's format");
  }
};

class LiveLane : public ::testing::Test {
 protected:
  void SetUp() override {
    dispatch_ = *BusContext::Create(kDispatcherName, "", dispatch_metrics_);
    node_ = *BusContext::Create("node-1", "", node_metrics_);
    OpenClient();
    server_ = *LiveServer::Open(
        Endpoint(), node_id_, *node_, [](const proto::LiveOpen& what) { return Open(what); },
        SystemClock(), node_metrics_);
    ASSERT_TRUE(AwaitNode());
  }
  void OpenClient() {
    client_ = *LiveClient::Open(Endpoint(), *dispatch_, SystemClock(), dispatch_metrics_);
  }
  bool AwaitNode() {
    return Eventually([this] { return !client_->ConnectedNodes().empty(); });
  }
  static absl::StatusOr<LiveOpening> Open(const proto::LiveOpen& what) {
    if (what.camera_id() == "gate")
      return LiveOpening{std::make_unique<Counting>(1000), "video/mp4", ""};
    if (what.camera_id() == "large")
      return LiveOpening{std::make_unique<Counting>(1'500'000), "video/mp4", ""};
    if (what.camera_id() == "ending")
      return LiveOpening{std::make_unique<Ending>(), "video/mp4", ""};
    return absl::NotFoundError("node-1 has no camera " + what.camera_id());
  }
  std::unique_ptr<LiveClient::View> Watch(const std::string& camera) {
    proto::LiveOpen what;
    what.set_camera_id(camera);
    auto view = client_->Watch(node_id_, what, [] {});
    EXPECT_TRUE(view.ok()) << view.status();
    return *std::move(view);
  }
  // The next piece, or the end of the view.
  static absl::StatusOr<proto::LiveToViewer> Next(LiveClient::View& view) {
    absl::StatusOr<std::optional<proto::LiveToViewer>> next = std::nullopt;
    Eventually([&] {
      next = view.Next();
      return !next.ok() || next->has_value();
    });
    if (!next.ok()) return next.status();
    if (!next->has_value()) return absl::DeadlineExceededError("nothing came");
    return **next;
  }
  double Sent() { return node_metrics_.Counter("cordon_live_node_bytes_total", "").Value(); }
  double NodeViewers() { return node_metrics_.Gauge("cordon_live_node_viewers", "").Value(); }
  std::string Endpoint() const { return "ipc://" + folder_.File("live.sock"); }

  const testing::TemporaryFolder folder_;
  Metrics dispatch_metrics_, node_metrics_;
  std::unique_ptr<BusContext> dispatch_, node_;
  std::unique_ptr<LiveClient> client_;
  std::unique_ptr<LiveServer> server_;
  const NodeId node_id_{"node-1"};
};

TEST_F(LiveLane, PiecesFollowTheStartInOrderWithTheirAge) {
  const auto view = Watch("gate");
  const auto start = Next(*view);
  ASSERT_TRUE(start.ok()) << start.status();
  EXPECT_EQ(start->start().mime(), "video/mp4");
  for (int i = 0; i < 500; ++i) {
    const auto piece = Next(*view);
    ASSERT_TRUE(piece.ok()) << i << ": " << piece.status();
    ASSERT_EQ(piece->data().data(), std::string(1000, static_cast<char>('a' + i % 26)));
    ASSERT_EQ(piece->data().picture_age_ms(), i + 1);
    ASSERT_EQ(piece->data().skipped(), static_cast<uint64_t>(i + 1) / 2);
  }
}

TEST_F(LiveLane, WhoTakesNothingHasNoMoreThanItsWindowUnderWay) {
  const auto slow = Watch("gate");
  const auto fast = Watch("gate");
  ASSERT_TRUE(Next(*fast).ok());
  // While the slow one takes nothing the other gets far more than a window.
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(Next(*fast).ok());
  const double to_slow = Sent() - 2000 * 1000.0;
  EXPECT_LE(to_slow, 2.0 * kLiveWindowBytes) << "its own window and what is under way to the other";
  // It is not cut off: when it takes again, it gets on where it was.
  ASSERT_TRUE(Next(*slow).ok());
  for (int i = 0; i < 500; ++i) {
    const auto piece = Next(*slow);
    ASSERT_TRUE(piece.ok()) << piece.status();
    ASSERT_EQ(piece->data().data()[0], static_cast<char>('a' + i % 26));
  }
}

TEST_F(LiveLane, APartLargerThanTheWindowArrivesWhole) {
  const auto view = Watch("large");
  ASSERT_TRUE(Next(*view).ok());
  std::string whole;
  while (whole.size() < 3'000'000) {
    const auto piece = Next(*view);
    ASSERT_TRUE(piece.ok()) << piece.status();
    ASSERT_LE(piece->data().data().size(), kLivePieceBytes);
    whole += piece->data().data();
  }
  EXPECT_TRUE(whole == std::string(1'500'000, 'a') + std::string(1'500'000, 'b'));
}

TEST_F(LiveLane, TheNodesWordsEndTheView) {
  const auto unknown = Watch("cellar");
  const auto refused = Next(*unknown);
  EXPECT_TRUE(absl::IsAborted(refused.status())) << refused.status();
  EXPECT_THAT(MessageOf(refused.status()), HasSubstr("no camera cellar"));
  const auto ending = Watch("ending");
  ASSERT_TRUE(Next(*ending).ok());
  EXPECT_THAT(MessageOf(Next(*ending).status()), HasSubstr("changed its picture's format"));
}

TEST_F(LiveLane, AnAbsentNodeIsSaidAtOnce) {
  const auto view = client_->Watch(NodeId("node-7"), proto::LiveOpen(), [] {});
  EXPECT_TRUE(absl::IsUnavailable(view.status())) << view.status();
}

TEST_F(LiveLane, AClosedViewIsForgottenAtTheNode) {
  auto view = Watch("gate");
  ASSERT_TRUE(Next(*view).ok());
  ASSERT_TRUE(Eventually([this] { return NodeViewers() == 1; }));
  view.reset();
  EXPECT_TRUE(Eventually([this] { return NodeViewers() == 0; }));
}

TEST_F(LiveLane, TheNodesEndEndsItsViews) {
  const auto view = Watch("gate");
  ASSERT_TRUE(Next(*view).ok());
  server_.reset();
  absl::Status end;
  ASSERT_TRUE(Eventually([&] {
    end = view->Next().status();
    return !end.ok();
  }));
  EXPECT_TRUE(absl::IsAborted(end) || absl::IsUnavailable(end)) << end;
}

TEST_F(LiveLane, ARestartedDispatcherFindsANodeWithoutOldViewers) {
  const auto old = Watch("gate");
  ASSERT_TRUE(Next(*old).ok());
  ASSERT_TRUE(Eventually([this] { return NodeViewers() == 1; }));
  client_.reset();  // without a word to the node: the view was not closed first
  absl::Status end;
  ASSERT_TRUE(Eventually([&] {
    end = old->Next().status();
    return !end.ok();
  }));
  EXPECT_TRUE(absl::IsCancelled(end)) << end;
  OpenClient();
  ASSERT_TRUE(AwaitNode());
  EXPECT_TRUE(Eventually([this] { return NodeViewers() == 0; }));
  const auto view = Watch("gate");
  EXPECT_TRUE(Next(*view).ok());
}

TEST_F(LiveLane, OneViewerTooManyIsToldSo) {
  std::vector<std::unique_ptr<LiveClient::View>> views;
  for (size_t i = 0; i < LiveServer::kMaxViewers; ++i) {
    views.push_back(Watch("gate"));
    ASSERT_TRUE(Next(*views.back()).ok());
  }
  const auto more = Watch("gate");
  EXPECT_THAT(MessageOf(Next(*more).status()), HasSubstr("32 viewers already"));
}

}  // namespace
}  // namespace cordon
