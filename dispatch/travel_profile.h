// SPDX-License-Identifier: Apache-2.0
// How fast each kind of unit moves, and what turning costs. Everything that a travel time is made
// of is in this file.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "dispatch/road_network.h"

namespace cordon {

enum class TravelKind : uint8_t { kCar, kMotorcycle, kFoot };
// "car", "motorcycle", "foot".
const char* TravelKindName(TravelKind kind);
std::optional<TravelKind> TravelKindFromName(std::string_view name);

// Routine obeys everything. Urgent (siren and lights) may drive against one-ways for at most 200 m
// at half speed, make forbidden turns at a price, exceed limits as far as the class allows; never a
// physical barrier, never against a motorway.
enum class TravelMode : uint8_t { kRoutine, kUrgent };

struct TravelProfile {
  TravelKind kind = TravelKind::kCar;
  TravelMode mode = TravelMode::kUrgent;
  friend bool operator==(const TravelProfile&, const TravelProfile&) = default;
};

// The optimistic driver of a fleeing car: ignores one-ways, signals and turn restrictions, drives
// `speed_factor` times the urgent speed; still cannot pass physical barriers.
struct FugitiveProfile {
  float speed_factor = 1.0F;
  bool contraflow = true;       // over any distance
  bool off_road_paths = false;  // also paths and pedestrian streets
};

struct TurnCosts {
  std::array<uint32_t, 64> by_angle_ms{};  // (leaving - arriving) & 63
  uint32_t forbidden_ms = 0;               // price of a forbidden turn, urgent
  uint32_t mid_edge_u_turn_ms = 0;
};

TurnCosts TurnCostsOf(const TravelProfile& profile, bool drives_left);

// Time to drive the whole edge, its signal and crossing included, in ms (>= 1); kUnreached when the
// profile may not drive it. Closures and live factors come on top (TravelGraph).
uint32_t EdgeTimeMs(const RoadNetwork& network, EdgeId edge, const TravelProfile& profile);
uint32_t EdgeTimeMs(const RoadNetwork& network, EdgeId edge, const FugitiveProfile& profile);

// The speed on the open edge in km/h, before signals and crossings.
float CruiseKmh(const RoadPiece& piece, bool forward, const TravelProfile& profile);

}  // namespace cordon
