// SPDX-License-Identifier: Apache-2.0
// Coverage as something to look at: stretches of road by tier, and pictures of them.
#pragma once

#include <span>
#include <vector>

#include "dispatch/coverage.h"
#include "dispatch/map_drawing.h"

namespace cordon {

// A stretch of a piece (offsets along its forward edge) whose every point is reached within the
// same tier.
struct TierStretch {
  static constexpr size_t kUncovered = SIZE_MAX;
  PieceId piece;
  uint32_t from_cm = 0;
  uint32_t to_cm = 0;
  size_t tier = kUncovered;  // the smallest that holds it
};
// All roads that count, whole network, in the order of pieces. Exact to the centimetre.
std::vector<TierStretch> TierStretches(const Coverage& coverage);

struct DrawnUnit {
  LatLon place;
  TravelKind kind = TravelKind::kCar;
  std::string label;
  bool counts = true;
};

// Roads coloured by tier, gaps, units and protected places, with their legend; `counted` is what it
// says of the units that count.
void DrawCoverage(const Coverage& coverage, std::span<const TierStretch> stretches,
                  std::span<const DrawnUnit> units, std::span<const PlaceStatus> places,
                  std::span<const CoverageGap> gaps, MapDrawing& drawing,
                  const char* counted = "available unit");

// "1 min", "90 s".
std::string TierText(uint32_t tier_ms);

}  // namespace cordon
