// SPDX-License-Identifier: Apache-2.0
#include "ingest/complexity_monitor.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace cordon {
namespace {

constexpr size_t kPast = 250;  // about 10 s at 25 fps
constexpr size_t kFewestPast = 40;
constexpr double kLeastSpread = 0.08;  // log2 units: encoders' own jitter
constexpr double kAllowance = 1.0;  // spreads that a picture may exceed the median without counting
constexpr double kAlarm = 8.0;      // sum of excess spreads
constexpr double kLargestStep = 4.0;  // one huge picture alone is not motion that lasts

}  // namespace

void ComplexityMonitor::Learn(double cost) {
  past_.push_back(cost);
  if (past_.size() > kPast) past_.pop_front();
  if (past_.size() < kFewestPast || noted_ % 10 != 0) return;
  std::vector<double> values(past_.begin(), past_.end());
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  median_ = *middle;
  for (double& value : values) value = std::fabs(value - median_);
  std::nth_element(values.begin(), middle, values.end());
  spread_ = std::max(kLeastSpread, 1.48 * *middle);
}

bool ComplexityMonitor::Note(size_t bytes, double qp) {
  const double cost = std::log2(static_cast<double>(bytes) + 16) + (qp >= 0 ? qp / 6 : 0);
  ++noted_;
  if (past_.size() >= kFewestPast && spread_ > 0) {
    const double excess = std::min(kLargestStep, (cost - median_) / spread_ - kAllowance);
    sum_ = std::max(0.0, sum_ + excess);
  }
  Learn(cost);
  return sum_ > kAlarm;
}

}  // namespace cordon
