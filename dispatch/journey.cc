// SPDX-License-Identifier: Apache-2.0
#include "dispatch/journey.h"

namespace cordon {
namespace {

// A way of more edges is no journey of one town.
constexpr size_t kMostEdges = 20'000;
// So many edges of the way may turn out to have been another leg.
constexpr size_t kMostTakenBack = 4;

}  // namespace

// `edges` begins where the fix before is thought to have been, now. False: nothing known leads there.
bool Journey::Append(const std::vector<EdgeId>& edges) {
  const RoadNetwork& n = *network_;
  if (edges.empty()) return false;
  if (!moved_ && edges.front() == n.twin(way_.edges.front())) {
    // It faced the other way when it stood.
    way_.from_cm = n.length_cm(edges.front()) - way_.from_cm;
    way_.edges = edges;
    return true;
  }
  const size_t oldest = way_.edges.size() > kMostTakenBack ? way_.edges.size() - kMostTakenBack : 0;
  for (size_t i = way_.edges.size(); i-- > oldest;) {
    const bool same = way_.edges[i] == edges.front();
    if (!same && n.head(way_.edges[i]) != n.tail(edges.front())) continue;
    way_.edges.resize(i + 1);
    way_.edges.insert(way_.edges.end(), edges.begin() + (same ? 1 : 0), edges.end());
    return true;
  }
  return false;
}

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
  broken_ = !Append(match.way);
  if (broken_) return;
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
