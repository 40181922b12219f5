// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "base/status.h"
#include "dispatch/road_network.h"

namespace cordon {

// A road that cannot be passed for now. Given as a place, so that it survives a new road file.
struct RoadClosure {
  std::string id;
  LatLon place;
  std::optional<double> course_deg;  // only the direction of travel nearest to this; otherwise both
  std::string reason;
  bool urgent_may_pass = false;  // closed to traffic, open to sirens
};

// A measured speed relative to the free one, by hour of the local day; 1 = as modelled.
struct RoadSpeedFactor {
  std::string id;
  LatLon place;
  std::array<float, 24> factor{};  // 0.05 .. 3
};

// One consistent state of the roads, resolved onto a network. Immutable.
struct RoadState {
  uint64_t version = 0;
  int hour = 0;                                              // local hour of the day, 0..23
  absl::flat_hash_map<EdgeId, bool> closed;                  // edge -> urgent may pass
  absl::flat_hash_map<PieceId, float> speed_factor;          // for `hour`
  std::array<float, kRoadClasses> class_factor = AllOnes();  // for `hour`, learned or configured
  static constexpr std::array<float, kRoadClasses> AllOnes() {
    std::array<float, kRoadClasses> ones{};
    ones.fill(1.0F);
    return ones;
  }
};

// What changes about roads while Cordon runs. Writers change it and get an error for a place off
// the network; readers take a snapshot and work on it undisturbed. It forgets at exit: the owner
// keeps closures() and puts them back. Thread-safe.
class RoadConditions {
 public:
  explicit RoadConditions(std::shared_ptr<const RoadNetwork> network);

  // Adds or replaces by id. OUT_OF_RANGE when no road lies within 50 m; INVALID_ARGUMENT for a bad
  // place or factor.
  absl::Status Close(const RoadClosure& closure);
  // NOT_FOUND when there is none of this id.
  absl::Status Reopen(const std::string& id);
  absl::Status SetSpeedFactor(const RoadSpeedFactor& factor);
  absl::Status ClearSpeedFactor(const std::string& id);
  // By class and hour, from learning; 1 everywhere at first.
  void SetClassFactors(const std::array<std::array<float, kRoadClasses>, 24>& by_hour);
  // The hour whose factors hold now.
  void SetHour(int hour);

  std::shared_ptr<const RoadState> Snapshot() const;
  std::vector<RoadClosure> closures() const;
  std::vector<RoadSpeedFactor> speed_factors() const;
  const std::shared_ptr<const RoadNetwork>& network() const { return network_; }

 private:
  struct ResolvedClosure {
    RoadClosure closure;
    std::vector<EdgeId> edges;
  };
  struct ResolvedFactor {
    RoadSpeedFactor factor;
    PieceId piece;
  };
  void PublishLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::shared_ptr<const RoadNetwork> network_;
  mutable absl::Mutex mutex_;
  std::vector<ResolvedClosure> closures_ ABSL_GUARDED_BY(mutex_);
  std::vector<ResolvedFactor> factors_ ABSL_GUARDED_BY(mutex_);
  std::array<std::array<float, kRoadClasses>, 24> class_factors_ ABSL_GUARDED_BY(mutex_);
  int hour_ ABSL_GUARDED_BY(mutex_) = 12;
  uint64_t version_ ABSL_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<const RoadState> state_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cordon
