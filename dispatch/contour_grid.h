// SPDX-License-Identifier: Apache-2.0
// What the parts of ContourDrawer agree on.
#pragma once

namespace cordon {

// Cells without a road belong to the nearest road cell within this many cells.
inline constexpr int kFillCells = 9;

}  // namespace cordon
