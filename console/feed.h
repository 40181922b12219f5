// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "console/json_view.h"
#include "dispatch/dispatcher.h"

namespace cordon {

// What consoles see: the present picture, and numbered updates to it. A client takes a snapshot as
// of number N and applies every update above N; when a number is missing it takes a new snapshot,
// so no alert is lost or shown twice. Numbers belong to one run of the process: the snapshot's
// "run" tells runs apart.
//
// Updates lie once in a ring shared by all clients; a client that falls more than kMaxLagBytes
// behind is told so and has to resync. Nothing waits for a client. Thread-safe.
class Feed final : public DispatchListener {
 public:
  static constexpr size_t kMaxLagBytes = 2 * 1024 * 1024;
  static constexpr size_t kAlertsShown = 200;     // newest; older ones through /api/alerts
  static constexpr size_t kIncidentsShown = 200;  // closed ones fall out first

  Feed(const Clock& clock, Metrics& metrics);

  // Fills the picture from the record of earlier runs. Before clients come.
  absl::Status Load(EventStore& store);

  // Once a second: units whose fix or status is new, and the sign of life that shows an idle link
  // to be whole.
  void PublishUnits(const std::vector<UnitState>& units);
  // Any other part of the picture that newest wins for ("coverage", "closures"); kept under `type`
  // in the snapshot.
  void PublishLatest(const std::string& type, Json value);

  using Message = std::shared_ptr<const std::string>;
  struct Start {
    Message snapshot;
    uint64_t number;
  };
  Start Snapshot() const;
  // The update after `number`; nothing when there is none yet. OUT_OF_RANGE: fell behind, resync.
  absl::StatusOr<std::optional<Message>> After(uint64_t number) const;

  // `wake` is called, on the publishing thread, after each update until Leave. It must return at
  // once.
  uint64_t Join(std::function<void()> wake);
  void Leave(uint64_t client);

  void OnAlert(const StoredAlert& alert, const proto::Incident* incident) override;
  void OnCircles(const proto::ResponseCircles& circles) override;
  void OnAreas(const proto::ResponseCircles& circles) override;
  void OnIncident(const IncidentStep& step) override;
  void OnEvidence(const proto::EvidenceReady& evidence) override;
  void OnVerdict(const proto::AlertVerdict& verdict) override;
  void OnUnit(const proto::UnitChange& change) override;
  void OnNotice(const proto::Notice& notice) override;
  void OnHealth(const proto::NodeHealth& health) override;

 private:
  struct Update {
    uint64_t number;
    uint64_t end_byte;  // of all updates ever, this one included
    Message message;
  };
  void Publish(const char* type, const Json& body) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PublishText(const char* type, std::string_view body) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsOpenHere(const std::string& incident) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetCircles(const std::string& incident) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void KeepIncident(const proto::Incident& incident) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Json* FindAlert(const std::string& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  const std::string run_;
  prometheus::Counter& updates_total_;
  prometheus::Gauge& clients_gauge_;

  mutable absl::Mutex mutex_;
  std::deque<Update> ring_ ABSL_GUARDED_BY(mutex_);
  uint64_t number_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t end_byte_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Json> alerts_ ABSL_GUARDED_BY(mutex_);  // oldest first
  std::map<std::string, Json> incidents_ ABSL_GUARDED_BY(mutex_);
  // By incident, as JSON text: areas weigh a third of a megabyte.
  std::map<std::string, std::string> circles_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> areas_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, Json> notices_ ABSL_GUARDED_BY(mutex_);     // not cleared
  std::map<std::string, Json> cameras_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Json> nodes_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Json> units_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, BootTime> fixed_at_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Json> latest_ ABSL_GUARDED_BY(mutex_);
  Json last_test_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, std::function<void()>> clients_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_client_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace cordon
