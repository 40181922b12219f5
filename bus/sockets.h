// SPDX-License-Identifier: Apache-2.0
// Internal to bus/: ZeroMQ sockets with Cordon's options. No exceptions, no blocking sends; "would
// block" is an ordinary answer. A Socket belongs to one thread at a time.
#pragma once

#include <atomic>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/metrics.h"
#include "base/status.h"
#include "base/time.h"
#include "base/wake_event.h"
#include "bus/keys.h"

namespace cordon {

// What a peer sent, with who it is.
struct Incoming {
  std::string peer;   // ROUTER: the connection; empty otherwise
  std::string user;   // name that the peer's key proves; empty on endpoints without keys
  std::string frame;  // empty when the message had the wrong number of parts
};

enum class SendResult { kSent, kFull, kUnreachable };

// News of a connection, from the socket's monitor.
enum class LinkEvent { kConnected, kDisconnected, kKeyRejected };

class Socket {
 public:
  explicit Socket(void* handle) : handle_(handle) {}
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  Socket(const Socket&) = delete;
  ~Socket();

  SendResult Send(std::string_view frame);                           // DEALER, PUB
  SendResult SendTo(std::string_view peer, std::string_view frame);  // ROUTER
  std::optional<Incoming> Receive(bool with_peer);                   // with_peer: ROUTER

  // Begins to report link events; once, before Connect's first attempt can end.
  absl::Status Watch(void* context);
  std::optional<LinkEvent> ReceiveLinkEvent();

  std::string endpoint() const;  // the last one bound or connected, with the port filled in
  void* handle() const { return handle_; }
  void* monitor() const { return monitor_; }

 private:
  void* handle_ = nullptr;
  void* monitor_ = nullptr;
};

// Waits until one of the sockets (null ones are skipped) or the event has something, or the time is
// up.
void WaitReadable(std::initializer_list<void*> sockets, const WakeEvent& wake, Milliseconds wait);

class ZapHandler;

// The context of a process and what its sockets are made with.
class BusSockets {
 public:
  static absl::StatusOr<std::unique_ptr<BusSockets>> Create(std::optional<KeyRing> keys,
                                                            std::string keys_dir, Metrics& metrics);
  ~BusSockets();

  // `type` is ZMQ_ROUTER, ZMQ_DEALER, ZMQ_PUB or ZMQ_SUB. Bind also proves that an unknown key is
  // turned away.
  absl::StatusOr<Socket> Bind(int type, const std::string& endpoint);
  // The result is being watched for link events.
  absl::StatusOr<Socket> Connect(int type, const std::string& endpoint);
  bool has_keys() const { return keys_.has_value(); }

 private:
  BusSockets(void* context, std::optional<KeyRing> keys);
  absl::StatusOr<Socket> Make(int type);
  absl::Status SecureServer(Socket& socket);
  absl::Status SecureClient(Socket& socket, const CurveKeys& own, const std::string& server_key);
  absl::Status ProveStrangersAreRejected(int type, const std::string& endpoint);

  void* const context_;
  const std::optional<KeyRing> keys_;
  std::unique_ptr<ZapHandler> zap_;  // ended before the context
};

// A connecting socket that comes back by itself: libzmq reconnects after a break, this also after a
// rejected key (every kTryKeyAgain), which libzmq takes as final.
class ClientLink {
 public:
  static constexpr Seconds kTryKeyAgain{5};

  ClientLink(BusSockets& sockets, int type, std::string endpoint, Socket socket)
      : sockets_(sockets),
        type_(type),
        endpoint_(std::move(endpoint)),
        socket_(std::move(socket)) {}

  Socket& socket() { return socket_; }
  // Reads the link's news and connects anew when it is time. True when a connection has just been
  // made.
  bool Tend(BootTime now);
  // Closes the connection and makes another.
  void Renew();

 private:
  BusSockets& sockets_;
  const int type_;
  const std::string endpoint_;
  Socket socket_;
  BootTime connect_again_ = BootTime::max();
};

}  // namespace cordon
