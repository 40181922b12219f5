// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "dispatch/search.h"
#include "dispatch/snap.h"
#include "dispatch/unit_board.h"

namespace cordon {

class UnitTracks;

// Why a unit does not count for an answer.
enum class LeftOut {
  kNo,     // it counts
  kNoFix,  // never reported a position
  kStale,  // its fix is too old
  kBusy,   // at other work, by its status
  kOutOfService,
  kOffNetwork,  // no road near its fix
  kCutOff,      // closures or an island: it cannot leave where it is
  kTooFar,      // no way within the search limit
};

struct RouteStep {
  std::string name;  // of the road; empty: unnamed
  Metres distance;
  Milliseconds duration{};
};

// The fastest way of one unit, in its direction of travel.
struct EtaRoute {
  std::vector<RoadPoint> points;
  std::vector<RouteStep> steps;  // one for each run of roads of one name
  Metres distance;
};

struct UnitArrival {
  size_t unit = 0;  // position in the units that were asked for
  UnitId id;
  TravelKind kind = TravelKind::kCar;
  LeftOut left_out = LeftOut::kNo;
  std::string reason;    // one sentence when left out
  bool has_eta = false;  // also some of those left out have one, for information
  Milliseconds eta{};    // turn-out included
  Milliseconds low{};    // band: age and error of the fix, parallel roads
  Milliseconds high{};
  uint32_t tier_s = 0;    // smallest tier that holds eta; 0: beyond all
  RoadPosition position;  // where it sets off
  EtaRoute route;         // when asked for
};

// So many units of these kinds are needed.
struct UnitNeed {
  std::vector<TravelKind> kinds;  // empty: any
  size_t count = 1;
};

struct EtaOptions {
  std::vector<uint32_t> tiers_s = {60, 180, 300};  // ascending
  Seconds search_limit{1200};
  Seconds turn_out{0};  // a parked crew needs this to start moving
  Seconds stale{60};    // older fixes do not count
  TravelMode mode = TravelMode::kUrgent;
};

struct SceneQuery {
  LatLon scene;
  std::vector<UnitNeed> needs;
  size_t routes_for = 0;  // the first so many units get their route
};

struct EtaAnswer {
  bool off_network = false;  // no road near the scene: no ETA is given
  Metres scene_snap;         // from the scene to the road it was put on
  std::vector<UnitArrival>
      units;  // those that count by ETA, then those left out by ETA, then the rest by id
  std::vector<size_t> recommended;      // positions in `units`, for the needs in order; advisory
  std::vector<std::string> shortfalls;  // needs that cannot be met, one sentence each
  size_t settled = 0;                   // edges that the searches settled
};

// A scene and units in, exact travel times out: one reverse search from the scene for each kind of
// unit, then one lookup for each unit. Remembers where units were put on the roads, so that a
// parked one is snapped once. One thread at a time.
//
// It does not judge: it ranks and says why somebody is left out.
class EtaEngine {
 public:
  // `tracks`, when given, knows the roads of moving units better than their latest fix; it outlives
  // the engine.
  EtaEngine(std::shared_ptr<const TravelModel> model, EtaOptions options,
            const UnitTracks* tracks = nullptr)
      : model_(std::move(model)), options_(std::move(options)), tracks_(tracks) {}

  // INVALID_ARGUMENT when the scene is not a position.
  absl::StatusOr<EtaAnswer> ToScene(const SceneQuery& query, std::span<const UnitState> units);

  // The way of one arrival of the latest answer that has an ETA.
  EtaRoute RouteOf(const UnitArrival& arrival) const;

  const EtaOptions& options() const { return options_; }

 private:
  struct KnownSnap {
    LatLon place;
    std::optional<double> course_deg;
    bool moving = false;
    double accuracy = 0;
    uint64_t state_version = 0;
    TravelKind kind = TravelKind::kCar;
    UnitSnap snap;
    uint64_t used = 0;
    bool by_track = false;  // holds for this answer only
  };
  const UnitSnap& SnapOf(const UnitState& unit, TravelKind kind, const TravelGraph& graph);
  void Arrive(const UnitState& unit, const UnitSnap& snap, const BoundedSearch& search,
              const TravelGraph& graph, UnitArrival& arrival) const;
  void LeaveOut(const UnitState& unit, UnitArrival& arrival) const;
  void ExplainUnreached(const UnitSnap& snap, const TravelGraph& graph, UnitArrival& arrival);
  void Recommend(const SceneQuery& query, EtaAnswer& answer) const;

  const std::shared_ptr<const TravelModel> model_;
  const EtaOptions options_;
  const UnitTracks* const tracks_;
  std::array<BoundedSearch, 3> searches_;  // by kind; of the latest answer
  std::array<std::shared_ptr<const TravelGraph>, 3> graphs_;
  BoundedSearch probe_;
  absl::flat_hash_map<std::string, KnownSnap> snaps_;
  uint64_t round_ = 0;
};

// Positions of UnitConfig::Kind and TravelKind agree.
TravelKind TravelKindOf(proto::UnitConfig::Kind kind);
const char* LeftOutName(LeftOut left_out);

}  // namespace cordon
