// SPDX-License-Identifier: Apache-2.0
// TLS over a connected socket, with a certificate check that really refuses (libavformat's does
// not, see docs/decisions/0003-own-rtsp-client.md).
#pragma once

#include <memory>
#include <string>

#include "ingest/rtsp_net.h"

namespace cordon {

struct TlsPolicy {
  std::string host;  // name or address that the certificate must be for
  std::string
      certificate_sha256;  // pin, 64 hex digits; when set, chain, name and dates do not matter
  std::string ca_file;     // PEM; empty: the system's authorities
};

// Handshake (TLS 1.2 or newer). PERMISSION_DENIED with the reason and the certificate's own SHA-256
// (so that a person can compare and pin it) when the certificate is refused; no byte of RTSP or
// password has been sent then. UNAVAILABLE when the other side does not speak TLS;
// DEADLINE_EXCEEDED; CANCELLED.
absl::StatusOr<std::unique_ptr<ByteStream>> ConnectTls(const NetContext& net, OwnedFd fd,
                                                       const TlsPolicy& policy, BootTime deadline);

}  // namespace cordon
