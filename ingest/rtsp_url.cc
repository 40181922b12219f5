// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtsp_url.h"
#include "ingest/rtsp_text.h"

#include <algorithm>
#include <charconv>

namespace cordon {
namespace {

constexpr size_t kMaxUrl = 1000;  // fits into one request line of our 1 KiB limit

std::string_view AuthorityOf(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  std::string_view rest = url.substr(scheme + 3);
  return rest.substr(0, rest.find_first_of("/?#"));
}

absl::Status Bad(std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("camera URL: {}", what));
}

absl::Status SplitHostPort(std::string_view authority, RtspUrl& url) {
  std::string_view port;
  if (authority.starts_with("[")) {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos) return Bad("the IPv6 address lacks its closing ']'");
    url.host = std::string(authority.substr(1, close - 1));
    std::string_view after = authority.substr(close + 1);
    if (!after.empty() && !after.starts_with(":")) {
      return Bad("something follows the IPv6 address that is no :PORT");
    }
    if (!after.empty()) port = after.substr(1);
  } else {
    const size_t colon = authority.find(':');
    url.host = std::string(authority.substr(0, colon));
    if (colon != std::string_view::npos) port = authority.substr(colon + 1);
  }
  if (url.host.empty()) return Bad("has no host; write rtsp://HOST/PATH");
  if (port.empty()) return absl::OkStatus();
  unsigned number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size() || number == 0 || number > 65535) {
    return Bad(fmt::format("'{}' is no port; use 1 to 65535", port));
  }
  url.port = static_cast<uint16_t>(number);
  url.port_given = true;
  return absl::OkStatus();
}

}  // namespace

std::string RtspUrl::Authority() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

bool HasUserInfo(std::string_view url) {
  return AuthorityOf(url).find('@') != std::string_view::npos;
}

absl::StatusOr<RtspUrl> ParseRtspUrl(std::string_view text) {
  if (HasUserInfo(text)) {
    return Bad(
        "holds a user or password; take them out of the URL and set username and password_file "
        "instead");
  }
  if (text.size() > kMaxUrl) return Bad(fmt::format("is longer than {} characters", kMaxUrl));
  const bool plain =
      std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
  if (!plain) return Bad("holds a blank, control or non-ASCII character; percent-encode it");
  RtspUrl url;
  if (text::StartsWithNoCase(text, "rtsps://")) {
    url.tls = true;
    url.port = 322;
  } else if (!text::StartsWithNoCase(text, "rtsp://")) {
    return Bad("must begin with rtsp:// or rtsps://");
  }
  RETURN_IF_ERROR(SplitHostPort(AuthorityOf(text), url));
  url.text = std::string(text.substr(0, text.find('#')));
  return url;
}

std::string JoinControl(std::string_view base, std::string_view control) {
  if (control.empty() || control == "*") return std::string(base);
  if (text::StartsWithNoCase(control, "rtsp://") || text::StartsWithNoCase(control, "rtsps://")) {
    return std::string(control);
  }
  // Cameras expect the control appended to the whole base, query included, as every player does.
  std::string url(base);
  if (!url.ends_with("/")) url += '/';
  url += control.starts_with("/") ? control.substr(1) : control;
  return url;
}

}  // namespace cordon
