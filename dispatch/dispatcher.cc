// SPDX-License-Identifier: Apache-2.0
#include "dispatch/dispatcher.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/synchronization/notification.h"
#include "base/check.h"
#include "base/log.h"

namespace cordon {
namespace {

// Work that waits for the owner: batches of alerts and people's clicks. Full means that the disk
// does not keep up; senders then keep their alerts.
constexpr size_t kTasks = 256;
// Alerts whose circles are not computed yet; jobs of one incident are computed together.
constexpr size_t kCirclesJobs = 4096;
constexpr Milliseconds kTick{100};

double SecondsBetween(int64_t from_ns, int64_t to_ns) {
  return static_cast<double>(to_ns - from_ns) / 1e9;
}

IncidentBook::Options BookOptions(const Dispatcher::Options& options) {
  IncidentBook::Options book;
  book.within = Metres{static_cast<double>(options.config.group_within_m())};
  book.window = Seconds(options.config.group_within_s());
  book.longest = Seconds(options.config.group_longest_s());
  for (const Dispatcher::Camera& camera : options.cameras)
    book.camera_names[camera.id] = camera.name.empty() ? camera.id : camera.name;
  return book;
}

}  // namespace

Dispatcher::Dispatcher(const Clock& clock, Metrics& metrics, UnitBoard& board, Options options)
    : clock_(clock),
      board_(board),
      options_(std::move(options)),
      ids_(clock),
      alerts_total_(
          metrics.Counter("cordon_dispatch_alerts_total", "Alerts committed by the dispatcher")),
      repeats_total_(metrics.Counter("cordon_dispatch_repeated_alerts_total",
                                     "Alerts whose id was there already; dropped")),
      circles_missed_total_(
          metrics.Counter("cordon_circles_missed_total",
                          "Alerts published without response circles: overload or no road near")),
      delivered_seconds_(metrics.Latency(
          "cordon_alert_delivery_seconds",
          "From the last packet of the deciding frame to durable in the dispatcher")),
      commit_seconds_(metrics.Latency("cordon_dispatch_commit_seconds",
                                      "One transaction of the dispatcher, COMMIT included")),
      ranked_seconds_(
          metrics.Latency("cordon_alert_ranked_seconds",
                          "From the last packet of the deciding frame to its ranked ETAs handed to "
                          "consoles, before any area is drawn")),
      circles_seconds_(metrics.Latency("cordon_circles_seconds",
                                       "Computing ETAs of all units and the circles of one scene")),
      report_seconds_(
          metrics.Latency("cordon_alert_report_seconds",
                          "From the last packet of the deciding frame to published with circles")),
      tasks_(kTasks),
      circles_jobs_(kCirclesJobs) {}

absl::StatusOr<std::unique_ptr<Dispatcher>> Dispatcher::Start(const Clock& clock, Metrics& metrics,
                                                              UnitBoard& board, Options options) {
  std::unique_ptr<Dispatcher> dispatcher(new Dispatcher(clock, metrics, board, std::move(options)));
  RETURN_IF_ERROR(dispatcher->Open());
  dispatcher->owner_ = std::thread([raw = dispatcher.get()] { raw->OwnerLoop(); });
  dispatcher->circles_ = std::thread([raw = dispatcher.get()] { raw->CirclesLoop(); });
  return dispatcher;
}

absl::Status Dispatcher::Open() {
  ASSIGN_OR_RETURN(store_,
                   EventStore::Open(options_.store_path, sqlite::Connection::Mode::kReadWrite));
  if (options_.prepare) RETURN_IF_ERROR(options_.prepare(store_->connection()));
  RETURN_IF_ERROR(LimitPictures());
  book_ = std::make_unique<IncidentBook>(*store_, clock_, ids_, BookOptions(options_));
  RETURN_IF_ERROR(book_->Load());
  for (const proto::UnitConfig& unit : options_.config.units()) board_.Add(unit);
  ASSIGN_OR_RETURN(const std::vector<proto::UnitChange> changes, store_->LastUnitChanges());
  for (const proto::UnitChange& change : changes) {
    if (!board_.Find(UnitId(change.unit_id()))) {
      proto::UnitConfig known;
      known.set_id(change.unit_id());
      board_.Add(known);
    }
    RETURN_IF_ERROR(
        board_.SetStatus(UnitId(change.unit_id()), change.status(), change.incident_id()));
  }
  ASSIGN_OR_RETURN(timers_, store_->Timers());
  // After a reboot nobody knows how much of the time had passed: due now.
  for (StoredTimer& timer : timers_)
    if (timer.boot_id != HostBootId()) timer.due = clock_.Boot();
  absl::MutexLock lock(&mutex_);
  open_incidents_ = book_->Open();
  for (const std::string& producer : options_.producers) producers_[producer].heard = clock_.Boot();
  return absl::OkStatus();
}

Dispatcher::~Dispatcher() {
  stopping_ = true;
  tasks_.Close();
  circles_jobs_.Close();
  if (owner_.joinable()) owner_.join();
  if (circles_.joinable()) circles_.join();
}

void Dispatcher::OwnerLoop() {
  SetThreadName("dispatch");
  for (;;) {
    std::optional<Task> task = tasks_.Pop(kTick);
    if (task) (*task)();
    FireDueTimers();
    WatchProducers();
    DropOldPictures();
    NoteWatched();
    if (!task && tasks_.closed()) return;
  }
}

absl::Status Dispatcher::OnOwner(std::function<absl::Status()> work) {
  struct Answer {
    absl::Mutex mutex;
    bool begun ABSL_GUARDED_BY(mutex) = false;
    bool given_up ABSL_GUARDED_BY(mutex) = false;
    absl::Notification done;
    absl::Status status;
  };
  auto answer = std::make_shared<Answer>();
  Task task = [answer, work = std::move(work)] {
    {
      absl::MutexLock lock(&answer->mutex);
      if (answer->given_up) return;
      answer->begun = true;
    }
    answer->status = work();
    answer->done.Notify();
  };
  switch (tasks_.PushWithin(std::move(task), Seconds(2))) {
    case PushResult::kPushed:
      break;
    case PushResult::kFull:
      return absl::UnavailableError("the dispatcher is overloaded; its disk does not keep up");
    case PushResult::kClosed:
      return absl::CancelledError("the dispatcher is stopping");
  }
  if (!answer->done.WaitForNotificationWithTimeout(absl::FromChrono(options_.patience))) {
    // What has begun may use what the caller still holds: it ends first. What has not, never begins.
    absl::MutexLock lock(&answer->mutex);
    if (!answer->begun) {
      answer->given_up = true;
      return absl::DeadlineExceededError("the dispatcher did not come to it in time; try again");
    }
  }
  answer->done.WaitForNotification();
  return answer->status;
}

absl::Status Dispatcher::Read(std::function<absl::Status(EventStore&)> read) {
  return OnOwner([this, read = std::move(read)] { return read(*store_); });
}

absl::Status Dispatcher::Write(std::function<absl::Status(EventStore&)> write) {
  return OnOwner(
      [this, write = std::move(write)] { return InTransaction([&] { return write(*store_); }); });
}

absl::Status Dispatcher::InTransaction(const std::function<absl::Status()>& work) {
  const BootTime began = clock_.Boot();
  ASSIGN_OR_RETURN(sqlite::Transaction transaction,
                   sqlite::Transaction::Begin(store_->connection()));
  if (absl::Status status = work(); !status.ok()) {
    book_->Discard();
    said_.clear();
    after_commit_.clear();
    return status;
  }
  // A failed COMMIT may have reached the disk or not; only a reopened file tells.
  const absl::Status committed = transaction.Commit();
  CORDON_CHECK(committed.ok(), MessageOf(committed));
  commit_seconds_.Observe(std::chrono::duration<double>(clock_.Boot() - began).count());
  Publish();
  return absl::OkStatus();
}

void Dispatcher::Publish() {
  for (IncidentStep& step : book_->Settle())
    said_.push_back(
        [step = std::move(step)](DispatchListener& listener) { listener.OnIncident(step); });
  {
    std::vector<proto::Incident> open = book_->Open();
    absl::MutexLock lock(&mutex_);
    open_incidents_.swap(open);
  }
  for (const auto& say : std::exchange(said_, {})) Tell(say);
  for (const auto& act : std::exchange(after_commit_, {})) act();
}

void Dispatcher::Tell(const std::function<void(DispatchListener&)>& say) {
  for (DispatchListener* listener : options_.listeners) say(*listener);
}

absl::Status Dispatcher::Deliver(Admit admit) {
  return OnOwner([this, admit = std::move(admit)] {
    return InTransaction([&]() -> absl::Status {
      ASSIGN_OR_RETURN(std::vector<proto::OutboxRecord> records, admit(store_->connection()));
      return Take(std::move(records));
    });
  });
}

absl::Status Dispatcher::Take(std::vector<proto::OutboxRecord> records) {
  for (proto::OutboxRecord& record : records) {
    if (record.has_alert()) {
      RETURN_IF_ERROR(TakeAlert(std::move(*record.mutable_alert())));
    } else if (record.has_evidence()) {
      RETURN_IF_ERROR(store_->AddEvidence(record.evidence()));
      said_.push_back([evidence = record.evidence()](DispatchListener& listener) {
        listener.OnEvidence(evidence);
      });
    }
  }
  return absl::OkStatus();
}

absl::Status Dispatcher::TakeAlert(proto::Alert alert) {
  const bool test = alert.event().kind() == proto::EVENT_KIND_TEST;
  proto::Incident incident;
  {
    AlertQuery same;
    same.alert_id = alert.id();
    ASSIGN_OR_RETURN(const std::vector<StoredAlert> known, store_->Alerts(same));
    if (!known.empty()) {
      repeats_total_.Increment();
      return absl::OkStatus();
    }
  }
  if (!test) {
    ASSIGN_OR_RETURN(incident, book_->Join(alert));
  }
  ASSIGN_OR_RETURN(const bool added, store_->AddAlert(alert, incident.id(), clock_.Wall(),
                                                      KeepPictures(alert.event().camera_id())));
  CORDON_CHECK(added, "the id was looked up in this transaction");
  const auto number = static_cast<uint64_t>(store_->connection().LastInsertRowId());
  const bool has_snapshot = !alert.snapshot_jpeg().empty();
  alert.clear_snapshot_jpeg();
  after_commit_.push_back([this, alert = std::move(alert), incident = std::move(incident), test,
                           number, has_snapshot]() mutable {
    const bool this_host = alert.stages().boot_id() == HostBootId();
    const int64_t now_ns = ToNanos(clock_.Boot());
    if (this_host) {
      alert.mutable_stages()->set_delivered_ns(now_ns);
      if (alert.stages().received_ns() > 0)
        delivered_seconds_.Observe(SecondsBetween(alert.stages().received_ns(), now_ns));
    }
    alerts_total_.Increment();
    StoredAlert stored{number, alert, incident.id(), has_snapshot, std::nullopt, std::nullopt};
    Tell([&](DispatchListener& listener) { listener.OnAlert(stored, test ? nullptr : &incident); });
    if (test) return;
    if (circles_jobs_.Push({std::move(alert), std::move(incident)}) == PushResult::kFull) {
      circles_missed_total_.Increment();
      log::Warning("an alert is shown without circles: too many wait",
                   {{"alert", stored.alert.id()}});
    }
  });
  return absl::OkStatus();
}

void Dispatcher::ProducerHeard(const std::string& producer) {
  absl::MutexLock lock(&mutex_);
  // Names come from configured keys or endpoints; the bound is against a flood of invented ones.
  constexpr size_t kMostProducers = 1024;
  if (producers_.size() < kMostProducers || producers_.contains(producer))
    producers_[producer].heard = clock_.Boot();
}

}  // namespace cordon
