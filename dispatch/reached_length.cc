// SPDX-License-Identifier: Apache-2.0
#include "dispatch/reached_length.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace cordon {

std::vector<double> ReachedLength::Metres(std::span<const ReachedStretch> stretches,
                                          std::span<const uint32_t> limits_ms) {
  std::vector<PieceId> pieces;
  before_.resize(stretches.size());
  for (uint32_t i = 0; i < stretches.size(); ++i) {
    const PieceId piece = network_->piece_of(stretches[i].edge);
    uint32_t& newest = newest_[piece.value];
    if (newest == kNoIndex) pieces.push_back(piece);
    before_[i] = std::exchange(newest, i);
  }
  std::vector<uint64_t> sums(limits_ms.size());
  for (const PieceId piece : pieces) {
    for (size_t t = 0; t < limits_ms.size(); ++t)
      sums[t] += PieceCm(piece, stretches, limits_ms[t]);
    newest_[piece.value] = kNoIndex;
  }
  std::vector<double> metres;
  for (const uint64_t cm : sums) metres.push_back(static_cast<double>(cm) / 100);
  return metres;
}

uint32_t ReachedLength::PieceCm(PieceId piece, std::span<const ReachedStretch> stretches,
                                uint32_t limit_ms) {
  const uint32_t length = network_->piece(piece).length_cm;
  intervals_.clear();
  for (uint32_t i = newest_[piece.value]; i != kNoIndex; i = before_[i]) {
    const ReachedStretch& s = stretches[i];
    if (std::min(s.from_ms, s.to_ms) > limit_ms) continue;
    uint32_t from = s.from_cm;
    uint32_t to = s.to_cm;
    const uint64_t span = to - from;
    if (s.to_ms > limit_ms)
      to = static_cast<uint32_t>(from + span * (limit_ms - s.from_ms) / (s.to_ms - s.from_ms));
    if (s.from_ms > limit_ms)
      from = static_cast<uint32_t>(to - span * (limit_ms - s.to_ms) / (s.from_ms - s.to_ms));
    if (to - from == length) return length;
    if (!network_->is_forward(s.edge)) std::tie(from, to) = std::pair(length - to, length - from);
    intervals_.push_back({from, to});
  }
  std::sort(intervals_.begin(), intervals_.end(),
            [](const Interval& a, const Interval& b) { return a.from < b.from; });
  uint32_t sum = 0;
  uint32_t covered = 0;
  for (const Interval& interval : intervals_) {
    const uint32_t from = std::max(covered, interval.from);
    if (interval.to > from) sum += interval.to - from;
    covered = std::max(covered, interval.to);
  }
  return sum;
}

}  // namespace cordon
