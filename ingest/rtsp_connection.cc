// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtsp_connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "ingest/rtsp_text.h"
#include "ingest/rtsp_tunnel.h"
#include "ingest/tls_stream.h"

namespace cordon {
namespace {

// Room for the largest item and a burst behind it.
constexpr size_t kBuffer = 192 * 1024;
static_assert(kBuffer >= 2 * kMaxRtspItem);
// One Receive takes at most so much, so that a flood cannot keep its caller.
constexpr int kMostReads = 16;

absl::Status FromReply(std::string_view method, const RtspMessage& reply) {
  const std::string said =
      fmt::format("{}: the camera answers {} {}", method, reply.status, Printable(reply.first));
  switch (reply.status) {
    case 401:
    case 407:
      return absl::UnauthenticatedError(said);
    case 403:
      return absl::PermissionDeniedError(said);
    case 404:
      return absl::NotFoundError(said + "; is the path of the URL right?");
    case 461:
      return absl::InvalidArgumentError(said + "; set another transport");
    default:
      break;
  }
  if (reply.status >= 300 && reply.status < 400) {
    return absl::InvalidArgumentError(said +
                                      "; redirects are not followed, set the URL it is really at");
  }
  return absl::UnavailableError(said);
}

int SequenceOf(const RtspMessage& message) {
  const std::string* text = message.Find("CSeq");
  int number = -1;
  if (text == nullptr || !text::ParseNumber(*text, number)) return -1;
  return number;
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string safe(text.substr(0, 80));
  std::replace_if(
      safe.begin(), safe.end(), [](unsigned char c) { return c < 0x20 || c >= 0x7f; }, '?');
  return safe;
}

RtspConnection::RtspConnection(const NetContext& net, const RtspOptions& options, bool tls,
                               RtspStats& stats, FrameSink frames)
    : net_(net),
      deadlines_(options.deadlines),
      stats_(stats),
      frames_(std::move(frames)),
      authenticator_(options.username, options.password, tls || options.allow_basic_auth),
      buffer_(kBuffer) {}

absl::StatusOr<std::unique_ptr<RtspConnection>> RtspConnection::Open(const NetContext& net,
                                                                     const RtspOptions& options,
                                                                     const RtspUrl& url,
                                                                     RtspStats& stats,
                                                                     FrameSink frames) {
  std::unique_ptr<RtspConnection> connection(
      new RtspConnection(net, options, url.tls, stats, std::move(frames)));
  RETURN_IF_ERROR(connection->Connect(options, url));
  return connection;
}

absl::Status RtspConnection::Connect(const RtspOptions& options, const RtspUrl& url) {
  const bool tunnel = options.transport == RtspTransport::kHttpTunnel;
  const auto http_port = static_cast<uint16_t>(url.tls ? 443 : 80);
  const uint16_t port = tunnel && !url.port_given ? http_port : url.port;
  ASSIGN_OR_RETURN(const std::vector<NetAddress> addresses,
                   Resolve(net_, url.host, port, net_.clock.Boot() + deadlines_.resolve));
  absl::Status last = absl::NotFoundError(fmt::format("no address for {}", url.host));
  for (const NetAddress& address : addresses) {
    last = CheckAddress(options.addresses, url.host, address);
    if (!last.ok()) continue;
    const auto dial = [&]() -> absl::StatusOr<std::unique_ptr<ByteStream>> {
      ASSIGN_OR_RETURN(OwnedFd fd,
                       cordon::Connect(net_, address, net_.clock.Boot() + deadlines_.connect));
      if (!url.tls) return NewTcpStream(std::move(fd));
      const TlsPolicy policy{url.host, options.certificate_sha256, options.ca_file};
      return ConnectTls(net_, std::move(fd), policy, net_.clock.Boot() + deadlines_.tls);
    };
    absl::StatusOr<std::unique_ptr<ByteStream>> stream =
        tunnel ? OpenTunnel(net_, url, authenticator_, dial, deadlines_.reply) : dial();
    if (stream.ok()) {
      stream_ = *std::move(stream);
      peer_ = address;
      return absl::OkStatus();
    }
    last = stream.status();
    if (last.code() != absl::StatusCode::kUnavailable) return last;
  }
  return last;
}

absl::StatusOr<RtspMessage> RtspConnection::Request(std::string_view method, const std::string& url,
                                                    std::string_view headers,
                                                    Milliseconds patience) {
  const BootTime deadline = net_.clock.Boot() + patience;
  while (true) {
    RETURN_IF_ERROR(Send(method, url, headers));
    ASSIGN_OR_RETURN(RtspMessage reply, Await(cseq_, deadline, method));
    if (reply.status >= 200 && reply.status < 300) {
      authenticator_.OnAccepted();
      return reply;
    }
    if (reply.status != 401) return FromReply(method, reply);
    RETURN_IF_ERROR(authenticator_.OnUnauthorized(reply.FindAll("WWW-Authenticate")));
  }
}

absl::Status RtspConnection::Send(std::string_view method, const std::string& url,
                                  std::string_view headers) {
  std::string request =
      fmt::format("{} {} RTSP/1.0\r\nCSeq: {}\r\nUser-Agent: cordon\r\n", method, url, ++cseq_);
  if (const std::string authorization = authenticator_.Authorization(method, url);
      !authorization.empty()) {
    request += fmt::format("Authorization: {}\r\n", authorization);
  }
  request += headers;
  request += "\r\n";
  return WriteAll(net_, *stream_, request, net_.clock.Boot() + deadlines_.reply, method);
}

absl::Status RtspConnection::SendFrame(uint8_t channel, std::string_view payload) {
  std::string frame = {'$', static_cast<char>(channel), static_cast<char>(payload.size() >> 8),
                       static_cast<char>(payload.size() & 0xff)};
  frame += payload;
  ASSIGN_OR_RETURN(const size_t n, stream_->TryWrite(frame));
  if (n == 0 || n == frame.size()) return absl::OkStatus();
  // A frame that has begun must be finished, or the camera loses the framing.
  return WriteAll(net_, *stream_, std::string_view(frame).substr(n),
                  net_.clock.Boot() + deadlines_.reply, "report");
}

absl::Status RtspConnection::ReadSome(bool& any) {
  if (begin_ > 0 && (begin_ == end_ || buffer_.size() - end_ < buffer_.size() / 4)) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  // The parser's limits are below the buffer's size, so there is always room.
  ASSIGN_OR_RETURN(const size_t n, stream_->TryRead(std::span(buffer_).subspan(end_)));
  end_ += n;
  any = n > 0;
  return absl::OkStatus();
}

absl::StatusOr<bool> RtspConnection::Drain(int cseq, RtspMessage& reply) {
  while (begin_ < end_) {
    ASSIGN_OR_RETURN(RtspParser::Item item,
                     parser_.Next(std::span(buffer_).subspan(begin_, end_ - begin_)));
    begin_ += item.consumed;
    stats_.garbage_bytes += item.garbage;
    switch (item.kind) {
      case RtspParser::Kind::kNeedMore:
        if (item.consumed == 0) return false;
        break;
      case RtspParser::Kind::kFrame:
        frames_(item.channel, item.payload);
        break;
      case RtspParser::Kind::kRequest:
        RETURN_IF_ERROR(OnCameraRequest(item.message));
        break;
      case RtspParser::Kind::kReply: {
        // Some cameras leave CSeq out; then it can only be the one that is waited for.
        const int sequence = SequenceOf(item.message);
        if (cseq > 0 && (sequence == cseq || sequence < 0)) {
          reply = std::move(item.message);
          return true;
        }
        RETURN_IF_ERROR(OnStrayReply(item.message));
        break;
      }
    }
  }
  return false;
}

absl::Status RtspConnection::OnStrayReply(const RtspMessage& reply) {
  if (reply.status == 454) return absl::UnavailableError("the camera has forgotten the session");
  if (reply.status == 401) return authenticator_.OnUnauthorized(reply.FindAll("WWW-Authenticate"));
  if (reply.status >= 200 && reply.status < 300) authenticator_.OnAccepted();
  return absl::OkStatus();  // a keep-alive that the camera does not know has done its work all the
                            // same
}

absl::Status RtspConnection::OnCameraRequest(const RtspMessage& request) {
  if (request.first == "TEARDOWN") return absl::UnavailableError("the camera ended the session");
  if (request.first == "REDIRECT") {
    return absl::UnavailableError("the camera redirects to another server, which is not followed");
  }
  const std::string answer =
      fmt::format("RTSP/1.0 200 OK\r\nCSeq: {}\r\n\r\n", std::max(SequenceOf(request), 0));
  return WriteAll(net_, *stream_, answer, net_.clock.Boot() + deadlines_.reply, "answer");
}

absl::StatusOr<RtspMessage> RtspConnection::Await(int cseq, BootTime deadline,
                                                  std::string_view method) {
  RtspMessage reply;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, Drain(cseq, reply));
    if (found) return reply;
    bool any = false;
    if (absl::Status status = ReadSome(any); !status.ok()) return Annotate(status, method);
    // Checked here too: a camera that always has one more byte must not escape the deadline.
    if (any && net_.clock.Boot() < deadline) continue;
    WaitFor wait = stream_->ReadInterest();
    RETURN_IF_ERROR(Wait(net_, {&wait, 1}, deadline, method));
    if (net_.clock.Boot() >= deadline) {
      return absl::DeadlineExceededError(fmt::format("{}: no whole reply in time", method));
    }
  }
}

absl::StatusOr<bool> RtspConnection::Receive() {
  RtspMessage unused;
  for (int i = 0; i < kMostReads; ++i) {
    RETURN_IF_ERROR(Drain(0, unused).status());
    bool any = false;
    RETURN_IF_ERROR(ReadSome(any));
    if (!any) return false;
  }
  RETURN_IF_ERROR(Drain(0, unused).status());
  return true;
}

void RtspConnection::Close(const std::string& teardown_url, std::string_view headers,
                           Milliseconds patience) {
  // An interrupt got us here as a rule, and must not cut the goodbye short: a wake that nobody
  // signals.
  const WakeEvent never;
  const NetContext net{net_.clock, never};
  const BootTime deadline = net_.clock.Boot() + patience;
  std::string request = fmt::format("TEARDOWN {} RTSP/1.0\r\nCSeq: {}\r\n", teardown_url, ++cseq_);
  if (const std::string authorization = authenticator_.Authorization("TEARDOWN", teardown_url);
      !authorization.empty()) {
    request += fmt::format("Authorization: {}\r\n", authorization);
  }
  request += headers;
  request += "\r\n";
  if (!WriteAll(net, *stream_, request, deadline, "TEARDOWN").ok()) return;
  ::shutdown(stream_->fd(), SHUT_WR);
  // Closing with unread data would reset the connection, and the camera might never see the
  // request.
  while (net_.clock.Boot() < deadline) {
    begin_ = end_ = 0;
    bool any = false;
    if (!ReadSome(any).ok()) return;
    if (any) continue;
    WaitFor wait = stream_->ReadInterest();
    if (!Wait(net, {&wait, 1}, deadline, "TEARDOWN").ok()) return;
  }
}

}  // namespace cordon
