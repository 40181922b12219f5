// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "base/bounded_queue.h"
#include "base/metrics.h"
#include "dispatch/dispatcher.h"
#include "dispatch/journey.h"
#include "dispatch/speed_learning.h"
#include "dispatch/unit_board.h"

namespace cordon {

// What arrivals have taught, and how far predictions were off.
struct LearningReport {
  size_t journeys = 0;  // from en route to on scene
  size_t broken = 0;    // of those: the way has a hole, nothing learned
  size_t left_out = 0;  // of those: no driving explains the time
  EtaError promised;    // the ETA that was shown when the unit set off
  EtaError prior;       // the model's time of the way that was driven, without what was learned
  EtaError learned;     // the same with what had been learned before
  std::vector<EtaErrorGroup> learned_by_class, learned_by_hour, learned_by_class_and_hour;
};

// Follows the units along the roads. Every fix that the board took is matched to the road (vehicles
// only: walkers leave roads), so that whoever asks where a unit may set off from is told its road
// and direction rather than the nearest one. What it drives between "en route" and "on scene"
// teaches how fast roads are driven, by class and hour; the road conditions get the learned factors
// and the hour of the day, and with them every travel time of the dispatcher.
//
// Threads: "tracks" does the work; OnFix, OnUnit and OnCircles hand over and never wait (what does
// not fit is dropped and counted); Place and report may be called from any thread.
class UnitTracks final : public DispatchListener {
 public:
  struct Options {
    std::string learned_file;           // empty: what is learned is forgotten at exit
    std::string time_zone = "UTC";      // of the hours of the day
    Nanoseconds publish_every = Seconds(300);  // new factors rebuild every travel graph
  };
  // INVALID_ARGUMENT for a time zone that is not known. A damaged file is set aside, with a warning.
  static absl::StatusOr<std::unique_ptr<UnitTracks>> Start(
      const Clock& clock, Metrics& metrics, std::shared_ptr<RoadConditions> conditions,
      std::shared_ptr<const TravelModel> model, Options options);
  ~UnitTracks() override;

  void OnFix(const proto::UnitPosition& fix);
  void OnUnit(const proto::UnitChange& change) override;
  void OnCircles(const proto::ResponseCircles& circles) override;

  // Where a unit may set off from by its track; nothing when its latest fix does not continue one.
  std::optional<UnitSnap> Matched(const UnitState& unit, const TravelGraph& graph) const;
  // The same, or else by its latest fix alone.
  UnitSnap Place(const UnitState& unit, const TravelGraph& graph) const;
  LearningReport report() const;
  // Waits until what was handed over before has been worked on; for tests.
  void Settle();

 private:
  struct Promise {
    std::string unit_id;
    Milliseconds eta{};
    BootTime told{};
  };
  struct Settled {
    absl::Notification* done;
  };
  using News = std::variant<proto::UnitPosition, proto::UnitChange, Promise, Settled>;
  struct Track {
    TravelKind kind = TravelKind::kCar;
    std::unique_ptr<MapMatcher> matcher;
    std::optional<MatchedFix> match;  // of the latest fix
    WallTime fix_time{};
    std::optional<Promise> promise;  // the latest
    std::optional<Promise> held;     // when it set off
    std::optional<Journey> journey;
  };
  struct MatchedPlace {
    LatLon place;  // of the fix
    MatchedFix match;
  };

  UnitTracks(const Clock& clock, Metrics& metrics, std::shared_ptr<RoadConditions> conditions,
             std::shared_ptr<const TravelModel> model, Options options, absl::TimeZone zone);
  void HandOver(News news);
  // Only in "tracks" (and before it runs).
  void Load();
  void Save();
  void Loop();
  void Take(const proto::UnitPosition& fix);
  void Take(const proto::UnitChange& change);
  void Take(const Promise& promise);
  void Take(const Settled& settled) { settled.done->Notify(); }
  void Learn(Track& track);
  void Publish(bool at_once);
  void ShowErrors();
  int HourNow() const;

  const Clock& clock_;
  const std::shared_ptr<RoadConditions> conditions_;
  const std::shared_ptr<const TravelModel> model_;
  const Options options_;
  const absl::TimeZone zone_;
  prometheus::Counter& dropped_;
  prometheus::Counter& journeys_;
  Metrics& metrics_;

  BoundedQueue<News> news_;
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, MatchedPlace> matched_ ABSL_GUARDED_BY(mutex_);
  LearningReport report_ ABSL_GUARDED_BY(mutex_);

  // Only in "tracks".
  std::map<std::string, Track> tracks_;
  SpeedLearning learning_;
  SpeedFactors published_{};
  bool unsaved_ = false;
  bool unpublished_ = false;
  BootTime saved_{};
  BootTime published_at_{};

  std::thread thread_;
};

}  // namespace cordon
