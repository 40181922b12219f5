// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "dispatch/search.h"

namespace cordon {

// Length of road in reached stretches, each piece once whatever the direction. Four bytes per piece
// of scratch, sized once. One thread at a time.
class ReachedLength {
 public:
  explicit ReachedLength(std::shared_ptr<const RoadNetwork> network)
      : network_(std::move(network)), newest_(network_->piece_count(), kNoIndex) {}

  // Metres reached within each of the limits.
  std::vector<double> Metres(std::span<const ReachedStretch> stretches,
                             std::span<const uint32_t> limits_ms);

 private:
  struct Interval {
    uint32_t from;
    uint32_t to;
  };
  uint32_t PieceCm(PieceId piece, std::span<const ReachedStretch> stretches, uint32_t limit_ms);

  const std::shared_ptr<const RoadNetwork> network_;
  std::vector<uint32_t> newest_;  // by piece: its last stretch
  std::vector<uint32_t> before_;  // by stretch: the piece's stretch before it
  std::vector<Interval> intervals_;
};

}  // namespace cordon
