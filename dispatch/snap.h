// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "dispatch/search.h"

namespace cordon {

// What is known of where something is.
struct SnapQuery {
  LatLon place;
  Metres accuracy{0};                // radius of 68 %; 0: not known
  std::optional<double> course_deg;  // used only above 2 m/s
  std::optional<double> speed_mps;
};

// One directed place on the network that the query may be at.
struct SnapCandidate {
  RoadPosition position;
  Metres distance;  // from the query's place
  double heading_deg = 0;
  float score = 0;  // smaller is likelier; distance in metres plus a penalty for the wrong heading
};

// Candidates within max(25 m, 3 accuracy), capped at `limit`; both directions of a piece where
// `graph` may use them, the direction that contradicts the course last. Best first, at most `most`.
// Empty: off the network. Thread-safe.
std::vector<SnapCandidate> Snap(const TravelGraph& graph, const SnapQuery& query, Metres limit,
                                size_t most = 8);

// Farther from any road than this, a vehicle (or a scene) is off the network. Walkers may be in a
// park.
inline constexpr Metres kVehicleSnapLimit{50};
inline constexpr Metres kFootSnapLimit{200};

// Where a unit may set off from: its best candidate, the same spot in the other direction at the
// price of a U-turn, and for parallel roads the best candidate of a second piece. Empty: off the
// network.
struct UnitSnap {
  std::vector<SearchSeed> seeds;        // of the likeliest piece
  std::vector<SearchSeed> alternative;  // of a second piece nearly as likely; empty: none
  Metres distance;
};
UnitSnap SnapUnit(const TravelGraph& graph, const SnapQuery& query);

// A scene: the nearest piece and any other within 5 m more, both directions where they may be
// driven.
struct SceneSnap {
  std::vector<SearchSeed> seeds;
  Metres distance;
};
SceneSnap SnapScene(const TravelGraph& graph, const LatLon& place,
                    Metres limit = kVehicleSnapLimit);

// Nearest piece to a place whatever may drive there, with the offset along its forward edge;
// nothing within `limit`: empty.
struct NearestPiece {
  PieceId piece;
  uint32_t offset_cm = 0;
  Metres distance;
};
std::optional<NearestPiece> FindNearestPiece(const RoadNetwork& network, const LatLon& place,
                                             Metres limit);

}  // namespace cordon
