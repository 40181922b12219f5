// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace cordon {

// rtsp://HOST[:PORT][/PATH][?QUERY] taken apart. `text` is the URL as it goes into requests.
struct RtspUrl {
  bool tls = false;
  std::string host;     // name, IPv4 or IPv6 without brackets
  uint16_t port = 554;  // 322 for rtsps
  bool port_given = false;
  std::string text;

  // "host:port" or "[v6]:port"
  std::string Authority() const;
};

// INVALID_ARGUMENT with what to do: other scheme, user info (secrets do not belong into URLs), no
// host, bad port, blanks or control characters, longer than 1,000 characters. Never echoes user
// info.
absl::StatusOr<RtspUrl> ParseRtspUrl(std::string_view text);

// True when the authority part of any URL carries "user@" or "user:password@".
bool HasUserInfo(std::string_view url);

// The URL of a control attribute: absolute ones as they are, "*" is the base, others appended to
// the base.
std::string JoinControl(std::string_view base, std::string_view control);

}  // namespace cordon
