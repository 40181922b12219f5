// SPDX-License-Identifier: Apache-2.0
#include "console/feed_session.h"

namespace cordon::console {
namespace {

namespace net = boost::asio;

// Leaves the feed also when the server is stopped under the connection.
class Membership {
 public:
  Membership(Feed& feed, std::function<void()> wake)
      : feed_(feed), id_(feed.Join(std::move(wake))) {}
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  ~Membership() { feed_.Leave(id_); }

 private:
  Feed& feed_;
  const uint64_t id_;
};

net::awaitable<void> SendAll(const std::shared_ptr<WebSocketClient>& client, Shared& shared) {
  const Feed::Start start = shared.feed->Snapshot();
  uint64_t sent = start.number;
  bool open = co_await client->Write(*start.snapshot, true);
  while (open && !client->gone()) {
    const absl::StatusOr<std::optional<Feed::Message>> next = shared.feed->After(sent);
    if (!next.ok()) {
      shared.slow_clients_total.Increment();
      co_await client->Close(kCloseResync, "fell behind; resync");
      co_return;
    }
    if (!*next) {
      co_await client->Sleep();
      continue;
    }
    ++sent;
    open = co_await client->Write(***next, true);
  }
}

}  // namespace

net::awaitable<void> ServeFeed(boost::beast::tcp_stream stream, UpgradeRequest request,
                               Shared& shared) {
  const auto client = std::make_shared<WebSocketClient>(std::move(stream));
  if (!co_await client->Accept(std::move(request))) co_return;
  const Membership member(*shared.feed, client->Waker(shared.io));
  co_await SendAll(client, shared);
  client->Drop();
}

}  // namespace cordon::console
