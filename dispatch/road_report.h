// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "dispatch/road_network.h"

namespace cordon {

// Counts of a road network, and what looks wrong in it.
struct RoadReport {
  uint32_t junctions = 0;
  uint32_t pieces = 0;        // ghosts not counted
  uint32_t edges_urgent = 0;  // that a car may drive, urgent
  uint32_t edges_routine = 0;
  std::array<double, kRoadClasses> km_by_class{};
  double km_one_way = 0;     // for routine cars
  double km_contraflow = 0;  // may be driven against a one-way, urgent
  double km_bridge = 0;
  double km_tunnel = 0;
  double km_walked_only = 0;
  uint32_t signals = 0;   // edges that end at one
  uint32_t barriers = 0;  // pieces
  uint32_t barriers_open_to_urgent = 0;
  uint32_t forbidden_turns = 0;
  uint32_t ghosts = 0;
  uint32_t dead_ends = 0;  // junctions with one driven piece
  std::map<std::string, uint32_t> sites;
  std::map<std::string, std::string> notes;  // of the import
  // Suspicious things.
  double km_island = 0;  // drivable, not connected with the main part
  uint32_t islands = 0;
  uint32_t traps =
      0;  // junctions that routine cars can enter but not leave, or leave but not enter
  std::vector<LatLon> trap_examples;
  uint32_t crowded_junctions = 0;  // more than 8 pieces meet
  uint32_t fast_minor_pieces = 0;  // minor roads with a posted limit above 100 km/h
};

RoadReport ReportOn(const RoadNetwork& network);

const char* RoadClassName(RoadClass road_class);
const char* SiteKindName(SiteKind kind);

}  // namespace cordon
