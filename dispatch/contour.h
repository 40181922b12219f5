// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dispatch/contour_grid.h"
#include "dispatch/contour_rings.h"
#include "dispatch/search.h"

namespace cordon {

// Not closed: the last point is joined to the first. Outer rings run counter-clockwise, holes
// clockwise.
using ContourRing = std::vector<RoadPoint>;
struct ContourPolygon {
  ContourRing outer;
  std::vector<ContourRing> holes;
};
struct ContourTier {
  uint32_t limit_ms = 0;
  std::vector<ContourPolygon> polygons;
};

// Draws reached roads as areas. The truth is the reached stretches; this is their picture, with
// these properties: every reached point lies inside (but for rounding below 1 m); the tiers are
// nested; polygons are valid, with all holes and islands; the same input gives the same bytes; a
// tier is drawn the same whatever others are asked for.
//
// Three grids of cells lie over the network, each with cells twice as wide as the one before. A
// small tier is drawn on the finest, where a minute's drive has its details; a large one on the
// coarsest, where nobody sees them. A cell that a road passes belongs to a tier when that road is
// reached there within it. A cell without a road goes with the nearest road cell within about 70 m,
// so that blocks and gardens are filled, but a cell whose own or nearest road was not reached stays
// out: the far bank of a river, the other carriageway, a street behind a barrier. On a finer grid a
// tier is drawn inside of what the coarser one would draw of it, so that tiers of different grids
// are nested too. Rings follow the cells' borders (marching squares); corners are cut only where no
// road passes.
//
// Cells are bits, 64 to a word, so that a district is filled in a few microseconds.
//
// Built once per network (some 20 ms per 100,000 edges), then reused; about 20 bytes per edge. One thread at a time.
class ContourDrawer {
 public:
  // `roads`: which pieces count as roads that must stay outside when they are not reached.
  enum class Roads { kDriven, kWalked };
  ContourDrawer(std::shared_ptr<const RoadNetwork> network, Roads roads);
  ~ContourDrawer();

  // `limits_ms` ascending, at most kMostTiers. A tier without any reached road has no polygon.
  static constexpr size_t kMostTiers = 16;
  std::vector<ContourTier> Draw(std::span<const ReachedStretch> stretches,
                                std::span<const uint32_t> limits_ms);

 private:
  struct Matrices;
  // The grid that is drawn on.
  struct Canvas {
    ContourGrid* grid = nullptr;
    double cells_per_lat_e7 = 0;
    double cells_per_lon_e7 = 0;
    int ring_units_per_cell = 0;
    bool coarsest = false;
  };
  Canvas CanvasOf(size_t level) const;
  CellPoint CellOf(const Canvas& canvas, const RoadPoint& p) const {
    return {static_cast<double>(p.lon_e7 - origin_lon_) * canvas.cells_per_lon_e7,
            static_cast<double>(p.lat_e7 - origin_lat_) * canvas.cells_per_lat_e7};
  }
  void MarkRoads(Roads roads);
  void KeepRuns(PieceId piece);
  void MarkStretch(const Canvas& canvas, const ReachedStretch& stretch, uint32_t limit_ms);
  void MarkWhole(const Canvas& canvas, PieceId piece);
  void MarkPart(const Canvas& canvas, EdgeId edge, double from_cm, double to_cm);
  double SegmentLength(const RoadPoint& a, const RoadPoint& b) const;
  void DrawTier(std::span<const ReachedStretch> stretches, ContourTier& tier);
  void DrawCluster(const Canvas& canvas, const ContourGrid::Cluster& cluster,
                   std::vector<ContourPolygon>& polygons);
  ContourRing ToPoints(int64_t west_e7, int64_t south_e7, std::span<const RingPoint> ring) const;

  const std::shared_ptr<const RoadNetwork> network_;
  int32_t unit_lat_e7_ = 0;  // of ring points
  int32_t unit_lon_e7_ = 0;
  int64_t origin_lat_ = 0;
  int64_t origin_lon_ = 0;
  double middle_lat_e7_ = 0;  // lengths are taken with the cosine linear around it
  double cosine_ = 1;
  double cosine_slope_ = 0;
  std::vector<std::unique_ptr<ContourGrid>> grids_;  // from the finest on
  std::vector<ContourGrid::Run> runs_;               // cells of pieces on the coarsest grid
  std::vector<uint32_t> first_run_;                  // by piece; empty: none are kept
  std::unique_ptr<Matrices> matrices_;               // scratch of DrawCluster
  std::vector<uint8_t> whole_;                       // by piece: marked in whole for this tier
  std::vector<uint32_t> whole_pieces_;               // whose whole_ is set
};

// A GeoJSON MultiPolygon geometry; coordinates with seven decimals.
std::string GeoJsonMultiPolygon(const std::vector<ContourPolygon>& polygons);

// How true a drawing is, measured along the roads: shares of length by sampling every `step`.
struct ContourQuality {
  double reached_m = 0;
  double reached_outside_m = 0;   // reached, not drawn
  double inside_m = 0;            // drivable length inside the polygons
  double unreached_inside_m = 0;  // drawn, not reached
};
ContourQuality MeasureContour(const TravelGraph& graph, std::span<const ReachedStretch> stretches,
                              const ContourTier& tier, Metres step = {2});

}  // namespace cordon
