// SPDX-License-Identifier: Apache-2.0
#include "dispatch/coverage_drawing.h"

#include <algorithm>

#include "dispatch/map_drawing_roads.h"

namespace cordon {
namespace {

// Offsets along the forward edge reached within a tier, as in LengthsOfReaches.
std::pair<uint32_t, uint32_t> Within(const EdgeReach& reach, uint32_t length, uint32_t tier_ms) {
  if (reach.time_ms >= tier_ms) return {0, 0};
  const uint32_t left = tier_ms - reach.time_ms;
  const uint32_t progress = left >= reach.edge_ms
                                ? length
                                : static_cast<uint32_t>(uint64_t{length} * left / reach.edge_ms);
  const uint32_t to = std::min(length, reach.from_cm + progress);
  if (to <= reach.from_cm) return {0, 0};
  return reach.forward ? std::pair(reach.from_cm, to)
                       : std::pair(length - to, length - reach.from_cm);
}

void AddPiece(const Coverage& coverage, PieceId id, std::vector<TierStretch>& out) {
  const RoadPiece& piece = coverage.network().piece(id);
  const auto& tiers = coverage.options().tiers_ms;
  std::vector<EdgeReach> reaches = coverage.At(piece.edge[0]);
  const std::vector<EdgeReach> back = coverage.At(piece.edge[1]);
  reaches.insert(reaches.end(), back.begin(), back.end());
  std::vector<uint32_t> cuts = {0, piece.length_cm};
  for (const EdgeReach& reach : reaches) {
    for (const uint32_t tier : tiers) {
      const auto [from, to] = Within(reach, piece.length_cm, tier);
      cuts.push_back(from);
      cuts.push_back(to);
    }
  }
  std::sort(cuts.begin(), cuts.end());
  for (size_t i = 0; i + 1 < cuts.size(); ++i) {
    if (cuts[i] == cuts[i + 1]) continue;
    size_t best = TierStretch::kUncovered;
    for (const EdgeReach& reach : reaches) {
      for (size_t t = 0; t < std::min(best, tiers.size()); ++t) {
        const auto [from, to] = Within(reach, piece.length_cm, tiers[t]);
        if (from <= cuts[i] && to >= cuts[i + 1]) best = t;
      }
    }
    if (!out.empty() && out.back().piece == id && out.back().tier == best) {
      out.back().to_cm = cuts[i + 1];
    } else {
      out.push_back({id, cuts[i], cuts[i + 1], best});
    }
  }
}

Colour PlaceColour(PlaceState state) {
  switch (state) {
    case PlaceState::kMet:
      return palette::kHeld;
    case PlaceState::kMetStale:
      return Colour::Hex(0xC98A00);
    case PlaceState::kGap:
      return palette::kGap;
    default:
      return palette::kSpareUnit;
  }
}

}  // namespace

std::string TierText(uint32_t tier_ms) {
  return tier_ms % 60'000 == 0 ? fmt::format("{} min", tier_ms / 60'000)
                               : fmt::format("{} s", tier_ms / 1000);
}

std::vector<TierStretch> TierStretches(const Coverage& coverage) {
  std::vector<TierStretch> stretches;
  for (uint32_t p = 0; p < coverage.network().piece_count(); ++p)
    if (coverage.Counts({p})) AddPiece(coverage, {p}, stretches);
  return stretches;
}

namespace {

void DrawStretches(const Coverage& coverage, std::span<const TierStretch> stretches,
                   MapDrawing& drawing) {
  const RoadNetwork& network = coverage.network();
  const double metres_per_px = drawing.metres_per_px();
  // The outermost tier first, so that the nearest is on top where roads meet.
  for (size_t step = coverage.options().tiers_ms.size() + 1; step-- > 0;) {
    const size_t tier = step == coverage.options().tiers_ms.size() ? TierStretch::kUncovered : step;
    for (const TierStretch& stretch : stretches) {
      if (stretch.tier != tier) continue;
      const RoadPiece& piece = network.piece(stretch.piece);
      const auto shape = ShapeOf(network, piece.edge[0], stretch.from_cm, stretch.to_cm);
      if (!drawing.frame().Contains(shape.front()) && !drawing.frame().Contains(shape.back()))
        continue;
      const double width = OverlayWidth(piece.road_class, metres_per_px);
      if (tier == TierStretch::kUncovered) {
        drawing.AddLine(Layer::kRoad, shape,
                        {.colour = palette::kGap.WithAlpha(0.3), .width_px = 0.55 * width});
      } else {
        drawing.AddLine(Layer::kOverlay, shape, {.colour = palette::Tier(tier), .width_px = width});
      }
    }
  }
}

void DrawMarks(std::span<const DrawnUnit> units, std::span<const PlaceStatus> places,
               std::span<const CoverageGap> gaps, MapDrawing& drawing) {
  for (const PlaceStatus& status : places)
    drawing.AddMarker(status.place->place, Symbol::kPlace, PlaceColour(status.state), 12,
                      status.state == PlaceState::kGap ? status.place->name : "");
  for (size_t i = 0; i < gaps.size(); ++i)
    drawing.AddMarker(gaps[i].middle, Symbol::kCross, palette::kGap, 11, fmt::format("{}", i + 1));
  for (const DrawnUnit& unit : units)
    drawing.AddMarker(unit.place, SymbolOf(unit.kind),
                      unit.counts ? palette::kUnit : palette::kSpareUnit, 13, unit.label);
}

}  // namespace

void DrawCoverage(const Coverage& coverage, std::span<const TierStretch> stretches,
                  std::span<const DrawnUnit> units, std::span<const PlaceStatus> places,
                  std::span<const CoverageGap> gaps, MapDrawing& drawing, const char* counted) {
  DrawRoads(coverage.network(), drawing);
  DrawStretches(coverage, stretches, drawing);
  DrawMarks(units, places, gaps, drawing);
  const double total = std::max<double>(1, static_cast<double>(coverage.total_cm()));
  for (size_t t = 0; t < coverage.tiers().size(); ++t) {
    const TierCoverage& tier = coverage.tiers()[t];
    drawing.AddLegendLine(fmt::format("within {}: {:.0f} km, {:.0f} %", TierText(tier.tier_ms),
                                      static_cast<double>(tier.covered_cm) / 1e5,
                                      100 * static_cast<double>(tier.covered_cm) / total),
                          {.colour = palette::Tier(t), .width_px = 5});
  }
  drawing.AddLegendLine(fmt::format("nobody within {}", TierText(coverage.tiers().back().tier_ms)),
                        {.colour = palette::kGap.WithAlpha(0.45), .width_px = 3});
  drawing.AddLegendSymbol(counted, Symbol::kCar, palette::kUnit);
  if (std::any_of(units.begin(), units.end(), [](const DrawnUnit& unit) { return !unit.counts; }))
    drawing.AddLegendSymbol("unit that does not count", Symbol::kCar, palette::kSpareUnit);
  if (!gaps.empty()) drawing.AddLegendSymbol("gap, by weight", Symbol::kCross, palette::kGap);
  if (places.empty()) return;
  drawing.AddLegendSymbol("protected place, covered", Symbol::kPlace, palette::kHeld);
  drawing.AddLegendSymbol("protected place, not covered", Symbol::kPlace, palette::kGap);
}

}  // namespace cordon
