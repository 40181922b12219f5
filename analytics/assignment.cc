// SPDX-License-Identifier: Apache-2.0
#include "analytics/assignment.h"

#include <limits>

namespace cordon {
namespace {

// rows <= columns; every row gets a column.
std::vector<int> AssignWide(size_t rows, size_t columns, const auto& cost) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  // Index 0 is a sentinel; potentials u (rows), v (columns).
  std::vector<double> u(rows + 1), v(columns + 1);
  std::vector<size_t> row_of(columns + 1, 0), way(columns + 1, 0);
  for (size_t row = 1; row <= rows; ++row) {
    row_of[0] = row;
    size_t column = 0;
    std::vector<double> least(columns + 1, kInfinite);
    std::vector<bool> used(columns + 1, false);
    do {
      used[column] = true;
      const size_t current = row_of[column];
      double delta = kInfinite;
      size_t next = 0;
      for (size_t j = 1; j <= columns; ++j) {
        if (used[j]) continue;
        const double reduced = cost(current - 1, j - 1) - u[current] - v[j];
        if (reduced < least[j]) {
          least[j] = reduced;
          way[j] = column;
        }
        if (least[j] < delta) {
          delta = least[j];
          next = j;
        }
      }
      for (size_t j = 0; j <= columns; ++j) {
        if (used[j]) {
          u[row_of[j]] += delta;
          v[j] -= delta;
        } else {
          least[j] -= delta;
        }
      }
      column = next;
    } while (row_of[column] != 0);
    while (column != 0) {
      row_of[column] = row_of[way[column]];
      column = way[column];
    }
  }
  std::vector<int> column_of(rows, -1);
  for (size_t j = 1; j <= columns; ++j) {
    if (row_of[j] != 0) column_of[row_of[j] - 1] = static_cast<int>(j) - 1;
  }
  return column_of;
}

}  // namespace

std::vector<int> Assign(const CostMatrix& costs) {
  const size_t rows = costs.rows();
  const size_t columns = costs.columns();
  std::vector<int> column_of(rows, -1);
  if (rows == 0 || columns == 0) return column_of;
  if (rows <= columns) {
    column_of = AssignWide(rows, columns, [&](size_t r, size_t c) { return costs.at(r, c); });
  } else {
    const std::vector<int> row_of =
        AssignWide(columns, rows, [&](size_t r, size_t c) { return costs.at(c, r); });
    for (size_t column = 0; column < columns; ++column) {
      column_of[static_cast<size_t>(row_of[column])] = static_cast<int>(column);
    }
  }
  for (size_t row = 0; row < rows; ++row) {
    if (column_of[row] >= 0 &&
        costs.at(row, static_cast<size_t>(column_of[row])) >= CostMatrix::kForbidden) {
      column_of[row] = -1;
    }
  }
  return column_of;
}

}  // namespace cordon
