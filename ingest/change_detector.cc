// SPDX-License-Identifier: Apache-2.0
#include "ingest/change_detector.h"

#include <algorithm>
#include <cmath>

namespace cordon {
namespace {

// Grey levels by which a block's mean must differ. Coding noise between two key frames of a still
// scene stays below 2 on the clips measured; a person of contrast 30 that fills a sixth of a block
// gives 5.
constexpr float kThreshold = 4;
constexpr float kRestlessFactor = 2;      // added to 1 for a block that always changes
constexpr float kRestlessMemory = 0.05F;  // weight of the newest picture
// One block can be an insect or a coding flaw; two neighbours are something.
constexpr int kFewestBlocks = 2;

}  // namespace

std::vector<float> ChangeDetector::Blocks(const LumaPicture& luma) const {
  const int columns = luma.width / kBlock;
  const int rows = luma.height / kBlock;
  std::vector<float> blocks(static_cast<size_t>(columns * rows));
  for (int by = 0; by < rows; ++by) {
    std::vector<uint32_t> sums(static_cast<size_t>(columns), 0);
    for (int y = by * kBlock; y < (by + 1) * kBlock; ++y) {
      const uint8_t* line = luma.row(y);
      for (int bx = 0; bx < columns; ++bx, line += kBlock) {
        uint32_t sum = 0;
        for (int x = 0; x < kBlock; ++x) sum += line[x];
        sums[static_cast<size_t>(bx)] += sum;
      }
    }
    for (int bx = 0; bx < columns; ++bx) {
      blocks[static_cast<size_t>(by * columns + bx)] =
          static_cast<float>(sums[static_cast<size_t>(bx)]) / (kBlock * kBlock);
    }
  }
  return blocks;
}

// The median difference: clouds and exposure move every block, objects move few.
float ChangeDetector::Brightening(const std::vector<float>& blocks) {
  scratch_.resize(blocks.size());
  for (size_t i = 0; i < blocks.size(); ++i) scratch_[i] = blocks[i] - reference_[i];
  const auto middle = scratch_.begin() + static_cast<ptrdiff_t>(scratch_.size() / 2);
  std::nth_element(scratch_.begin(), middle, scratch_.end());
  return *middle;
}

double ChangeDetector::Update(const LumaPicture& luma) {
  std::vector<float> blocks = Blocks(luma);
  if (blocks.empty() || luma.width != width_ || luma.height != height_ ||
      reference_.size() != blocks.size()) {
    width_ = luma.width;
    height_ = luma.height;
    restless_.assign(blocks.size(), 0);
    reference_ = std::move(blocks);
    changed_ = true;
    return 1;
  }
  const float brightening = Brightening(blocks);
  const int columns = luma.width / kBlock;
  int changed = 0;
  bool neighbours = false;
  std::vector<uint8_t> map(blocks.size(), 0);
  for (size_t i = 0; i < blocks.size(); ++i) {
    const float difference = std::fabs(blocks[i] - reference_[i] - brightening);
    const bool differs = difference > kThreshold * (1 + kRestlessFactor * restless_[i]);
    restless_[i] += kRestlessMemory * ((difference > kThreshold ? 1.0F : 0.0F) - restless_[i]);
    if (!differs) continue;
    ++changed;
    map[i] = 1;
    const auto at = static_cast<int>(i);
    if (at % columns > 0 && map[i - 1] != 0) neighbours = true;
    if (at >= columns && map[i - static_cast<size_t>(columns)] != 0) neighbours = true;
  }
  reference_ = std::move(blocks);
  changed_ = neighbours || changed > kFewestBlocks;
  return static_cast<double>(changed) / static_cast<double>(reference_.size());
}

}  // namespace cordon
