// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "dispatch/map_match.h"

namespace cordon {

// A way that was driven, and how long the driving took by the device's own clock.
struct DrivenWay {
  std::vector<EdgeId> edges;
  uint32_t from_cm = 0;  // on the first edge
  uint32_t to_cm = 0;    // on the last
  double seconds = 0;
};

// Puts the matched fixes of one unit together to the way it drives, from setting off until it is
// there. Standing before the first and after the last movement is no driving and is not counted. A
// later fix may show that an earlier one was put on the wrong leg of a junction: that leg is taken
// back. One thread.
class Journey {
 public:
  explicit Journey(std::shared_ptr<const RoadNetwork> network) : network_(std::move(network)) {}

  void Add(const MatchedFix& match, WallTime fix_time);
  // The way until now. Empty: it did not move, or the way has a hole (a jump, off the network).
  std::optional<DrivenWay> Finish() const;

 private:
  bool Append(const std::vector<EdgeId>& edges);

  std::shared_ptr<const RoadNetwork> network_;
  DrivenWay way_;
  bool has_place_ = false;
  bool moved_ = false;
  bool broken_ = false;
  WallTime left_{};  // last fix before it moved
  WallTime came_{};  // last fix that was another place than the one before
  RoadPosition at_;
};

}  // namespace cordon
