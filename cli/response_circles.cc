// SPDX-License-Identifier: Apache-2.0
#include "cli/response_circles.h"

namespace cordon::cli {
namespace {

EtaOptions EtaOptionsOf(const proto::DispatchConfig& config) {
  EtaOptions options;
  options.tiers_s.assign(config.tiers_s().begin(), config.tiers_s().end());
  options.search_limit = Seconds(config.search_limit_s());
  options.turn_out = Seconds(config.turn_out_s());
  options.stale = Seconds(config.stale_s());
  return options;
}

std::vector<UnitNeed> NeedsOf(const proto::DispatchConfig& config) {
  std::vector<UnitNeed> needs;
  for (const proto::UnitNeedConfig& need : config.needs()) {
    UnitNeed& one = needs.emplace_back();
    one.count = need.count();
    for (const int kind : need.kinds())
      one.kinds.push_back(TravelKindOf(static_cast<proto::UnitConfig::Kind>(kind)));
  }
  if (needs.empty()) needs.push_back({.kinds = {}, .count = 1});
  return needs;
}

}  // namespace

ResponseCirclesSource::ResponseCirclesSource(std::shared_ptr<const TravelModel> travel,
                                             const proto::DispatchConfig& config,
                                             const UnitTracks& tracks, const Clock& clock)
    : clock_(clock),
      needs_(NeedsOf(config)),
      eta_(travel, EtaOptionsOf(config), &tracks),
      circles_(std::move(travel)) {}

absl::StatusOr<proto::ResponseCircles> ResponseCirclesSource::Rank(const CirclesRequest& request) {
  SceneQuery query;
  query.scene = request.scene;
  query.needs = needs_;
  query.routes_for = kRoutes;
  ASSIGN_OR_RETURN(const EtaAnswer answer, eta_.ToScene(query, request.units));
  proto::ResponseCircles circles = ToResponseCircles(request.scene, answer, request.units);
  circles.set_computed_us(ToMicros(clock_.Wall()));
  return circles;
}

void ResponseCirclesSource::Draw(proto::ResponseCircles& circles) {
  const LatLon scene{circles.scene().lat(), circles.scene().lon()};
  AddAreas(circles_.OfScene(scene, TravelProfile{}, eta_.options().tiers_s), circles);
}

}  // namespace cordon::cli
