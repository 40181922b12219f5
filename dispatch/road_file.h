// SPDX-License-Identifier: Apache-2.0
// The layout of a road file: a header, then sections of plain arrays, each at a multiple of 8
// bytes. Written by BuildRoadImage, read by RoadNetwork. Integers in the writer's byte order, which
// the header states.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dispatch/road_network.h"

namespace cordon {

inline constexpr char kRoadFileMagic[8] = {'C', 'O', 'R', 'D', 'R', 'O', 'A', 'D'};
// Rises with every change of the layout or of the meaning of a field.
inline constexpr uint32_t kRoadFileVersion = 2;
inline constexpr uint32_t kRoadFileByteOrder = 0x01020304;

enum RoadSection : uint32_t {
  kSectionPoints,
  kSectionFirstOut,
  kSectionEdgePiece,
  kSectionEdgeHead,
  kSectionLeaving,
  kSectionArriving,  // bit 6: the head is a crossing of at least three pieces
  kSectionPieces,
  kSectionShapes,
  kSectionNames,  // at each offset: length in two bytes (low first), then the characters; offset 0
                  // is the empty name
  kSectionTurnRules,
  kSectionGhosts,
  kSectionGhostOriginals,
  kSectionSites,
  kSectionGridFirst,
  kSectionGridPieces,
  kSectionNotes,
  kRoadSections,
};

inline constexpr uint8_t kArrivingAtCrossing = 64;

struct RoadFileHeader {
  char magic[8];
  uint32_t version;
  uint32_t byte_order;
  uint64_t file_bytes;
  uint64_t checksum;  // RoadChecksum of everything after this field
  RoadPoint south_west;
  RoadPoint north_east;
  uint32_t grid_width;
  uint32_t grid_height;
  uint32_t grid_step_lat_e7;
  uint32_t grid_step_lon_e7;
  uint32_t drives_left;
  uint32_t reserved;
  struct Section {
    uint64_t offset;
    uint64_t bytes;
  } sections[kRoadSections];
};
inline constexpr size_t kRoadChecksumFrom = offsetof(RoadFileHeader, south_west);

// 64-bit checksum against damage (not against forgery), about as fast as memory; four independent
// lanes of multiply-and-rotate over 32-byte blocks.
uint64_t RoadChecksum(std::string_view bytes);

}  // namespace cordon
