// SPDX-License-Identifier: Apache-2.0
// The sending half of the alert lane's protocol as a state machine: no socket, no thread, no clock
// of its own. Time and messages come in, messages go out; tests drive thousands of failures through
// it from a seed.
//
//   offline --connected--> greeting --WELCOME--> flowing
//                          HELLO once a second   DATA within the credit, HEARTBEAT once a second
//   flowing --SAY_HELLO--> greeting;  any --REJECTED--> rejected --10 s--> greeting;  any
//   --disconnected--> offline nothing heard for 3 s while connected: lost(), the transport makes a
//   new connection
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "base/limits.h"
#include "base/status.h"
#include "base/time.h"
#include "proto/envelope.pb.h"

namespace cordon {

// One committed row.
struct OutboxRow {
  uint64_t sequence = 0;
  uint64_t epoch = 0;
  uint32_t crc32c = 0;
  int64_t committed_ns = 0;  // boot time; 0: by an earlier process
  std::string bytes;
};

// Where the session reads what is to be sent.
class OutboxRows {
 public:
  virtual ~OutboxRows() = default;
  // Committed rows in order from the first after `sequence`; at most `most`, and at least one when
  // there is one.
  virtual absl::StatusOr<std::vector<OutboxRow>> ReadAfter(uint64_t sequence, size_t most) = 0;
};

// Who the outbox is; one for each start of the process.
struct OutboxIdentity {
  std::string site_id;
  std::string producer;
  std::string lineage;
  uint64_t epoch = 0;
  std::string epoch_uuid;
};

class OutboxSession {
 public:
  static constexpr Seconds kHeartbeat{1};
  static constexpr Seconds kDeadAfter{3};       // three heartbeats
  static constexpr Seconds kResendAfter{2};     // sent, peer alive, no acknowledgement moves
  static constexpr Seconds kAskAgainAfter{10};  // after a rejection
  static constexpr size_t kMaxInFlightBytes = 8 * 1024 * 1024;

  enum class State { kOffline, kGreeting, kFlowing, kRejected };

  // `acknowledged` and `last` are what the outbox file says at the start.
  OutboxSession(OutboxIdentity identity, OutboxRows& rows, uint64_t acknowledged, uint64_t last);

  void OnConnected(BootTime now);
  void OnDisconnected();
  void OnCommitted(uint64_t last_sequence);
  void OnEnvelope(const proto::Envelope& envelope, BootTime now);

  // Sends what is due. `send` answers false when the connection takes no more for now: Pump stops
  // and goes on there the next time. Error: the rows cannot be read.
  absl::Status Pump(BootTime now, absl::FunctionRef<bool(const proto::Envelope&)> send);

  // When Pump should be called at the latest if nothing else happens.
  BootTime next_due() const;

  State state() const { return state_; }
  bool lost(BootTime now) const;
  uint64_t acknowledged() const { return acknowledged_; }
  uint64_t resent() const { return resent_; }
  const std::string& fault() const { return fault_; }  // why it was rejected

 private:
  void Enter(State state, BootTime now);
  void OnWelcome(const proto::Welcome& welcome, BootTime now);
  void OnRefused(const proto::Refused& refused, BootTime now);
  void Acknowledge(uint64_t durable_sequence, BootTime now);
  void GoBack(uint64_t sequence);
  bool SendHello(BootTime now, absl::FunctionRef<bool(const proto::Envelope&)> send);
  absl::Status SendData(BootTime now, absl::FunctionRef<bool(const proto::Envelope&)> send);

  struct InFlight {
    uint64_t sequence;
    size_t bytes;
  };

  const OutboxIdentity identity_;
  OutboxRows& rows_;
  State state_ = State::kOffline;
  uint64_t acknowledged_;
  uint64_t last_;              // committed
  uint64_t sent_ = 0;          // highest sequence handed to this connection
  uint64_t highest_sent_ = 0;  // by this process, ever
  uint64_t resent_ = 0;
  uint32_t credit_ = 0;
  std::deque<InFlight> in_flight_;
  size_t in_flight_bytes_ = 0;
  BootTime heard_{};
  BootTime progressed_{};
  BootTime next_beat_{};
  std::string fault_;
};

}  // namespace cordon
