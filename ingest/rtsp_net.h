// SPDX-License-Identifier: Apache-2.0
// Sockets with deadlines, for the RTSP client: every wait ends at its deadline or when the owner is
// interrupted.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "base/wake_event.h"
#include "ingest/rtsp_options.h"

namespace cordon {

// A file descriptor that is closed with its owner.
class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  ~OwnedFd();
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// What the waits of one connection share. Both must outlive it.
struct NetContext {
  const Clock& clock;
  const WakeEvent& wake;
};

// One descriptor to wait for.
struct WaitFor {
  int fd = -1;
  bool writable = false;  // otherwise readable
  bool ready = false;     // out
};

// OK when at least one is ready; DEADLINE_EXCEEDED; CANCELLED. `phase` names what was waited for in
// the message.
absl::Status Wait(const NetContext& net, std::span<WaitFor> fds, BootTime deadline,
                  std::string_view phase);

// An address and port.
struct NetAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  void set_port(uint16_t port);
  uint16_t port() const;
  std::string Text() const;  // without port
  bool SameHost(const NetAddress& other) const;
};

// Looks a host up, numbers directly and names by the system's resolver (getaddrinfo_a), which may
// not block longer than `deadline`. NOT_FOUND, DEADLINE_EXCEEDED, CANCELLED, RESOURCE_EXHAUSTED
// (too many lookups hang already).
absl::StatusOr<std::vector<NetAddress>> Resolve(const NetContext& net, const std::string& host,
                                                uint16_t port, BootTime deadline);

// PERMISSION_DENIED with the reason when the policy does not let us connect. `host` is as the URL
// says it.
absl::Status CheckAddress(const AddressPolicy& policy, const std::string& host,
                          const NetAddress& address);

// INVALID_ARGUMENT when it is no "address/bits".
absl::StatusOr<bool> InNetwork(const NetAddress& address, std::string_view network);

// A connected, non-blocking TCP socket. UNAVAILABLE (refused, unreachable), DEADLINE_EXCEEDED,
// CANCELLED.
absl::StatusOr<OwnedFd> Connect(const NetContext& net, const NetAddress& address,
                                BootTime deadline);

// A connection of bytes, clear or TLS. One thread.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Bytes read into `buffer`; 0: nothing there now, wait for WaitFor() first. UNAVAILABLE: the
  // camera closed it or the connection broke.
  virtual absl::StatusOr<size_t> TryRead(std::span<uint8_t> buffer) = 0;
  // Bytes taken; 0: wait first.
  virtual absl::StatusOr<size_t> TryWrite(std::string_view bytes) = 0;
  // What a wait for the next read (or write) must look at.
  virtual WaitFor ReadInterest() const = 0;
  virtual WaitFor WriteInterest() const = 0;
  virtual int fd() const = 0;
};

std::unique_ptr<ByteStream> NewTcpStream(OwnedFd fd);

// Writes all of `bytes` or fails.
absl::Status WriteAll(const NetContext& net, ByteStream& stream, std::string_view bytes,
                      BootTime deadline, std::string_view phase);

}  // namespace cordon
