// SPDX-License-Identifier: Apache-2.0
// RTSP inside HTTP (Apple's "Tunnelling RTSP and RTP through HTTP"): a GET whose endless reply
// carries what the camera says, and a POST whose endless body carries our requests in base64.
#pragma once

#include <functional>
#include <memory>

#include "ingest/rtsp_auth.h"
#include "ingest/rtsp_net.h"
#include "ingest/rtsp_url.h"

namespace cordon {

// Opens both connections with `dial` and joins them into one stream. `patience` for the reply to
// each. Errors as of RtspConnection::Request; INVALID_ARGUMENT when the server knows no tunnel at
// this URL.
absl::StatusOr<std::unique_ptr<ByteStream>> OpenTunnel(
    const NetContext& net, const RtspUrl& url, RtspAuthenticator& authenticator,
    const std::function<absl::StatusOr<std::unique_ptr<ByteStream>>()>& dial,
    Milliseconds patience);

}  // namespace cordon
