// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

namespace cordon::accuracy {

// Row-major weights of `rows` x `columns` pairs, all finite and >= 0; 0 means "not a pair".
struct WeightTable {
  size_t rows = 0;
  size_t columns = 0;
  std::vector<double> values;

  WeightTable(size_t row_count, size_t column_count)
      : rows(row_count), columns(column_count), values(row_count * column_count, 0.0) {}
  double& at(size_t row, size_t column) { return values[row * columns + column]; }
  double at(size_t row, size_t column) const { return values[row * columns + column]; }
};

inline constexpr size_t kUnassigned = static_cast<size_t>(-1);

// The one-to-one assignment with the greatest sum of weights: for each row its column or
// kUnassigned. Pairs of weight 0 are left unassigned. O(n^3) by shortest augmenting paths (Kuhn
// 1955, Munkres 1957, in the form of Jonker and Volgenant 1987). Written apart from the product's
// tracker on purpose: the judge shares no code with the judged.
std::vector<size_t> AssignMaximum(const WeightTable& weights);

}  // namespace cordon::accuracy
