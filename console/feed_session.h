// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "console/session.h"
#include "console/web_socket.h"

namespace cordon::console {

// One console on the feed: a snapshot, then every update in order. A client that does not read is
// closed with kCloseResync (or dropped when even that does not pass in time); it costs the others
// nothing.
boost::asio::awaitable<void> ServeFeed(boost::beast::tcp_stream stream, UpgradeRequest request,
                                       Shared& shared);

}  // namespace cordon::console
