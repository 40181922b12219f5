// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/metrics.h"
#include "console/feed.h"
#include "console/http.h"
#include "dispatch/containment.h"
#include "dispatch/dispatcher.h"
#include "dispatch/road_conditions.h"
#include "dispatch/unit_board.h"

namespace cordon {

// What people tell Cordon about the roads, and the cordon around a fleeing vehicle:
//   GET    /api/roads/closures
//   POST   /api/roads/closures        {id?, lat, lon, course_deg?, reason, urgent_may_pass?, actor}
//   DELETE /api/roads/closures/ID?actor=...
//   POST   /api/contain               {lat, lon | incident, age_s?, actor}
// Closures are recorded by the dispatcher with actor and time and hold again after a restart. A
// cordon is advice with its assumptions and an expiry; it is published to all consoles as "contain"
// and tasks nobody. Thread-safe.
class RoadApi {
 public:
  RoadApi(const Clock& clock, Metrics& metrics, Dispatcher& dispatcher, UnitBoard& units,
          Feed& feed, std::shared_ptr<RoadConditions> conditions,
          std::shared_ptr<const TravelModel> model, const proto::CordonConfig& config);

  // Puts the recorded closures back. Those that lie on no road of this road file are told and left
  // out.
  absl::Status Restore();

  HttpResponse Handle(const HttpRequest& request);
  static constexpr char kClosures[] = "/api/roads/closures";
  static constexpr char kContain[] = "/api/contain";

 private:
  HttpResponse List() const;
  HttpResponse Close(const HttpRequest& request);
  HttpResponse Reopen(const HttpRequest& request);
  HttpResponse Contain(const HttpRequest& request);
  absl::StatusOr<Sighting> ReadSighting(const HttpRequest& request) const;
  std::vector<CordonUnit> FreeUnits() const;
  Json Describe(const CordonPlan& plan, const Sighting& sighting,
                const std::vector<CordonUnit>& units) const;
  void PublishClosures();

  const Clock& clock_;
  Dispatcher& dispatcher_;
  UnitBoard& units_;
  Feed& feed_;
  const std::shared_ptr<RoadConditions> conditions_;
  const std::shared_ptr<const TravelModel> model_;
  CordonOptions options_;
  UlidGenerator ids_;
  prometheus::Histogram& plan_seconds_;
  absl::Mutex mutex_;
  CordonPlanner planner_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cordon
