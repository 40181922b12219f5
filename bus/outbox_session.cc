// SPDX-License-Identifier: Apache-2.0
#include "bus/outbox_session.h"

#include <algorithm>

#include "bus/wire.h"

namespace cordon {
namespace {

constexpr size_t kRowsPerRead = 64;

proto::Envelope NewEnvelope() {
  proto::Envelope envelope;
  envelope.set_version(wire::kProtocolVersion);
  return envelope;
}

}  // namespace

OutboxSession::OutboxSession(OutboxIdentity identity, OutboxRows& rows, uint64_t acknowledged,
                             uint64_t last)
    : identity_(std::move(identity)), rows_(rows), acknowledged_(acknowledged), last_(last) {}

void OutboxSession::Enter(State state, BootTime now) {
  state_ = state;
  in_flight_.clear();
  in_flight_bytes_ = 0;
  next_beat_ = now;
}

void OutboxSession::OnConnected(BootTime now) {
  heard_ = now;
  Enter(State::kGreeting, now);
}

void OutboxSession::OnDisconnected() { Enter(State::kOffline, BootTime{}); }

void OutboxSession::OnCommitted(uint64_t last_sequence) { last_ = std::max(last_, last_sequence); }

void OutboxSession::OnEnvelope(const proto::Envelope& envelope, BootTime now) {
  heard_ = now;
  switch (envelope.body_case()) {
    case proto::Envelope::kWelcome:
      OnWelcome(envelope.welcome(), now);
      break;
    case proto::Envelope::kRefused:
      OnRefused(envelope.refused(), now);
      break;
    case proto::Envelope::kAck:
      if (state_ == State::kFlowing) {
        credit_ = std::min<uint32_t>(envelope.ack().credit(), limits::kMaxInFlight);
        Acknowledge(envelope.ack().durable_sequence(), now);
      }
      break;
    default:
      break;  // a newer peer's extra word; unknown fields are no reason to stop
  }
}

void OutboxSession::OnWelcome(const proto::Welcome& welcome, BootTime now) {
  if (state_ != State::kGreeting) return;  // a repeat of an answered HELLO
  Enter(State::kFlowing, now);
  fault_.clear();
  credit_ = std::min<uint32_t>(welcome.credit(), limits::kMaxInFlight);
  progressed_ = now;
  next_beat_ = now + kHeartbeat;
  Acknowledge(welcome.durable_sequence(), now);
  sent_ = acknowledged_;
}

void OutboxSession::OnRefused(const proto::Refused& refused, BootTime now) {
  if (refused.kind() == proto::Refused::KIND_REJECTED) {
    fault_ = refused.reason();
    Enter(State::kRejected, now);
    next_beat_ = now + kAskAgainAfter;
  } else if (state_ == State::kFlowing) {
    Enter(State::kGreeting, now);
  }
}

void OutboxSession::Acknowledge(uint64_t durable_sequence, BootTime now) {
  // What was never committed here cannot be durable there: a stray word, not a reason to drop rows.
  if (durable_sequence > last_ || durable_sequence <= acknowledged_) return;
  acknowledged_ = durable_sequence;
  sent_ = std::max(sent_, acknowledged_);
  progressed_ = now;
  while (!in_flight_.empty() && in_flight_.front().sequence <= acknowledged_) {
    in_flight_bytes_ -= in_flight_.front().bytes;
    in_flight_.pop_front();
  }
}

void OutboxSession::GoBack(uint64_t sequence) {
  sent_ = sequence;
  in_flight_.clear();
  in_flight_bytes_ = 0;
}

absl::Status OutboxSession::Pump(BootTime now,
                                 absl::FunctionRef<bool(const proto::Envelope&)> send) {
  if (state_ == State::kRejected && now >= next_beat_) Enter(State::kGreeting, now);
  if (state_ == State::kGreeting && now >= next_beat_) SendHello(now, send);
  if (state_ != State::kFlowing) return absl::OkStatus();
  if (!in_flight_.empty() && now - progressed_ >= kResendAfter) {
    GoBack(acknowledged_);
    progressed_ = now;
  }
  RETURN_IF_ERROR(SendData(now, send));
  if (now >= next_beat_) {
    proto::Envelope envelope = NewEnvelope();
    envelope.mutable_heartbeat()->set_last_sequence(last_);
    if (send(envelope)) next_beat_ = now + kHeartbeat;
  }
  return absl::OkStatus();
}

bool OutboxSession::SendHello(BootTime now, absl::FunctionRef<bool(const proto::Envelope&)> send) {
  proto::Envelope envelope = NewEnvelope();
  proto::Hello& hello = *envelope.mutable_hello();
  hello.set_protocol(wire::kProtocolVersion);
  hello.set_site_id(identity_.site_id);
  hello.set_producer(identity_.producer);
  hello.set_lineage(identity_.lineage);
  hello.set_epoch(identity_.epoch);
  hello.set_epoch_uuid(identity_.epoch_uuid);
  hello.set_lowest_unacknowledged(acknowledged_ + 1);
  hello.set_last_sequence(last_);
  if (!send(envelope)) return false;
  next_beat_ = now + kHeartbeat;
  return true;
}

absl::Status OutboxSession::SendData(BootTime now,
                                     absl::FunctionRef<bool(const proto::Envelope&)> send) {
  while (sent_ < last_ && in_flight_.size() < credit_ && in_flight_bytes_ < kMaxInFlightBytes) {
    const size_t room = std::min<size_t>(kRowsPerRead, credit_ - in_flight_.size());
    ASSIGN_OR_RETURN(const std::vector<OutboxRow> rows, rows_.ReadAfter(sent_, room));
    if (rows.empty()) return absl::OkStatus();
    if (in_flight_.empty()) progressed_ = now;
    for (const OutboxRow& row : rows) {
      proto::Envelope envelope = NewEnvelope();
      proto::Data& data = *envelope.mutable_data();
      data.set_epoch(row.epoch);
      data.set_sequence(row.sequence);
      data.set_crc32c(row.crc32c);
      data.set_record(row.bytes);
      data.set_committed_ns(row.committed_ns);
      if (!send(envelope)) return absl::OkStatus();
      if (row.sequence <= highest_sent_) ++resent_;
      sent_ = row.sequence;
      highest_sent_ = std::max(highest_sent_, sent_);
      in_flight_.push_back({row.sequence, row.bytes.size()});
      in_flight_bytes_ += row.bytes.size();
      if (in_flight_bytes_ >= kMaxInFlightBytes) break;
    }
  }
  return absl::OkStatus();
}

bool OutboxSession::lost(BootTime now) const {
  return (state_ == State::kGreeting || state_ == State::kFlowing) && now - heard_ >= kDeadAfter;
}

BootTime OutboxSession::next_due() const {
  switch (state_) {
    case State::kOffline:
      return BootTime::max();
    case State::kRejected:
      return next_beat_;
    case State::kGreeting:
      return std::min(next_beat_, heard_ + kDeadAfter);
    case State::kFlowing:
      break;
  }
  const BootTime due = std::min(next_beat_, heard_ + kDeadAfter);
  return in_flight_.empty() ? due : std::min(due, progressed_ + kResendAfter);
}

}  // namespace cordon
