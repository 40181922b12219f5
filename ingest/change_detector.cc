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

bool ChangeDetector::Comparable(const LumaPicture& luma) const {
  return !reference_.empty() && luma.width == width_ && luma.height == height_;
}

bool ChangeDetector::Compare(const std::vector<float>& blocks, int& differing) {
  const float brightening = Brightening(blocks);
  const auto columns = static_cast<size_t>(width_ / kBlock);
  bool neighbours = false;
  differing = 0;
  differences_.resize(blocks.size());
  map_.assign(blocks.size(), 0);
  for (size_t i = 0; i < blocks.size(); ++i) {
    differences_[i] = std::fabs(blocks[i] - reference_[i] - brightening);
    if (differences_[i] <= kThreshold * (1 + kRestlessFactor * restless_[i])) continue;
    ++differing;
    map_[i] = 1;
    if (i % columns > 0 && map_[i - 1] != 0) neighbours = true;
    if (i >= columns && map_[i - columns] != 0) neighbours = true;
  }
  return neighbours || differing > kFewestBlocks;
}

bool ChangeDetector::Matches(const LumaPicture& luma) {
  int differing = 0;
  return Comparable(luma) && !Compare(Blocks(luma), differing);
}

double ChangeDetector::Update(const LumaPicture& luma) {
  std::vector<float> blocks = Blocks(luma);
  if (blocks.empty() || !Comparable(luma)) {
    if (restless_.size() != blocks.size()) restless_.assign(blocks.size(), 0);
    width_ = luma.width;
    height_ = luma.height;
    reference_ = std::move(blocks);
    changed_ = true;
    return 1;
  }
  int differing = 0;
  changed_ = Compare(blocks, differing);
  for (size_t i = 0; i < blocks.size(); ++i) {
    restless_[i] += kRestlessMemory * ((differences_[i] > kThreshold ? 1.0F : 0.0F) - restless_[i]);
  }
  reference_ = std::move(blocks);
  return static_cast<double>(differing) / static_cast<double>(reference_.size());
}

}  // namespace cordon
