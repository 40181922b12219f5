// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fault_rtsp_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "base/check.h"

namespace cordon::testing {
namespace {

constexpr int kSliceMs = 20;                  // how soon a stop is seen
constexpr size_t kMostRemembered = 1 << 20;  // of what came and was asked

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

SSL_CTX* MakeTls(const TlsIdentity& identity) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  BIO* certificate =
      BIO_new_mem_buf(identity.certificate.data(), static_cast<int>(identity.certificate.size()));
  BIO* key = BIO_new_mem_buf(identity.key.data(), static_cast<int>(identity.key.size()));
  X509* x509 = PEM_read_bio_X509(certificate, nullptr, nullptr, nullptr);
  EVP_PKEY* pkey = PEM_read_bio_PrivateKey(key, nullptr, nullptr, nullptr);
  CORDON_CHECK(x509 != nullptr && pkey != nullptr, "test certificate does not parse");
  SSL_CTX_use_certificate(context, x509);
  SSL_CTX_use_PrivateKey(context, pkey);
  X509_free(x509);
  EVP_PKEY_free(pkey);
  BIO_free(certificate);
  BIO_free(key);
  return context;
}

}  // namespace

std::string FaultSession::Request::Header(std::string_view name) const {
  const std::string key = "\r\n" + std::string(name) + ": ";
  const size_t at = head.find(key);
  if (at == std::string::npos) return {};
  return head.substr(at + key.size(), head.find("\r\n", at + key.size()) - at - key.size());
}

FaultSession::FaultSession(FaultRtspServer& server, int fd, int number)
    : server_(server), fd_(fd), number_(number) {}

bool FaultSession::StartTls(ssl_ctx_st* context) {
  ssl_ = SSL_new(context);
  SSL_set_fd(ssl_, fd_);
  return SSL_accept(ssl_) == 1;
}

void FaultSession::Close() {
  if (ssl_ != nullptr) SSL_free(ssl_);
  for (int udp : udp_fd_) {
    if (udp >= 0) ::close(udp);
  }
}

long FaultSession::Receive(char* to, size_t size) {
  const LoopbackListener& listener = server_.listener_;
  if (ssl_ == nullptr) return static_cast<long>(listener.Receive(fd_, to, size));
  if (SSL_pending(ssl_) == 0 && !listener.AwaitReadable(fd_)) return 0;
  return std::max<long>(SSL_read(ssl_, to, static_cast<int>(size)), 0);
}

std::optional<FaultSession::Request> FaultSession::Next() {
  while (true) {
    // The client's own reports come interleaved.
    while (pending_.size() >= 4 && pending_[0] == '$') {
      const size_t length = 4 + (static_cast<size_t>(static_cast<uint8_t>(pending_[2])) << 8 |
                                 static_cast<uint8_t>(pending_[3]));
      if (pending_.size() < length) break;
      pending_.erase(0, length);
    }
    const size_t end = pending_.find("\r\n\r\n");
    if (end != std::string::npos && pending_[0] != '$') {
      Request request;
      request.head = pending_.substr(0, end + 2);
      pending_.erase(0, end + 4);
      const size_t blank = request.head.find(' ');
      request.method = request.head.substr(0, blank);
      request.url = request.head.substr(blank + 1, request.head.find(' ', blank + 1) - blank - 1);
      const absl::MutexLock lock(&server_.mutex_);
      if (server_.methods_.size() < kMostRemembered) server_.methods_.push_back(request.method);
      return request;
    }
    char piece[4096];
    const long n = Receive(piece, sizeof piece);
    if (n <= 0) return std::nullopt;
    pending_.append(piece, static_cast<size_t>(n));
    const absl::MutexLock lock(&server_.mutex_);
    if (server_.received_.size() < kMostRemembered)
      server_.received_.append(piece, static_cast<size_t>(n));
  }
}

bool FaultSession::Send(std::string_view bytes) {
  while (!bytes.empty() && !server_.stopping()) {
    pollfd poll{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (::poll(&poll, 1, kSliceMs) <= 0) continue;
    const long n =
        ssl_ != nullptr
            ? SSL_write(ssl_, bytes.data(), static_cast<int>(std::min<size_t>(bytes.size(), 16384)))
            : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && ssl_ == nullptr && errno == EAGAIN) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return bytes.empty();
}

bool FaultSession::Drip(std::string_view bytes, Milliseconds pause) {
  for (char byte : bytes) {
    if (!Send({&byte, 1}) || !Pause(pause)) return false;
  }
  return true;
}

bool FaultSession::Pause(Milliseconds time) { return server_.SleepUnlessStopping(time); }

bool FaultSession::Reply(const Request& request, int status, std::string_view headers,
                         std::string_view body) {
  std::string text = fmt::format("RTSP/1.0 {} {}\r\nCSeq: {}\r\n{}", status,
                                 status == 200 ? "OK" : "No", request.Header("CSeq"), headers);
  if (!body.empty()) text += fmt::format("Content-Length: {}\r\n", body.size());
  return Send(text + "\r\n" + std::string(body));
}

bool FaultSession::Serve(const Request& request, std::string_view sdp) {
  if (request.method == "OPTIONS")
    return Reply(request, 200, "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER\r\n");
  if (request.method == "DESCRIBE")
    return Reply(request, 200, "Content-Type: application/sdp\r\n", sdp);
  if (request.method != "SETUP") return Reply(request, 200, "Session: 42\r\n");
  const std::string transport = request.Header("Transport");
  const size_t ports = transport.find("client_port=");
  if (ports == std::string::npos) {
    const size_t at = transport.find("interleaved=");
    const std::string channels =
        at == std::string::npos
            ? "0-1"
            : transport.substr(at + 12, transport.find_first_of(";\r", at) - at - 12);
    return Reply(
        request, 200,
        fmt::format("Session: 42;timeout=2\r\nTransport: RTP/AVP/TCP;unicast;interleaved={}\r\n",
                    channels));
  }
  client_port_[0] = std::atoi(transport.c_str() + ports + 12);
  client_port_[1] = client_port_[0] + 1;
  int own[2] = {};
  for (int i = 0; i < 2; ++i) {
    udp_fd_[i] = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = Loopback(0);
    socklen_t length = sizeof address;
    ::bind(udp_fd_[i], reinterpret_cast<sockaddr*>(&address), length);
    ::getsockname(udp_fd_[i], reinterpret_cast<sockaddr*>(&address), &length);
    own[i] = ntohs(address.sin_port);
  }
  return Reply(request, 200,
               fmt::format("Session: 42;timeout=2\r\nTransport: "
                           "RTP/AVP;unicast;client_port={}-{};server_port={}-{}\r\n",
                           client_port_[0], client_port_[1], own[0], own[1]));
}

bool FaultSession::ServeUntilPlay(std::string_view sdp) {
  while (const auto request = Next()) {
    if (!Serve(*request, sdp)) return false;
    if (request->method == "PLAY") return true;
  }
  return false;
}

bool FaultSession::SendInterleaved(uint8_t channel, std::string_view packet) {
  std::string frame = {'$', static_cast<char>(channel), static_cast<char>(packet.size() >> 8),
                       static_cast<char>(packet.size() & 0xff)};
  return Send(frame + std::string(packet));
}

bool FaultSession::SendPacket(uint8_t channel, std::string_view packet) {
  if (udp_fd_[channel] < 0) return SendInterleaved(channel, packet);
  const sockaddr_in to = Loopback(client_port_[channel]);
  return ::sendto(udp_fd_[channel], packet.data(), packet.size(), 0,
                  reinterpret_cast<const sockaddr*>(&to), sizeof to) >= 0;
}

void FaultSession::Hold() {
  while (const auto request = Next()) {
    if (!Reply(*request, 200, "Session: 42\r\n") || request->method == "TEARDOWN") return;
  }
}

void FaultSession::Silence() {
  char piece[4096];
  while (Receive(piece, sizeof piece) > 0) {
  }
}

FaultRtspServer::FaultRtspServer(Script script, std::optional<TlsIdentity> tls, uint16_t port)
    : script_(std::move(script)), listener_(port) {
  std::signal(SIGPIPE, SIG_IGN);
  if (tls) tls_ = MakeTls(*tls);
  listener_.Start([this](int fd, int number) {
    FaultSession session(*this, fd, number);
    if (tls_ == nullptr || session.StartTls(tls_)) script_(session);
    session.Close();
  });
}

FaultRtspServer::~FaultRtspServer() {
  {
    const absl::MutexLock lock(&mutex_);
    stop_seen_ = true;
  }
  listener_.Stop();
  if (tls_ != nullptr) SSL_CTX_free(tls_);
}

bool FaultRtspServer::SleepUnlessStopping(Milliseconds time) {
  const absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&stop_seen_), absl::Milliseconds(time.count()));
  return !stop_seen_;
}

std::string FaultRtspServer::Url(std::string_view host) const {
  return fmt::format("{}://{}:{}/camera", tls_ != nullptr ? "rtsps" : "rtsp", host, port());
}

std::vector<std::string> FaultRtspServer::Methods() const {
  const absl::MutexLock lock(&mutex_);
  return methods_;
}

std::string FaultRtspServer::Received() const {
  const absl::MutexLock lock(&mutex_);
  return received_;
}

bool FaultRtspServer::AwaitMethod(std::string_view method, Milliseconds patience) const {
  const absl::MutexLock lock(&mutex_);
  const auto came = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return std::find(methods_.begin(), methods_.end(), method) != methods_.end();
  };
  return mutex_.AwaitWithTimeout(absl::Condition(&came), absl::Milliseconds(patience.count()));
}

}  // namespace cordon::testing
