// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtsp_auth.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <utility>

#include "absl/strings/escaping.h"
#include "base/check.h"
#include "ingest/rtsp_text.h"

namespace cordon {
namespace {

constexpr size_t kMaxParameter = 512;
constexpr size_t kMaxParameters = 24;
constexpr int kMostRefusals = 3;  // the first 401, a stale nonce and one more

// Takes `name=value` or `name="value"` off the front; false at the end or when it is broken.
bool TakeParameter(std::string_view& rest, std::string& name, std::string& value) {
  while (!rest.empty() && (rest.front() == ',' || text::IsBlank(rest.front())))
    rest.remove_prefix(1);
  const size_t equals = rest.find('=');
  if (equals == std::string_view::npos) return false;
  name = text::Lower(text::Trim(rest.substr(0, equals)));
  rest = text::TrimLeft(rest.substr(equals + 1));
  value.clear();
  if (rest.empty() || rest.front() != '"') {
    const size_t end = std::min(rest.find(','), rest.size());
    value = std::string(text::Trim(rest.substr(0, end)));
    rest.remove_prefix(end);
    return value.size() <= kMaxParameter;
  }
  rest.remove_prefix(1);
  while (!rest.empty() && rest.front() != '"') {
    if (rest.front() == '\\' && rest.size() > 1) rest.remove_prefix(1);
    value += rest.front();
    rest.remove_prefix(1);
  }
  if (rest.empty() || value.size() > kMaxParameter) return false;
  rest.remove_prefix(1);
  return true;
}

bool Apply(AuthChallenge& challenge, const std::string& name, const std::string& value) {
  if (name == "realm") challenge.realm = value;
  if (name == "nonce") challenge.nonce = value;
  if (name == "opaque") challenge.opaque = value;
  if (name == "stale") challenge.stale = text::EqualsNoCase(value, "true");
  if (name == "qop") challenge.qop_auth = text::Lower(value).find("auth") != std::string::npos;
  if (name != "algorithm") return true;
  std::string_view algorithm = value;
  if (algorithm.size() > 5 && text::EndsWithNoCase(algorithm, "-sess")) {
    challenge.session = true;
    algorithm.remove_suffix(5);
  }
  challenge.sha256 = text::EqualsNoCase(algorithm, "SHA-256");
  return challenge.sha256 || text::EqualsNoCase(algorithm, "MD5");
}

// What stands between quotes must not end them.
std::string Quoted(std::string_view text) {
  std::string safe = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') safe += '\\';
    safe += c;
  }
  return safe + '"';
}

std::string ClientNonce() {
  std::array<unsigned char, 16> bytes{};
  CORDON_CHECK(RAND_bytes(bytes.data(), bytes.size()) == 1, "no random numbers");
  return absl::BytesToHexString({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace

std::string HashHex(bool sha256, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  const EVP_MD* kind = sha256 ? EVP_sha256() : EVP_md5();
  CORDON_CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, kind, nullptr) == 1,
               "digest failed");
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest.data()), length});
}

std::string Base64(std::string_view bytes) {
  return absl::Base64Escape({bytes.data(), bytes.size()});
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  std::string bytes;
  if (!absl::Base64Unescape({text.data(), text.size()}, &bytes)) return std::nullopt;
  return bytes;
}

std::optional<AuthChallenge> ParseChallenge(std::string_view header) {
  AuthChallenge challenge;
  header = text::Trim(header);
  if (text::StartsWithNoCase(header, "Basic")) {
    challenge.scheme = AuthChallenge::Scheme::kBasic;
    return challenge;
  }
  if (!text::StartsWithNoCase(header, "Digest ")) return std::nullopt;
  header.remove_prefix(7);
  std::string name;
  std::string value;
  for (size_t n = 0; n < kMaxParameters && TakeParameter(header, name, value); ++n) {
    if (!Apply(challenge, name, value)) return std::nullopt;
  }
  if (challenge.nonce.empty()) return std::nullopt;
  return challenge;
}

RtspAuthenticator::RtspAuthenticator(std::string username, Secret password, bool basic_allowed)
    : username_(std::move(username)),
      password_(std::move(password)),
      basic_allowed_(basic_allowed) {}

absl::Status RtspAuthenticator::OnUnauthorized(const std::vector<std::string_view>& headers) {
  if (username_.empty()) {
    return absl::UnauthenticatedError("the camera asks for a user; set username and password_file");
  }
  std::optional<AuthChallenge> best;
  bool basic_offered = false;
  for (std::string_view header : headers) {
    std::optional<AuthChallenge> challenge = ParseChallenge(header);
    if (!challenge) continue;
    if (challenge->scheme == AuthChallenge::Scheme::kBasic) {
      basic_offered = true;
      if (!basic_allowed_ || best) continue;
    } else if (best && best->scheme == AuthChallenge::Scheme::kDigest &&
               (best->sha256 || !challenge->sha256)) {
      continue;
    }
    best = std::move(challenge);
  }
  if (!best) {
    return absl::UnauthenticatedError(
        basic_offered
            ? "the camera offers only Basic authentication, which shows the password to the "
              "network; use rtsps:// or set allow_basic_auth: true"
            : "the camera offers no authentication that is known here (Digest MD5 or "
              "SHA-256, Basic)");
  }
  // A refused answer is final, or a camera would lock the account; only "stale" earns another try.
  if (++refusals_ > 1 && (!best->stale || refusals_ > kMostRefusals)) {
    return absl::UnauthenticatedError("the camera refuses the user or password");
  }
  nonce_count_ = 0;
  challenge_ = std::move(best);
  return absl::OkStatus();
}

std::string RtspAuthenticator::Authorization(std::string_view method, std::string_view uri) {
  if (!challenge_) return {};
  const AuthChallenge& c = *challenge_;
  if (c.scheme == AuthChallenge::Scheme::kBasic) {
    return "Basic " + Base64(fmt::format("{}:{}", username_, password_.Reveal()));
  }
  const std::string cnonce = ClientNonce();
  const std::string count = fmt::format("{:08x}", ++nonce_count_);
  std::string ha1 =
      HashHex(c.sha256, fmt::format("{}:{}:{}", username_, c.realm, password_.Reveal()));
  if (c.session) ha1 = HashHex(c.sha256, fmt::format("{}:{}:{}", ha1, c.nonce, cnonce));
  const std::string ha2 = HashHex(c.sha256, fmt::format("{}:{}", method, uri));
  const std::string response =
      c.qop_auth
          ? HashHex(c.sha256, fmt::format("{}:{}:{}:{}:auth:{}", ha1, c.nonce, count, cnonce, ha2))
          : HashHex(c.sha256, fmt::format("{}:{}:{}", ha1, c.nonce, ha2));
  std::string header =
      fmt::format("Digest username={}, realm={}, nonce={}, uri={}, response=\"{}\"",
                  Quoted(username_), Quoted(c.realm), Quoted(c.nonce), Quoted(uri), response);
  if (c.sha256 || c.session) {
    header +=
        fmt::format(", algorithm={}{}", c.sha256 ? "SHA-256" : "MD5", c.session ? "-sess" : "");
  }
  if (!c.opaque.empty()) header += fmt::format(", opaque={}", Quoted(c.opaque));
  if (c.qop_auth) header += fmt::format(", qop=auth, nc={}, cnonce=\"{}\"", count, cnonce);
  return header;
}

}  // namespace cordon
