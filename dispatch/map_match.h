// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/time.h"
#include "dispatch/snap.h"
#include "dispatch/travel_graph.h"

namespace cordon {

// One fix of one device.
struct TrackFix {
  WallTime time;                   // device time
  LatLon place;                    // WGS-84
  std::optional<Metres> accuracy;  // radius of 68 %
  std::optional<double> speed_mps;
  std::optional<double> course_deg;  // clockwise from north
};

enum class MatchState {
  kMatched,     // continues from the fix before
  kStarted,     // the first fix, or the first after a break: this fix alone decided
  kOffNetwork,  // no road near; what was known is forgotten after kMatchMemory
  kOutOfOrder,  // older than the fix before: ignored
};
const char* MatchStateName(MatchState state);

// Where a device is on the roads.
struct MatchedFix {
  MatchState state = MatchState::kOffNetwork;
  RoadPosition position;  // the likeliest; its edge says the direction of travel
  Metres distance;        // from the fix to it
  double confidence = 0;  // its share of the likelihood of all candidates, 0..1
  // The likeliest on another road that is nearly as likely: parallel roads, the road under a
  // flyover. Whoever asks for a travel time takes the worse of the two.
  std::optional<RoadPosition> alternative;
  double alternative_confidence = 0;
  bool direction_known = false;  // the other direction of the same road is much less likely
  std::vector<EdgeId> way;       // edges driven since the fix before, both ends included
};

// Map matching of one device, fix by fix: a hidden Markov model over the roads near each of the
// last fixes (Newson & Krumm, SIGSPATIAL 2009). A candidate is likelier the nearer it lies, the
// better its direction fits the course, and the closer the drive from the last candidates is to the
// distance between the fixes. Tunnels and gaps are bridged by longer drives; a jump that no drive
// explains starts anew. Fixes of a standing device do not wear the memory out.
//
// Uses the urgent profile's roads: a police car may drive against a one-way, but is less likely to.
// Each fix costs some ten short searches (about 0.1 ms in a city). One thread.
class MapMatcher {
 public:
  explicit MapMatcher(std::shared_ptr<const TravelGraph> graph) : graph_(std::move(graph)) {}

  MatchedFix Add(const TrackFix& fix);
  // Other travel times of the same network; what is known of the device stays.
  void SetGraph(std::shared_ptr<const TravelGraph> graph) { graph_ = std::move(graph); }

  // The likeliest positions of the last fixes as seen now, oldest first: later fixes correct
  // earlier ones. At most kMatchMemory.
  std::vector<RoadPosition> Recent() const;

 private:
  struct Candidate {
    RoadPosition position;
    double distance_m = 0;
    double log_likelihood = 0;  // of the best way to it
    double emission = 0;        // of its own fix alone
    int before = -1;            // candidate of the fix before on that way
    std::vector<EdgeId> way;    // from it
  };
  struct Step {
    TrackFix fix;
    std::vector<Candidate> candidates;
  };
  struct Reached {
    double metres = 0;
    EdgeId before = kNoEdge;
  };

  std::vector<Candidate> CandidatesOf(const TrackFix& fix) const;
  // Drives from a candidate, shortest first, up to `limit_m`: edge -> metres to its tail.
  void Explore(const RoadPosition& from, double limit_m);
  std::optional<double> DriveMetres(const RoadPosition& from, const RoadPosition& to) const;
  std::vector<EdgeId> Way(const RoadPosition& from, const RoadPosition& to) const;
  bool Connect(const Step& before, Step& now);
  void Restart(Step step);
  MatchedFix Describe(MatchState state) const;

  std::shared_ptr<const TravelGraph> graph_;
  std::deque<Step> steps_;
  absl::flat_hash_map<EdgeId, Reached> reached_;  // scratch of Explore
};

// So many fixes are remembered.
inline constexpr size_t kMatchMemory = 5;

// What a matched device may set off from, as SnapUnit gives it for a single fix. Against a direction
// that is known it costs a U-turn.
UnitSnap SnapOfMatch(const TravelGraph& graph, const MatchedFix& match);

}  // namespace cordon
