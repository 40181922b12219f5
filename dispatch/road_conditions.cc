// SPDX-License-Identifier: Apache-2.0
#include "dispatch/road_conditions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "dispatch/snap.h"

namespace cordon {
namespace {

constexpr Metres kPlaceLimit{50};

double DirectionDegrees(uint8_t direction) { return direction * (360.0 / 64); }

double AngleBetween(double a, double b) {
  const double off = std::fabs(std::fmod(a - b + 540, 360) - 180);
  return off;
}

template <class List, class Id>
auto FindById(List& list, const Id& id_of, const std::string& id) {
  return std::find_if(list.begin(), list.end(),
                      [&](const auto& entry) { return id_of(entry) == id; });
}

absl::StatusOr<NearestPiece> PieceAt(const RoadNetwork& network, const LatLon& place,
                                     const std::string& id) {
  if (id.empty()) return absl::InvalidArgumentError("a change of the roads needs an id");
  if (!IsPlausible(place))
    return absl::InvalidArgumentError(fmt::format("{}: the place is not a position", id));
  const auto nearest = FindNearestPiece(network, place, kPlaceLimit);
  if (!nearest)
    return absl::OutOfRangeError(fmt::format("{}: no road within {:.0f} m of {:.6f},{:.6f}", id,
                                             kPlaceLimit.value, place.lat, place.lon));
  return *nearest;
}

}  // namespace

RoadConditions::RoadConditions(std::shared_ptr<const RoadNetwork> network)
    : network_(std::move(network)) {
  for (auto& hour : class_factors_) hour.fill(1.0F);
  absl::MutexLock lock(&mutex_);
  PublishLocked();
}

absl::Status RoadConditions::Close(const RoadClosure& closure) {
  ASSIGN_OR_RETURN(const NearestPiece nearest, PieceAt(*network_, closure.place, closure.id));
  const RoadPiece& piece = network_->piece(nearest.piece);
  std::vector<EdgeId> edges = {piece.edge[0], piece.edge[1]};
  if (closure.course_deg) {
    const auto off = [&](EdgeId e) {
      return AngleBetween(DirectionDegrees(network_->leaving_direction(e)), *closure.course_deg);
    };
    edges = {off(edges[0]) <= off(edges[1]) ? edges[0] : edges[1]};
  }
  for (const PieceId ghost : network_->ghost_pieces())
    for (const EdgeId copy : network_->piece(ghost).edge)
      if (std::find(edges.begin(), edges.end(), network_->original(copy)) != edges.end())
        edges.push_back(copy);
  absl::MutexLock lock(&mutex_);
  const auto at = FindById(
      closures_, [](const ResolvedClosure& c) { return c.closure.id; }, closure.id);
  if (at != closures_.end()) {
    *at = {closure, std::move(edges)};
  } else {
    closures_.push_back({closure, std::move(edges)});
  }
  PublishLocked();
  return absl::OkStatus();
}

absl::Status RoadConditions::Reopen(const std::string& id) {
  absl::MutexLock lock(&mutex_);
  const auto at = FindById(
      closures_, [](const ResolvedClosure& c) { return c.closure.id; }, id);
  if (at == closures_.end())
    return absl::NotFoundError(fmt::format("there is no closure '{}'", id));
  closures_.erase(at);
  PublishLocked();
  return absl::OkStatus();
}

absl::Status RoadConditions::SetSpeedFactor(const RoadSpeedFactor& factor) {
  for (const float f : factor.factor)
    if (!(f >= 0.05F && f <= 3.0F))
      return absl::InvalidArgumentError(
          fmt::format("{}: speed factors go from 0.05 to 3", factor.id));
  ASSIGN_OR_RETURN(const NearestPiece nearest, PieceAt(*network_, factor.place, factor.id));
  absl::MutexLock lock(&mutex_);
  const auto at = FindById(
      factors_, [](const ResolvedFactor& f) { return f.factor.id; }, factor.id);
  if (at != factors_.end()) {
    *at = {factor, nearest.piece};
  } else {
    factors_.push_back({factor, nearest.piece});
  }
  PublishLocked();
  return absl::OkStatus();
}

absl::Status RoadConditions::ClearSpeedFactor(const std::string& id) {
  absl::MutexLock lock(&mutex_);
  const auto at = FindById(
      factors_, [](const ResolvedFactor& f) { return f.factor.id; }, id);
  if (at == factors_.end())
    return absl::NotFoundError(fmt::format("there is no speed factor '{}'", id));
  factors_.erase(at);
  PublishLocked();
  return absl::OkStatus();
}

void RoadConditions::SetClassFactors(
    const std::array<std::array<float, kRoadClasses>, 24>& by_hour) {
  absl::MutexLock lock(&mutex_);
  class_factors_ = by_hour;
  for (auto& hour : class_factors_)
    for (float& factor : hour)
      factor = std::isfinite(factor) ? std::clamp(factor, 0.05F, 3.0F) : 1.0F;
  PublishLocked();
}

void RoadConditions::SetHour(int hour) {
  absl::MutexLock lock(&mutex_);
  const int wrapped = ((hour % 24) + 24) % 24;
  if (wrapped == hour_) return;
  hour_ = wrapped;
  PublishLocked();
}

std::shared_ptr<const RoadState> RoadConditions::Snapshot() const {
  absl::MutexLock lock(&mutex_);
  return state_;
}

std::vector<RoadClosure> RoadConditions::closures() const {
  absl::MutexLock lock(&mutex_);
  std::vector<RoadClosure> all;
  for (const ResolvedClosure& c : closures_) all.push_back(c.closure);
  return all;
}

std::vector<RoadSpeedFactor> RoadConditions::speed_factors() const {
  absl::MutexLock lock(&mutex_);
  std::vector<RoadSpeedFactor> all;
  for (const ResolvedFactor& f : factors_) all.push_back(f.factor);
  return all;
}

void RoadConditions::PublishLocked() {
  auto state = std::make_shared<RoadState>();
  state->version = ++version_;
  state->hour = hour_;
  for (const ResolvedClosure& c : closures_)
    for (const EdgeId e : c.edges) {
      const auto [at, added] = state->closed.emplace(e, c.closure.urgent_may_pass);
      if (!added) at->second = at->second && c.closure.urgent_may_pass;
    }
  for (const ResolvedFactor& f : factors_)
    state->speed_factor[f.piece] = f.factor.factor[static_cast<size_t>(hour_)];
  state->class_factor = class_factors_[static_cast<size_t>(hour_)];
  state_ = std::move(state);
}

}  // namespace cordon
