// SPDX-License-Identifier: Apache-2.0
// Which cells without a road belong to a tier: those whose nearest road cell is reached in it.
#include <algorithm>
#include <bit>

#include "dispatch/contour.h"
#include "dispatch/contour_grid.h"

namespace cordon {
namespace {

constexpr int kBlock = ContourDrawer::kBlock;
// Rows of a block with the rows of its neighbours that are within reach.
constexpr size_t kTall = kBlock + 2 * kFillCells;
using TallRows = std::array<uint64_t, kTall + kFillCells>;  // with room to look ahead, zero

struct NearCell {
  int dx;
  int dy;
};

// Offsets up to kFillCells by rising distance; ties in a fixed order.
const std::vector<NearCell>& NearOffsets() {
  static const std::vector<NearCell> offsets = [] {
    std::vector<NearCell> all;
    for (int dy = -kFillCells; dy <= kFillCells; ++dy)
      for (int dx = -kFillCells; dx <= kFillCells; ++dx)
        if ((dx != 0 || dy != 0) && dx * dx + dy * dy <= kFillCells * kFillCells)
          all.push_back({dx, dy});
    std::stable_sort(all.begin(), all.end(), [](const NearCell& a, const NearCell& b) {
      return a.dx * a.dx + a.dy * a.dy < b.dx * b.dx + b.dy * b.dy;
    });
    return all;
  }();
  return offsets;
}

__extension__ using Wide = unsigned __int128;

// Bit x is set when a bit within kFillCells of it is: in its word or in the one west or east of it.
uint64_t SpreadSideways(uint64_t west, uint64_t middle, uint64_t east) {
  static_assert(kFillCells == 9, "the shifts below sum to 18");
  if (middle == ~uint64_t{0}) return middle;  // both are the rule inside a district
  if ((west >> (64 - kFillCells) | middle | east << (64 - kFillCells)) == 0) return 0;
  Wide bits = Wide{west >> (64 - kFillCells)} | Wide{middle} << kFillCells |
              Wide{east & ((uint64_t{1} << kFillCells) - 1)} << (64 + kFillCells);
  bits |= bits << 1;
  bits |= bits << 2;
  bits |= bits << 4;
  bits |= bits << 8;
  bits |= bits << 3;
  return static_cast<uint64_t>(bits >> (2 * kFillCells));
}

template <size_t kStep>
void OrAhead(TallRows& rows) {
  static_assert(kStep <= kFillCells);
  for (size_t y = 0; y < kTall; ++y) rows[y] |= rows[y + kStep];
}

// Row y of the block becomes what the rows within kFillCells of it have between them.
void SpreadUpwards(TallRows& rows) {
  static_assert(kFillCells == 9, "the steps below sum to 18");
  OrAhead<1>(rows);
  OrAhead<2>(rows);
  OrAhead<4>(rows);
  OrAhead<8>(rows);
  OrAhead<3>(rows);
}

// fn(row, tall): the rows of the block `dy` blocks north that are within reach, and where they lie
// among those of the block in the middle.
template <class Fn>
void ForNearRows(int dy, Fn&& fn) {
  const int first = dy < 0 ? kBlock - kFillCells : 0;
  const int last = dy > 0 ? kFillCells : kBlock;
  for (int y = first; y < last; ++y)
    fn(static_cast<size_t>(y), static_cast<size_t>(y + dy * kBlock + kFillCells));
}

}  // namespace

// By columns of blocks: cells of roads that are reached, and of those that are not.
struct ContourDrawer::Surroundings {
  std::array<TallRows, 3> reached{};
  std::array<TallRows, 3> missed{};
};

// By whole rows: for each offset in order of distance, the cells that have a road there and none
// nearer.
void ContourDrawer::FindNearest(int bx, int by) {
  RoadBlock& block = RoadBlockAt(bx, by);
  if (block.nearest_known) return;
  block.nearest_known = true;
  std::array<TallRows, 3> roads{};  // by column of blocks
  for (int dx = -1; dx <= 1; ++dx)
    for (int dy = -1; dy <= 1; ++dy) {
      if (!Exists(bx + dx, by + dy)) continue;
      const auto& other = road_blocks_[BlockIndex(bx + dx, by + dy)];
      if (!other) continue;
      ForNearRows(dy, [&](size_t row, size_t tall) {
        roads[static_cast<size_t>(dx + 1)][tall] = other->road[row];
      });
    }
  const auto& offsets = NearOffsets();
  for (size_t y = 0; y < kBlock; ++y) {
    const uint64_t empty = ~block.road[y];
    uint64_t open = empty;
    for (size_t i = 0; i < offsets.size() && open != 0; ++i) {
      const auto [dx, dy] = offsets[i];
      const size_t tall = y + static_cast<size_t>(dy + kFillCells);
      uint64_t shifted = roads[1][tall];
      if (dx > 0) shifted = shifted >> dx | roads[2][tall] << (kBlock - dx);
      if (dx < 0) shifted = shifted << -dx | roads[0][tall] >> (kBlock + dx);
      const uint64_t found = open & shifted;
      open &= ~shifted;
      for (uint64_t rest = found; rest != 0; rest &= rest - 1)
        block.nearest[y * kBlock + static_cast<size_t>(std::countr_zero(rest))] =
            static_cast<uint8_t>(i);
    }
    block.near[y] = empty & ~open;
  }
}

bool ContourDrawer::PrepareSome(size_t blocks) {
  for (; blocks > 0 && prepared_ < road_blocks_.size(); ++prepared_) {
    if (!road_blocks_[prepared_] || road_blocks_[prepared_]->nearest_known) continue;
    FindNearest(static_cast<int>(prepared_ % static_cast<size_t>(blocks_x_)),
                static_cast<int>(prepared_ / static_cast<size_t>(blocks_x_)));
    --blocks;
  }
  return prepared_ < road_blocks_.size();
}

ContourDrawer::Surroundings ContourDrawer::Around(int bx, int by, size_t tier) const {
  Surroundings around;
  for (int dx = -1; dx <= 1; ++dx)
    for (int dy = -1; dy <= 1; ++dy) {
      if (!Exists(bx + dx, by + dy)) continue;
      const auto& roads = road_blocks_[BlockIndex(bx + dx, by + dy)];
      if (!roads) continue;
      const auto& reach = reach_blocks_[BlockIndex(bx + dx, by + dy)];
      const auto column = static_cast<size_t>(dx + 1);
      ForNearRows(dy, [&](size_t row, size_t tall) {
        const uint64_t reached = reach ? reach->reached[tier][row] : 0;
        around.reached[column][tall] = roads->road[row] & reached;
        around.missed[column][tall] = roads->road[row] & ~reached;
      });
    }
  return around;
}

// Most cells see only reached roads around them, or none: those are decided by words. What is left,
// at the border of what is reached, is looked up cell by cell.
ContourDrawer::Rows ContourDrawer::Fill(int bx, int by, size_t tier) {
  FindNearest(bx, by);
  const Surroundings around = Around(bx, by, tier);
  Surroundings spread = around;
  for (size_t column = 0; column < 3; ++column) {
    SpreadUpwards(spread.reached[column]);
    SpreadUpwards(spread.missed[column]);
  }
  const RoadBlock& roads = *road_blocks_[BlockIndex(bx, by)];
  Rows cells = reach_blocks_[BlockIndex(bx, by)]->reached[tier];
  const auto& offsets = NearOffsets();
  for (size_t y = 0; y < kBlock; ++y) {
    const uint64_t reached =
        SpreadSideways(spread.reached[0][y], spread.reached[1][y], spread.reached[2][y]);
    if (reached == 0) continue;
    const uint64_t missed =
        SpreadSideways(spread.missed[0][y], spread.missed[1][y], spread.missed[2][y]);
    const uint64_t open = roads.near[y] & reached & ~cells[y];
    cells[y] |= open & ~missed;
    for (uint64_t rest = open & missed; rest != 0; rest &= rest - 1) {
      const auto x = static_cast<size_t>(std::countr_zero(rest));
      const NearCell& offset = offsets[roads.nearest[y * kBlock + x]];
      // Of the three columns of blocks, all positive.
      const size_t column = x + kBlock + static_cast<size_t>(offset.dx);
      const size_t tall = y + kFillCells + static_cast<size_t>(offset.dy);
      cells[y] |= (around.reached[column / kBlock][tall] >> (column % kBlock) & 1) << x;
    }
  }
  return cells;
}

}  // namespace cordon
