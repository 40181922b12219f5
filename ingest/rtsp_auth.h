// SPDX-License-Identifier: Apache-2.0
// HTTP authentication as cameras use it over RTSP and HTTP: Digest (RFC 7616: MD5 and SHA-256, with
// and without qop) and Basic (RFC 7617).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "base/status.h"

namespace cordon {

struct AuthChallenge {
  enum class Scheme { kBasic, kDigest };
  Scheme scheme = Scheme::kDigest;
  std::string realm;
  std::string nonce;
  std::string opaque;
  bool sha256 = false;
  bool session = false;  // "-sess" algorithms
  bool qop_auth = false;
  bool stale = false;
};

// Reads one WWW-Authenticate value; nullopt when it is a scheme or algorithm we do not know, or
// broken.
std::optional<AuthChallenge> ParseChallenge(std::string_view header);

// Answers challenges for one camera. One thread.
class RtspAuthenticator {
 public:
  // `basic_allowed`: over TLS, or the user's decision.
  RtspAuthenticator(std::string username, Secret password, bool basic_allowed);

  // Chooses the best of a 401's challenges (Digest SHA-256, Digest MD5, Basic). UNAUTHENTICATED
  // with the reason when there is none that may be answered, no user is configured, or the last
  // answer to this very server was refused (unless it says stale, which is believed twice in a row
  // and no more).
  absl::Status OnUnauthorized(const std::vector<std::string_view>& headers);

  // The server took the last answer.
  void OnAccepted() { refusals_ = 0; }

  // Value of the Authorization header; empty as long as nobody asked.
  std::string Authorization(std::string_view method, std::string_view uri);

 private:
  const std::string username_;
  const Secret password_;
  const bool basic_allowed_;
  std::optional<AuthChallenge> challenge_;
  int refusals_ = 0;
  uint32_t nonce_count_ = 0;
};

// Lower-case hex of the digest; `sha256` false: MD5.
std::string HashHex(bool sha256, std::string_view bytes);
std::string Base64(std::string_view bytes);
// Strict alphabet with or without padding; nullopt otherwise.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace cordon
