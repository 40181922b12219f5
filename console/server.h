// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/status.h"
#include "console/feed.h"
#include "console/http.h"
#include "console/live_view.h"

namespace cordon {

// The HTTP and WebSocket side of the console: sockets, limits, the feed. What a request means is
// the handler's business.
//
// Threads: "console" owns all sockets (coroutines, never blocks); "console-w1" and "console-w2" run
// the handler, which may wait for the dispatcher. Limits: header 16 KiB, body 256 KiB, 30 s for a
// request, kMaxConnections at once, a bounded queue of requests (503 beyond). Every answer carries
// a strict Content-Security-Policy. A request whose Host is not this server, or that a page of
// another origin sends, is refused: a web page must not be able to act through an operator's
// browser.
//
// There are no accounts yet: whoever reaches the port can act. It therefore listens on loopback
// only, unless `allow_remote_without_accounts` says that something else guards it.
class ConsoleServer {
 public:
  static constexpr size_t kMaxConnections = 1024;

  struct Options {
    std::string listen = "127.0.0.1:8080";  // port 0: any free one
    bool allow_remote_without_accounts = false;
    std::function<HttpResponse(const HttpRequest&)> handle;  // on a worker
    std::function<void()> every_second;                      // on "console"; must not block
    Feed* feed = nullptr;                                    // outlives the server
    OpenLiveView open_live;                                  // on a worker; empty: none
  };
  // INVALID_ARGUMENT: not ADDRESS:PORT. FAILED_PRECONDITION: the address is not loopback.
  // UNAVAILABLE: the port is taken.
  static absl::StatusOr<std::unique_ptr<ConsoleServer>> Start(const Clock& clock, Metrics& metrics,
                                                              Options options);
  ~ConsoleServer();
  ConsoleServer(const ConsoleServer&) = delete;
  ConsoleServer& operator=(const ConsoleServer&) = delete;

  uint16_t port() const;
  std::string url() const;  // "http://127.0.0.1:8080"

 private:
  class Impl;
  explicit ConsoleServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cordon
