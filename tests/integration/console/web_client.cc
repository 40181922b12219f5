// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/console/web_client.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <chrono>

#include "absl/strings/ascii.h"

namespace cordon::testing {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using net::ip::tcp;

constexpr std::chrono::seconds kDeadline{10};

tcp::endpoint EndpointOf(uint16_t port) { return {net::ip::make_address("127.0.0.1"), port}; }

// Runs the one operation that was started until it is done; its own deadline ends it.
void RunToEnd(net::io_context& io) {
  io.restart();
  io.run();
}

}  // namespace

WebAnswer Fetch(uint16_t port, const std::string& method, const std::string& target,
                const std::string& body, const WebHeaders& headers) {
  net::io_context io;
  beast::tcp_stream stream(io);
  beast::error_code error;
  stream.connect(EndpointOf(port), error);
  WebAnswer answer;
  if (error) return answer;
  http::request<http::string_body> request;
  request.method_string(method);
  request.target(target);
  request.version(11);
  request.set(http::field::host, "127.0.0.1:" + std::to_string(port));
  for (const auto& [name, value] : headers) request.set(name, value);
  request.body() = body;
  request.prepare_payload();
  http::response_parser<http::string_body> parser;
  parser.body_limit(64 * 1024 * 1024);
  if (method == "HEAD") parser.skip(true);
  beast::flat_buffer buffer;
  stream.expires_after(kDeadline);
  http::async_write(stream, request, [&](beast::error_code failed, size_t) {
    if (!failed)
      http::async_read(stream, buffer, parser, [&](beast::error_code e, size_t) { error = e; });
    error = failed;
  });
  RunToEnd(io);
  if (error) return answer;
  const auto response = parser.release();
  answer.status = static_cast<int>(response.result_int());
  answer.body = response.body();
  for (const auto& field : response)
    answer.headers[absl::AsciiStrToLower(
        absl::string_view(field.name_string().data(), field.name_string().size()))] =
        std::string(field.value().data(), field.value().size());
  return answer;
}

WebAnswer Send(uint16_t port, const std::string& target, const nlohmann::json& body,
               const WebHeaders& headers) {
  WebHeaders all = {{"Content-Type", "application/json"}};
  all.insert(headers.begin(), headers.end());
  return Fetch(port, "POST", target, body.dump(), all);
}

std::string Exchange(uint16_t port, const std::string& bytes) {
  net::io_context io;
  beast::tcp_stream stream(io);
  beast::error_code error;
  stream.connect(EndpointOf(port), error);
  if (error) return {};
  stream.expires_after(std::chrono::seconds(5));
  net::async_write(stream, net::buffer(bytes), [&](beast::error_code e, size_t) {
    if (!e) stream.socket().shutdown(tcp::socket::shutdown_send, e);
  });
  RunToEnd(io);
  std::string all;
  std::array<char, 4096> part{};
  beast::error_code read_error;
  while (!read_error && all.size() < 1024 * 1024) {
    stream.expires_after(std::chrono::seconds(5));
    stream.async_read_some(net::buffer(part), [&](beast::error_code e, size_t count) {
      read_error = e;
      all.append(part.data(), count);
    });
    RunToEnd(io);
  }
  return all;
}

class SocketClient::Impl {
 public:
  Impl(uint16_t port, const std::string& target, int receive_buffer, const std::string& origin)
      : socket_(io_) {
    auto& lowest = beast::get_lowest_layer(socket_);
    beast::error_code error;
    lowest.socket().open(tcp::v4(), error);
    if (receive_buffer > 0)
      lowest.socket().set_option(net::socket_base::receive_buffer_size(receive_buffer), error);
    lowest.connect(EndpointOf(port), error);
    if (error) return;
    lowest.expires_after(kDeadline);
    socket_.read_message_max(64 * 1024 * 1024);
    socket_.set_option(
        beast::websocket::stream_base::decorator([origin](beast::websocket::request_type& request) {
          if (!origin.empty()) request.set(http::field::origin, origin);
        }));
    socket_.async_handshake("127.0.0.1:" + std::to_string(port), target,
                            [&](beast::error_code e) { connected = !e; });
    RunToEnd(io_);
  }

  std::optional<Message> Next(int wait_ms) {
    if (!connected) return std::nullopt;
    bool got = false;
    beast::get_lowest_layer(socket_).expires_after(std::chrono::milliseconds(wait_ms));
    buffer_.clear();
    socket_.async_read(buffer_, [&](beast::error_code error, size_t) {
      got = !error;
      connected = !error;
    });
    RunToEnd(io_);
    if (!got) return std::nullopt;
    return Message{socket_.got_text(), beast::buffers_to_string(buffer_.data())};
  }

  bool connected = false;
  const beast::websocket::close_reason& reason() const { return socket_.reason(); }

 private:
  net::io_context io_;
  beast::websocket::stream<beast::tcp_stream> socket_;
  beast::flat_buffer buffer_;
};

SocketClient::SocketClient(uint16_t port, const std::string& target, int receive_buffer,
                           const std::string& origin)
    : impl_(std::make_unique<Impl>(port, target, receive_buffer, origin)) {}
SocketClient::~SocketClient() = default;
bool SocketClient::connected() const { return impl_->connected; }
std::optional<SocketClient::Message> SocketClient::Next(int wait_ms) {
  return impl_->Next(wait_ms);
}
int SocketClient::close_code() const {
  return impl_->reason() ? static_cast<int>(impl_->reason().code) : 0;
}
std::string SocketClient::close_reason() const {
  const auto& reason = impl_->reason().reason;
  return {reason.data(), reason.size()};
}

std::optional<nlohmann::json> FeedClient::Next(int wait_ms) {
  const std::optional<SocketClient::Message> message = socket_.Next(wait_ms);
  if (!message) return std::nullopt;
  return nlohmann::json::parse(message->bytes, nullptr, false);
}

std::optional<nlohmann::json> FeedClient::NextOf(const std::string& type) {
  const auto give_up = std::chrono::steady_clock::now() + kDeadline;
  while (std::chrono::steady_clock::now() < give_up) {
    std::optional<nlohmann::json> message = Next();
    if (!message) return std::nullopt;
    if ((*message)["type"] == type) return message;
  }
  return std::nullopt;
}

}  // namespace cordon::testing
