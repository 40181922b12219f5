// SPDX-License-Identifier: Apache-2.0
// A live camera over RTSP: our own client (docs/decisions/0003-own-rtsp-client.md) behind
// PacketSource.
#pragma once

#include <memory>

#include "base/clock.h"
#include "ingest/packet_source.h"
#include "ingest/rtsp_options.h"

namespace cordon {

// One connection to one camera. Open and Read block on the network, with the deadlines of the
// options; Interrupt ends them from any thread. H.264 and H.265 over TCP (interleaved), UDP or an
// HTTP tunnel; the first video of the session description; audio and metadata are not set up. No
// redirects are followed. Credentials are sent as Digest; as Basic only over TLS or with
// allow_basic_auth. The destructor says TEARDOWN, for at most deadlines.teardown. Packet.camera is
// set once a sender report with a believable wall clock came.
// PacketSource::rtsp_stats() gives the totals.
std::unique_ptr<PacketSource> NewRtspSource(RtspOptions options, const Clock& clock);

}  // namespace cordon
