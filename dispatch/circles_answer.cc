// SPDX-License-Identifier: Apache-2.0
// From the answer's structs to the message that travels.
#include <algorithm>

#include "dispatch/circles.h"

namespace cordon {
namespace {

void FillUnit(const UnitArrival& arrival, const UnitState& unit, proto::UnitEta& eta) {
  eta.set_unit_id(arrival.id.str());
  eta.set_kind(unit.kind);
  eta.set_status(unit.status);
  eta.set_excluded(arrival.reason);
  eta.set_fix_age_ms(static_cast<uint32_t>(std::clamp<int64_t>(
      std::chrono::duration_cast<Milliseconds>(unit.age).count(), 0, UINT32_MAX)));
  eta.set_has_eta(arrival.has_eta);
  if (!arrival.has_eta) return;
  eta.set_eta_ms(static_cast<uint32_t>(arrival.eta.count()));
  eta.set_eta_low_ms(static_cast<uint32_t>(arrival.low.count()));
  eta.set_eta_high_ms(static_cast<uint32_t>(arrival.high.count()));
  eta.set_tier_s(arrival.tier_s);
  eta.set_distance_m(arrival.route.distance.value);
  for (const RoadPoint& p : arrival.route.points) {
    proto::GeoPoint& point = *eta.add_route();
    point.set_lat(p.ToLatLon().lat);
    point.set_lon(p.ToLatLon().lon);
  }
  for (const RouteStep& s : arrival.route.steps) {
    proto::RouteStep& step = *eta.add_steps();
    step.set_name(s.name);
    step.set_distance_m(s.distance.value);
    step.set_duration_ms(static_cast<uint32_t>(s.duration.count()));
  }
}

}  // namespace

proto::ResponseCircles ToResponseCircles(const LatLon& scene, const EtaAnswer& answer,
                                         std::span<const UnitState> units) {
  proto::ResponseCircles out;
  out.mutable_scene()->set_lat(scene.lat);
  out.mutable_scene()->set_lon(scene.lon);
  out.set_scene_snap_m(answer.scene_snap.value);
  out.set_off_network(answer.off_network);
  for (const UnitArrival& arrival : answer.units)
    FillUnit(arrival, units[arrival.unit], *out.add_units());
  for (const size_t i : answer.recommended)
    out.mutable_units(static_cast<int>(i))->set_recommended(true);
  for (const std::string& shortfall : answer.shortfalls) out.add_shortfalls(shortfall);
  return out;
}

void AddAreas(const Circles& areas, proto::ResponseCircles& circles) {
  for (const CircleTier& tier : areas.tiers) {
    proto::TierArea& area = *circles.add_tiers();
    area.set_tier_s(tier.tier_s);
    area.set_reached_road_m(tier.reached_road_m);
    area.set_geojson(GeoJsonMultiPolygon(tier.polygons));
  }
}

}  // namespace cordon
