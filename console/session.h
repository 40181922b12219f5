// SPDX-License-Identifier: Apache-2.0
// One connection of the console server. Included by the server's own .cc files only: it brings
// Boost with it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/bounded_queue.h"
#include "base/metrics.h"
#include "console/feed.h"
#include "console/http.h"
#include "console/live_view.h"

namespace cordon::console {

// What all connections share; lives as long as the server.
struct Shared {
  const Clock& clock;
  boost::asio::io_context& io;
  BoundedQueue<std::function<void()>>& work;
  std::function<HttpResponse(const HttpRequest&)> handle;
  Feed* feed;
  OpenLiveView open_live;  // empty: no live pictures
  std::vector<std::string> hosts;  // accepted Host names, lower case, without port; empty: any
  prometheus::Counter& requests_total;
  prometheus::Counter& refused_total;
  prometheus::Counter& slow_clients_total;
  prometheus::Counter& slow_viewers_total;
  prometheus::Histogram& request_seconds;
  size_t connections = 0;  // only in "console"
};

// Serves one connection until it ends, fails or is idle too long. Never throws.
boost::asio::awaitable<void> Serve(boost::asio::ip::tcp::socket socket, Shared& shared);

}  // namespace cordon::console
