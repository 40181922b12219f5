// SPDX-License-Identifier: Apache-2.0
// Marking cells, and which blocks belong together.
#include "dispatch/contour_grid.h"

#include <algorithm>

#include "dispatch/contour_cells.h"

namespace cordon {
namespace {

constexpr int kBlock = ContourGrid::kBlock;
constexpr double kMargin = 0.05;

// visit(y, first, last) for each row: the cells of it within kMargin of the segment.
template <class Visit>
void ForRuns(CellPoint a, CellPoint b, Visit&& visit) {
  if (a.y > b.y) std::swap(a, b);
  const auto cell = [](double v) { return static_cast<int>(v); };  // never negative
  const int south = cell(a.y - kMargin);
  const int north = cell(b.y + kMargin);
  const double low_x = std::min(a.x, b.x);
  const double high_x = std::max(a.x, b.x);
  if (south == north) return visit(south, cell(low_x - kMargin), cell(high_x + kMargin));
  const double slope = b.y > a.y ? (b.x - a.x) / (b.y - a.y) : 0;
  for (int y = south; y <= north; ++y) {
    double from = low_x;
    double to = high_x;
    if (slope != 0) {
      // Where the segment enters and leaves the row with its margins.
      const double enters = a.x + (std::max(a.y, y - kMargin) - a.y) * slope;
      const double leaves = a.x + (std::min(b.y, y + 1 + kMargin) - a.y) * slope;
      from = std::max(low_x, std::min(enters, leaves));
      to = std::min(high_x, std::max(enters, leaves));
    }
    visit(y, cell(from - kMargin), cell(to + kMargin));
  }
}

// Cells first..last of a row, word by word: fn(word, mask).
template <class Fn>
void ForWords(int first, int last, Fn&& fn) {
  for (int word = first >> 6; word <= last >> 6; ++word) {
    uint64_t mask = ~uint64_t{0};
    if (word == first >> 6) mask <<= first & 63;
    if (word == last >> 6) mask &= ~uint64_t{0} >> (63 - (last & 63));
    fn(word, mask);
  }
}

// Ors a block of half as wide cells into the quarter of a block that it covers.
void OrHalved(const ContourGrid::Rows& finer, const ContourGrid::Place& at,
              ContourGrid::Rows& into) {
  for (size_t y = 0; y < kBlock; y += 2) {
    const uint64_t both = finer[y] | finer[y + 1];
    if (both == 0) continue;
    into[static_cast<size_t>(at.by & 1) * 32 + y / 2] |= uint64_t{HalveBits(both)}
                                                         << (at.bx & 1) * 32;
  }
}

ContourGrid::Place Halved(const ContourGrid::Place& at) { return {at.by / 2, at.bx / 2}; }

}  // namespace

ContourGrid::ContourGrid(int blocks_x, int blocks_y) : blocks_x_(blocks_x), blocks_y_(blocks_y) {
  road_blocks_.resize(static_cast<size_t>(blocks_x) * static_cast<size_t>(blocks_y));
  reach_blocks_.resize(road_blocks_.size());
  waits_.resize(road_blocks_.size());
}

ContourGrid::RoadBlock& ContourGrid::RoadBlockAt(const Place& at) {
  auto& block = road_blocks_[IndexOf(at)];
  if (!block) block = std::make_unique<RoadBlock>();
  return *block;
}

ContourGrid::ReachBlock& ContourGrid::ReachBlockAt(const Place& at) {
  if (latest_block_ != nullptr && latest_ == at) return *latest_block_;
  auto& block = reach_blocks_[IndexOf(at)];
  if (!block) {
    if (spare_blocks_.empty()) spare_blocks_.push_back(std::make_unique<ReachBlock>());
    block = std::move(spare_blocks_.back());
    spare_blocks_.pop_back();
    *block = {};
    used_.push_back(at);
  }
  latest_ = at;
  latest_block_ = block.get();
  return *block;
}

void ContourGrid::MarkRoad(const CellPoint& a, const CellPoint& b) {
  ForRuns(a, b, [&](int y, int first, int last) {
    ForWords(first, last, [&](int bx, uint64_t mask) {
      RoadBlockAt({y / kBlock, bx}).road[static_cast<size_t>(y % kBlock)] |= mask;
    });
  });
}

void ContourGrid::MarkReached(const CellPoint& a, const CellPoint& b) {
  // Most segments stay in one row and one word of it.
  const auto low_y = static_cast<uint32_t>(std::min(a.y, b.y) - kMargin);
  const auto high_y = static_cast<uint32_t>(std::max(a.y, b.y) + kMargin);
  const auto low_x = static_cast<uint32_t>(std::min(a.x, b.x) - kMargin);
  const auto high_x = static_cast<uint32_t>(std::max(a.x, b.x) + kMargin);
  if (low_y == high_y && low_x / 64 == high_x / 64) {
    ReachBlock& block =
        ReachBlockAt({static_cast<int>(low_y / kBlock), static_cast<int>(low_x / 64)});
    block.reached[low_y % kBlock] |= ~uint64_t{0} << low_x % 64 & ~uint64_t{0} >> (63 - high_x % 64);
    return;
  }
  ForRuns(a, b, [&](int y, int first, int last) {
    ForWords(first, last, [&](int bx, uint64_t mask) {
      ReachBlockAt({y / kBlock, bx}).reached[static_cast<size_t>(y % kBlock)] |= mask;
    });
  });
}

void ContourGrid::AddRuns(const CellPoint& a, const CellPoint& b, size_t begin,
                          std::vector<Run>& runs) {
  ForRuns(a, b, [&](int y, int first, int last) {
    if (runs.size() > begin) {
      Run& latest = runs.back();
      if (latest.y == y && first <= latest.last && latest.first <= last) {
        latest.first = std::min(latest.first, static_cast<uint16_t>(first));
        latest.last = std::max(latest.last, static_cast<uint16_t>(last));
        return;
      }
    }
    runs.push_back({static_cast<uint16_t>(y), static_cast<uint16_t>(first),
                    static_cast<uint16_t>(last)});
  });
}

bool ContourGrid::NamedByRuns() const {
  constexpr int kMost = (1 << 16) / kBlock;
  return blocks_x_ <= kMost && blocks_y_ <= kMost;
}

void ContourGrid::MarkReached(std::span<const Run> runs) {
  for (const Run& run : runs)
    ForWords(run.first, run.last, [&](int bx, uint64_t mask) {
      ReachBlockAt({run.y / kBlock, bx}).reached[run.y % kBlock] |= mask;
    });
}

void ContourGrid::TakeRoadsFrom(const ContourGrid& finer) {
  for (int by = 0; by < finer.blocks_y_; ++by)
    for (int bx = 0; bx < finer.blocks_x_; ++bx)
      if (const Rows* roads = finer.RoadsOrNone({by, bx}))
        OrHalved(*roads, {by, bx}, RoadBlockAt(Halved({by, bx})).road);
}

void ContourGrid::TakeReachedFrom(const ContourGrid& finer) {
  for (const Place& at : finer.used_)
    OrHalved(finer.reach(at).reached, at, ReachBlockAt(Halved(at)).reached);
}

// Where the coarser grid fills something.
void ContourGrid::AllocateWithin(const ContourGrid& coarser) {
  for (const Place& at : coarser.used_) {
    const Rows& filled = coarser.reach(at).filled;
    for (int quarter = 0; quarter < 4; ++quarter) {
      const Place finer{2 * at.by + quarter / 2, 2 * at.bx + quarter % 2};
      uint64_t any = 0;
      for (int y = 0; y < kBlock / 2; ++y)
        any |= filled[static_cast<size_t>((finer.by & 1) * 32 + y)] >> (finer.bx & 1) * 32 &
               0xFFFF'FFFF;
      if (any != 0) ReachBlockAt(finer);
    }
  }
  std::sort(used_.begin(), used_.end());
}

// What is reached near a block's border may fill cells beyond it.
void ContourGrid::AllocateNeighbours() {
  constexpr int kNear = kFillSteps;
  constexpr uint64_t kWest = (uint64_t{1} << kNear) - 1;
  constexpr uint64_t kEast = kWest << (64 - kNear);
  const size_t blocks = used_.size();
  for (size_t i = 0; i < blocks; ++i) {
    const auto [by, bx] = used_[i];
    uint64_t all = 0;
    uint64_t south = 0;
    uint64_t north = 0;
    const Rows& reached = reach({by, bx}).reached;
    for (int y = 0; y < kBlock; ++y) {
      const uint64_t row = reached[static_cast<size_t>(y)];
      all |= row;
      if (y < kNear) south |= row;
      if (y >= kBlock - kNear) north |= row;
    }
    for (int dy = -1; dy <= 1; ++dy)
      for (int dx = -1; dx <= 1; ++dx) {
        const uint64_t rows = dy < 0 ? south : dy > 0 ? north : all;
        const uint64_t near = dx < 0 ? rows & kWest : dx > 0 ? rows & kEast : rows;
        if (near != 0 && Exists({by + dy, bx + dx})) ReachBlockAt({by + dy, bx + dx});
      }
  }
  std::sort(used_.begin(), used_.end());
}

void ContourGrid::Clear() {
  for (const Place& at : used_) spare_blocks_.push_back(std::move(reach_blocks_[IndexOf(at)]));
  used_.clear();
  latest_block_ = nullptr;
}

// Far apart districts are drawn one by one: the frame of all would be mostly empty.
std::vector<ContourGrid::Cluster> ContourGrid::Clusters() {
  for (const Place& at : used_) waits_[IndexOf(at)] = 1;
  std::vector<Cluster> clusters;
  for (const Place& first : used_) {
    if (!waits_[IndexOf(first)]) continue;
    waits_[IndexOf(first)] = 0;
    Cluster& cluster =
        clusters.emplace_back(Cluster{{first}, first.bx, first.bx, first.by, first.by});
    for (size_t i = 0; i < cluster.blocks.size(); ++i) {
      const Place at = cluster.blocks[i];
      cluster.west = std::min(cluster.west, at.bx);
      cluster.east = std::max(cluster.east, at.bx);
      cluster.south = std::min(cluster.south, at.by);
      cluster.north = std::max(cluster.north, at.by);
      for (int dy = -1; dy <= 1; ++dy)
        for (int dx = -1; dx <= 1; ++dx) {
          const Place beside{at.by + dy, at.bx + dx};
          if (Exists(beside) && std::exchange(waits_[IndexOf(beside)], 0))
            cluster.blocks.push_back(beside);
        }
    }
  }
  return clusters;
}

}  // namespace cordon
