// SPDX-License-Identifier: Apache-2.0
#include "dispatch/journey.h"

#include <algorithm>

namespace cordon {
namespace {

// A way of more edges is no journey of one town.
constexpr size_t kMostEdges = 20'000;

}  // namespace

void Journey::Add(const MatchedFix& match, WallTime fix_time) {
  if (broken_ || match.state == MatchState::kOutOfOrder) return;
  if (!has_place_) {
    if (match.state == MatchState::kOffNetwork) return;
    has_place_ = true;
    way_.edges = {match.position.edge};
    way_.from_cm = match.position.offset_cm;
    at_ = match.position;
    left_ = came_ = fix_time;
    return;
  }
  broken_ = match.state != MatchState::kMatched || way_.edges.size() > kMostEdges;
  if (broken_) return;
  if (match.position == at_) {
    if (!moved_) left_ = came_ = fix_time;
    return;
  }
  // The match names the edges since the fix before, that fix's included. When it now thinks that
  // the unit was elsewhere then, the way has a hole.
  const auto& edges = match.way;
  const auto known = std::find(edges.begin(), edges.end(), way_.edges.back());
  if (known == edges.end()) {
    broken_ = true;
    return;
  }
  way_.edges.insert(way_.edges.end(), known + 1, edges.end());
  way_.to_cm = match.position.offset_cm;
  at_ = match.position;
  moved_ = true;
  came_ = fix_time;
}

std::optional<DrivenWay> Journey::Finish() const {
  if (broken_ || !moved_ || came_ <= left_) return std::nullopt;
  DrivenWay way = way_;
  way.seconds = std::chrono::duration<double>(came_ - left_).count();
  return way;
}

}  // namespace cordon
