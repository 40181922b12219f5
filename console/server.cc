// SPDX-License-Identifier: Apache-2.0
#include "console/server.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <thread>

#include "absl/strings/numbers.h"
#include "base/log.h"
#include "console/session.h"

namespace cordon {
namespace {

namespace net = boost::asio;
using boost::system::error_code;
using net::ip::tcp;

// Requests that wait for a worker. Beyond, the answer is 503 at once.
constexpr size_t kWaitingRequests = 256;
constexpr int kWorkers = 2;

struct Endpoint {
  tcp::endpoint endpoint;
  std::string host;
};

absl::StatusOr<Endpoint> ParseListen(const std::string& listen) {
  const size_t colon = listen.rfind(':');
  uint32_t port = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(listen.substr(colon + 1), &port) ||
      port > 65535)
    return absl::InvalidArgumentError(
        fmt::format("console.listen: '{}' is not ADDRESS:PORT, as 127.0.0.1:8080", listen));
  std::string host = listen.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  error_code error;
  const auto address = net::ip::make_address(host, error);
  if (error)
    return absl::InvalidArgumentError(
        fmt::format("console.listen: '{}' is not an address; give digits, as 127.0.0.1", host));
  return Endpoint{{address, static_cast<uint16_t>(port)}, host};
}

}  // namespace

class ConsoleServer::Impl {
 public:
  Impl(const Clock& clock, Metrics& metrics, Options options)
      : options_(std::move(options)),
        work_(kWaitingRequests),
        shared_{clock,
                io_,
                work_,
                options_.handle,
                options_.feed,
                options_.open_live,
                {},
                metrics.Counter("cordon_http_requests_total", "Requests to the console"),
                metrics.Counter(
                    "cordon_http_refused_total",
                    "Requests refused for overload, a foreign origin or a broken connection"),
                metrics.Counter("cordon_feed_slow_clients_total",
                                "Consoles closed because they fell behind"),
                metrics.Counter("cordon_live_slow_viewers_total",
                                "Live pictures closed because the viewer was too slow"),
                metrics.Latency("cordon_http_request_seconds",
                                "From a request read to its answer ready")},
        acceptor_(io_),
        tick_(io_) {}

  absl::Status Listen() {
    ASSIGN_OR_RETURN(const Endpoint at, ParseListen(options_.listen));
    if (at.endpoint.address().is_loopback()) {
      shared_.hosts = {"localhost", "127.0.0.1", "[::1]", at.host};
    } else if (!options_.allow_remote_without_accounts) {
      return absl::FailedPreconditionError(fmt::format(
          "console.listen: {} can be reached by others and the console has no accounts yet; "
          "listen on 127.0.0.1 and put a proxy that asks for names before it",
          options_.listen));
    }
    error_code error;
    acceptor_.open(at.endpoint.protocol(), error);
    if (!error) acceptor_.set_option(net::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(at.endpoint, error);
    if (!error) acceptor_.listen(net::socket_base::max_listen_connections, error);
    if (error)
      return absl::UnavailableError(fmt::format(
          "console.listen: {}: {}; is another Cordon running?", options_.listen, error.message()));
    url_ = fmt::format("http://{}:{}",
                       at.endpoint.address().is_v6() ? "[" + at.host + "]" : at.host, port());
    return absl::OkStatus();
  }

  void Run() {
    net::co_spawn(io_, Accept(), net::detached);
    if (options_.every_second) net::co_spawn(io_, Tick(), net::detached);
    thread_ = std::thread([this] {
      SetThreadName("console");
      io_.run();
    });
    for (int i = 1; i <= kWorkers; ++i) {
      workers_.emplace_back([this, i] {
        SetThreadName(fmt::format("console-w{}", i).c_str());
        while (!work_.closed() || work_.size() > 0)
          if (auto task = work_.Pop(Milliseconds(500))) (*task)();
      });
    }
  }

  ~Impl() {
    work_.Close();
    for (std::thread& worker : workers_) worker.join();
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

  uint16_t port() const {
    error_code error;
    return acceptor_.local_endpoint(error).port();
  }
  const std::string& url() const { return url_; }

 private:
  net::awaitable<void> Accept() {
    error_code error;
    for (;;) {
      tcp::socket socket =
          co_await acceptor_.async_accept(net::redirect_error(net::use_awaitable, error));
      if (error == net::error::operation_aborted) co_return;
      if (error) {
        // Out of descriptors, most likely: wait for some to be closed instead of spinning.
        log::Warning("a connection could not be accepted", {{"cause", error.message()}});
        net::steady_timer pause(io_, std::chrono::milliseconds(200));
        co_await pause.async_wait(net::redirect_error(net::use_awaitable, error));
        continue;
      }
      if (shared_.connections >= kMaxConnections) {
        shared_.refused_total.Increment();
        continue;
      }
      socket.set_option(tcp::no_delay(true), error);
      net::co_spawn(io_, console::Serve(std::move(socket), shared_), net::detached);
    }
  }

  net::awaitable<void> Tick() {
    error_code error;
    while (!error) {
      options_.every_second();
      tick_.expires_after(std::chrono::seconds(1));
      co_await tick_.async_wait(net::redirect_error(net::use_awaitable, error));
    }
  }

  const Options options_;
  BoundedQueue<std::function<void()>> work_;
  console::Shared shared_;  // before io_: connections end with io_ and use it to their last breath
  net::io_context io_{1};
  tcp::acceptor acceptor_;
  net::steady_timer tick_;
  std::string url_;
  std::thread thread_;
  std::vector<std::thread> workers_;
};

ConsoleServer::ConsoleServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ConsoleServer::~ConsoleServer() = default;

absl::StatusOr<std::unique_ptr<ConsoleServer>> ConsoleServer::Start(const Clock& clock,
                                                                    Metrics& metrics,
                                                                    Options options) {
  auto impl = std::make_unique<Impl>(clock, metrics, std::move(options));
  RETURN_IF_ERROR(impl->Listen());
  impl->Run();
  return std::unique_ptr<ConsoleServer>(new ConsoleServer(std::move(impl)));
}

uint16_t ConsoleServer::port() const { return impl_->port(); }
std::string ConsoleServer::url() const { return impl_->url(); }

}  // namespace cordon
