// SPDX-License-Identifier: Apache-2.0
#include "console/session.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <optional>

#include "absl/strings/ascii.h"
#include "console/feed_session.h"
#include "console/live_session.h"
#include "console/on_worker.h"
#include "dispatch/position_parser.h"

namespace cordon::console {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using net::ip::tcp;

constexpr uint32_t kMaxHeaderBytes = 16 * 1024;
constexpr uint64_t kMaxBodyBytes = 256 * 1024;
constexpr std::chrono::seconds kRequestTimeout{30};

constexpr char kPolicy[] =
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' "
    "data: blob:; media-src 'self' blob:;"
    " font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "
    "'none'";

using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

std::string HostName(std::string_view host) {
  const size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos)
    host = host.substr(0, colon);
  return absl::AsciiStrToLower(absl::string_view(host.data(), host.size()));
}

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

// A page elsewhere must neither rebind its name to this address (Host) nor send for its visitor
// (Origin).
std::optional<std::string> ForeignCause(const Request& request, const Shared& shared) {
  const std::string_view host = View(request[http::field::host]);
  if (!shared.hosts.empty() &&
      std::find(shared.hosts.begin(), shared.hosts.end(), HostName(host)) == shared.hosts.end())
    return "this name is not served here";
  const std::string_view origin = View(request[http::field::origin]);
  if (origin.empty()) return std::nullopt;
  const bool same =
      origin == "http://" + std::string(host) || origin == "https://" + std::string(host);
  if (!same) return "pages of another origin may not use this interface";
  return std::nullopt;
}

HttpRequest Plain(Request&& request, const net::ip::address& address) {
  HttpRequest plain;
  const std::string_view target = View(request.target());
  const size_t mark = target.find('?');
  plain.method = std::string(View(request.method_string()));
  plain.path = std::string(target.substr(0, mark));
  for (const char* name : {"authorization", "content-type", "origin", "range", "if-none-match",
                           "x-limit-d", "x-limit-u"}) {
    const auto found = request.find(name);
    if (found != request.end()) plain.headers[name] = std::string(View(found->value()));
  }
  plain.body = std::move(request.body());
  plain.from_loopback = address.is_loopback();
  plain.address = address.to_string();
  return plain;
}

Response Finish(HttpResponse&& plain, unsigned version, bool keep_alive, bool head) {
  Response response(static_cast<http::status>(plain.status), version);
  response.set(http::field::content_type, plain.content_type);
  response.set("Content-Security-Policy", kPolicy);
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Referrer-Policy", "no-referrer");
  response.set("Cross-Origin-Opener-Policy", "same-origin");
  response.set("Cross-Origin-Resource-Policy", "same-origin");
  response.set(http::field::cache_control, "no-store");
  for (const auto& [name, value] : plain.headers) response.set(name, value);
  const size_t length = plain.body.size();
  if (!head) response.body() = std::move(plain.body);
  response.keep_alive(keep_alive);
  response.content_length(length);
  return response;
}

net::awaitable<HttpResponse> Answer(Request&& request, Shared& shared,
                                    const net::ip::address& address) {
  shared.requests_total.Increment();
  if (const auto cause = ForeignCause(request, shared)) {
    shared.refused_total.Increment();
    co_return ErrorResponse(absl::PermissionDeniedError(*cause));
  }
  const std::string target(View(request.target()));
  const size_t mark = target.find('?');
  auto query =
      ParseQuery(mark == std::string::npos ? "" : std::string_view(target).substr(mark + 1));
  if (!query.ok()) co_return ErrorResponse(query.status());
  HttpRequest plain = Plain(std::move(request), address);
  plain.query = *std::move(query);
  const std::function<HttpResponse()> work = [&shared, plain = std::move(plain)] {
    return shared.handle(plain);
  };
  const std::shared_ptr<HttpResponse> answer = co_await OnWorker<HttpResponse>(shared, work);
  if (answer != nullptr) co_return std::move(*answer);
  co_return ErrorResponse(absl::UnavailableError("too many requests wait; try again"));
}

net::ip::address AddressOf(const tcp::socket& socket) {
  boost::system::error_code error;
  return socket.remote_endpoint(error).address();
}

// True: the request was a WebSocket's and has been served to its end.
net::awaitable<bool> ServedAsWebSocket(beast::tcp_stream& stream, Request& request,
                                       const std::string& address, Shared& shared) {
  if (!beast::websocket::is_upgrade(request) || ForeignCause(request, shared)) co_return false;
  const std::string_view target = View(request.target());
  if (target == "/api/feed") {
    stream.expires_never();
    co_await ServeFeed(std::move(stream), std::move(request), shared);
    co_return true;
  }
  std::optional<LiveRequest> live = LiveRequestOf(target);
  if (!live || !shared.open_live) co_return false;
  live->address = address;
  stream.expires_never();
  co_await ServeLive(std::move(stream), std::move(request), *std::move(live), shared);
  co_return true;
}

// The status for a request that could not be read; 0 when there is nobody to tell.
int StatusOfReadError(const boost::system::error_code& error) {
  if (error == http::error::header_limit) return 431;
  if (error == http::error::body_limit) return 413;
  if (error.category() == http::make_error_code(http::error::bad_method).category() &&
      error != http::error::end_of_stream && error != http::error::partial_message)
    return 400;
  return 0;
}

net::awaitable<void> ServeRequests(tcp::socket socket, Shared& shared) {
  const net::ip::address address = AddressOf(socket);
  beast::tcp_stream stream(std::move(socket));
  beast::flat_buffer buffer(kMaxHeaderBytes + kMaxBodyBytes);
  boost::system::error_code error;
  for (;;) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(kMaxHeaderBytes);
    parser.body_limit(kMaxBodyBytes);
    stream.expires_after(kRequestTimeout);
    co_await http::async_read(stream, buffer, parser,
                              net::redirect_error(net::use_awaitable, error));
    if (error) {
      if (const int status = StatusOfReadError(error)) {
        Response refusal =
            Finish(TextResponse(status, "the request cannot be read\n"), 11, false, false);
        stream.expires_after(std::chrono::seconds(2));
        co_await http::async_write(stream, refusal, net::redirect_error(net::use_awaitable, error));
      }
      break;
    }
    Request request = parser.release();
    const bool keep_alive = request.keep_alive();
    const bool head = request.method() == http::verb::head;
    const unsigned version = request.version();
    if (co_await ServedAsWebSocket(stream, request, address.to_string(), shared)) co_return;
    const BootTime began = shared.clock.Boot();
    HttpResponse plain = co_await Answer(std::move(request), shared, address);
    shared.request_seconds.Observe(
        std::chrono::duration<double>(shared.clock.Boot() - began).count());
    Response response = Finish(std::move(plain), version, keep_alive, head);
    stream.expires_after(kRequestTimeout);
    co_await http::async_write(stream, response, net::redirect_error(net::use_awaitable, error));
    if (error || !keep_alive) break;
  }
  stream.socket().shutdown(tcp::socket::shutdown_send, error);
}

}  // namespace

net::awaitable<void> Serve(tcp::socket socket, Shared& shared) {
  ++shared.connections;
  try {
    co_await ServeRequests(std::move(socket), shared);
  } catch (const std::exception&) {
    // A connection that breaks in the middle of a step; it is gone, the others live on.
    shared.refused_total.Increment();
  }
  --shared.connections;
}

}  // namespace cordon::console
