// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "console/session.h"
#include "console/web_socket.h"

namespace cordon::console {

// What "/api/cameras/ID/live?actor=NAME&pictures=1" asks for, without the address; nothing: another
// target, or one that cannot be read.
std::optional<LiveRequest> LiveRequestOf(std::string_view target);

// One viewer of one camera over a WebSocket (docs/api.md, "Live pictures"). Pieces are taken from
// the node only as fast as the client reads; one for whom pictures had to be left out kTooOften
// times within kSlowSpan is closed with kCloseTooSlow.
boost::asio::awaitable<void> ServeLive(boost::beast::tcp_stream stream, UpgradeRequest request,
                                       LiveRequest what, Shared& shared);

}  // namespace cordon::console
