// SPDX-License-Identifier: Apache-2.0
// An RTSP camera that does what a script says, at the level of bytes: for everything that a
// well-behaved server cannot be made to do. Real sockets on loopback, port 0.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/time.h"
#include "tests/support/loopback_listener.h"

struct ssl_ctx_st;
struct ssl_st;

namespace cordon::testing {

// Certificate and key for a TLS server, PEM. Made at test time by tls_identity.h.
struct TlsIdentity {
  std::string certificate;
  std::string key;
};

class FaultRtspServer;

// One accepted connection, in a thread of its own. All waits end when the client goes or the server
// is destroyed; calls then return false or nothing.
class FaultSession {
 public:
  struct Request {
    std::string method;
    std::string url;
    std::string head;  // all of it
    std::string Header(std::string_view name) const;
  };

  // The next request of the client.
  std::optional<Request> Next();
  // A reply with its CSeq. Content-Length is added when there is a body.
  bool Reply(const Request& request, int status, std::string_view headers = "",
             std::string_view body = "");
  // What a good camera would say: to DESCRIBE `sdp`, to SETUP the transport that was asked for.
  bool Serve(const Request& request, std::string_view sdp);
  // Serves until PLAY has been answered. False when it never came.
  bool ServeUntilPlay(std::string_view sdp);
  // Bytes as they are.
  bool Send(std::string_view bytes);
  // One byte every `pause`.
  bool Drip(std::string_view bytes, Milliseconds pause);
  // RTP or RTCP the way SETUP agreed: interleaved or UDP.
  bool SendRtp(std::string_view packet) { return SendPacket(0, packet); }
  bool SendRtcp(std::string_view packet) { return SendPacket(1, packet); }
  bool SendInterleaved(uint8_t channel, std::string_view packet);
  // Answers keep-alives until the client goes or says TEARDOWN.
  void Hold();
  // Says nothing until the client goes.
  void Silence();
  bool Pause(Milliseconds time);
  // 1 for the first connection of the server.
  int number() const { return number_; }

 private:
  friend class FaultRtspServer;
  FaultSession(FaultRtspServer& server, int fd, int number);
  bool SendPacket(uint8_t channel, std::string_view packet);
  bool StartTls(ssl_ctx_st* context);
  long Receive(char* to, size_t size);  // 0: client gone or server stopped
  void Close();

  FaultRtspServer& server_;
  int fd_;
  const int number_;
  ssl_st* ssl_ = nullptr;
  std::string pending_;
  int udp_fd_[2] = {-1, -1};
  int client_port_[2] = {0, 0};
};

class FaultRtspServer {
 public:
  using Script = std::function<void(FaultSession&)>;

  // Runs `script` for each connection; the connection ends when it returns. `port` 0: any free one.
  explicit FaultRtspServer(Script script, std::optional<TlsIdentity> tls = std::nullopt,
                           uint16_t port = 0);
  ~FaultRtspServer();
  FaultRtspServer(const FaultRtspServer&) = delete;
  FaultRtspServer& operator=(const FaultRtspServer&) = delete;

  std::string Url(std::string_view host = "127.0.0.1") const;
  uint16_t port() const { return listener_.port(); }
  // Methods that came, of all connections.
  std::vector<std::string> Methods() const;
  int connections() const { return listener_.connections(); }
  // What came in clear, of all connections, up to a megabyte: to look for secrets.
  std::string Received() const;
  // False when it has not come in time.
  bool AwaitMethod(std::string_view method, Milliseconds patience) const;

 private:
  friend class FaultSession;
  bool stopping() const { return listener_.stopping(); }
  bool SleepUnlessStopping(Milliseconds time);

  const Script script_;
  ssl_ctx_st* tls_ = nullptr;
  mutable absl::Mutex mutex_;
  std::vector<std::string> methods_ ABSL_GUARDED_BY(mutex_);
  std::string received_ ABSL_GUARDED_BY(mutex_);
  bool stop_seen_ ABSL_GUARDED_BY(mutex_) = false;
  LoopbackListener listener_;  // last: its threads use all of the above
};

}  // namespace cordon::testing
