// SPDX-License-Identifier: Apache-2.0
#include "bus/sockets.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "bus/zap_handler.h"

namespace cordon {
namespace {

// A peer is dead after three of its heartbeats. The session has its own (bus/outbox_session.h);
// these end half-open connections below it.
constexpr int kHeartbeatMillis = 1000;
constexpr int kDeadAfterMillis = 3000;
constexpr int kHandshakeMillis = 5000;
constexpr int kReconnectMillis = 50;
constexpr int kMaxReconnectMillis = 1000;
// Twice the credit: the session's window, never this mark, is the back-pressure.
constexpr int kSocketQueue = 2 * static_cast<int>(limits::kMaxInFlight);
// Refuse peers for which no authenticator answers. A draft name in zmq.h 4.3.4, but the library has
// it.
constexpr int kZapEnforceDomain = 93;
constexpr char kZapDomain[] = "cordon";
constexpr Milliseconds kSelfTest{3000};
constexpr Milliseconds kAddressInUse{1000};

absl::Status ZmqError(std::string_view what) {
  const int error = zmq_errno();
  const std::string message = fmt::format("cannot {}: {}", what, zmq_strerror(error));
  switch (error) {
    case EADDRINUSE:
      return absl::UnavailableError(message + "; another process listens there");
    case EINVAL:
    case ENODEV:
    case EPROTONOSUPPORT:
      return absl::InvalidArgumentError(message);
    case EACCES:
      return absl::PermissionDeniedError(message);
    case EADDRNOTAVAIL:
      return absl::InvalidArgumentError(message + "; this machine has no such address");
    default:
      return absl::InternalError(message);
  }
}

void SetInt(void* socket, int option, int value) {
  CORDON_CHECK(zmq_setsockopt(socket, option, &value, sizeof value) == 0,
               "libzmq knows this option");
}

bool IsIpc(const std::string& endpoint) { return endpoint.starts_with("ipc://"); }

// The socket's folder is made private; of an existing one the socket's own mode has to do.
absl::Status PrepareSocketFolder(const std::string& endpoint) {
  const std::filesystem::path folder = std::filesystem::path(endpoint.substr(6)).parent_path();
  if (folder.empty() || std::filesystem::exists(folder)) return absl::OkStatus();
  std::error_code error;
  std::filesystem::create_directories(folder.parent_path(), error);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return absl::ErrnoToStatus(errno, fmt::format("cannot create folder {}", folder.string()));
  return absl::OkStatus();
}

absl::Status BindHandle(void* handle, const std::string& endpoint) {
  std::string address = endpoint;
  if (address.ends_with(":0")) address.replace(address.size() - 1, 1, "*");
  if (IsIpc(endpoint)) RETURN_IF_ERROR(PrepareSocketFolder(endpoint));
  // libzmq closes in the background: a listener that has just ended may still hold the address.
  const BootTime give_up = SystemClock().Boot() + kAddressInUse;
  const WakeEvent never;
  while (true) {
    // The socket file must never be open to others, not even between bind and chmod.
    const mode_t before = ::umask(0177);
    const int code = zmq_bind(handle, address.c_str());
    const absl::Status status =
        code == 0 ? absl::OkStatus() : ZmqError(fmt::format("listen on {}", endpoint));
    ::umask(before);
    if (status.code() != absl::StatusCode::kUnavailable || SystemClock().Boot() > give_up)
      return status;
    WaitReadable({}, never, Milliseconds(20));
  }
}

SendResult SendPart(void* handle, std::string_view bytes, int flags) {
  while (zmq_send(handle, bytes.data(), bytes.size(), flags | ZMQ_DONTWAIT) < 0) {
    if (zmq_errno() == EINTR) continue;
    return zmq_errno() == EHOSTUNREACH ? SendResult::kUnreachable : SendResult::kFull;
  }
  return SendResult::kSent;
}

class Message {
 public:
  Message() { zmq_msg_init(&message_); }
  ~Message() { zmq_msg_close(&message_); }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  bool Receive(void* handle) {
    while (zmq_msg_recv(&message_, handle, ZMQ_DONTWAIT) < 0)
      if (zmq_errno() != EINTR) return false;
    return true;
  }
  bool more() const { return zmq_msg_more(&message_) != 0; }
  std::string Take() {
    return {static_cast<const char*>(zmq_msg_data(&message_)), zmq_msg_size(&message_)};
  }
  std::string User() {
    const char* user = zmq_msg_gets(&message_, "User-Id");
    return user == nullptr ? "" : user;
  }

 private:
  zmq_msg_t message_;
};

}  // namespace

Socket::Socket(Socket&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)),
      monitor_(std::exchange(other.monitor_, nullptr)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(monitor_, other.monitor_);
  return *this;
}

Socket::~Socket() {
  if (monitor_ != nullptr) {
    zmq_socket_monitor(handle_, nullptr, 0);
    zmq_close(monitor_);
  }
  if (handle_ != nullptr) zmq_close(handle_);
}

SendResult Socket::Send(std::string_view frame) { return SendPart(handle_, frame, 0); }

SendResult Socket::SendTo(std::string_view peer, std::string_view frame) {
  const SendResult first = SendPart(handle_, peer, ZMQ_SNDMORE);
  return first == SendResult::kSent ? SendPart(handle_, frame, 0) : first;
}

std::optional<Incoming> Socket::Receive(bool with_peer) {
  Message message;
  if (!message.Receive(handle_)) return std::nullopt;
  Incoming incoming;
  bool well_formed = true;
  if (with_peer) {
    incoming.peer = message.Take();
    if (!message.more() || !message.Receive(handle_)) return incoming;
  }
  incoming.user = message.User();
  incoming.frame = message.Take();
  while (message.more() && message.Receive(handle_)) well_formed = false;
  if (!well_formed) incoming.frame.clear();
  return incoming;
}

absl::Status Socket::Watch(void* context) {
  static std::atomic<uint64_t> number{0};
  const std::string address = fmt::format("inproc://cordon-monitor-{}", ++number);
  constexpr int kEvents = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED |
                          ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL;
  if (zmq_socket_monitor(handle_, address.c_str(), kEvents) != 0) return ZmqError("watch a socket");
  monitor_ = zmq_socket(context, ZMQ_PAIR);
  if (monitor_ == nullptr) return ZmqError("make a socket");
  SetInt(monitor_, ZMQ_LINGER, 0);
  return zmq_connect(monitor_, address.c_str()) == 0 ? absl::OkStatus()
                                                     : ZmqError("watch a socket");
}

std::optional<LinkEvent> Socket::ReceiveLinkEvent() {
  while (true) {
    Message event, address;
    if (!event.Receive(monitor_)) return std::nullopt;
    if (event.more()) address.Receive(monitor_);
    const std::string bytes = event.Take();  // u16 event, u32 value
    CORDON_CHECK(bytes.size() == 6, "a monitor event has six bytes");
    uint16_t code = 0;
    std::copy_n(bytes.data(), sizeof code, reinterpret_cast<char*>(&code));
    switch (code) {
      case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        return LinkEvent::kConnected;
      case ZMQ_EVENT_DISCONNECTED:
        return LinkEvent::kDisconnected;
      case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
      case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        return LinkEvent::kKeyRejected;
      default:
        break;
    }
  }
}

std::string Socket::endpoint() const {
  std::array<char, 512> text{};
  size_t size = text.size();
  return zmq_getsockopt(handle_, ZMQ_LAST_ENDPOINT, text.data(), &size) == 0 ? text.data() : "";
}

void WaitReadable(std::initializer_list<void*> sockets, const WakeEvent& wake, Milliseconds wait) {
  std::array<zmq_pollitem_t, 4> items{};
  int count = 0;
  for (void* socket : sockets)
    if (socket != nullptr) items[static_cast<size_t>(count++)] = {socket, 0, ZMQ_POLLIN, 0};
  items[static_cast<size_t>(count++)] = {nullptr, wake.fd(), ZMQ_POLLIN, 0};
  zmq_poll(items.data(), count, std::max<int64_t>(0, wait.count()));
}

BusSockets::BusSockets(void* context, std::optional<KeyRing> keys)
    : context_(context), keys_(std::move(keys)) {}

BusSockets::~BusSockets() {
  zap_.reset();
  zmq_ctx_term(context_);
}

absl::StatusOr<std::unique_ptr<BusSockets>> BusSockets::Create(std::optional<KeyRing> keys,
                                                               std::string keys_dir,
                                                               Metrics& metrics) {
  void* context = zmq_ctx_new();
  if (context == nullptr) return ZmqError("start ZeroMQ");
  std::unique_ptr<BusSockets> sockets(new BusSockets(context, std::move(keys)));
  if (sockets->keys_) {
    if (zmq_has("curve") == 0)
      return absl::FailedPreconditionError("this libzmq has no CURVE; install Debian's libzmq5");
    ASSIGN_OR_RETURN(sockets->zap_,
                     ZapHandler::Start(context, *sockets->keys_, std::move(keys_dir), metrics));
  }
  return sockets;
}

absl::StatusOr<Socket> BusSockets::Make(int type) {
  void* handle = zmq_socket(context_, type);
  if (handle == nullptr) return ZmqError("make a socket");
  Socket socket(handle);
  SetInt(handle, ZMQ_LINGER, 0);
  SetInt(handle, ZMQ_SNDHWM, kSocketQueue);
  SetInt(handle, ZMQ_RCVHWM, kSocketQueue);
  SetInt(handle, ZMQ_HEARTBEAT_IVL, kHeartbeatMillis);
  SetInt(handle, ZMQ_HEARTBEAT_TIMEOUT, kDeadAfterMillis);
  SetInt(handle, ZMQ_HEARTBEAT_TTL, kDeadAfterMillis);
  SetInt(handle, ZMQ_HANDSHAKE_IVL, kHandshakeMillis);
  SetInt(handle, ZMQ_TCP_MAXRT, kDeadAfterMillis);
  SetInt(handle, ZMQ_RECONNECT_IVL, kReconnectMillis);
  SetInt(handle, ZMQ_RECONNECT_IVL_MAX, kMaxReconnectMillis);
  const int64_t largest = static_cast<int64_t>(limits::kMaxMessageBytes);
  CORDON_CHECK(zmq_setsockopt(handle, ZMQ_MAXMSGSIZE, &largest, sizeof largest) == 0,
               "libzmq knows this option");
  if (type == ZMQ_ROUTER) {
    SetInt(handle, ZMQ_ROUTER_MANDATORY, 1);
    SetInt(handle, ZMQ_ROUTER_HANDOVER, 1);
  }
  if (type == ZMQ_SUB) zmq_setsockopt(handle, ZMQ_SUBSCRIBE, "", 0);
  return socket;
}

absl::Status BusSockets::SecureServer(Socket& socket) {
  SetInt(socket.handle(), ZMQ_CURVE_SERVER, 1);
  const std::string secret(keys_->own.secret_key.Reveal());
  if (zmq_setsockopt(socket.handle(), ZMQ_CURVE_SECRETKEY, secret.c_str(), secret.size() + 1) !=
          0 ||
      zmq_setsockopt(socket.handle(), ZMQ_ZAP_DOMAIN, kZapDomain, sizeof kZapDomain - 1) != 0)
    return ZmqError("set the key of a socket");
  const int enforce = 1;
  if (zmq_setsockopt(socket.handle(), kZapEnforceDomain, &enforce, sizeof enforce) != 0)
    return ZmqError("enforce authentication");
  return absl::OkStatus();
}

absl::Status BusSockets::SecureClient(Socket& socket, const CurveKeys& own,
                                      const std::string& server_key) {
  const std::string secret(own.secret_key.Reveal());
  void* handle = socket.handle();
  if (zmq_setsockopt(handle, ZMQ_CURVE_SERVERKEY, server_key.c_str(), server_key.size() + 1) != 0 ||
      zmq_setsockopt(handle, ZMQ_CURVE_PUBLICKEY, own.public_key.c_str(),
                     own.public_key.size() + 1) != 0 ||
      zmq_setsockopt(handle, ZMQ_CURVE_SECRETKEY, secret.c_str(), secret.size() + 1) != 0)
    return ZmqError("set the key of a socket");
  return absl::OkStatus();
}

absl::StatusOr<Socket> BusSockets::Bind(int type, const std::string& endpoint) {
  if (!keys_ && !IsIpc(endpoint))
    return absl::InvalidArgumentError(fmt::format(
        "{} is open to the network and needs keys: set bus.keys_dir and run 'cordon keys generate'",
        endpoint));
  ASSIGN_OR_RETURN(Socket socket, Make(type));
  if (keys_) RETURN_IF_ERROR(SecureServer(socket));
  RETURN_IF_ERROR(BindHandle(socket.handle(), endpoint));
  if (keys_) RETURN_IF_ERROR(ProveStrangersAreRejected(type, socket.endpoint()));
  return socket;
}

absl::StatusOr<Socket> BusSockets::Connect(int type, const std::string& endpoint) {
  if (!keys_ && !IsIpc(endpoint))
    return absl::InvalidArgumentError(fmt::format(
        "{} crosses the network and needs keys: set bus.keys_dir and run 'cordon keys generate'",
        endpoint));
  ASSIGN_OR_RETURN(Socket socket, Make(type));
  SetInt(socket.handle(), ZMQ_IMMEDIATE, 1);
  if (keys_) {
    if (keys_->dispatcher_public_key.empty())
      return absl::NotFoundError(fmt::format(
          "the dispatcher's public key is missing: copy its {}.pub into the keys folder",
          kDispatcherName));
    RETURN_IF_ERROR(SecureClient(socket, keys_->own, keys_->dispatcher_public_key));
  }
  RETURN_IF_ERROR(socket.Watch(context_));
  if (zmq_connect(socket.handle(), endpoint.c_str()) != 0)
    return ZmqError(fmt::format("connect to {}", endpoint));
  return socket;
}

absl::Status BusSockets::ProveStrangersAreRejected(int type, const std::string& endpoint) {
  const CurveKeys stranger = GenerateCurveKeys();
  zap_->ExpectStranger(stranger.public_key);
  // Of the type that `type` talks to: libzmq hangs up on any other one, perhaps before it looked at
  // the key, and then nobody is told why.
  ASSIGN_OR_RETURN(Socket socket, Make(type == ZMQ_SUB ? ZMQ_PUB : ZMQ_DEALER));
  RETURN_IF_ERROR(SecureClient(socket, stranger, keys_->own.public_key));
  RETURN_IF_ERROR(socket.Watch(context_));
  if (zmq_connect(socket.handle(), endpoint.c_str()) != 0) return ZmqError("try the own endpoint");
  const WakeEvent never;
  const BootTime give_up = SystemClock().Boot() + kSelfTest;
  while (SystemClock().Boot() < give_up) {
    WaitReadable({socket.monitor()}, never, Milliseconds(100));
    const std::optional<LinkEvent> event = socket.ReceiveLinkEvent();
    if (event == LinkEvent::kKeyRejected) return absl::OkStatus();
    if (event == LinkEvent::kConnected)
      return absl::FailedPreconditionError(fmt::format(
          "{} let a random key in: authentication does not work here, so it does not start",
          endpoint));
  }
  return absl::FailedPreconditionError(
      fmt::format("{} did not reject a random key within {} ms, so it does not start", endpoint,
                  kSelfTest.count()));
}

bool ClientLink::Tend(BootTime now) {
  bool connected = false;
  while (const std::optional<LinkEvent> event = socket_.ReceiveLinkEvent()) {
    connected = event == LinkEvent::kConnected;
    if (event == LinkEvent::kKeyRejected) connect_again_ = now + kTryKeyAgain;
  }
  if (now >= connect_again_) Renew();
  return connected;
}

void ClientLink::Renew() {
  connect_again_ = BootTime::max();
  absl::StatusOr<Socket> fresh = sockets_.Connect(type_, endpoint_);
  if (fresh.ok()) socket_ = *std::move(fresh);
}

}  // namespace cordon
