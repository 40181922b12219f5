// SPDX-License-Identifier: Apache-2.0
#include "tests/accuracy/assignment.h"

#include <algorithm>
#include <limits>

namespace cordon::accuracy {
namespace {

// One row more is matched by the shortest augmenting path; indices are 1-based, 0 is the virtual
// start.
class Augmenter {
 public:
  Augmenter(const WeightTable& weights, size_t size)
      : weights_(weights),
        size_(size),
        row_potential_(size + 1, 0.0),
        column_potential_(size + 1, 0.0),
        row_of_column_(size + 1, 0),
        previous_column_(size + 1, 0) {}

  void MatchRow(size_t row) {
    std::vector<double> distance(size_ + 1, std::numeric_limits<double>::infinity());
    std::vector<bool> done(size_ + 1, false);
    row_of_column_[0] = row;
    size_t column = 0;
    do {
      column = Step(column, distance, done);
    } while (row_of_column_[column] != 0);
    while (column != 0) {
      const size_t before = previous_column_[column];
      row_of_column_[column] = row_of_column_[before];
      column = before;
    }
  }

  const std::vector<size_t>& row_of_column() const { return row_of_column_; }

 private:
  // The padding that makes the table square costs nothing, as leaving a row alone does.
  double Cost(size_t row, size_t column) const {
    return row <= weights_.rows && column <= weights_.columns ? -weights_.at(row - 1, column - 1)
                                                              : 0.0;
  }

  size_t Step(size_t column, std::vector<double>& distance, std::vector<bool>& done) {
    done[column] = true;
    const size_t row = row_of_column_[column];
    double least = std::numeric_limits<double>::infinity();
    size_t next = 0;
    for (size_t other = 1; other <= size_; ++other) {
      if (done[other]) continue;
      const double reduced = Cost(row, other) - row_potential_[row] - column_potential_[other];
      if (reduced < distance[other]) {
        distance[other] = reduced;
        previous_column_[other] = column;
      }
      if (distance[other] < least) {
        least = distance[other];
        next = other;
      }
    }
    for (size_t other = 0; other <= size_; ++other) {
      if (done[other]) {
        row_potential_[row_of_column_[other]] += least;
        column_potential_[other] -= least;
      } else {
        distance[other] -= least;
      }
    }
    return next;
  }

  const WeightTable& weights_;
  const size_t size_;
  std::vector<double> row_potential_;
  std::vector<double> column_potential_;
  std::vector<size_t> row_of_column_;
  std::vector<size_t> previous_column_;
};

}  // namespace

std::vector<size_t> AssignMaximum(const WeightTable& weights) {
  std::vector<size_t> column_of_row(weights.rows, kUnassigned);
  if (weights.rows == 0 || weights.columns == 0) return column_of_row;
  const size_t size = std::max(weights.rows, weights.columns);
  Augmenter augmenter(weights, size);
  for (size_t row = 1; row <= size; ++row) augmenter.MatchRow(row);
  for (size_t column = 1; column <= weights.columns; ++column) {
    const size_t row = augmenter.row_of_column()[column];
    if (row >= 1 && row <= weights.rows && weights.at(row - 1, column - 1) > 0) {
      column_of_row[row - 1] = column - 1;
    }
  }
  return column_of_row;
}

}  // namespace cordon::accuracy
