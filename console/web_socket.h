// SPDX-License-Identifier: Apache-2.0
// What every WebSocket of the console does: deadlines, noticing that the client left, closing with a
// code. Included by the server's own .cc files only: it brings Boost with it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket.hpp>
#include <functional>
#include <memory>
#include <string_view>

namespace cordon::console {

using UpgradeRequest = boost::beast::http::request<boost::beast::http::string_body>;

// WebSocket close codes, beside the standard ones.
inline constexpr uint16_t kCloseResync = 4001;   // feed: fell too far behind; take a new snapshot
inline constexpr uint16_t kCloseTooSlow = 4002;  // live: pictures had to be left out again and again
inline constexpr uint16_t kCloseOver = 4003;     // live: the camera or its node ended it; reason says

// One client. Lives on "console" only, held by the coroutines that serve it.
class WebSocketClient : public std::enable_shared_from_this<WebSocketClient> {
 public:
  // The network may stall this long under one message before the client counts as gone.
  static constexpr std::chrono::seconds kWriteTimeout{20};

  explicit WebSocketClient(boost::beast::tcp_stream&& stream);

  // Answers the upgrade and begins to watch for the client's leave. False: it failed.
  boost::asio::awaitable<bool> Accept(UpgradeRequest request);
  // The most that the system may hold of what was written and not yet sent: what waits there can no
  // longer be left out.
  void LimitUnsent(int bytes);
  // False: the client is gone.
  boost::asio::awaitable<bool> Write(std::string_view message, bool text);
  boost::asio::awaitable<void> Close(uint16_t code, std::string_view reason);
  // Until Wake or the client's leave.
  boost::asio::awaitable<void> Sleep();
  // Ends a Sleep; only on "console".
  void Wake() { wake_.cancel(); }
  // The same for any thread; harmless when the client is gone by then.
  std::function<void()> Waker(boost::asio::io_context& io);
  bool gone() const { return gone_; }
  void Drop();

 private:
  static boost::asio::awaitable<void> ReadUntilGone(std::shared_ptr<WebSocketClient> self);
  void Limit(boost::asio::steady_timer& timer, std::chrono::seconds after);

  boost::beast::websocket::stream<boost::beast::tcp_stream> socket_;
  boost::asio::steady_timer wake_;  // never expires; cancelled when there is news
  bool gone_ = false;
};

}  // namespace cordon::console
