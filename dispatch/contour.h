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
// A grid of cells of about 7.5 m lies over the network. A cell that a reached road passes has that
// road's earliest time. A cell without a road takes the time of the nearest road cell within about
// 65 m, so that blocks and gardens are filled, but a cell whose own or nearest road was not reached
// stays out: the far bank of a river, the other carriageway, a street behind a barrier. Rings
// follow the cells' borders (marching squares); corners are cut only where no road passes.
//
// Built once per network (some 10 ms per 100,000 edges), then reused. One thread at a time.
class ContourDrawer {
 public:
  // `roads`: which pieces count as roads that must stay outside when they are not reached.
  enum class Roads { kDriven, kWalked };
  ContourDrawer(std::shared_ptr<const RoadNetwork> network, Roads roads);
  ~ContourDrawer();

  // `limits_ms` ascending. A tier without any reached road has no polygon.
  std::vector<ContourTier> Draw(std::span<const ReachedStretch> stretches,
                                std::span<const uint32_t> limits_ms);

  // Size of a cell in 1e-7 degrees.
  uint32_t step_lat_e7() const { return step_lat_; }
  uint32_t step_lon_e7() const { return step_lon_; }

  static constexpr int kBlock = 64;  // cells of a block's side
  struct RoadBlock {
    std::array<uint64_t, kBlock> road{};  // cells that a road passes
    std::array<uint8_t, kBlock * kBlock>
        nearest{};  // of the others: where the nearest such cell is; 0: none near
    bool nearest_known = false;
  };
  struct TimeBlock {
    std::array<uint32_t, kBlock * kBlock> time;
    std::array<uint64_t, kBlock> direct;  // cells that a reached road passes
  };

 private:
  size_t BlockIndex(int bx, int by) const {
    return static_cast<size_t>(by) * static_cast<size_t>(blocks_x_) + static_cast<size_t>(bx);
  }
  bool HasRoad(int x, int y) const;
  RoadBlock& RoadBlockAt(int bx, int by);
  TimeBlock& TimeBlockAt(int bx, int by);
  void MarkRoads(Roads roads);
  void MarkStretch(const ReachedStretch& stretch);
  void AllocateNeighbours();
  void FindNearest(int bx, int by);
  void Fill(int bx, int by);
  void Clear();

  const std::shared_ptr<const RoadNetwork> network_;
  uint32_t step_lat_ = 0;
  uint32_t step_lon_ = 0;
  int64_t origin_lat_ = 0;
  int64_t origin_lon_ = 0;
  int blocks_x_ = 0;
  int blocks_y_ = 0;
  std::vector<std::unique_ptr<RoadBlock>> road_blocks_;
  std::vector<std::unique_ptr<TimeBlock>> time_blocks_;  // of the drawing at hand
  std::vector<std::unique_ptr<TimeBlock>> spare_blocks_;
  std::vector<std::pair<int, int>> used_;  // (by, bx) of time_blocks_
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
