// SPDX-License-Identifier: Apache-2.0
// The vocabulary of the road network. A junction is where a choice is possible; a piece is the road
// between two junctions, without direction; an edge is a piece in one of its two directions. (A
// node is a process, never a junction.)
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

#include "base/geo.h"

namespace cordon {

// A position in one of the network's arrays. Three types that cannot be swapped.
template <class Tag>
struct RoadIndex {
  uint32_t value = 0;
  friend auto operator<=>(const RoadIndex&, const RoadIndex&) = default;
  template <class H>
  friend H AbslHashValue(H h, const RoadIndex& index) {
    return H::combine(std::move(h), index.value);
  }
};
using JunctionId = RoadIndex<struct JunctionTag>;
using PieceId = RoadIndex<struct PieceTag>;
using EdgeId = RoadIndex<struct EdgeTag>;

inline constexpr uint32_t kNoIndex = 0xFFFF'FFFF;
inline constexpr EdgeId kNoEdge{kNoIndex};

// Travel times inside the search are unsigned milliseconds; this one means "not reached".
inline constexpr uint32_t kUnreached = 0xFFFF'FFFF;

// WGS-84 in units of 1e-7 degree (OpenStreetMap's own resolution, about 1 cm).
struct RoadPoint {
  int32_t lat_e7 = 0;
  int32_t lon_e7 = 0;
  friend bool operator==(const RoadPoint&, const RoadPoint&) = default;
  LatLon ToLatLon() const { return {lat_e7 * 1e-7, lon_e7 * 1e-7}; }
  static RoadPoint From(const LatLon& p) {
    const auto scaled = [](double degrees) {
      return static_cast<int32_t>(degrees * 1e7 + (degrees < 0 ? -0.5 : 0.5));
    };
    return {scaled(p.lat), scaled(p.lon)};
  }
};

// A place on the network: `offset_cm` along the edge from its tail.
struct RoadPosition {
  EdgeId edge = kNoEdge;
  uint32_t offset_cm = 0;
  friend bool operator==(const RoadPosition&, const RoadPosition&) = default;
};

enum class RoadClass : uint8_t {
  kMotorway,
  kTrunk,
  kPrimary,
  kSecondary,
  kTertiary,
  kUnclassified,
  kResidential,
  kLivingStreet,
  kService,
  kTrack,
  kPedestrian,  // pedestrian streets and squares wide enough for a car
  kPath,        // footways, cycleways, bridleways, paths
  kSteps,
  kBarrier,  // 10 cm long: the bollard or gate itself
};
inline constexpr int kRoadClasses = 14;

// Flags of a piece.
enum RoadFlag : uint16_t {
  kFlagLink = 1 << 0,
  kFlagRoundabout = 1 << 1,
  kFlagBridge = 1 << 2,
  kFlagTunnel = 1 << 3,
  kFlagUrban = 1 << 4,
  kFlagIsland = 1 << 5,  // not connected with the main part of the network
  kFlagGhost = 1 << 6,   // a copy that remembers how it was entered, for restrictions via ways
  kFlagSignalForward = 1 << 7,  // a traffic signal at or before the end of the forward edge
  kFlagSignalBackward = 1 << 8,
  kFlagMaxspeedTagged = 1 << 9,  // the speed comes from a maxspeed tag, not from defaults
  kFlagNoThrough = 1 << 10,      // access=destination and the like: slowed down, not forbidden
};

// Who may drive a piece; the low bit of each pair is the forward edge, the high bit the backward
// edge.
enum AccessBit : uint16_t {
  kAccessCar = 1 << 0,         // routine
  kAccessMotorcycle = 1 << 2,  // routine
  kAccessEmergency = 1 << 4,   // urgent, in a permitted direction
  kAccessContraflow = 1 << 6,  // urgent only, against a one-way, at a price
  kAccessFoot = 1 << 8,
};
// The bit of `access` for the forward or the backward edge.
constexpr uint16_t AccessOf(AccessBit access, bool forward) {
  return static_cast<uint16_t>(forward ? access : access << 1);
}
constexpr uint16_t BothWays(AccessBit access) {
  return static_cast<uint16_t>(access | access << 1);
}

// What the importer collects as possible protected places.
enum class SiteKind : uint8_t { kSchool, kHospital, kPolice, kStation, kOther };

// A rule for going from one edge directly to the next.
enum class TurnRuleKind : uint32_t {
  kForbidden = 0,           // a posted restriction; urgent passes at a price
  kForbiddenNotUrgent = 1,  // except=emergency
  kContraflowEnds = 2,      // end of the longest permitted contraflow; for contraflow driving only
  kGhostInstead = 3,        // the ghost copy must be taken; nobody may make this turn
  kGhostEntry = 4,          // the only way onto a ghost copy
};
struct TurnRule {
  EdgeId from;
  EdgeId to;
  TurnRuleKind kind;
};

// Longest stretch driven against a one-way, and the speed there relative to the permitted
// direction.
inline constexpr uint32_t kContraflowMaxCm = 200 * 100;

}  // namespace cordon
