// SPDX-License-Identifier: Apache-2.0
// The receiving half of the alert lane's protocol for all producers, as a state machine without
// socket or thread: frames and time come in, answers go out, and what is to be kept goes through
// the sink. Internal to bus/ and its tests.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/limits.h"
#include "base/metrics.h"
#include "base/status.h"
#include "bus/alert_inbox.h"
#include "bus/inbox_ledger.h"
#include "proto/envelope.pb.h"

namespace cordon {

class InboxSession {
 public:
  static constexpr Seconds kDeadAfter{3};
  static constexpr Seconds kForgetAfter{60};  // a silent connection's state
  // A sequence so far beyond the cursor was never within the credit.
  static constexpr uint64_t kWindow = 4 * limits::kMaxInFlight;
  static constexpr size_t kMaxPeers = 1024;

  struct Outgoing {
    std::string peer;
    proto::Envelope envelope;
  };

  InboxSession(AlertSink& sink, const Clock& clock, Metrics& metrics);

  // One frame of connection `peer`, whose key proves the name `user` (empty: no keys). Data is
  // gathered until Flush; a HELLO flushes first. An error is fatal: see AlertSink::Commit.
  absl::Status OnFrame(const std::string& peer, const std::string& user, std::string_view frame);

  // Commits what has gathered and answers it.
  absl::Status Flush();

  // Drops the state of connections that have been silent for long.
  void ForgetSilent();

  size_t gathered() const { return batch_.size(); }
  std::vector<Outgoing> TakeOutgoing() { return std::exchange(outgoing_, {}); }
  std::vector<ProducerStatus> Producers() const;

 private:
  struct Peer {
    ProducerKey key;
    uint64_t epoch = 0;
    std::string epoch_uuid;
  };
  struct Producer {
    std::string peer;  // the connection that speaks for it
    uint64_t durable = 0;
    uint64_t announced = 0;
    BootTime heard{};
    std::string fault;
  };

  absl::Status OnHello(const std::string& peer, const std::string& user, const proto::Hello& hello);
  void OnData(const std::string& peer, const Peer& from, const proto::Data& data);
  void OnBadFrame(const std::string& peer, std::string_view frame, const absl::Status& why);
  absl::Status Welcome(const std::string& peer, const ProducerHello& hello);
  void Refuse(const std::string& peer, proto::Refused::Kind kind, std::string reason);
  void Acknowledge(const std::string& peer, uint64_t durable_sequence);
  void CountAdmission(const InboxRecord& record);

  AlertSink& sink_;
  const Clock& clock_;
  Metrics& metrics_;
  std::map<std::string, Peer> peers_;
  std::map<ProducerKey, Producer> producers_;
  std::vector<InboxRecord> batch_;
  std::vector<Outgoing> outgoing_;
  prometheus::Counter& quarantined_;
  prometheus::Counter& missing_;
  prometheus::Counter& refused_;
  prometheus::Counter& bad_frames_;
  prometheus::Counter& fresh_;
  prometheus::Counter& duplicates_;
};

}  // namespace cordon
