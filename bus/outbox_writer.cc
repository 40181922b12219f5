// SPDX-License-Identifier: Apache-2.0
#include "bus/outbox_writer.h"

#include "base/limits.h"
#include "base/log.h"
#include "bus/outbox_pictures.h"
#include "bus/wire.h"

namespace cordon {
namespace {

constexpr size_t kQueued = 1024;  // handed over, not yet committed
constexpr size_t kRowsPerCommit = 64;
constexpr size_t kPruneRows = 256;  // acknowledged rows that are worth a delete...
constexpr Seconds kPruneAfter{1};   // ...or this long after the last one
constexpr Milliseconds kIdle{200};
constexpr Seconds kReserveAgain{60};
constexpr Seconds kPictureCheck{60};
constexpr size_t kEnvelopeBytes = 1024;  // what the envelope and the outbox's own fields add
constexpr double kRoomAgain = 0.9;       // of the limit: the next refusal is a new alarm

std::string IdOf(const proto::OutboxRecord& record) {
  return record.has_evidence() ? record.evidence().alert_id() : record.alert().id();
}

absl::Status CheckFits(const proto::OutboxRecord& record) {
  RETURN_IF_ERROR(wire::CheckRecord(record));
  const size_t bytes = record.ByteSizeLong();
  if (bytes + kEnvelopeBytes <= limits::kMaxMessageBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("the record has {} bytes; the bus carries {}", bytes, limits::kMaxMessageBytes));
}

}  // namespace

OutboxWriter::OutboxWriter(const AlertOutboxOptions& options, OutboxStore& store,
                           OutboxProgress& progress, std::function<void()> committed,
                           const Clock& clock, Metrics& metrics)
    : options_(options),
      committed_(std::move(committed)),
      clock_(clock),
      raised_total_(
          metrics.Counter("cordon_outbox_raised_total", "Records made durable in the outbox.")),
      refused_total_(metrics.Counter("cordon_outbox_refused_total",
                                     "Records refused: outbox or disk full, queue full.")),
      commit_seconds_(metrics.Latency("cordon_outbox_commit_seconds",
                                      "Duration of one group commit of the outbox.")),
      progress_(progress),
      ids_(clock),
      queue_(kQueued),
      store_(store),
      ballast_(options.path + ".ballast", options.ballast_bytes),
      pruned_(clock.Boot()),
      thread_([this] { Run(); }) {}

OutboxWriter::~OutboxWriter() {
  queue_.Close();
  thread_.join();
}

void OutboxWriter::Write(proto::OutboxRecord record, AlertOutbox::Done done) {
  if (const absl::Status fits = CheckFits(record); !fits.ok()) return done(fits);
  if (record.has_alert() && record.alert().id().empty())
    record.mutable_alert()->set_id(ids_.Next().str());
  // The queue keeps or drops its item whole; a refusal still needs the callback.
  switch (queue_.Push({std::move(record), done})) {
    case PushResult::kPushed:
      return;
    case PushResult::kClosed:
      return done(absl::UnavailableError("the outbox is closing"));
    case PushResult::kFull:
      break;
  }
  Refuse(done, absl::ResourceExhaustedError(fmt::format(
                   "{} records already wait for the disk of {}: it is too slow or stuck", kQueued,
                   options_.path)));
}

void OutboxWriter::Refuse(const AlertOutbox::Done& done, const absl::Status& why) {
  refused_total_.Increment();
  progress_.CountRefused();
  done(why);
}

// ---- the thread ----

void OutboxWriter::Run() {
  SetThreadName("outbox-write");
  while (true) {
    std::vector<Pending> batch = queue_.PopSome(kRowsPerCommit, kIdle);
    if (batch.empty() && queue_.closed()) return;
    WriteBatch(std::move(batch));
  }
}

void OutboxWriter::WriteBatch(std::vector<Pending> batch) {
  if (!broken_.ok()) {
    for (const Pending& pending : batch) Refuse(pending.done, broken_);
    return;
  }
  DropPicturesWhenDue();
  RefuseAboveLimit(batch);
  if (!batch.empty()) return CommitBatch(batch);
  KeepBallast();
  Prune();
}

void OutboxWriter::Prune() {
  const uint64_t acknowledged = DueAcknowledged();
  if (acknowledged == store_.acknowledged()) return;
  if (const absl::Status status = store_.Commit({}, acknowledged, clock_); !status.ok())
    OnWriteError(status);
}

void OutboxWriter::DropPicturesWhenDue() {
  const BootTime now = clock_.Boot();
  if (pictures_checked_ != BootTime{} && now - pictures_checked_ < kPictureCheck) return;
  pictures_checked_ = now;
  const absl::StatusOr<uint64_t> dropped = DropOutboxPictures(store_.connection(), clock_.Wall());
  if (!dropped.ok()) return OnWriteError(dropped.status());
  if (*dropped == 0) return;
  log::Info("undelivered alerts lost their pictures: they may not be kept longer",
            {{"pictures", *dropped}, {"path", options_.path}});
  pictures_checked_ = {};  // there may be more
}

// What to prune now: the acknowledged cursor when enough rows or time have gathered, else where the
// file already is.
uint64_t OutboxWriter::DueAcknowledged() {
  const uint64_t acknowledged = progress_.acknowledged();
  const BootTime now = clock_.Boot();
  if (acknowledged - store_.acknowledged() < kPruneRows && now - pruned_ < kPruneAfter)
    return store_.acknowledged();
  pruned_ = now;
  return acknowledged;
}

void OutboxWriter::RefuseAboveLimit(std::vector<Pending>& batch) {
  const uint64_t pending = store_.last_sequence() - progress_.acknowledged();
  if (alarmed_full_ &&
      static_cast<double>(pending) < kRoomAgain * static_cast<double>(options_.limit)) {
    alarmed_full_ = false;
    progress_.SetWriteFault("");
  }
  const size_t room = pending < options_.limit ? options_.limit - pending : 0;
  if (batch.size() <= room) return;
  const std::string reason = fmt::format(
      "the outbox holds its limit of {} undelivered alerts; restore the link to the dispatcher at "
      "{}",
      options_.limit, options_.endpoint);
  for (size_t i = room; i < batch.size(); ++i)
    Refuse(batch[i].done, absl::ResourceExhaustedError(reason));
  batch.resize(room);
  if (alarmed_full_) return;
  alarmed_full_ = true;
  progress_.SetWriteFault(reason);
  log::Error("the outbox is full; new alerts are refused",
             {{"limit", options_.limit}, {"endpoint", options_.endpoint}});
  batch.push_back(FullAlarm());
}

// One alert above the limit, so that the dispatcher learns of the refusals as soon as the link is
// back.
OutboxWriter::Pending OutboxWriter::FullAlarm() {
  Pending pending;
  proto::Alert& alert = *pending.record.mutable_alert();
  alert.set_id(ids_.Next().str());
  alert.set_wall_time_us(ToMicros(clock_.Wall()));
  alert.mutable_event()->set_kind(proto::EVENT_KIND_OUTBOX_FULL);
  alert.mutable_event()->set_severity(proto::RuleConfig::SEVERITY_CRITICAL);
  alert.mutable_event()->set_detail(
      fmt::format("The outbox of {} reached its limit of {} alerts; later ones were refused.",
                  options_.producer, options_.limit));
  pending.done = [](const absl::StatusOr<Raised>&) {};
  return pending;
}

void OutboxWriter::CommitBatch(std::vector<Pending>& batch) {
  std::vector<proto::OutboxRecord> records;
  records.reserve(batch.size());
  for (Pending& pending : batch) records.push_back(std::move(pending.record));
  const BootTime began = clock_.Boot();
  const uint64_t first = store_.last_sequence() + 1;
  const uint64_t acknowledged = DueAcknowledged();
  absl::Status status = store_.Commit(records, acknowledged, clock_);
  if (status.code() == absl::StatusCode::kResourceExhausted && GiveUpBallast())
    status = store_.Commit(records, acknowledged, clock_);
  const BootTime committed = clock_.Boot();
  if (!status.ok()) {
    OnWriteError(status);
    for (const Pending& pending : batch) Refuse(pending.done, status);
    return;
  }
  commit_seconds_.Observe(std::chrono::duration<double>(committed - began).count());
  raised_total_.Increment(static_cast<double>(batch.size()));
  if (!alarmed_full_) progress_.SetWriteFault("");
  progress_.SetCommitted(first, store_.last_sequence(), committed);
  committed_();
  for (size_t i = 0; i < batch.size(); ++i)
    batch[i].done(Raised{IdOf(records[i]), first + i, store_.identity().epoch, committed});
}

// The disk is full: the room kept for this is freed. True when that helps.
bool OutboxWriter::GiveUpBallast() {
  reserve_again_ = clock_.Boot() + kReserveAgain;
  if (!ballast_.Release()) return false;
  log::Error("the disk is full; the outbox lives on its reserve",
             {{"path", options_.path}, {"reserve_bytes", options_.ballast_bytes}});
  return true;
}

void OutboxWriter::KeepBallast() {
  if (ballast_.has_room() || clock_.Boot() < reserve_again_) return;
  ballast_.Reserve();
  reserve_again_ = clock_.Boot() + kReserveAgain;
}

void OutboxWriter::OnWriteError(const absl::Status& error) {
  progress_.SetWriteFault(std::string(MessageOf(error)));
  if (error.code() == absl::StatusCode::kResourceExhausted) {
    log::Error("the outbox cannot write: the disk is full", {{"path", options_.path}});
    return;
  }
  // A failed sync may have lost pages that the next one would report as written: never retried
  // (fsyncgate).
  broken_ = absl::InternalError(
      fmt::format("{}; end this process so that the file is recovered", MessageOf(error)));
  log::Critical("the outbox file failed", {{"path", options_.path}, {"why", MessageOf(error)}});
}

}  // namespace cordon
