// SPDX-License-Identifier: Apache-2.0
// The sockets of the test servers: a listener on a free port of loopback and one thread for each
// connection.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <thread>

namespace cordon::testing {

// Life: the constructor listens, Start takes connections, Stop (or the destructor) ends all waits
// within about 20 ms and joins every thread. Threads of connections that ended are joined as others
// come, so that a thousand connections do not leave a thousand threads.
class LoopbackListener {
 public:
  // Runs on the connection's own thread; the descriptor is closed when it returns. `number` is 1 for
  // the first connection.
  using Serve = std::function<void(int fd, int number)>;

  // `port` 0: any free one. A given one is taken even while connections of a former listener linger.
  explicit LoopbackListener(uint16_t port = 0);
  ~LoopbackListener();
  LoopbackListener(const LoopbackListener&) = delete;
  LoopbackListener& operator=(const LoopbackListener&) = delete;

  void Start(Serve serve);
  void Stop();
  uint16_t port() const { return port_; }
  int connections() const { return connections_; }
  bool stopping() const { return stopping_; }
  // Waits for bytes; false when the listener stops first.
  bool AwaitReadable(int fd) const;
  // Bytes received; 0: the peer has gone, or the listener stops.
  size_t Receive(int fd, char* to, size_t size) const;

 private:
  struct Connection {
    std::atomic<bool> over = false;
    std::thread thread;
  };
  void Accept();
  void JoinEnded();

  Serve serve_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> connections_ = 0;
  // Only in the accepting thread and, after it ended, in Stop.
  std::list<std::unique_ptr<Connection>> threads_;
  std::thread acceptor_;
};

}  // namespace cordon::testing
