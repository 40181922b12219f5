// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtsp_net.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace cordon {
namespace {

// A camera's burst (a key frame is 100 to 500 KiB) must fit while the owner thread is busy
// elsewhere.
constexpr int kReceiveBuffer = 1 << 20;

absl::Status FromErrno(int error, std::string_view what) {
  return absl::UnavailableError(fmt::format("{}: {}", what, std::strerror(error)));
}

class TcpStream final : public ByteStream {
 public:
  explicit TcpStream(OwnedFd fd) : fd_(std::move(fd)) {}

  absl::StatusOr<size_t> TryRead(std::span<uint8_t> buffer) override {
    const ssize_t n = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (n > 0) return static_cast<size_t>(n);
    if (n == 0) return absl::UnavailableError("the camera closed the connection");
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return size_t{0};
    return FromErrno(errno, "the connection broke");
  }

  absl::StatusOr<size_t> TryWrite(std::string_view bytes) override {
    const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n >= 0) return static_cast<size_t>(n);
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return size_t{0};
    return FromErrno(errno, "the connection broke");
  }

  WaitFor ReadInterest() const override { return {.fd = fd_.get()}; }
  WaitFor WriteInterest() const override { return {.fd = fd_.get(), .writable = true}; }
  int fd() const override { return fd_.get(); }

 private:
  OwnedFd fd_;
};

}  // namespace

OwnedFd::~OwnedFd() {
  if (fd_ >= 0) ::close(fd_);
}

absl::Status Wait(const NetContext& net, std::span<WaitFor> fds, BootTime deadline,
                  std::string_view phase) {
  constexpr size_t kMost = 6;
  CORDON_CHECK(fds.size() <= kMost, "too many descriptors in one wait");
  std::array<pollfd, kMost + 1> polls{};
  polls[0] = {.fd = net.wake.fd(), .events = POLLIN, .revents = 0};
  for (size_t i = 0; i < fds.size(); ++i) {
    polls[i + 1] = {.fd = fds[i].fd,
                    .events = static_cast<short>(fds[i].writable ? POLLOUT : POLLIN),
                    .revents = 0};
  }
  while (true) {
    const auto left = std::chrono::ceil<Milliseconds>(deadline - net.clock.Boot()).count();
    const int timeout = static_cast<int>(std::clamp<int64_t>(left, 0, 60'000));
    const int n = ::poll(polls.data(), fds.size() + 1, timeout);
    if (polls[0].revents != 0) return absl::CancelledError("interrupted");
    if (n > 0) break;
    if (n < 0 && errno != EINTR) return FromErrno(errno, "poll");
    if (net.clock.Boot() >= deadline) {
      return absl::DeadlineExceededError(fmt::format("{}: no answer in time", phase));
    }
  }
  for (size_t i = 0; i < fds.size(); ++i) fds[i].ready = polls[i + 1].revents != 0;
  return absl::OkStatus();
}

absl::StatusOr<OwnedFd> Connect(const NetContext& net, const NetAddress& address,
                                BootTime deadline) {
  OwnedFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!fd.valid()) return FromErrno(errno, "no socket");
  const int one = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
  const std::string where = fmt::format("{} port {}", address.Text(), address.port());
  if (::connect(fd.get(), address.raw(), address.length) == 0) return fd;
  if (errno != EINPROGRESS) return FromErrno(errno, fmt::format("cannot connect to {}", where));
  WaitFor wait{.fd = fd.get(), .writable = true};
  RETURN_IF_ERROR(Wait(net, {&wait, 1}, deadline, fmt::format("connecting to {}", where)));
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) return FromErrno(error, fmt::format("cannot connect to {}", where));
  return fd;
}

std::unique_ptr<ByteStream> NewTcpStream(OwnedFd fd) {
  return std::make_unique<TcpStream>(std::move(fd));
}

absl::Status WriteAll(const NetContext& net, ByteStream& stream, std::string_view bytes,
                      BootTime deadline, std::string_view phase) {
  while (!bytes.empty()) {
    ASSIGN_OR_RETURN(const size_t n, stream.TryWrite(bytes));
    bytes.remove_prefix(n);
    if (bytes.empty()) break;
    WaitFor wait = stream.WriteInterest();
    RETURN_IF_ERROR(Wait(net, {&wait, 1}, deadline, phase));
  }
  return absl::OkStatus();
}

}  // namespace cordon
