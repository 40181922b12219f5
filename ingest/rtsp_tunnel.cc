// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtsp_tunnel.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "base/check.h"
#include "ingest/rtsp_message.h"

namespace cordon {
namespace {

using Dial = std::function<absl::StatusOr<std::unique_ptr<ByteStream>>()>;

// Requests that the camera has not taken yet; they are small, and few.
constexpr size_t kMostPending = 64 * 1024;

class TunnelStream final : public ByteStream {
 public:
  // `rest`: what came right behind the GET's reply.
  TunnelStream(std::unique_ptr<ByteStream> get, std::unique_ptr<ByteStream> post,
               std::vector<uint8_t> rest)
      : get_(std::move(get)), post_(std::move(post)), rest_(std::move(rest)) {}

  absl::StatusOr<size_t> TryRead(std::span<uint8_t> buffer) override {
    if (rest_.empty()) return get_->TryRead(buffer);
    const size_t n = std::min(buffer.size(), rest_.size());
    std::memcpy(buffer.data(), rest_.data(), n);
    rest_.erase(rest_.begin(), rest_.begin() + static_cast<ptrdiff_t>(n));
    return n;
  }

  // Takes all or, while much is pending, nothing: a base64 group must not be split between two
  // writes.
  absl::StatusOr<size_t> TryWrite(std::string_view bytes) override {
    RETURN_IF_ERROR(Flush());
    if (pending_.size() > kMostPending) return size_t{0};
    pending_ += Base64(bytes);
    RETURN_IF_ERROR(Flush());
    return bytes.size();
  }

  WaitFor ReadInterest() const override { return get_->ReadInterest(); }
  WaitFor WriteInterest() const override { return post_->WriteInterest(); }
  int fd() const override { return post_->fd(); }

 private:
  absl::Status Flush() {
    while (!pending_.empty()) {
      ASSIGN_OR_RETURN(const size_t n, post_->TryWrite(pending_));
      if (n == 0) break;
      pending_.erase(0, n);
    }
    return absl::OkStatus();
  }

  std::unique_ptr<ByteStream> get_;
  std::unique_ptr<ByteStream> post_;
  std::vector<uint8_t> rest_;
  std::string pending_;
};

std::string PathOf(const std::string& url) {
  const size_t host = url.find("://") + 3;
  const size_t path = url.find_first_of("/?", host);
  return path == std::string::npos ? "/" : url.substr(path);
}

std::string Cookie() {
  std::array<unsigned char, 11> bytes{};
  CORDON_CHECK(RAND_bytes(bytes.data(), bytes.size()) == 1, "no random numbers");
  return absl::BytesToHexString({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string Head(std::string_view method, const RtspUrl& url, const std::string& cookie,
                 RtspAuthenticator& auth) {
  const std::string path = PathOf(url.text);
  std::string head = fmt::format(
      "{} {} HTTP/1.0\r\nHost: {}\r\nUser-Agent: cordon\r\nx-sessioncookie: {}\r\nAccept: "
      "application/x-rtsp-tunnelled\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n",
      method, path, url.Authority(), cookie);
  if (method == "POST") {
    head += "Content-Type: application/x-rtsp-tunnelled\r\nContent-Length: 32767\r\n";
  }
  if (const std::string value = auth.Authorization(method, path); !value.empty()) {
    head += fmt::format("Authorization: {}\r\n", value);
  }
  return head + "\r\n";
}

// Reads one HTTP head; what lies behind it stays in `buffer`.
absl::StatusOr<RtspMessage> ReadHead(const NetContext& net, ByteStream& stream,
                                     std::vector<uint8_t>& buffer, BootTime deadline) {
  RtspParser parser;
  std::array<uint8_t, 4096> piece{};
  while (true) {
    ASSIGN_OR_RETURN(RtspParser::Item item, parser.Next(buffer));
    buffer.erase(buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(item.consumed));
    if (item.kind == RtspParser::Kind::kReply) return std::move(item.message);
    if (item.kind != RtspParser::Kind::kNeedMore)
      return absl::DataLossError("the server does not speak HTTP");
    ASSIGN_OR_RETURN(const size_t n, stream.TryRead(piece));
    buffer.insert(buffer.end(), piece.begin(), piece.begin() + static_cast<ptrdiff_t>(n));
    if (n > 0 && net.clock.Boot() < deadline) continue;
    WaitFor wait = stream.ReadInterest();
    RETURN_IF_ERROR(Wait(net, {&wait, 1}, deadline, "HTTP tunnel"));
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<ByteStream>> OpenTunnel(const NetContext& net, const RtspUrl& url,
                                                       RtspAuthenticator& authenticator,
                                                       const Dial& dial, Milliseconds patience) {
  const std::string cookie = Cookie();
  std::unique_ptr<ByteStream> get;
  std::vector<uint8_t> rest;
  while (get == nullptr) {
    ASSIGN_OR_RETURN(std::unique_ptr<ByteStream> stream, dial());
    const BootTime deadline = net.clock.Boot() + patience;
    RETURN_IF_ERROR(
        WriteAll(net, *stream, Head("GET", url, cookie, authenticator), deadline, "HTTP tunnel"));
    rest.clear();
    ASSIGN_OR_RETURN(const RtspMessage reply, ReadHead(net, *stream, rest, deadline));
    if (reply.status == 401) {
      RETURN_IF_ERROR(authenticator.OnUnauthorized(reply.FindAll("WWW-Authenticate")));
      continue;  // on a new connection: HTTP/1.0 closes this one
    }
    if (reply.status != 200) {
      return absl::InvalidArgumentError(
          fmt::format("the camera opens no RTSP tunnel over HTTP at this URL (it answers {}); set "
                      "transport: tcp",
                      reply.status));
    }
    authenticator.OnAccepted();
    get = std::move(stream);
  }
  ASSIGN_OR_RETURN(std::unique_ptr<ByteStream> post, dial());
  RETURN_IF_ERROR(WriteAll(net, *post, Head("POST", url, cookie, authenticator),
                           net.clock.Boot() + patience, "HTTP tunnel"));
  return std::unique_ptr<ByteStream>(
      std::make_unique<TunnelStream>(std::move(get), std::move(post), std::move(rest)));
}

}  // namespace cordon
