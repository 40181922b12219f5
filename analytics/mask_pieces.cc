// SPDX-License-Identifier: Apache-2.0
#include "analytics/mask_pieces.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

namespace cordon {
namespace {

// The next pixel from `x` on that is set or, for `empty`, is not; `width` when there is none.
int NextPixel(const uint8_t* row, int x, int width, bool empty) {
  const uint64_t same = empty ? ~uint64_t{0} : 0;
  for (; x + 8 <= width; x += 8) {
    uint64_t eight = 0;
    std::memcpy(&eight, row + x, sizeof eight);
    if (eight != same) break;
  }
  while (x < width && (row[x] == 0) != empty) ++x;
  return x;
}

}  // namespace

void MaskPieces::Find(const uint8_t* mask, int width, int height) {
  runs_.clear();
  first_run_.clear();
  for (int y = 0; y < height; ++y) {
    first_run_.push_back(runs_.size());
    FindRuns(mask + static_cast<ptrdiff_t>(y) * width, y, width);
  }
  first_run_.push_back(runs_.size());
  parent_.resize(runs_.size());
  std::iota(parent_.begin(), parent_.end(), 0);
  for (size_t y = 1; y < static_cast<size_t>(height); ++y) JoinRows(y);
  NumberPieces();
}

std::span<const MaskRun> MaskPieces::RunsOf(int top, int bottom) const {
  const size_t begin = first_run_[static_cast<size_t>(top)];
  const size_t end = first_run_[static_cast<size_t>(bottom)];
  return std::span(runs_).subspan(begin, end - begin);
}

void MaskPieces::FindRuns(const uint8_t* row, int y, int width) {
  for (int x = NextPixel(row, 0, width, false); x < width;) {
    const int end = NextPixel(row, x, width, true);
    runs_.push_back({y, x, end, 0});
    x = NextPixel(row, end, width, false);
  }
}

// Joins the runs that touch. The smaller root wins, so that a root is its piece's first run.
void MaskPieces::JoinRows(size_t y) {
  size_t above = first_run_[y - 1];
  size_t here = first_run_[y];
  while (above < first_run_[y] && here < first_run_[y + 1]) {
    const MaskRun& upper = runs_[above];
    const MaskRun& lower = runs_[here];
    if (upper.begin <= lower.end && lower.begin <= upper.end) {
      const int a = RootOf(static_cast<int>(above));
      const int b = RootOf(static_cast<int>(here));
      parent_[static_cast<size_t>(std::max(a, b))] = std::min(a, b);
    }
    (upper.end < lower.end ? above : here) += 1;
  }
}

int MaskPieces::RootOf(int label) {
  int root = label;
  while (parent_[static_cast<size_t>(root)] != root) root = parent_[static_cast<size_t>(root)];
  while (parent_[static_cast<size_t>(label)] != root)
    label = std::exchange(parent_[static_cast<size_t>(label)], root);
  return root;
}

void MaskPieces::NumberPieces() {
  pieces_.clear();
  number_.assign(runs_.size(), -1);
  for (size_t i = 0; i < runs_.size(); ++i) {
    MaskRun& run = runs_[i];
    int& number = number_[static_cast<size_t>(RootOf(static_cast<int>(i)))];
    if (number < 0) {
      number = static_cast<int>(pieces_.size());
      pieces_.push_back({{run.begin, run.y, 0, 0}, 0});
    }
    run.piece = number;
    MaskPiece& piece = pieces_[static_cast<size_t>(number)];
    const int right = std::max(piece.rect.x + piece.rect.width, run.end);
    piece.rect.x = std::min(piece.rect.x, run.begin);
    piece.rect.width = right - piece.rect.x;
    piece.rect.height = run.y + 1 - piece.rect.y;
    piece.area += run.end - run.begin;
  }
}

}  // namespace cordon
