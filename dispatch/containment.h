// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/geo.h"
#include "base/ids.h"
#include "base/status.h"
#include "dispatch/search.h"
#include "dispatch/travel_graph.h"

namespace cordon {

// How a fleeing driver might drive. `share` is how likely it is, relative to the others.
struct Adversary {
  std::string name;
  FugitiveProfile drive;
  double share = 1;
};
// A fast car that ignores one-ways and signals, a cautious car that keeps to the permitted
// direction, and a motorcycle that also takes paths and pedestrian streets.
std::vector<Adversary> DefaultAdversaries();

// Where the suspect was seen, and how long ago.
struct Sighting {
  LatLon place;
  uint32_t age_ms = 0;
};

// A unit that may be sent. `seeds` as SnapUnit gives them; empty: off the network, not used.
struct CordonUnit {
  UnitId id;
  TravelKind kind = TravelKind::kCar;
  std::vector<SearchSeed> seeds;
  struct Holding {
    JunctionId junction;
    uint32_t for_ms = 0;
  };
  std::optional<Holding> holding;  // it stands at this point, set up, since so long
};

struct CordonOptions {
  uint32_t horizon_ms = 1'200'000;  // how long from now on the suspect must not get out
  uint32_t set_up_ms = 60'000;      // from arriving at a point to holding it
  uint32_t margin_ms = 0;  // wanted between holding a point and the suspect's earliest arrival
  std::vector<Adversary> adversaries = DefaultAdversaries();
  uint32_t most_cuts = 24;  // minimum cuts that may be computed before giving up
  uint32_t routes_per_adversary = 200;
  uint64_t seed = 1;  // of the sampled routes
};

// A junction to hold, by one unit.
struct CordonPoint {
  JunctionId junction;
  LatLon place;
  std::string roads;       // names of the roads that meet there, "A / B"; empty: unnamed
  uint32_t unit = 0;       // index into the units given
  uint32_t eta_ms = 0;     // the unit's arrival, from now
  uint32_t closed_ms = 0;  // and set up
  uint32_t suspect_ms =
      0;  // the suspect's earliest arrival, any adversary; kUnreached: none gets there in time
  int64_t slack_ms = 0;  // suspect_ms - closed_ms; negative only where the cordon leaks
};

// A way out that stays open.
struct CordonLeak {
  JunctionId junction;
  LatLon place;
  std::string roads;
  uint32_t suspect_ms = 0;
  uint32_t best_closed_ms = kUnreached;  // the earliest that any unit could hold it
  double route_share = 0;                // of the sampled routes that escape through here
};

struct CordonPlan {
  enum class Outcome {
    kClosed,      // no adversary gets past the points
    kLeaking,     // the points catch as much as possible; `leaks` stay open
    kEnclosed,    // no way out within the horizon even without units
    kOffNetwork,  // no road near the sighting
  };
  struct Robustness {
    std::string adversary;
    bool closed = false;      // this adversary cannot get out
    double caught_share = 0;  // of its sampled routes
  };
  Outcome outcome = Outcome::kOffNetwork;
  std::vector<CordonPoint> points;  // by slack, tightest first
  std::vector<CordonLeak> leaks;    // by route share
  std::vector<Robustness> robustness;
  double covered_probability = 0;  // over adversaries by share
  uint32_t ring_ms = 0;            // closed: inside of where the suspect could be by this time
  // The assignments hold if the units set off by then; afterwards ask again. At most 60 s.
  uint32_t expires_ms = 0;
  bool proven = true;  // leaking: no cordon exists (else: none was found within most_cuts)
  std::vector<std::string> assumptions;
  uint32_t cuts_tried = 0;
  uint32_t junctions_searched = 0;
};
const char* CordonOutcomeName(CordonPlan::Outcome outcome);

// Where to hold the roads so that a fleeing vehicle does not get out.
//
// For every junction the earliest time at which any adversary can be there is compared with the
// earliest time at which a unit holds it. Junctions held in time may be points; the cheapest set of
// points between the suspect and the horizon is a minimum vertex cut; units are matched to the
// points, one each, each in time. Where the matching fails, the cut is driven away from the
// contested points and, at last, branched on (every cordon misses a point of each violated set), so
// that a "no" is a proof unless most_cuts ran out. When it cannot close, units are placed where
// they catch the most of the sampled routes, and what stays open is named.
//
// "Closed" does not depend on how the suspect drives, as long as it is no faster than the fastest
// adversary: points are held before it can be there. Advisory; a person decides. A new sighting
// means a new plan; units that already hold a point keep it if it is of use.
// (Minimum cuts over holdable points: brief of the method in docs/cordon.md.)
//
// Keeps scratch memory and the adversaries' travel times between calls. One thread at a time.
class CordonPlanner {
 public:
  explicit CordonPlanner(std::shared_ptr<const RoadConditions> conditions);
  ~CordonPlanner();
  CordonPlanner(const CordonPlanner&) = delete;
  CordonPlanner& operator=(const CordonPlanner&) = delete;

  // INVALID_ARGUMENT: no adversary, a horizon of 0 or beyond an hour, an implausible place.
  absl::StatusOr<CordonPlan> Plan(const TravelModel& model, const Sighting& sighting,
                                  std::span<const CordonUnit> units, const CordonOptions& options);

 private:
  struct Work;
  std::unique_ptr<Work> work_;
};

// Names of the roads at a junction, each once, most important first: "Rua de Cima / Avenida X".
std::string RoadsAt(const RoadNetwork& network, JunctionId junction);

}  // namespace cordon
