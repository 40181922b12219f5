// SPDX-License-Identifier: Apache-2.0
#include "console/feed_session.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <memory>

namespace cordon::console {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::system::error_code;

// Clients have nothing to say; what they send is read to see them leave, and ignored.
constexpr size_t kMaxClientMessage = 4096;
// The network may stall this long under one message before the client counts as gone.
constexpr std::chrono::seconds kWriteTimeout{20};

// Lives on "console" only. The two coroutines and the feed's wake calls share it.
struct Client {
  explicit Client(beast::tcp_stream&& stream)
      : socket(std::move(stream)), wake(socket.get_executor()) {}
  websocket::stream<beast::tcp_stream> socket;
  net::steady_timer wake;  // never expires; cancelled when there is news
  bool gone = false;
};

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

net::awaitable<void> ReadUntilGone(std::shared_ptr<Client> client) {
  beast::flat_buffer buffer(kMaxClientMessage);
  error_code error;
  while (!error) {
    co_await client->socket.async_read(buffer, net::redirect_error(net::use_awaitable, error));
    buffer.consume(buffer.size());
  }
  client->gone = true;
  client->wake.cancel();
}

net::awaitable<error_code> Write(const std::shared_ptr<Client>& client, Feed::Message message) {
  error_code error;
  net::steady_timer limit(client->socket.get_executor(), kWriteTimeout);
  limit.async_wait([client](error_code cancelled) {
    if (!cancelled) beast::get_lowest_layer(client->socket).socket().close(cancelled);
  });
  co_await client->socket.async_write(net::buffer(*message),
                                      net::redirect_error(net::use_awaitable, error));
  limit.cancel();
  co_return error;
}

net::awaitable<void> CloseForResync(const std::shared_ptr<Client>& client, Shared& shared) {
  shared.slow_clients_total.Increment();
  error_code error;
  net::steady_timer limit(client->socket.get_executor(), std::chrono::seconds(2));
  limit.async_wait([client](error_code cancelled) {
    if (!cancelled) beast::get_lowest_layer(client->socket).socket().close(cancelled);
  });
  co_await client->socket.async_close(
      {static_cast<websocket::close_code>(kCloseResync), "fell behind; resync"},
      net::redirect_error(net::use_awaitable, error));
  limit.cancel();
}

net::awaitable<void> SendAll(const std::shared_ptr<Client>& client, Shared& shared) {
  const Feed::Start start = shared.feed->Snapshot();
  uint64_t sent = start.number;
  error_code error = co_await Write(client, start.snapshot);
  while (!error && !client->gone) {
    absl::StatusOr<std::optional<Feed::Message>> next = shared.feed->After(sent);
    if (!next.ok()) {
      co_await CloseForResync(client, shared);
      co_return;
    }
    if (!*next) {
      client->wake.expires_at(net::steady_timer::time_point::max());
      error_code cancelled;
      co_await client->wake.async_wait(net::redirect_error(net::use_awaitable, cancelled));
      continue;
    }
    ++sent;
    error = co_await Write(client, **next);
  }
}

}  // namespace

net::awaitable<void> ServeFeed(beast::tcp_stream stream,
                               beast::http::request<beast::http::string_body> request,
                               Shared& shared) {
  auto client = std::make_shared<Client>(std::move(stream));
  client->socket.set_option(
      websocket::stream_base::timeout{std::chrono::seconds(10), std::chrono::seconds(30), true});
  client->socket.read_message_max(kMaxClientMessage);
  error_code error;
  co_await client->socket.async_accept(request, net::redirect_error(net::use_awaitable, error));
  if (error) co_return;
  client->socket.text(true);
  const Membership member(*shared.feed, [&shared, weak = std::weak_ptr<Client>(client)] {
    net::post(shared.io, [weak] {
      if (const auto alive = weak.lock()) alive->wake.cancel();
    });
  });
  net::co_spawn(client->socket.get_executor(), ReadUntilGone(client), net::detached);
  co_await SendAll(client, shared);
  beast::get_lowest_layer(client->socket).socket().close(error);
}

}  // namespace cordon::console
