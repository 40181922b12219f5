// SPDX-License-Identifier: Apache-2.0
// One grid of cells over a road network, and what of it a tier fills. Used by ContourDrawer only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace cordon {

// A place in cells, from the grid's south-western corner.
struct CellPoint {
  double x = 0;
  double y = 0;
};

// Cells are bits, 64 to a word, in blocks of 64 x 64; only blocks that hold something exist.
//
// A tier is drawn by Mark...; TakeReachedFrom the next finer grid if there is one; Fill; reading;
// Clear. One thread at a time.
class ContourGrid {
 public:
  static constexpr int kBlock = 64;            // cells of a block's side
  using Rows = std::array<uint64_t, kBlock>;  // bit x of row y
  struct ReachBlock {
    Rows reached{};  // cells that a road passes which is reached
    Rows filled{};   // those, and the cells without a road that go with them
    Rows within{};   // lie inside of what is drawn of the coarser grid
  };
  struct Run {  // cells first..last of row y
    uint16_t y = 0;
    uint16_t first = 0;
    uint16_t last = 0;
  };
  struct Place {  // of a block
    int by = 0;
    int bx = 0;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  // Blocks that touch, and their frame.
  struct Cluster {
    std::vector<Place> blocks;  // as in used()
    int west = 0, east = 0, south = 0, north = 0;
  };

  ContourGrid(int blocks_x, int blocks_y);

  // Cells along a segment. A road also marks cells that it passes at a twentieth of a cell, so that
  // rounding never loses it.
  void MarkRoad(const CellPoint& a, const CellPoint& b);
  void MarkReached(const CellPoint& a, const CellPoint& b);
  // What MarkReached would mark, kept for later; joined with the last of `runs` from `begin` on where
  // they overlap. Not for grids of more cells than a Run can name.
  static void AddRuns(const CellPoint& a, const CellPoint& b, size_t begin, std::vector<Run>& runs);
  bool NamedByRuns() const;
  void MarkReached(std::span<const Run> runs);
  // Of a grid over the same area with cells half as wide: a cell is marked if one of its four is.
  void TakeRoadsFrom(const ContourGrid& finer);
  void TakeReachedFrom(const ContourGrid& finer);

  // Cells that are reached, and those without a road that are nearer to a road that is reached than
  // to one that is not. `coarser`, filled before, says so for cells farther from any road, and the
  // result stays inside of what is drawn of it. Without one, cells far from any road stay out.
  void Fill(const ContourGrid* coarser);
  void Clear();

  // Ascending; blocks that hold something that is reached, and those beside them that may be filled.
  const std::vector<Place>& used() const { return used_; }
  std::vector<Cluster> Clusters();
  const ReachBlock& reach(const Place& at) const { return *reach_blocks_[IndexOf(at)]; }
  // Cells into which a corner of the drawing must not be rounded: roads, and what is not drawn of
  // the coarser grid.
  Rows KeepsOut(const Place& at) const;

 private:
  struct Strip;
  struct RoadBlock {
    Rows road{};     // cells that a road passes
    Rows claimed{};  // those and the cells around them that go with some road
    bool claimed_known = false;
  };
  size_t IndexOf(const Place& at) const {
    return static_cast<size_t>(at.by) * static_cast<size_t>(blocks_x_) +
           static_cast<size_t>(at.bx);
  }
  bool Exists(const Place& at) const {
    return at.bx >= 0 && at.by >= 0 && at.bx < blocks_x_ && at.by < blocks_y_;
  }
  const ReachBlock* ReachOrNone(const Place& at) const {
    return Exists(at) ? reach_blocks_[IndexOf(at)].get() : nullptr;
  }
  const Rows* RoadsOrNone(const Place& at) const {
    return Exists(at) && road_blocks_[IndexOf(at)] ? &road_blocks_[IndexOf(at)]->road : nullptr;
  }
  RoadBlock& RoadBlockAt(const Place& at);
  ReachBlock& ReachBlockAt(const Place& at);
  void AllocateNeighbours();
  void AllocateWithin(const ContourGrid& coarser);
  bool MissedNear(const Place& at) const;
  const Rows& ClaimedIn(const Place& at);
  void LoadStrip(const Place& first, size_t blocks, Strip& strip) const;
  void TakeOutMissed(std::span<const Place> blocks, int steps);
  Rows DrawnInFiner(const Place& finer) const;

  const int blocks_x_;
  const int blocks_y_;
  std::vector<std::unique_ptr<RoadBlock>> road_blocks_;
  std::vector<std::unique_ptr<ReachBlock>> reach_blocks_;
  std::vector<std::unique_ptr<ReachBlock>> spare_blocks_;
  std::vector<Place> used_;
  Place latest_;  // of ReachBlockAt, while latest_block_ is set
  ReachBlock* latest_block_ = nullptr;
  std::vector<uint8_t> waits_;  // by block, scratch of Clusters
};

}  // namespace cordon
