// SPDX-License-Identifier: Apache-2.0
#include "dispatch/circles.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cordon {
namespace {

constexpr size_t kMostTiers = 16;
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

void CircleMaker::Finish(std::span<const uint32_t> tiers_s, bool walked, Circles& circles) {
  auto& drawer = walked ? walked_ : driven_;
  if (!drawer)
    drawer = std::make_unique<ContourDrawer>(
        model_->conditions()->network(),
        walked ? ContourDrawer::Roads::kWalked : ContourDrawer::Roads::kDriven);
  auto drawn = drawer->Draw(circles.stretches, ToMilliseconds(tiers_s));
  for (size_t i = 0; i < tiers_s.size(); ++i) {
    const double metres =
        ReachedRoadMetres(model_->network(), circles.stretches, tiers_s[i] * 1000);
    circles.tiers.push_back({tiers_s[i], metres, std::move(drawn[i].polygons)});
  }
}

double ReachedRoadMetres(const RoadNetwork& network, std::span<const ReachedStretch> stretches,
                         uint32_t limit_ms) {
  struct Interval {
    uint32_t piece;
    uint32_t from;
    uint32_t to;
  };
  std::vector<Interval> intervals;
  intervals.reserve(stretches.size());
  for (const ReachedStretch& s : stretches) {
    if (std::min(s.from_ms, s.to_ms) > limit_ms) continue;
    uint32_t from = s.from_cm;
    uint32_t to = s.to_cm;
    const uint64_t span = to - from;
    if (s.to_ms > limit_ms)
      to = static_cast<uint32_t>(from + span * (limit_ms - s.from_ms) / (s.to_ms - s.from_ms));
    if (s.from_ms > limit_ms)
      from = static_cast<uint32_t>(to - span * (limit_ms - s.to_ms) / (s.from_ms - s.to_ms));
    const uint32_t length = network.length_cm(s.edge);
    if (!network.is_forward(s.edge)) std::tie(from, to) = std::pair(length - to, length - from);
    intervals.push_back({network.piece_of(s.edge).value, from, to});
  }
  std::sort(intervals.begin(), intervals.end(), [](const Interval& a, const Interval& b) {
    return std::tie(a.piece, a.from) < std::tie(b.piece, b.from);
  });
  uint64_t sum_cm = 0;
  for (size_t i = 0; i < intervals.size();) {
    uint32_t covered = 0;
    const uint32_t piece = intervals[i].piece;
    for (; i < intervals.size() && intervals[i].piece == piece; ++i) {
      const uint32_t from = std::max(covered, intervals[i].from);
      if (intervals[i].to > from) sum_cm += intervals[i].to - from;
      covered = std::max(covered, intervals[i].to);
    }
  }
  return static_cast<double>(sum_cm) / 100;
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
