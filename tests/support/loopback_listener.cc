// SPDX-License-Identifier: Apache-2.0
#include "tests/support/loopback_listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace cordon::testing {
namespace {

constexpr int kSliceMs = 20;  // how soon a stop is seen
constexpr int kBacklog = 512;

}  // namespace

LoopbackListener::LoopbackListener(uint16_t port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int one = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  socklen_t length = sizeof address;
  CORDON_CHECK(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) == 0, "no port");
  ::listen(listener_, kBacklog);
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
  port_ = ntohs(address.sin_port);
}

LoopbackListener::~LoopbackListener() { Stop(); }

void LoopbackListener::Start(Serve serve) {
  serve_ = std::move(serve);
  acceptor_ = std::thread([this] { Accept(); });
}

void LoopbackListener::Stop() {
  stopping_ = true;
  if (acceptor_.joinable()) acceptor_.join();
  for (const auto& connection : threads_) connection->thread.join();
  threads_.clear();
  if (listener_ >= 0) ::close(std::exchange(listener_, -1));
}

void LoopbackListener::JoinEnded() {
  std::erase_if(threads_, [](const std::unique_ptr<Connection>& connection) {
    if (!connection->over) return false;
    connection->thread.join();
    return true;
  });
}

void LoopbackListener::Accept() {
  while (!stopping_) {
    pollfd poll{.fd = listener_, .events = POLLIN, .revents = 0};
    if (::poll(&poll, 1, kSliceMs) <= 0) continue;
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    JoinEnded();
    const int number = ++connections_;
    threads_.push_back(std::make_unique<Connection>());
    Connection& connection = *threads_.back();
    connection.thread = std::thread([this, &connection, fd, number] {
      serve_(fd, number);
      ::close(fd);
      connection.over = true;
    });
  }
}

bool LoopbackListener::AwaitReadable(int fd) const {
  while (!stopping_) {
    pollfd poll{.fd = fd, .events = POLLIN, .revents = 0};
    if (::poll(&poll, 1, kSliceMs) > 0) return true;
  }
  return false;
}

size_t LoopbackListener::Receive(int fd, char* to, size_t size) const {
  if (!AwaitReadable(fd)) return 0;
  return static_cast<size_t>(std::max<ssize_t>(::recv(fd, to, size, 0), 0));
}

}  // namespace cordon::testing
