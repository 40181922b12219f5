// SPDX-License-Identifier: Apache-2.0
#include "bus/inbox_session.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "base/log.h"
#include "bus/wire.h"

namespace cordon {
namespace {

constexpr size_t kUuidBytes = 16;
constexpr size_t kMaxName = 64;
constexpr char kRecordsHelp[] = "Records received on the alert lane, by what became of them.";

std::optional<ProducerHello> ParseHello(const proto::Hello& hello) {
  const auto fits = [](const std::string& name) {
    return !name.empty() && name.size() <= kMaxName;
  };
  if (!fits(hello.site_id()) || !fits(hello.producer()) || hello.lineage().size() != kUuidBytes ||
      hello.epoch_uuid().size() != kUuidBytes || hello.epoch() == 0 ||
      hello.lowest_unacknowledged() == 0)
    return std::nullopt;
  return ProducerHello{{hello.site_id(), hello.producer(), hello.lineage()},
                       hello.epoch(),
                       hello.epoch_uuid(),
                       hello.lowest_unacknowledged(),
                       hello.last_sequence()};
}

// Why a parsed record is not what its producer may send, or empty.
std::string Mismatch(const InboxRecord& record) {
  if (!record.record.has_alert()) return "";
  const proto::Alert& alert = record.record.alert();
  if (alert.id().empty()) return "the alert has no id";
  if (alert.site_id() != record.producer.site_id || alert.producer() != record.producer.producer)
    return fmt::format("the alert names {} of {} as its producer", alert.producer(),
                       alert.site_id());
  if (alert.sequence() != record.sequence || alert.epoch() != record.epoch)
    return fmt::format("the alert says epoch {} number {}", alert.epoch(), alert.sequence());
  return "";
}

proto::Envelope NewEnvelope() {
  proto::Envelope envelope;
  envelope.set_version(wire::kProtocolVersion);
  return envelope;
}

}  // namespace

InboxSession::InboxSession(AlertSink& sink, const Clock& clock, Metrics& metrics)
    : sink_(sink),
      clock_(clock),
      metrics_(metrics),
      quarantined_(metrics.Counter("cordon_inbox_records_total", kRecordsHelp,
                                   {{"outcome", "quarantined"}})),
      missing_(
          metrics.Counter("cordon_inbox_missing_total",
                          "Records that neither this database nor their producer has any more.")),
      refused_(metrics.Counter("cordon_inbox_refused_total",
                               "Producers turned away: copies, restored files, wrong names.")),
      bad_frames_(metrics.Counter("cordon_inbox_bad_frames_total",
                                  "Frames that could not be read at all.")),
      fresh_(metrics.Counter("cordon_inbox_records_total", kRecordsHelp, {{"outcome", "fresh"}})),
      duplicates_(metrics.Counter("cordon_inbox_records_total", kRecordsHelp,
                                  {{"outcome", "duplicate"}})) {}

absl::Status InboxSession::OnFrame(const std::string& peer, const std::string& user,
                                   std::string_view frame) {
  const absl::StatusOr<proto::Envelope> envelope = wire::DecodeFrame(frame);
  if (!envelope.ok()) {
    OnBadFrame(peer, frame, envelope.status());
    return absl::OkStatus();
  }
  if (envelope->has_hello()) return OnHello(peer, user, envelope->hello());
  const auto known = peers_.find(peer);
  if (known == peers_.end()) {
    Refuse(peer, proto::Refused::KIND_SAY_HELLO, "this connection has not said hello");
    return absl::OkStatus();
  }
  Producer& producer = producers_[known->second.key];
  producer.heard = clock_.Boot();
  if (envelope->has_data()) {
    OnData(peer, known->second, envelope->data());
  } else if (envelope->has_heartbeat()) {
    producer.announced = std::max(producer.announced, envelope->heartbeat().last_sequence());
    Acknowledge(peer, producer.durable);
  }
  return absl::OkStatus();
}

absl::Status InboxSession::OnHello(const std::string& peer, const std::string& user,
                                   const proto::Hello& words) {
  RETURN_IF_ERROR(Flush());
  const auto reject = [&](std::string reason) {
    log::Warning("a producer was turned away",
                 {{"producer", words.producer().substr(0, kMaxName)}, {"why", reason}});
    refused_.Increment();
    Refuse(peer, proto::Refused::KIND_REJECTED, std::move(reason));
    return absl::OkStatus();
  };
  if (words.protocol() != wire::kProtocolVersion)
    return reject(
        fmt::format("protocol {} is spoken here, not {}: use the same release on both sides",
                    wire::kProtocolVersion, words.protocol()));
  const std::optional<ProducerHello> hello = ParseHello(words);
  if (!hello) return reject("the hello is incomplete");
  if (!user.empty() && user != hello->producer.producer)
    return reject(fmt::format("the key of {} cannot speak for {}", user, hello->producer.producer));
  for (const auto& [key, other] : producers_) {
    const bool same_name =
        key.site_id == hello->producer.site_id && key.producer == hello->producer.producer;
    if (same_name && key.lineage != hello->producer.lineage && !other.peer.empty() &&
        clock_.Boot() - other.heard < kDeadAfter)
      return reject(fmt::format("another process already sends as {}: give each node its own id",
                                key.producer));
  }
  if (peers_.size() >= kMaxPeers && !peers_.contains(peer))
    return reject("too many producers are connected");
  return Welcome(peer, *hello);
}

absl::Status InboxSession::Welcome(const std::string& peer, const ProducerHello& hello) {
  const absl::StatusOr<Greeting> greeting = sink_.Greet(hello);
  if (!greeting.ok()) {
    if (greeting.status().code() != absl::StatusCode::kResourceExhausted) return greeting.status();
    return absl::OkStatus();  // the disk is full: no answer, it asks again
  }
  Producer& producer = producers_[hello.producer];
  if (!greeting->accepted) {
    if (producer.fault != greeting->reason)
      log::Error("a producer was turned away",
                 {{"producer", hello.producer.producer}, {"why", greeting->reason}});
    producer.fault = greeting->reason;
    refused_.Increment();
    Refuse(peer, proto::Refused::KIND_REJECTED, greeting->reason);
    return absl::OkStatus();
  }
  if (greeting->missing > 0) {
    missing_.Increment(static_cast<double>(greeting->missing));
    log::Error("records are missing for ever",
               {{"producer", hello.producer.producer}, {"count", greeting->missing}});
  }
  // The newest connection speaks for the producer; an older one of the same outbox is a remnant.
  std::erase_if(peers_, [&](const auto& entry) {
    return entry.second.key.site_id == hello.producer.site_id &&
           entry.second.key.producer == hello.producer.producer;
  });
  peers_[peer] = {hello.producer, hello.epoch, hello.epoch_uuid};
  producer = {peer, greeting->durable_sequence, hello.last_sequence, clock_.Boot(), ""};
  proto::Envelope envelope = NewEnvelope();
  envelope.mutable_welcome()->set_durable_sequence(greeting->durable_sequence);
  envelope.mutable_welcome()->set_credit(limits::kMaxInFlight);
  outgoing_.push_back({peer, std::move(envelope)});
  return absl::OkStatus();
}

void InboxSession::OnData(const std::string& peer, const Peer& from, const proto::Data& data) {
  Producer& producer = producers_[from.key];
  producer.announced = std::max(producer.announced, data.sequence());
  if (data.sequence() <= producer.durable) {
    duplicates_.Increment();
    Acknowledge(peer, producer.durable);
    return;
  }
  if (data.sequence() > producer.durable + kWindow) {
    bad_frames_.Increment();
    return;
  }
  InboxRecord record;
  record.producer = from.key;
  record.epoch = data.epoch();
  record.sequence = data.sequence();
  record.bytes = data.record();
  record.received = clock_.Boot();
  absl::StatusOr<proto::OutboxRecord> parsed = wire::DecodeRecord(data.record(), data.crc32c());
  if (parsed.ok()) {
    record.record = *std::move(parsed);
    record.poison = data.epoch() > from.epoch ? "the record is from an epoch that has not begun"
                                              : Mismatch(record);
    if (record.record.has_alert() && data.committed_ns() > 0)
      record.record.mutable_alert()->mutable_stages()->set_committed_ns(data.committed_ns());
  } else {
    record.poison = MessageOf(parsed.status());
  }
  batch_.push_back(std::move(record));
}

void InboxSession::OnBadFrame(const std::string& peer, std::string_view frame,
                              const absl::Status& why) {
  bad_frames_.Increment();
  const auto known = peers_.find(peer);
  if (known == peers_.end()) return;  // strangers fill no disk
  InboxRecord record;
  record.producer = known->second.key;
  record.epoch = known->second.epoch;
  record.sequence = 0;  // unknown; the producer sends the record again
  record.bytes = frame.substr(0, InboxLedger::kMaxQuarantinedBytes);
  record.poison = MessageOf(why);
  record.received = clock_.Boot();
  batch_.push_back(std::move(record));
}

absl::Status InboxSession::Flush() {
  if (batch_.empty()) return absl::OkStatus();
  std::vector<InboxRecord> batch = std::exchange(batch_, {});
  if (const absl::Status status = sink_.Commit(batch); !status.ok())
    return status.code() == absl::StatusCode::kResourceExhausted ? absl::OkStatus() : status;
  std::map<ProducerKey, uint64_t> durable;
  for (const InboxRecord& record : batch) {
    CORDON_CHECK(record.admission != Admission::kUndecided,
                 "the sink admits every record of a batch");
    CountAdmission(record);
    uint64_t& cursor = durable[record.producer];
    cursor = std::max(cursor, record.durable_sequence);
  }
  for (const auto& [key, cursor] : durable) {
    Producer& producer = producers_[key];
    producer.durable = std::max(producer.durable, cursor);
    if (!producer.peer.empty()) Acknowledge(producer.peer, producer.durable);
  }
  return absl::OkStatus();
}

void InboxSession::CountAdmission(const InboxRecord& record) {
  switch (record.admission) {
    case Admission::kFresh:
      fresh_.Increment();
      break;
    case Admission::kDuplicate:
      duplicates_.Increment();
      break;
    case Admission::kQuarantined:
      quarantined_.Increment();
      log::Error("a record was quarantined",
                 {{"producer", record.producer.producer},
                  {"epoch", record.epoch},
                  {"sequence", record.sequence},
                  {"why", record.poison.empty() ? "same id, other content" : record.poison}});
      break;
    case Admission::kUndecided:
      break;
  }
}

void InboxSession::Refuse(const std::string& peer, proto::Refused::Kind kind, std::string reason) {
  proto::Envelope envelope = NewEnvelope();
  envelope.mutable_refused()->set_kind(kind);
  envelope.mutable_refused()->set_reason(std::move(reason));
  outgoing_.push_back({peer, std::move(envelope)});
}

void InboxSession::Acknowledge(const std::string& peer, uint64_t durable_sequence) {
  proto::Envelope envelope = NewEnvelope();
  envelope.mutable_ack()->set_durable_sequence(durable_sequence);
  envelope.mutable_ack()->set_credit(limits::kMaxInFlight);
  outgoing_.push_back({peer, std::move(envelope)});
}

void InboxSession::ForgetSilent() {
  const BootTime now = clock_.Boot();
  std::erase_if(peers_, [&](const auto& entry) {
    return now - producers_[entry.second.key].heard > kForgetAfter;
  });
}

std::vector<ProducerStatus> InboxSession::Producers() const {
  std::vector<ProducerStatus> list;
  for (const auto& [key, producer] : producers_) {
    const bool connected = !producer.peer.empty() && clock_.Boot() - producer.heard < kDeadAfter;
    list.push_back(
        {key, connected, producer.durable, producer.announced, producer.heard, producer.fault});
  }
  return list;
}

}  // namespace cordon
