// SPDX-License-Identifier: Apache-2.0
// Words of cells, and numbers that the parts of ContourDrawer agree on.
#pragma once

#include <cstdint>

namespace cordon {

// Cells without a road go with a road at most this many steps away, a step being to one of the four
// or, every other time, eight cells around.
inline constexpr int kFillSteps = 6;
// Where a coarser grid speaks for cells farther away.
inline constexpr int kFillStepsBesideCoarser = 3;

// Bit i becomes bits 2i.
inline uint64_t SpreadBits(uint32_t bits) {
  uint64_t v = bits;
  v = (v | v << 16) & 0x0000'FFFF'0000'FFFF;
  v = (v | v << 8) & 0x00FF'00FF'00FF'00FF;
  v = (v | v << 4) & 0x0F0F'0F0F'0F0F'0F0F;
  v = (v | v << 2) & 0x3333'3333'3333'3333;
  return (v | v << 1) & 0x5555'5555'5555'5555;
}

// Bit i is set if bit 2i or 2i + 1 is.
inline uint32_t HalveBits(uint64_t v) {
  v = (v | v >> 1) & 0x5555'5555'5555'5555;
  v = (v | v >> 1) & 0x3333'3333'3333'3333;
  v = (v | v >> 2) & 0x0F0F'0F0F'0F0F'0F0F;
  v = (v | v >> 4) & 0x00FF'00FF'00FF'00FF;
  v = (v | v >> 8) & 0x0000'FFFF'0000'FFFF;
  return static_cast<uint32_t>(v | v >> 16);
}

}  // namespace cordon
