// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

namespace cordon {

// A rows x columns table of costs.
class CostMatrix {
 public:
  // A pair with this cost or more is never matched.
  static constexpr float kForbidden = 1e6F;

  CostMatrix(size_t rows, size_t columns)
      : rows_(rows), columns_(columns), costs_(rows * columns, kForbidden) {}
  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }
  float& at(size_t row, size_t column) { return costs_[row * columns_ + column]; }
  float at(size_t row, size_t column) const { return costs_[row * columns_ + column]; }

 private:
  size_t rows_;
  size_t columns_;
  std::vector<float> costs_;
};

// The matching of rows to columns that has most allowed pairs, and among those least total cost:
// for each row its column or -1. Shortest augmenting paths (Jonker and Volgenant 1987), O(rows^2 *
// columns). Ties go to the lower index.
std::vector<int> Assign(const CostMatrix& costs);

}  // namespace cordon
