// SPDX-License-Identifier: Apache-2.0
// HTTP POST to a camera, with the same walls as the RTSP client: resolved once, address checked, no
// redirects, no proxy, a deadline, a size limit, a certificate that verifies or is pinned.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "ingest/rtsp_net.h"
#include "ingest/rtsp_options.h"

namespace cordon {

struct HttpAccess {
  std::string username;
  Secret password;
  bool allow_basic_auth = false;   // Basic in clear; Digest always, Basic over https always
  std::string certificate_sha256;  // pin; empty: verify
  std::string ca_file;
  AddressPolicy addresses;
};

struct HttpUrl {
  bool tls = false;
  std::string host;
  uint16_t port = 80;
  std::string path = "/";
  std::string Text() const;
};

// INVALID_ARGUMENT with what to do; never echoes user info.
absl::StatusOr<HttpUrl> ParseHttpUrl(std::string_view text);

struct HttpReply {
  int status = 0;
  std::string body;
};

// One connection that is kept open between calls. One thread.
class HttpPoster {
 public:
  HttpPoster(const NetContext& net, HttpAccess access);
  ~HttpPoster();
  HttpPoster(const HttpPoster&) = delete;
  HttpPoster& operator=(const HttpPoster&) = delete;

  // The reply whatever its status. UNAVAILABLE (refused, broken), NOT_FOUND, PERMISSION_DENIED
  // (address or certificate), DEADLINE_EXCEEDED, DATA_LOSS (larger than `limit`), CANCELLED.
  // `authenticate`: offer user and password.
  absl::StatusOr<HttpReply> Post(const HttpUrl& url, std::string_view content_type,
                                 const std::string& body, Milliseconds patience, size_t limit,
                                 bool authenticate = true);

 private:
  struct Handles;
  struct Transfer;
  absl::StatusOr<HttpReply> PostOnce(const HttpUrl& url, std::string_view content_type,
                                     const std::string& body, BootTime deadline, size_t limit,
                                     bool authenticate);
  void Prepare(Transfer& transfer, const HttpUrl& url, const std::string& address) const;
  void Authenticate(const HttpUrl& url) const;
  absl::Status Perform(const Transfer& transfer, const HttpUrl& url, BootTime deadline);
  absl::StatusOr<std::string> ResolveOnce(const HttpUrl& url, BootTime deadline);

  const NetContext net_;
  const HttpAccess access_;
  std::unique_ptr<Handles> handles_;
  std::string resolved_for_;  // "host:port" that resolved_ belongs to
  std::string resolved_;
  bool server_asks_ = false;  // for HTTP authentication, as it has answered before
};

}  // namespace cordon
