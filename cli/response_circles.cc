// SPDX-License-Identifier: Apache-2.0
#include "cli/response_circles.h"

#include <algorithm>

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

uint32_t ToMillis(Nanoseconds duration) {
  return static_cast<uint32_t>(
      std::max<int64_t>(0, std::chrono::duration_cast<Milliseconds>(duration).count()));
}

void SetPoint(const LatLon& place, proto::GeoPoint& point) {
  point.set_lat(place.lat);
  point.set_lon(place.lon);
}

void FillUnit(const UnitArrival& arrival, const UnitState& unit, proto::UnitEta& out) {
  out.set_unit_id(arrival.id.str());
  out.set_kind(unit.kind);
  out.set_status(unit.status);
  if (arrival.has_eta) {
    out.set_eta_ms(ToMillis(arrival.eta));
    out.set_eta_low_ms(ToMillis(arrival.low));
    out.set_eta_high_ms(ToMillis(arrival.high));
    out.set_tier_s(arrival.tier_s);
  }
  if (unit.freshness != Freshness::kNever) out.set_fix_age_ms(ToMillis(unit.age));
  out.set_excluded(arrival.reason);
  out.set_distance_m(arrival.route.distance.value);
  for (const RoadPoint& point : arrival.route.points) SetPoint(point.ToLatLon(), *out.add_route());
}

}  // namespace

ResponseCirclesSource::ResponseCirclesSource(std::shared_ptr<const TravelModel> travel,
                                             const proto::DispatchConfig& config,
                                             const Clock& clock)
    : travel_(travel), clock_(clock), eta_(std::move(travel), EtaOptionsOf(config)) {}

absl::StatusOr<proto::ResponseCircles> ResponseCirclesSource::Compute(
    const CirclesRequest& request) {
  proto::ResponseCircles circles;
  SceneQuery query;
  query.scene = request.scene;
  query.routes_for = kRoutes;
  ASSIGN_OR_RETURN(const EtaAnswer answer, eta_.ToScene(query, request.units));
  SetPoint(request.scene, *circles.mutable_scene());
  circles.set_scene_snap_m(answer.scene_snap.value);
  circles.set_off_network(answer.off_network);
  for (const UnitArrival& arrival : answer.units)
    FillUnit(arrival, request.units[arrival.unit], *circles.add_units());
  circles.set_computed_us(ToMicros(clock_.Wall()));
  return circles;
}

}  // namespace cordon::cli
