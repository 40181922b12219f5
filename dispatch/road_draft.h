// SPDX-License-Identifier: Apache-2.0
// Roads on their way into a road file: what an importer, the demo city or a drawn test map fills
// in, and BuildRoadImage turns into the file's bytes. Nothing here knows OpenStreetMap's tags.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "dispatch/road_types.h"

namespace cordon {

struct DraftPoint {
  RoadPoint at;
  bool signal_forward = false;  // for traffic along the way's drawing
  bool signal_backward = false;
  bool barrier = false;         // something stands in the road here...
  uint16_t barrier_access = 0;  // ...and these (AccessBit) pass nevertheless
};

struct DraftWay {
  int64_t id = 0;                // for restrictions and messages
  std::vector<uint32_t> points;  // into RoadDraft::points
  RoadClass road_class = RoadClass::kResidential;
  uint16_t flags = 0;   // RoadFlag; island, ghost and signal bits are the builder's
  uint16_t access = 0;  // AccessBit, forward as drawn
  uint8_t speed_kmh[2] = {30, 30};
  int8_t layer = 0;
  std::string name;
};

struct DraftRestriction {
  size_t from = 0;               // ways, as positions in RoadDraft::ways
  std::vector<size_t> via_ways;  // in order of travel; empty: via_point
  uint32_t via_point = kNoIndex;
  size_t to = 0;
  bool only = false;  // only_*: every other continuation is forbidden
  bool except_emergency = false;
  bool u_turn = false;  // no_u_turn: back on the same way
};

struct DraftSite {
  RoadPoint at;
  SiteKind kind = SiteKind::kOther;
  std::string name;
};

struct RoadDraft {
  std::vector<DraftPoint> points;
  std::vector<DraftWay> ways;
  std::vector<DraftRestriction> restrictions;
  std::vector<DraftSite> sites;
  bool drives_left = false;
  std::map<std::string, std::string> notes;  // source, attribution, counts; kept in the file
};

// The bytes of a road file; the same draft gives the same bytes. INVALID_ARGUMENT when there is no
// road to drive on or walk. RESOURCE_EXHAUSTED beyond 16 million junctions.
absl::StatusOr<std::string> BuildRoadImage(const RoadDraft& draft);

}  // namespace cordon
