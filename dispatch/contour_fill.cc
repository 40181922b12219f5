// SPDX-License-Identifier: Apache-2.0
// Which cells without a road belong to a tier: those that are nearer to a road that is reached than
// to one that is not. All at once: roads grow by a cell at each step, whatever grows from a road
// that is not reached stays out. Where both come to a cell in the same step, it stays out.
//
// A tier that reaches more holds what a smaller one holds: which cells are claimed at which step
// depends on the roads alone, and fewer of them are claimed by roads that are not reached.
#include <algorithm>

#include "base/vectorised.h"
#include "dispatch/contour_cells.h"
#include "dispatch/contour_grid.h"

namespace cordon {
namespace {

constexpr int kBlock = ContourGrid::kBlock;

// Words of the cells in `from` and of what lies around them, at the same places in `to`; of a strip
// whose rows are `stride` words apart and have a rim.
CORDON_VECTORISED void GrowStraight(const uint64_t* from, uint64_t* to, size_t words,
                                    ptrdiff_t stride) {
  const auto end = static_cast<ptrdiff_t>(words);
  for (ptrdiff_t i = 0; i < end; ++i) {
    const uint64_t cells = from[i];
    to[i] = cells | cells << 1 | cells >> 1 | from[i - 1] >> 63 | from[i + 1] << 63 |
            from[i + stride] | from[i - stride];
  }
}

CORDON_VECTORISED void GrowAround(const uint64_t* from, uint64_t* to, size_t words,
                                  ptrdiff_t stride) {
  const auto end = static_cast<ptrdiff_t>(words);
  for (ptrdiff_t i = 0; i < end; ++i) {
    const uint64_t cells = from[i] | from[i + stride] | from[i - stride];
    const uint64_t west = from[i - 1] | from[i + stride - 1] | from[i - stride - 1];
    const uint64_t east = from[i + 1] | from[i + stride + 1] | from[i - stride + 1];
    to[i] = cells | cells << 1 | cells >> 1 | west >> 63 | east << 63;
  }
}

// What a road that is not reached grows into where no road has been before.
CORDON_VECTORISED void KeepUnclaimed(const uint64_t* missed, const uint64_t* claimed,
                                     uint64_t* grown, size_t words) {
  for (size_t i = 0; i < words; ++i) grown[i] = missed[i] | (grown[i] & ~claimed[i]);
}

}  // namespace

// Blocks side by side with what lies within reach around them, and a rim of unset words.
struct ContourGrid::Strip {
  int steps = 0;
  size_t words = 0;
  size_t rows = 0;
  std::vector<uint64_t> claimed, missed;  // by any road, by one that is not reached
  std::vector<uint64_t> claimed_next, missed_next;

  void Reset(size_t blocks, int growing_steps) {
    steps = growing_steps;
    words = blocks + 2;
    rows = static_cast<size_t>(kBlock + 2 * steps);
    for (auto* cells : {&claimed, &missed, &claimed_next, &missed_next})
      cells->assign((words + 2) * (rows + 2), 0);
  }
  // Block 0 is the first of those in the middle, row 0 their southernmost.
  size_t At(int block, int row) const {
    return static_cast<size_t>(row + steps + 1) * (words + 2) + static_cast<size_t>(block + 2);
  }
  // The rim between two rows must stay unset.
  void ClearRim(std::vector<uint64_t>& cells) const {
    for (size_t row = 1; row <= rows; ++row)
      cells[row * (words + 2)] = cells[row * (words + 2) + words + 1] = 0;
  }
  void Grow() {
    const auto stride = static_cast<ptrdiff_t>(words + 2);
    // All rows at once, from the first word inside of the rim to the last.
    const size_t first = words + 3;
    const size_t count = rows * (words + 2) - 2;
    for (int step = 0; step < steps; ++step) {
      const auto grow = step % 2 == 0 ? GrowStraight : GrowAround;
      grow(&claimed[first], &claimed_next[first], count, stride);
      grow(&missed[first], &missed_next[first], count, stride);
      KeepUnclaimed(&missed[first], &claimed[first], &missed_next[first], count);
      ClearRim(claimed_next);
      ClearRim(missed_next);
      claimed.swap(claimed_next);
      missed.swap(missed_next);
    }
  }
};

void ContourGrid::LoadStrip(const Place& first, size_t blocks, Strip& strip) const {
  for (int block = -1; block <= static_cast<int>(blocks); ++block)
    for (int dy = -1; dy <= 1; ++dy) {
      const Place at{first.by + dy, first.bx + block};
      const Rows* roads = RoadsOrNone(at);
      const ReachBlock* reach = ReachOrNone(at);
      const int begin = dy < 0 ? kBlock - strip.steps : 0;
      const int end = dy > 0 ? strip.steps : kBlock;
      for (int y = begin; y < end && roads != nullptr; ++y) {
        const auto row = static_cast<size_t>(y);
        const uint64_t road = roads != nullptr ? (*roads)[row] : 0;
        const uint64_t reached = reach != nullptr ? reach->reached[row] : 0;
        const size_t to = strip.At(block, y + dy * kBlock);
        strip.claimed[to] = road;
        strip.missed[to] = road & ~reached;
      }
    }
}

// Some road in the block or beside it is not reached.
bool ContourGrid::MissedNear(const Place& at) const {
  for (int dy = -1; dy <= 1; ++dy)
    for (int dx = -1; dx <= 1; ++dx) {
      const Place beside{at.by + dy, at.bx + dx};
      const Rows* roads = RoadsOrNone(beside);
      if (roads == nullptr) continue;
      const ReachBlock* reach = ReachOrNone(beside);
      if (reach == nullptr) return true;
      uint64_t missed = 0;
      for (size_t y = 0; y < kBlock; ++y) missed |= (*roads)[y] & ~reach->reached[y];
      if (missed != 0) return true;
    }
  return false;
}

// The same whatever is reached: found when it is first asked for.
const ContourGrid::Rows& ContourGrid::ClaimedIn(const Place& at) {
  RoadBlock& block = RoadBlockAt(at);
  if (block.claimed_known) return block.claimed;
  block.claimed_known = true;
  Strip strip;
  strip.Reset(1, kFillSteps);
  LoadStrip(at, 1, strip);
  strip.Grow();
  for (int y = 0; y < kBlock; ++y)
    block.claimed[static_cast<size_t>(y)] = strip.claimed[strip.At(0, y)];
  return block.claimed;
}

void ContourGrid::Fill(const ContourGrid* coarser) {
  if (coarser == nullptr) {
    AllocateNeighbours();
  } else {
    AllocateWithin(*coarser);
  }
  std::vector<Place> disputed;
  for (const Place& at : used_) {
    ReachBlock& block = *reach_blocks_[IndexOf(at)];
    if (coarser == nullptr) {
      block.within.fill(~uint64_t{0});
      block.filled = ClaimedIn(at);
    } else {
      block.within = coarser->DrawnInFiner(at);
      block.filled = block.within;
    }
    if (MissedNear(at)) disputed.push_back(at);
  }
  TakeOutMissed(disputed, coarser == nullptr ? kFillSteps : kFillStepsBesideCoarser);
  for (const Place& at : used_) {
    ReachBlock& block = *reach_blocks_[IndexOf(at)];
    for (size_t y = 0; y < kBlock; ++y) block.filled[y] |= block.reached[y];
  }
}

// Blocks side by side grow together.
void ContourGrid::TakeOutMissed(std::span<const Place> blocks, int steps) {
  Strip strip;
  for (size_t begin = 0, end = 0; begin < blocks.size(); begin = end) {
    const Place first = blocks[begin];
    while (end < blocks.size() && blocks[end].by == first.by &&
           blocks[end].bx == first.bx + static_cast<int>(end - begin))
      ++end;
    strip.Reset(end - begin, steps);
    LoadStrip(first, end - begin, strip);
    strip.Grow();
    for (size_t i = begin; i < end; ++i) {
      Rows& filled = reach_blocks_[IndexOf(blocks[i])]->filled;
      for (int y = 0; y < kBlock; ++y)
        filled[static_cast<size_t>(y)] &= ~strip.missed[strip.At(static_cast<int>(i - begin), y)];
    }
  }
}

// The rings around filled cells cut corners by half a cell where no reached road passes: of the four
// half as wide cells in such a cell, those at its cut corners do not lie within.
ContourGrid::Rows ContourGrid::DrawnInFiner(const Place& finer) const {
  Rows drawn{};
  const Place at{finer.by / 2, finer.bx / 2};
  const ReachBlock* block = ReachOrNone(at);
  if (block == nullptr) return drawn;
  const auto row_of = [](const ReachBlock* b, int y) {
    return b == nullptr ? 0 : b->filled[static_cast<size_t>(y)];
  };
  const ReachBlock* west = ReachOrNone({at.by, at.bx - 1});
  const ReachBlock* east = ReachOrNone({at.by, at.bx + 1});
  const int half = (finer.bx & 1) * 32;
  for (int y = 0; y < kBlock / 2; ++y) {
    const int row = (finer.by & 1) * 32 + y;
    const uint64_t filled = row_of(block, row);
    if (filled == 0) continue;
    const uint64_t to_west = filled << 1 | row_of(west, row) >> 63;
    const uint64_t to_east = filled >> 1 | row_of(east, row) << 63;
    const uint64_t to_south =
        row > 0 ? row_of(block, row - 1) : row_of(ReachOrNone({at.by - 1, at.bx}), kBlock - 1);
    const uint64_t to_north =
        row + 1 < kBlock ? row_of(block, row + 1) : row_of(ReachOrNone({at.by + 1, at.bx}), 0);
    const uint64_t kept = block->reached[static_cast<size_t>(row)];
    const auto quarters = [&](uint64_t beside) {
      const uint64_t west_ones = filled & (kept | to_west | beside);
      const uint64_t east_ones = filled & (kept | to_east | beside);
      return SpreadBits(static_cast<uint32_t>(west_ones >> half)) |
             SpreadBits(static_cast<uint32_t>(east_ones >> half)) << 1;
    };
    drawn[static_cast<size_t>(2 * y)] = quarters(to_south);
    drawn[static_cast<size_t>(2 * y + 1)] = quarters(to_north);
  }
  return drawn;
}

ContourGrid::Rows ContourGrid::KeepsOut(const Place& at) const {
  const Rows* roads = RoadsOrNone(at);
  const Rows& within = reach(at).within;
  Rows out{};
  for (size_t y = 0; y < kBlock; ++y) out[y] = (roads != nullptr ? (*roads)[y] : 0) | ~within[y];
  return out;
}

}  // namespace cordon
