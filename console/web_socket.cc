// SPDX-License-Identifier: Apache-2.0
#include "console/web_socket.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>

namespace cordon::console {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::system::error_code;

// Clients have nothing to say; what they send is read to see them leave, and ignored.
constexpr size_t kMaxClientMessage = 4096;
constexpr std::chrono::seconds kCloseTimeout{2};
// The most that a close frame's reason holds.
constexpr size_t kMaxReason = 120;

}  // namespace

WebSocketClient::WebSocketClient(beast::tcp_stream&& stream)
    : socket_(std::move(stream)), wake_(socket_.get_executor()) {}

net::awaitable<bool> WebSocketClient::Accept(UpgradeRequest request) {
  const auto self = shared_from_this();
  socket_.set_option(
      websocket::stream_base::timeout{std::chrono::seconds(10), std::chrono::seconds(30), true});
  socket_.read_message_max(kMaxClientMessage);
  error_code error;
  co_await socket_.async_accept(request, net::redirect_error(net::use_awaitable, error));
  if (error) co_return false;
  net::co_spawn(socket_.get_executor(), ReadUntilGone(self), net::detached);
  co_return true;
}

void WebSocketClient::LimitUnsent(int bytes) {
  error_code ignored;
  beast::get_lowest_layer(socket_).socket().set_option(net::socket_base::send_buffer_size(bytes),
                                                       ignored);
}

net::awaitable<void> WebSocketClient::ReadUntilGone(std::shared_ptr<WebSocketClient> self) {
  beast::flat_buffer buffer(kMaxClientMessage);
  error_code error;
  while (!error) {
    co_await self->socket_.async_read(buffer, net::redirect_error(net::use_awaitable, error));
    buffer.consume(buffer.size());
  }
  self->gone_ = true;
  self->Wake();
}

void WebSocketClient::Limit(net::steady_timer& timer, std::chrono::seconds after) {
  timer.expires_after(after);
  timer.async_wait([self = shared_from_this()](error_code cancelled) {
    if (!cancelled) self->Drop();
  });
}

void WebSocketClient::Drop() {
  error_code error;
  beast::get_lowest_layer(socket_).socket().close(error);
}

net::awaitable<bool> WebSocketClient::Write(std::string_view message, bool text) {
  const auto self = shared_from_this();
  error_code error;
  net::steady_timer limit(socket_.get_executor());
  Limit(limit, kWriteTimeout);
  socket_.text(text);
  co_await socket_.async_write(net::buffer(message.data(), message.size()),
                               net::redirect_error(net::use_awaitable, error));
  limit.cancel();
  co_return !error;
}

net::awaitable<void> WebSocketClient::Close(uint16_t code, std::string_view reason) {
  const auto self = shared_from_this();
  error_code error;
  net::steady_timer limit(socket_.get_executor());
  Limit(limit, kCloseTimeout);
  reason = reason.substr(0, kMaxReason);
  co_await socket_.async_close({static_cast<websocket::close_code>(code),
                                beast::string_view(reason.data(), reason.size())},
                               net::redirect_error(net::use_awaitable, error));
  limit.cancel();
}

net::awaitable<void> WebSocketClient::Sleep() {
  const auto self = shared_from_this();
  wake_.expires_at(net::steady_timer::time_point::max());
  error_code cancelled;
  co_await wake_.async_wait(net::redirect_error(net::use_awaitable, cancelled));
}

std::function<void()> WebSocketClient::Waker(net::io_context& io) {
  return [&io, weak = weak_from_this()] {
    net::post(io, [weak] {
      if (const auto alive = weak.lock()) alive->Wake();
    });
  };
}

}  // namespace cordon::console
