// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "ingest/frame.h"

namespace cordon {

// Did something enter, leave or move between two small luma pictures? Deliberately more sensitive
// than the rules: a false "changed" costs decoding time, a false "quiet" costs an event. Compares
// means of 8x8 blocks after taking out a change of the whole picture's brightness; a block that
// keeps changing (tree, flag, water) needs a larger change, up to three times. Not thread-safe.
class ChangeDetector {
 public:
  // Share of the picture's blocks that changed, 0..1; the picture becomes the new reference. The
  // first picture, or one of another size, gives 1.
  double Update(const LumaPicture& luma);
  // True when the last Update saw a change worth decoding for.
  bool changed() const { return changed_; }
  // Whether Update would see no change. Nothing is learnt from the picture.
  bool Matches(const LumaPicture& luma);
  // Forgets the reference, but not which blocks are restless.
  void Reset() { reference_.clear(); }

 private:
  static constexpr int kBlock = 8;
  bool Comparable(const LumaPicture& luma) const;
  std::vector<float> Blocks(const LumaPicture& luma) const;
  float Brightening(const std::vector<float>& blocks);
  // Marks what differs from the reference in map_ and counts it; true when it is worth decoding for.
  bool Compare(const std::vector<float>& blocks, int& differing);

  std::vector<float> reference_;
  std::vector<float> restless_;  // 0..1 for each block: how often it changed lately
  std::vector<float> scratch_;
  std::vector<float> differences_;
  std::vector<uint8_t> map_;
  int width_ = 0;
  int height_ = 0;
  bool changed_ = false;
};

}  // namespace cordon
