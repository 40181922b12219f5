// SPDX-License-Identifier: Apache-2.0
#include "ingest/onvif_http.h"

#include <curl/curl.h>
#include <openssl/ssl.h>

#include <array>
#include <mutex>

#include "absl/strings/escaping.h"
#include "base/check.h"
#include "ingest/rtsp_text.h"
#include "ingest/rtsp_url.h"

namespace cordon {
namespace {

constexpr size_t kMaxUrl = 1000;

struct Body {
  std::string bytes;
  size_t limit = 0;
  bool too_large = false;
};

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  auto& body = *static_cast<Body*>(user);
  if (body.bytes.size() + size * count > body.limit) {
    body.too_large = true;
    return 0;  // ends the transfer
  }
  body.bytes.append(data, size * count);
  return size * count;
}

// OpenSSL asks this instead of its own check when a certificate is pinned.
int IsPinned(X509_STORE_CTX* store, void* user) {
  X509* certificate = X509_STORE_CTX_get0_cert(store);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (certificate == nullptr || X509_digest(certificate, EVP_sha256(), digest.data(), &length) != 1)
    return 0;
  const std::string shown =
      absl::BytesToHexString({reinterpret_cast<const char*>(digest.data()), length});
  if (shown == text::Lower(*static_cast<const std::string*>(user))) return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
  return 0;
}

CURLcode UsePin(CURL*, void* context, void* user) {
  SSL_CTX_set_cert_verify_callback(static_cast<SSL_CTX*>(context), IsPinned, user);
  return CURLE_OK;
}

absl::Status FromCurl(CURLcode code, const char* detail, const HttpUrl& url) {
  const std::string said = fmt::format("{}:{}: {}", url.host, url.port,
                                       detail[0] != '\0' ? detail : curl_easy_strerror(code));
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return absl::PermissionDeniedError(said +
                                         "; if it is the camera's own certificate, pin it with "
                                         "server_certificate_sha256");
    case CURLE_OPERATION_TIMEDOUT:
      return absl::DeadlineExceededError(said);
    default:
      return absl::UnavailableError(said);
  }
}

}  // namespace

struct HttpPoster::Handles {
  CURL* easy = curl_easy_init();
  CURLM* multi = curl_multi_init();
  ~Handles() {
    curl_multi_cleanup(multi);
    curl_easy_cleanup(easy);
  }
};

std::string HttpUrl::Text() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return fmt::format("{}://{}:{}{}", tls ? "https" : "http", name, port, path);
}

absl::StatusOr<HttpUrl> ParseHttpUrl(std::string_view text) {
  const auto bad = [](std::string_view what) {
    return absl::InvalidArgumentError(fmt::format("camera URL: {}", what));
  };
  if (HasUserInfo(text)) {
    return bad(
        "holds a user or password; take them out of the URL and set username and password_file "
        "instead");
  }
  if (text.size() > kMaxUrl) return bad("is too long");
  for (unsigned char c : text) {
    if (c <= 0x20 || c >= 0x7f)
      return bad("holds a blank, control or non-ASCII character; percent-encode it");
  }
  HttpUrl url;
  url.tls = text::StartsWithNoCase(text, "https://");
  if (!url.tls && !text::StartsWithNoCase(text, "http://"))
    return bad("must begin with http:// or https://");
  // The authority has the same form as in RTSP.
  const std::string_view rest = text.substr(text.find("://") + 3);
  ASSIGN_OR_RETURN(
      const RtspUrl parts,
      ParseRtspUrl(fmt::format("rtsp://{}", rest.substr(0, rest.find_first_of("/?#")))));
  url.host = parts.host;
  url.port = parts.port_given ? parts.port : static_cast<uint16_t>(url.tls ? 443 : 80);
  const size_t path = rest.find_first_of("/?");
  if (path != std::string_view::npos)
    url.path = std::string(rest.substr(path, rest.find('#') - path));
  if (url.path.empty() || url.path[0] != '/') url.path = "/" + url.path;
  return url;
}

HttpPoster::HttpPoster(const NetContext& net, HttpAccess access)
    : net_(net), access_(std::move(access)) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  handles_ = std::make_unique<Handles>();
  CORDON_CHECK(handles_->easy != nullptr && handles_->multi != nullptr, "libcurl does not start");
}

HttpPoster::~HttpPoster() = default;

absl::StatusOr<std::string> HttpPoster::ResolveOnce(const HttpUrl& url, BootTime deadline) {
  const std::string key = fmt::format("{}:{}", url.host, url.port);
  if (key == resolved_for_) return resolved_;
  ASSIGN_OR_RETURN(const std::vector<NetAddress> addresses,
                   Resolve(net_, url.host, url.port, deadline));
  absl::Status last = absl::NotFoundError(fmt::format("no address for {}", url.host));
  for (const NetAddress& address : addresses) {
    last = CheckAddress(access_.addresses, url.host, address);
    if (!last.ok()) continue;
    resolved_for_ = key;
    resolved_ = address.family() == AF_INET6 ? "[" + address.Text() + "]" : address.Text();
    return resolved_;
  }
  return last;
}

// What one transfer needs to stay alive until it is over.
struct HttpPoster::Transfer {
  Body received;
  char detail[CURL_ERROR_SIZE] = "";
  curl_slist* headers = nullptr;
  curl_slist* connect_to = nullptr;
  ~Transfer() {
    curl_slist_free_all(headers);
    curl_slist_free_all(connect_to);
  }
};

void HttpPoster::Prepare(Transfer& transfer, const HttpUrl& url, const std::string& address) const {
  CURL* easy = handles_->easy;
  curl_easy_reset(easy);
  transfer.connect_to =
      curl_slist_append(nullptr, fmt::format("::{}:{}", address, url.port).c_str());
  curl_easy_setopt(easy, CURLOPT_URL, url.Text().c_str());
  curl_easy_setopt(easy, CURLOPT_CONNECT_TO, transfer.connect_to);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer.received);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.detail);
  if (!access_.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, access_.ca_file.c_str());
  if (!access_.certificate_sha256.empty()) {
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, UsePin);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA,
                     const_cast<std::string*>(&access_.certificate_sha256));
  }
}

void HttpPoster::Authenticate(const HttpUrl& url) const {
  const bool basic = url.tls || access_.allow_basic_auth;
  CURL* easy = handles_->easy;
  curl_easy_setopt(easy, CURLOPT_HTTPAUTH,
                   static_cast<long>(CURLAUTH_DIGEST | (basic ? CURLAUTH_BASIC : 0)));
  curl_easy_setopt(easy, CURLOPT_USERNAME, access_.username.c_str());
  curl_easy_setopt(easy, CURLOPT_PASSWORD, std::string(access_.password.Reveal()).c_str());
}

absl::Status HttpPoster::Perform(const Transfer& transfer, const HttpUrl& url, BootTime deadline) {
  curl_multi_add_handle(handles_->multi, handles_->easy);
  absl::Status failed;
  int running = 1;
  while (failed.ok()) {
    curl_multi_perform(handles_->multi, &running);
    if (running == 0) break;
    const auto left = std::chrono::ceil<Milliseconds>(deadline - net_.clock.Boot()).count();
    if (net_.wake.signalled()) {
      failed = absl::CancelledError("interrupted");
    } else if (left <= 0) {
      failed =
          absl::DeadlineExceededError(fmt::format("{}:{}: no answer in time", url.host, url.port));
    } else {
      curl_waitfd wake{.fd = net_.wake.fd(), .events = CURL_WAIT_POLLIN, .revents = 0};
      curl_multi_poll(handles_->multi, &wake, 1, static_cast<int>(std::min<int64_t>(left, 1000)),
                      nullptr);
    }
  }
  int queued = 0;
  const CURLMsg* message = curl_multi_info_read(handles_->multi, &queued);
  const CURLcode code = message != nullptr ? message->data.result : CURLE_OK;
  curl_multi_remove_handle(handles_->multi, handles_->easy);
  RETURN_IF_ERROR(failed);
  if (transfer.received.too_large) {
    return absl::DataLossError(fmt::format("{}:{} answers more than {} bytes", url.host, url.port,
                                           transfer.received.limit));
  }
  return code == CURLE_OK ? absl::OkStatus() : FromCurl(code, transfer.detail, url);
}

absl::StatusOr<HttpReply> HttpPoster::PostOnce(const HttpUrl& url, std::string_view content_type,
                                               const std::string& body, BootTime deadline,
                                               size_t limit, bool authenticate) {
  ASSIGN_OR_RETURN(const std::string address, ResolveOnce(url, deadline));
  Transfer transfer;
  transfer.received.limit = limit;
  Prepare(transfer, url, address);
  CURL* easy = handles_->easy;
  transfer.headers =
      curl_slist_append(nullptr, fmt::format("Content-Type: {}", content_type).c_str());
  transfer.headers = curl_slist_append(transfer.headers, "Expect:");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
  if (authenticate) Authenticate(url);
  RETURN_IF_ERROR(Perform(transfer, url, deadline));
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  return HttpReply{static_cast<int>(status), std::move(transfer.received.bytes)};
}

absl::StatusOr<HttpReply> HttpPoster::Post(const HttpUrl& url, std::string_view content_type,
                                           const std::string& body, Milliseconds patience,
                                           size_t limit, bool authenticate) {
  const BootTime deadline = net_.clock.Boot() + patience;
  authenticate = authenticate && !access_.username.empty();
  // libcurl asks for the challenge with an empty body, which cameras without HTTP authentication
  // answer by an error: so it is switched on only where the server asked.
  ASSIGN_OR_RETURN(HttpReply reply, PostOnce(url, content_type, body, deadline, limit,
                                             authenticate && server_asks_));
  if (reply.status != 401 || !authenticate || server_asks_) return reply;
  server_asks_ = true;
  return PostOnce(url, content_type, body, deadline, limit, true);
}

}  // namespace cordon
