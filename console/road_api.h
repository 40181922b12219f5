// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/metrics.h"
#include "console/cordon_watch.h"
#include "console/feed.h"
#include "console/http.h"
#include "dispatch/containment.h"
#include "dispatch/dispatcher.h"
#include "dispatch/road_conditions.h"
#include "dispatch/unit_board.h"
#include "dispatch/unit_tracks.h"

namespace cordon {

// What people tell Cordon about the roads, and the cordon around a fleeing vehicle:
//   GET    /api/roads/closures
//   POST   /api/roads/closures        {id?, lat, lon, course_deg?, reason, urgent_may_pass?, actor}
//                                     with speed_factor (a number, or 24 by hour): not closed, but
//                                     driven at this share of the modelled speed
//   DELETE /api/roads/closures/ID?actor=...
//   GET    /api/roads/learning        how far arrivals were from what was predicted
//   POST   /api/contain               {lat, lon | incident | alert, age_s?, actor}
//   DELETE /api/contain               nobody follows the suspect any more
// Closures and speeds are recorded by the dispatcher with actor and time and hold again after a restart. A
// cordon is advice with its assumptions and an expiry; it is published to all consoles as "contain"
// and tasks nobody. The last one asked for is kept current (CordonWatch). Thread-safe.
class RoadApi {
 public:
  RoadApi(const Clock& clock, Metrics& metrics, Dispatcher& dispatcher, UnitBoard& units,
          Feed& feed, std::shared_ptr<RoadConditions> conditions,
          std::shared_ptr<const TravelModel> model, const UnitTracks& tracks,
          const proto::CordonConfig& config);

  // Puts the recorded closures and speeds back. Those that lie on no road of this road file are told and left
  // out.
  absl::Status Restore();

  HttpResponse Handle(const HttpRequest& request);
  static constexpr char kClosures[] = "/api/roads/closures";
  static constexpr char kLearning[] = "/api/roads/learning";
  static constexpr char kContain[] = "/api/contain";

 private:
  HttpResponse List() const;
  HttpResponse Learning() const;
  HttpResponse Close(const HttpRequest& request);
  HttpResponse Reopen(const HttpRequest& request);
  HttpResponse Contain(const HttpRequest& request);
  HttpResponse EndContain();
  absl::StatusOr<CordonWatch::Standing> ReadSighting(const HttpRequest& request) const;
  absl::StatusOr<CordonWatch::Standing> SightingOfIncident(const std::string& id) const;
  absl::StatusOr<CordonWatch::Standing> SightingOfAlert(const std::string& id) const;
  // Plans and publishes it.
  absl::StatusOr<Json> Plan(const CordonWatch::Standing& standing);
  std::vector<CordonUnit> UnitsFor(const std::string& incident) const;
  Json Describe(const CordonPlan& plan, const CordonWatch::Standing& standing,
                const std::vector<CordonUnit>& units) const;
  void PublishClosures();
  absl::Status Apply(const proto::RoadClosureChange& change);
  absl::Status Lift(const std::string& id);
  Json InForce() const;

  const Clock& clock_;
  Dispatcher& dispatcher_;
  UnitBoard& units_;
  Feed& feed_;
  const std::shared_ptr<RoadConditions> conditions_;
  const std::shared_ptr<const TravelModel> model_;
  const UnitTracks& tracks_;
  CordonOptions options_;
  UlidGenerator ids_;
  prometheus::Histogram& plan_seconds_;
  absl::Mutex mutex_;
  CordonPlanner planner_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<CordonWatch> watch_;  // last: its thread uses the rest
};

}  // namespace cordon
