// SPDX-License-Identifier: Apache-2.0
#include "ingest/tls_stream.h"
#include "ingest/rtsp_text.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <csignal>

#include "absl/strings/escaping.h"

namespace cordon {
namespace {

struct SslContextDeleter {
  void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
};
struct SslDeleter {
  void operator()(SSL* p) const { SSL_free(p); }
};
struct CertificateDeleter {
  void operator()(X509* p) const { X509_free(p); }
};
using SslContextPtr = std::unique_ptr<SSL_CTX, SslContextDeleter>;
using SslPtr = std::unique_ptr<SSL, SslDeleter>;
using CertificatePtr = std::unique_ptr<X509, CertificateDeleter>;

std::string LastTlsError() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "connection closed";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : fmt::format("TLS error {:#x}", code);
}

std::string Fingerprint(X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &length) != 1) return {};
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest.data()), length});
}

bool IsAddress(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

// OpenSSL writes without MSG_NOSIGNAL: a camera that hangs up must not end the process.
void IgnoreBrokenPipe() {
  [[maybe_unused]] static const auto previous = std::signal(SIGPIPE, SIG_IGN);
}

class TlsStream final : public ByteStream {
 public:
  TlsStream(OwnedFd fd, SslContextPtr context, SslPtr ssl)
      : fd_(std::move(fd)), context_(std::move(context)), ssl_(std::move(ssl)) {}

  absl::StatusOr<size_t> TryRead(std::span<uint8_t> buffer) override {
    ERR_clear_error();
    size_t n = 0;
    if (SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &n) == 1) return n;
    return Again(0, read_wants_write_);
  }

  absl::StatusOr<size_t> TryWrite(std::string_view bytes) override {
    ERR_clear_error();
    size_t n = 0;
    if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &n) == 1) return n;
    bool wants_write = false;
    absl::StatusOr<size_t> result = Again(0, wants_write);
    write_wants_read_ = !wants_write;
    return result;
  }

  WaitFor ReadInterest() const override { return {.fd = fd_.get(), .writable = read_wants_write_}; }
  WaitFor WriteInterest() const override {
    return {.fd = fd_.get(), .writable = !write_wants_read_};
  }
  int fd() const override { return fd_.get(); }

 private:
  absl::StatusOr<size_t> Again(int result, bool& wants_write) {
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ:
        wants_write = false;
        return size_t{0};
      case SSL_ERROR_WANT_WRITE:
        wants_write = true;
        return size_t{0};
      case SSL_ERROR_ZERO_RETURN:
        return absl::UnavailableError("the camera closed the connection");
      default:
        return absl::UnavailableError(fmt::format("the TLS connection broke: {}", LastTlsError()));
    }
  }

  OwnedFd fd_;
  SslContextPtr context_;
  SslPtr ssl_;
  bool read_wants_write_ = false;
  bool write_wants_read_ = false;
};

absl::Status SetUp(SSL_CTX* context, SSL* ssl, const TlsPolicy& policy) {
  SSL_set_min_proto_version(ssl, TLS1_2_VERSION);
  // We judge after the handshake, to be able to say what was wrong with which certificate.
  SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  const bool loaded = policy.ca_file.empty()
                          ? X509_STORE_set_default_paths(store) == 1
                          : X509_STORE_load_file(store, policy.ca_file.c_str()) == 1;
  if (!loaded) {
    return absl::FailedPreconditionError(
        fmt::format("cannot read the authorities of {}: {}",
                    policy.ca_file.empty() ? "the system" : policy.ca_file, LastTlsError()));
  }
  X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (IsAddress(policy.host)) {
    X509_VERIFY_PARAM_set1_ip_asc(parameters, policy.host.c_str());
  } else {
    X509_VERIFY_PARAM_set1_host(parameters, policy.host.c_str(), policy.host.size());
    SSL_set_tlsext_host_name(ssl, policy.host.c_str());
  }
  return absl::OkStatus();
}

absl::Status Judge(SSL* ssl, const TlsPolicy& policy) {
  const CertificatePtr certificate(SSL_get1_peer_certificate(ssl));
  if (certificate == nullptr) return absl::PermissionDeniedError("the camera shows no certificate");
  const std::string fingerprint = Fingerprint(certificate.get());
  if (!policy.certificate_sha256.empty()) {
    if (text::Lower(policy.certificate_sha256) == fingerprint) return absl::OkStatus();
    return absl::PermissionDeniedError(fmt::format(
        "the camera's certificate is not the pinned one; it now shows sha256 {}", fingerprint));
  }
  const long result = SSL_get_verify_result(ssl);
  if (result == X509_V_OK) return absl::OkStatus();
  return absl::PermissionDeniedError(
      fmt::format("the camera's certificate is refused: {}; if it is the camera's own, pin it with "
                  "server_certificate_sha256: {}",
                  X509_verify_cert_error_string(result), fingerprint));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ByteStream>> ConnectTls(const NetContext& net, OwnedFd fd,
                                                       const TlsPolicy& policy, BootTime deadline) {
  IgnoreBrokenPipe();
  SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return absl::InternalError("no TLS context");
  SslPtr ssl(SSL_new(context.get()));
  RETURN_IF_ERROR(SetUp(context.get(), ssl.get(), policy));
  SSL_set_mode(ssl.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_set_fd(ssl.get(), fd.get());
  while (true) {
    ERR_clear_error();
    const int result = SSL_connect(ssl.get());
    if (result == 1) break;
    const int error = SSL_get_error(ssl.get(), result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      return absl::UnavailableError(fmt::format("no TLS with the camera: {}", LastTlsError()));
    }
    WaitFor wait{.fd = fd.get(), .writable = error == SSL_ERROR_WANT_WRITE};
    RETURN_IF_ERROR(Wait(net, {&wait, 1}, deadline, "TLS handshake"));
  }
  RETURN_IF_ERROR(Judge(ssl.get(), policy));
  return std::unique_ptr<ByteStream>(
      std::make_unique<TlsStream>(std::move(fd), std::move(context), std::move(ssl)));
}

}  // namespace cordon
