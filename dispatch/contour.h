// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

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
// nested; polygons are valid, with all holes and islands; the same input gives the same bytes.
//
// A grid of cells of about 7.5 m lies over the network. A cell that a road passes belongs to a tier
// when that road is reached there within it. A cell without a road goes with the nearest road cell
// within about 65 m, so that blocks and gardens are filled, but a cell whose own or nearest road was
// not reached stays out: the far bank of a river, the other carriageway, a street behind a barrier.
// Rings follow the cells' borders (marching squares); corners are cut only where no road passes.
//
// Cells are bits, 64 to a word, so that a district is filled in a few microseconds. Where the
// nearest road of a cell lies is found once for each block of 64 x 64 cells, when it is first drawn.
//
// Built once per network (some 10 ms per 100,000 edges), then reused. One thread at a time.
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

  // Does for up to so many blocks what is otherwise done when they are first drawn (some 20 us
  // each); for idle time. False when nothing is left to do.
  bool PrepareSome(size_t blocks);

  // Size of a cell in 1e-7 degrees.
  uint32_t step_lat_e7() const { return step_lat_; }
  uint32_t step_lon_e7() const { return step_lon_; }

  static constexpr int kBlock = 64;              // cells of a block's side
  using Rows = std::array<uint64_t, kBlock>;     // bit x of row y
  struct RoadBlock {
    Rows road{};  // cells that a road passes
    Rows near{};  // of the others: those with such a cell within reach
    std::array<uint8_t, kBlock * kBlock> nearest{};  // of those: which offset leads to the nearest
    bool nearest_known = false;
  };
  struct ReachBlock {
    std::vector<Rows> reached;  // by tier: cells that a road passes which is reached in it
    size_t first_tier = kMostTiers;  // that has any
  };

 private:
  struct CellPoint {
    double x;
    double y;
  };
  // A block with what its neighbours have near its border, for one tier (contour_fill.cc).
  struct Surroundings;
  struct Matrices;
  // Blocks of one tier that touch, and their frame.
  struct Cluster {
    std::vector<std::pair<int, int>> blocks;  // (by, bx), ascending
    int west = 0, east = 0, south = 0, north = 0;
  };

  size_t BlockIndex(int bx, int by) const {
    return static_cast<size_t>(by) * static_cast<size_t>(blocks_x_) + static_cast<size_t>(bx);
  }
  bool Exists(int bx, int by) const {
    return bx >= 0 && by >= 0 && bx < blocks_x_ && by < blocks_y_;
  }
  CellPoint CellOf(const RoadPoint& p) const {
    return {static_cast<double>(p.lon_e7 - origin_lon_) / step_lon_,
            static_cast<double>(p.lat_e7 - origin_lat_) / step_lat_};
  }
  template <class Visit>  // see contour.cc
  static void ForRuns(CellPoint a, CellPoint b, Visit&& visit);
  RoadBlock& RoadBlockAt(int bx, int by);
  ReachBlock& ReachBlockAt(int bx, int by);
  void MarkRoads(Roads roads);
  void MarkStretch(const ReachedStretch& stretch, std::span<const uint32_t> limits_ms);
  void MarkPart(EdgeId edge, double from_cm, double to_cm, size_t tier);
  void MarkSegment(const CellPoint& a, const CellPoint& b, size_t tier);
  double SegmentLength(const RoadPoint& a, const RoadPoint& b) const;
  void AllocateNeighbours();
  void SumTiers();
  std::vector<Cluster> ClustersOf(size_t tier);
  void DrawCluster(const Cluster& cluster, size_t tier, std::vector<ContourPolygon>& polygons);
  void FindNearest(int bx, int by);
  Surroundings Around(int bx, int by, size_t tier) const;
  Rows Fill(int bx, int by, size_t tier);
  void Clear();

  const std::shared_ptr<const RoadNetwork> network_;
  uint32_t step_lat_ = 0;
  uint32_t step_lon_ = 0;
  int64_t origin_lat_ = 0;
  int64_t origin_lon_ = 0;
  double middle_lat_e7_ = 0;  // lengths are taken with the cosine linear around it
  double cosine_ = 1;
  double cosine_slope_ = 0;
  int blocks_x_ = 0;
  int blocks_y_ = 0;
  std::vector<std::unique_ptr<RoadBlock>> road_blocks_;
  size_t prepared_ = 0;  // blocks before it are prepared
  // Of the drawing at hand.
  size_t tiers_ = 0;
  std::vector<std::unique_ptr<ReachBlock>> reach_blocks_;
  std::vector<std::unique_ptr<ReachBlock>> spare_blocks_;
  std::vector<std::pair<int, int>> used_;  // (by, bx) of reach_blocks_
  std::vector<uint8_t> waits_;             // by block, scratch of ClustersOf
  std::unique_ptr<Matrices> matrices_;     // scratch of DrawCluster
  std::vector<uint8_t> whole_from_;        // by piece: first tier that holds all of it
  std::vector<uint32_t> whole_pieces_;     // whose whole_from_ is set
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
