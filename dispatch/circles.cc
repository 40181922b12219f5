// SPDX-License-Identifier: Apache-2.0
#include "dispatch/circles.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cordon {
namespace {

constexpr size_t kMostTiers = ContourDrawer::kMostTiers;
constexpr uint32_t kLongestTierSeconds = 7200;

std::vector<uint32_t> ToMilliseconds(std::span<const uint32_t> tiers_s) {
  std::vector<uint32_t> limits;
  for (const uint32_t tier : tiers_s) limits.push_back(tier * 1000);
  return limits;
}

bool Counts(const UnitState& unit) {
  return (unit.freshness == Freshness::kFresh || unit.freshness == Freshness::kUsable) &&
         (unit.status == proto::UNIT_STATUS_AVAILABLE ||
          unit.status == proto::UNIT_STATUS_RETURNING);
}

}  // namespace

absl::Status CircleMaker::CheckTiers(std::span<const uint32_t> tiers_s) {
  if (tiers_s.empty() || tiers_s.size() > kMostTiers)
    return absl::InvalidArgumentError(
        fmt::format("give 1 to {} tiers in seconds, such as 60,180,300", kMostTiers));
  for (size_t i = 0; i < tiers_s.size(); ++i) {
    if (tiers_s[i] == 0 || tiers_s[i] > kLongestTierSeconds)
      return absl::InvalidArgumentError(
          fmt::format("a tier of {} s: tiers go from 1 to {} s", tiers_s[i], kLongestTierSeconds));
    if (i > 0 && tiers_s[i] <= tiers_s[i - 1])
      return absl::InvalidArgumentError(
          fmt::format("tiers must ascend: {} s comes after {} s", tiers_s[i], tiers_s[i - 1]));
  }
  return absl::OkStatus();
}

Circles CircleMaker::OfScene(const LatLon& scene, const TravelProfile& profile,
                             std::span<const uint32_t> tiers_s) {
  Circles circles;
  const auto graph = model_->Graph(profile);
  const bool walked = profile.kind == TravelKind::kFoot;
  const SceneSnap snap = SnapScene(*graph, scene, walked ? kFootSnapLimit : kVehicleSnapLimit);
  circles.off_network = snap.seeds.empty();
  search_.Run(*graph, SearchDirection::kReverse, snap.seeds, tiers_s.back() * 1000);
  circles.stretches = search_.Stretches();
  Finish(tiers_s, walked, circles);
  return circles;
}

Circles CircleMaker::OfUnits(std::span<const UnitState> units, TravelMode mode,
                             std::span<const uint32_t> tiers_s) {
  Circles circles;
  circles.off_network = true;
  bool walked = true;
  for (const TravelKind kind : {TravelKind::kCar, TravelKind::kMotorcycle, TravelKind::kFoot}) {
    std::vector<SearchSeed> seeds;
    std::shared_ptr<const TravelGraph> graph;
    for (const UnitState& unit : units) {
      if (TravelKindOf(unit.kind) != kind || !Counts(unit)) continue;
      if (!graph) graph = model_->Graph({kind, mode});
      const Metres accuracy = unit.accuracy.value_or(Metres{0});
      for (const SearchSeed& seed :
           SnapUnit(*graph, {unit.place, accuracy, unit.course_deg, unit.speed_mps}).seeds)
        seeds.push_back(seed);
    }
    if (seeds.empty()) continue;
    circles.off_network = false;
    walked = walked && kind == TravelKind::kFoot;
    search_.Run(*graph, SearchDirection::kForward, seeds, tiers_s.back() * 1000);
    const auto stretches = search_.Stretches();
    circles.stretches.insert(circles.stretches.end(), stretches.begin(), stretches.end());
  }
  Finish(tiers_s, walked && !circles.off_network, circles);
  return circles;
}

ContourDrawer& CircleMaker::DrawerOf(bool walked) {
  auto& drawer = walked ? walked_ : driven_;
  if (!drawer)
    drawer = std::make_unique<ContourDrawer>(
        model_->conditions()->network(),
        walked ? ContourDrawer::Roads::kWalked : ContourDrawer::Roads::kDriven);
  return *drawer;
}

void CircleMaker::Finish(std::span<const uint32_t> tiers_s, bool walked, Circles& circles) {
  const std::vector<uint32_t> limits_ms = ToMilliseconds(tiers_s);
  auto drawn = DrawerOf(walked).Draw(circles.stretches, limits_ms);
  const std::vector<double> metres = length_.Metres(circles.stretches, limits_ms);
  for (size_t i = 0; i < tiers_s.size(); ++i)
    circles.tiers.push_back({tiers_s[i], metres[i], std::move(drawn[i].polygons)});
}

std::string MinutesText(Milliseconds duration) {
  const auto seconds = (duration.count() + 500) / 1000;
  return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
}

std::string CirclesGeoJson(const Circles& circles) {
  std::string out = R"({"type":"FeatureCollection","features":[)";
  for (auto tier = circles.tiers.rbegin(); tier != circles.tiers.rend(); ++tier) {
    if (tier != circles.tiers.rbegin()) out += ',';
    out += fmt::format(
        R"({{"type":"Feature","properties":{{"tier_s":{},"reached_road_m":{:.1f}}},"geometry":)",
        tier->tier_s, tier->reached_road_m);
    out += GeoJsonMultiPolygon(tier->polygons) + "}";
  }
  return out + "]}";
}

}  // namespace cordon
