// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analytics/geometry.h"

namespace cordon {

// A row's pixels from `begin` up to `end` are set and belong to one piece.
struct MaskRun {
  int y = 0;
  int begin = 0;
  int end = 0;
  int piece = 0;
};

struct MaskPiece {
  PixelRect rect;
  int area = 0;  // pixels
};

// The connected pieces of a mask, where neighbours touch by a side or a corner; what
// cv::connectedComponentsWithStats tells, by runs instead of pixels: a mask is nearly empty most of
// the time.
//
// One thread at a time; deterministic.
class MaskPieces {
 public:
  // `mask`: rows of `width` bytes without padding, 0 or 255; read during the call only.
  void Find(const uint8_t* mask, int width, int height);

  // In the order of their first pixels, from the top row down. Valid until the next call.
  const std::vector<MaskPiece>& pieces() const { return pieces_; }
  // All runs, row by row and from left to right.
  const std::vector<MaskRun>& runs() const { return runs_; }
  // Those of the rows from `top` up to `bottom`.
  std::span<const MaskRun> RunsOf(int top, int bottom) const;

 private:
  void FindRuns(const uint8_t* row, int y, int width);
  void JoinRows(size_t y);  // with the row above
  int RootOf(int label);
  void NumberPieces();

  std::vector<MaskRun> runs_;
  std::vector<size_t> first_run_;  // of each row, and one past the last
  std::vector<int> parent_;        // by run
  std::vector<int> number_;        // of the piece whose root a run is
  std::vector<MaskPiece> pieces_;
};

}  // namespace cordon
