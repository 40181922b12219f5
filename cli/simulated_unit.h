// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/time.h"
#include "dispatch/search.h"
#include "dispatch/snap.h"
#include "dispatch/travel_graph.h"
#include "proto/config.pb.h"

namespace cordon::cli {

// The roads as simulated crews know them: routine and urgent, for cars and motorcycles. Shared by
// all units; used by one thread.
class SimulatedCity {
 public:
  explicit SimulatedCity(std::shared_ptr<const RoadNetwork> network);

  const RoadNetwork& network() const { return *network_; }
  const TravelGraph& Graph(proto::UnitConfig::Kind kind, TravelMode mode) const;
  // A random place where a unit of this kind may drive and from which it can leave; longer roads
  // more often.
  RoadPosition RandomPlace(std::mt19937_64& random) const;
  // Edges of the fastest way, that of `from` first and the scene's last; empty when there is none
  // within the hour.
  std::vector<EdgeId> Way(proto::UnitConfig::Kind kind, const RoadPosition& from,
                          const RoadPosition& to);
  // Where a vehicle stops for this scene; nothing when no road is near.
  std::optional<RoadPosition> StopFor(proto::UnitConfig::Kind kind, const LatLon& scene) const;

 private:
  std::shared_ptr<const RoadNetwork> network_;
  std::shared_ptr<const TravelGraph> graphs_[2][2];  // kind (car, motorcycle), mode
  std::vector<double> length_until_;                 // of pieces, cumulated, for RandomPlace
  BoundedSearch search_;
};

// One crew and its vehicle. Patrols at random by the routine rules; when it responds, it drives the
// fastest urgent way, stays, and patrols again. Time comes in from outside: the same seed and the
// same calls give the same drive.
class SimulatedUnit {
 public:
  SimulatedUnit(std::string id, proto::UnitConfig::Kind kind, SimulatedCity& city, uint64_t seed);

  const std::string& id() const { return id_; }
  proto::UnitConfig::Kind kind() const { return kind_; }

  // Sets off for the scene. False: there is no way.
  bool Respond(const LatLon& scene);
  void Patrol();
  bool arrived() const { return responding_ && at_goal_; }

  void Drive(Milliseconds time);

  // What its receiver says: scattered by a few metres, speed and course as driven.
  struct Fix {
    LatLon place;
    double speed_mps = 0;
    double course_deg = 0;
    double accuracy_m = 0;
  };
  Fix Observe();
  LatLon place() const { return city_.network().PointAt(at_); }
  std::mt19937_64& random() { return random_; }

 private:
  EdgeId NextEdge();
  const TravelGraph& graph() const {
    return city_.Graph(kind_, responding_ ? TravelMode::kUrgent : TravelMode::kRoutine);
  }

  const std::string id_;
  const proto::UnitConfig::Kind kind_;
  SimulatedCity& city_;
  std::mt19937_64 random_;
  RoadPosition at_;
  double course_deg_ = 0;
  double speed_mps_ = 0;
  bool responding_ = false;
  bool at_goal_ = false;
  RoadPosition goal_;
  std::vector<EdgeId> way_;  // still to drive, next first is way_[way_next_]
  size_t way_next_ = 0;
};

}  // namespace cordon::cli
