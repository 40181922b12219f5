// SPDX-License-Identifier: Apache-2.0
// Full-size luma in, small analysis luma out: exact area averaging of one plane, in fixed point.
// Whole-picture conversion by libswscale costs about as much as decoding; this reads each source
// pixel once and writes nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ingest/frame.h"

namespace cordon {

// The analysis size for a source size: `analysis_width` wide but never wider than the source,
// aspect kept, height even.
struct LumaSize {
  int width = 0;
  int height = 0;
};
LumaSize AnalysisSize(int source_width, int source_height, int analysis_width);

// For one pair of sizes; output not larger than input. Not thread-safe.
class LumaScaler {
 public:
  LumaScaler(int source_width, int source_height, LumaSize size);
  bool Fits(int source_width, int source_height) const {
    return source_width == source_width_ && source_height == source_height_;
  }
  // `plane` holds source_height rows of source_width bytes, `stride` apart (may be negative).
  LumaPicture Scale(const uint8_t* plane, ptrdiff_t stride);

 private:
  // For each output cell: its first source cell and `count` weights, of the source cells it
  // overlaps and 0 beyond them.
  struct Taps {
    int count = 0;
    std::vector<int> first;
    std::vector<uint16_t> weights;
  };
  static Taps MakeTaps(int source, int target, int unit, int least);
  void SumRows(const uint8_t* plane, ptrdiff_t stride, int row);
  void SumColumns(uint8_t* out) const;
  void SumFours(uint8_t* out) const;
  void SumFourTaps(uint8_t* out) const;
  template <int kTaps>
  void SumColumnsFrom(int x, uint8_t* out) const;

  const int source_width_;
  const int source_height_;
  const LumaSize size_;
  Taps rows_;
  Taps columns_;
  bool fours_;  // every output column is the mean of four source columns
  std::vector<uint16_t> sums_;
};

}  // namespace cordon
