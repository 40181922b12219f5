// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include "console/session.h"

namespace cordon::console {

// WebSocket close codes of the feed, beside the standard ones.
inline constexpr uint16_t kCloseResync =
    4001;  // fell too far behind: connect again and start from the snapshot

// One console on the feed: a snapshot, then every update in order. A client that does not read is
// closed with kCloseResync (or dropped when even that does not pass in time); it costs the others
// nothing.
boost::asio::awaitable<void> ServeFeed(
    boost::beast::tcp_stream stream,
    boost::beast::http::request<boost::beast::http::string_body> request, Shared& shared);

}  // namespace cordon::console
