// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/metrics.h"
#include "dispatch/eta_watch.h"
#include "dispatch/event_store.h"
#include "dispatch/incident_book.h"
#include "dispatch/unit_board.h"
#include "proto/telemetry.pb.h"

namespace cordon {

// An alert whose circles are known, with the times of all its stages.
struct AlertReport {
  proto::Alert alert;  // without the picture
  proto::Incident incident;
  proto::ResponseCircles circles;
};

// Hears what the dispatcher has made durable, in the order of the commits. Called on the
// dispatcher's two threads and, OnHealth, on that of the reporter, possibly at the same time; must
// return at once (hand on, do not work) and must not call the dispatcher.
class DispatchListener {
 public:
  virtual ~DispatchListener() = default;
  // `incident` is null for a test alert.
  virtual void OnAlert(const StoredAlert& alert, const proto::Incident* incident) {
    (void)alert, (void)incident;
  }
  // The ranked ETAs of an incident; without alert_id: a refresh. No areas yet: who can go is known
  // before it is drawn.
  virtual void OnCircles(const proto::ResponseCircles& circles) { (void)circles; }
  // The same answer with its areas; they hold until others come.
  virtual void OnAreas(const proto::ResponseCircles& circles) { (void)circles; }
  virtual void OnIncident(const IncidentStep& step) { (void)step; }
  virtual void OnEvidence(const proto::EvidenceReady& evidence) { (void)evidence; }
  virtual void OnVerdict(const proto::AlertVerdict& verdict) { (void)verdict; }
  virtual void OnUnit(const proto::UnitChange& change) { (void)change; }
  virtual void OnNotice(const proto::Notice& notice) { (void)notice; }
  virtual void OnHealth(const proto::NodeHealth& health) { (void)health; }
  // After every listener had OnCircles and OnAreas: published_ns is stamped. For a line a person
  // reads, and for latency.
  virtual void OnReport(const AlertReport& report) { (void)report; }
};

// What the circles thread asks of the road search: the ranked ETAs, without areas.
struct CirclesRequest {
  LatLon scene;
  std::span<const UnitState> units;
};
using ComputeCircles = std::function<absl::StatusOr<proto::ResponseCircles>(const CirclesRequest&)>;
// Adds the areas (tiers) of circles.scene(). They do not depend on the units.
using DrawAreas = std::function<void(proto::ResponseCircles& circles)>;

// Alerts in, incidents and response circles out.
//
// Threads: "dispatch" owns the store and the incidents: every public call below hands its work to
// it and waits for the COMMIT. What has not begun after its patience never does (DEADLINE_EXCEEDED);
// what has begun is waited for, so a call may lend what it owns.
// "circles" computes off the commit path with the newest positions. Life: Start, then calls from
// any thread, destruction last. A failed COMMIT ends the process: the store must be reopened, and a
// supervisor does that.
class Dispatcher {
 public:
  // Called inside a transaction of the store: de-duplicates, moves the cursor of the producer on
  // the same connection and answers with the records that are new, in order.
  using Admit =
      std::function<absl::StatusOr<std::vector<proto::OutboxRecord>>(sqlite::Connection&)>;

  static constexpr Seconds kPatience{10};

  struct Camera {
    std::string id;
    std::string name;
    double retention_hours = 0;  // of its pictures
  };
  struct Options {
    std::string store_path;
    proto::DispatchConfig config;
    // A picture goes at the earlier of what its camera's retention was when it came and is now. Of
    // a camera that is not here the shortest retention of those that are counts.
    std::vector<Camera> cameras;
    std::vector<std::string> producers;  // expected; one that is silent is an alarm
    ComputeCircles compute_circles;
    DrawAreas draw_areas;                   // on the same thread; empty: no areas
    std::function<void()> prepare_circles;  // on the same thread while it is idle; may be empty
    std::function<absl::Status(sqlite::Connection&)>
        prepare;  // tables of other modules in the same file; may be empty
    std::vector<DispatchListener*> listeners;  // outlive the dispatcher
    Milliseconds patience = kPatience;         // of a caller whose work has not begun
  };
  static absl::StatusOr<std::unique_ptr<Dispatcher>> Start(const Clock& clock, Metrics& metrics,
                                                           UnitBoard& board, Options options);
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // One transaction: what `admit` writes, and alert, incident and evidence rows for what it
  // answers. OK: durable, may be acknowledged. Otherwise nothing was written.
  absl::Status Deliver(Admit admit);

  // A person's decisions; all durable when they return. NOT_FOUND, FAILED_PRECONDITION,
  // INVALID_ARGUMENT as the book says.
  absl::StatusOr<proto::Incident> Acknowledge(const std::string& incident, const Deed& deed);
  absl::StatusOr<proto::Incident> Assign(const std::string& incident, const UnitId& unit,
                                         const Deed& deed);
  absl::StatusOr<proto::Incident> Release(const std::string& incident, const UnitId& unit,
                                          const Deed& deed);
  absl::StatusOr<proto::Incident> Note(const std::string& incident, const std::string& text,
                                       const Deed& deed);
  // Closes it and releases its units. A false alarm is also the verdict on each of its alerts that
  // has none.
  absl::StatusOr<proto::Incident> Close(const std::string& incident, bool false_alarm,
                                        const Deed& deed);
  absl::Status JudgeAlert(const std::string& alert, bool true_alarm, const Deed& deed);
  // As the crew or an operator reports it. A unit that becomes free leaves its incident.
  absl::Status SetUnitStatus(const UnitId& unit, proto::UnitStatus status, const Deed& deed);

  // Telemetry: thread-safe, never waits.
  void ReportHealth(const proto::NodeHealth& health);
  void ProducerHeard(const std::string& producer);

  // Runs `read` on the owner thread, which alone may use the store.
  absl::Status Read(std::function<absl::Status(EventStore&)> read);

  // The same inside a transaction; durable when OK.
  absl::Status Write(std::function<absl::Status(EventStore&)> write);

  const proto::DispatchConfig& config() const { return options_.config; }

 private:
  struct CirclesJob {
    proto::Alert alert;
    proto::Incident incident;
  };
  // Alerts of one incident that came together, and their answer.
  struct Answered {
    std::vector<CirclesJob> jobs;
    proto::ResponseCircles circles;
    Nanoseconds took{};
  };
  struct Producer {
    BootTime heard{};
    bool silent = false;
    uint64_t notice = 0;
  };
  using Task = std::function<void()>;

  Dispatcher(const Clock& clock, Metrics& metrics, UnitBoard& board, Options options);
  absl::Status Open();

  // Any thread.
  absl::Status OnOwner(std::function<absl::Status()> work);
  absl::StatusOr<proto::Incident> Change(std::function<absl::StatusOr<proto::Incident>()> change);
  // Only in "dispatch".
  void OwnerLoop();
  absl::Status InTransaction(const std::function<absl::Status()>& work);
  absl::Status Take(std::vector<proto::OutboxRecord> records);
  absl::Status TakeAlert(proto::Alert alert);
  absl::Status ChangeUnit(const UnitId& unit, proto::UnitStatus status, const std::string& incident,
                          const Deed& deed);
  absl::Status AdvanceIncident(const std::string& incident, proto::UnitStatus status,
                               const Deed& deed);
  absl::Status ArmTimers(const std::string& incident, const UnitId& unit);
  absl::Status RaiseNotice(proto::Notice notice, uint64_t* number = nullptr);
  absl::Status FireTimer(const StoredTimer& timer);
  std::string OfferText(const std::string& incident, const std::string& silent_unit);
  void FireDueTimers();
  void WatchProducers();
  void DropOldPictures();
  void NoteWatched();
  Microseconds KeepPictures(const std::string& camera_id) const;
  absl::Status LimitPictures();
  void Publish();
  // Only in "circles".
  void CirclesLoop();
  void ComputeFor(std::vector<CirclesJob> jobs);
  std::vector<Answered> Rank(std::vector<CirclesJob> jobs);
  absl::Status RankOne(std::span<const UnitState> units, Answered& answered);
  void Draw(Answered& answered);
  void Report(CirclesJob job, const proto::ResponseCircles& circles, int64_t computed_ns);
  void Record(std::vector<proto::ResponseCircles> circles);
  bool RefreshOpen();
  void Tell(const std::function<void(DispatchListener&)>& say);

  const Clock& clock_;
  UnitBoard& board_;
  const Options options_;
  UlidGenerator ids_;
  prometheus::Counter& alerts_total_;
  prometheus::Counter& repeats_total_;
  prometheus::Counter& circles_missed_total_;
  prometheus::Histogram& delivered_seconds_;
  prometheus::Histogram& commit_seconds_;
  prometheus::Histogram& ranked_seconds_;
  prometheus::Histogram& circles_seconds_;
  prometheus::Histogram& report_seconds_;

  // Both threads and callers.
  BoundedQueue<Task> tasks_;
  BoundedQueue<CirclesJob> circles_jobs_;
  std::atomic<bool> stopping_{false};
  absl::Mutex mutex_;
  std::map<std::string, Producer> producers_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, BootTime> live_
      ABSL_GUARDED_BY(mutex_);  // when a camera was last seen live
  std::vector<proto::Incident> open_incidents_
      ABSL_GUARDED_BY(mutex_);  // settled; for the circles thread

  // Only in "dispatch" (and in Open, before it runs).
  std::unique_ptr<EventStore> store_;
  std::unique_ptr<IncidentBook> book_;
  std::vector<StoredTimer> timers_;
  std::vector<std::function<void(DispatchListener&)>> said_;  // to tell after COMMIT
  std::vector<std::function<void()>> after_commit_;
  BootTime pictures_checked_{};
  BootTime watched_noted_{};

  // Only in "circles".
  std::set<std::string> shown_;  // open incidents whose areas were drawn
  EtaWatch watch_;
  BootTime refreshed_{};

  std::thread owner_;
  std::thread circles_;
};

}  // namespace cordon
