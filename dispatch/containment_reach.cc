// SPDX-License-Identifier: Apache-2.0
#include "dispatch/containment_reach.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace cordon {
namespace {

constexpr uint32_t kBucketShift = 10;
constexpr double kExitMarginMetres = 300;
constexpr size_t kMostStops = 5'000;

// How likely a fleeing driver takes a road of this class, relative to a residential street.
double Appeal(RoadClass road_class) {
  switch (road_class) {
    case RoadClass::kMotorway:
      return 10;
    case RoadClass::kTrunk:
      return 8;
    case RoadClass::kPrimary:
      return 5;
    case RoadClass::kSecondary:
      return 3.5;
    case RoadClass::kTertiary:
      return 2.5;
    case RoadClass::kService:
    case RoadClass::kTrack:
    case RoadClass::kPath:
      return 0.4;
    default:
      return 1;
  }
}

}  // namespace

inline void FugitiveReach::Push(uint32_t time, uint32_t junction) {
  if (time > limit_ms_ || time >= time_[junction]) return;
  if (time_[junction] == kUnreached) touched_.push_back(junction);
  time_[junction] = time;
  buckets_[time >> kBucketShift].push_back({time, junction});
}

void FugitiveReach::Run(std::shared_ptr<const TravelGraph> graph, std::span<const SearchSeed> seeds,
                        uint32_t limit_ms) {
  graph_ = std::move(graph);
  limit_ms_ = limit_ms;
  const uint32_t junctions = graph_->network().junction_count();
  if (time_.size() != junctions) {
    time_.assign(junctions, kUnreached);
  } else {
    for (const uint32_t j : touched_) time_[j] = kUnreached;
  }
  touched_.clear();
  order_.clear();
  sources_.clear();
  buckets_.resize((limit_ms >> kBucketShift) + 1);
  const ArcGraph& arcs = graph_->forward();
  for (const SearchSeed& seed : seeds) {
    const uint32_t rest =
        graph_->EdgeMs(seed.at.edge) - graph_->PartMs(seed.at.edge, seed.at.offset_cm);
    const uint32_t junction = arcs.arcs[seed.at.edge.value].head();
    sources_.push_back(junction);
    Push(seed.delay_ms + rest, junction);
  }
  std::sort(sources_.begin(), sources_.end());
  sources_.erase(std::unique(sources_.begin(), sources_.end()), sources_.end());
  for (auto& bucket : buckets_) {
    for (size_t i = 0; i < bucket.size(); ++i) {
      const Item item = bucket[i];
      if (time_[item.junction] != item.time) continue;
      for (uint32_t e = arcs.first[item.junction]; e < arcs.first[item.junction + 1]; ++e) {
        const Arc arc = arcs.arcs[e];
        if (!arc.blocked()) Push(item.time + arc.time_ms(), arc.head());
      }
    }
    bucket.clear();
  }
  order_ = touched_;
  std::sort(order_.begin(), order_.end(), [&](uint32_t a, uint32_t b) {
    return time_[a] != time_[b] ? time_[a] < time_[b] : a < b;
  });
}

std::vector<uint8_t> FindMapExits(const RoadNetwork& network) {
  const RoadPoint low = network.south_west();
  const RoadPoint high = network.north_east();
  const double lat_margin = kExitMarginMetres / 111'195 * 1e7;
  const double lon_margin =
      lat_margin / std::max(0.05, std::cos((low.lat_e7 + high.lat_e7) / 2e7 * M_PI / 180));
  std::vector<uint8_t> exits(network.junction_count(), 0);
  for (uint32_t j = 0; j < network.junction_count(); ++j) {
    int roads = 0;
    RoadClass road_class = RoadClass::kBarrier;
    for (uint32_t e = network.first_out()[j]; e < network.first_out()[j + 1]; ++e) {
      const RoadPiece& piece = network.piece(EdgeId{e});
      if (piece.flags & kFlagGhost) continue;
      ++roads;
      road_class = std::min(road_class, piece.road_class);
    }
    if (roads != 1) continue;
    const RoadPoint p = network.point(JunctionId{j});
    const bool near_edge =
        p.lat_e7 - low.lat_e7 < lat_margin || high.lat_e7 - p.lat_e7 < lat_margin ||
        p.lon_e7 - low.lon_e7 < lon_margin || high.lon_e7 - p.lon_e7 < lon_margin;
    exits[j] = near_edge || road_class <= RoadClass::kTertiary ? 1 : 0;
  }
  return exits;
}

namespace {

// Walks outwards (along rising times) through junctions from which the outside can still be reached
// that way.
class OutwardWalk {
 public:
  OutwardWalk(const FugitiveReach& reach, const std::vector<uint8_t>& exits, uint32_t ring_ms)
      : reach_(reach), arcs_(reach.graph().forward()), exits_(exits), ring_ms_(ring_ms) {
    leads_out_.assign(exits.size(), 0);
    const auto& order = reach.reached();
    for (auto it = order.rbegin(); it != order.rend(); ++it) {
      bool out = IsOut(*it);
      for (uint32_t e = arcs_.first[*it]; !out && e < arcs_.first[*it + 1]; ++e)
        out = Outward(*it, e) && (Beyond(e) || leads_out_[arcs_.arcs[e].head()]);
      leads_out_[*it] = out ? 1 : 0;
    }
  }

  std::vector<FleeingRoute::Stop> Draw(std::mt19937_64& random) const {
    std::vector<uint32_t> starts;
    for (const uint32_t j : reach_.sources())
      if (leads_out_[j]) starts.push_back(j);
    if (starts.empty()) return {};
    uint32_t at = starts[random() % starts.size()];
    uint32_t time = reach_.TimeAt({at});
    std::vector<FleeingRoute::Stop> stops;
    while (stops.size() < kMostStops) {
      stops.push_back({at, time});
      if (IsOut(at)) break;
      const uint32_t edge = Choose(at, random);
      if (edge == kNoIndex) break;
      time += arcs_.arcs[edge].time_ms();
      at = arcs_.arcs[edge].head();
      if (Beyond(edge)) {
        stops.push_back({at, time});
        break;
      }
    }
    return stops;
  }

 private:
  bool IsOut(uint32_t j) const { return exits_[j] || reach_.TimeAt({j}) > ring_ms_; }
  bool Beyond(uint32_t e) const { return reach_.TimeAt({arcs_.arcs[e].head()}) == kUnreached; }
  bool Outward(uint32_t j, uint32_t e) const {
    const Arc arc = arcs_.arcs[e];
    return !arc.blocked() && reach_.TimeAt({arc.head()}) > reach_.TimeAt({j});
  }
  uint32_t Choose(uint32_t at, std::mt19937_64& random) const {
    double sum = 0;
    uint32_t chosen = kNoIndex;
    for (uint32_t e = arcs_.first[at]; e < arcs_.first[at + 1]; ++e) {
      if (!Outward(at, e) || !(Beyond(e) || leads_out_[arcs_.arcs[e].head()])) continue;
      const double appeal = Appeal(reach_.graph().network().piece(EdgeId{e}).road_class);
      sum += appeal;
      // Reservoir: replaces the choice with probability appeal / sum.
      if (static_cast<double>(random() >> 11) * 0x1p-53 * sum < appeal) chosen = e;
    }
    return chosen;
  }

  const FugitiveReach& reach_;
  const ArcGraph& arcs_;
  const std::vector<uint8_t>& exits_;
  const uint32_t ring_ms_;
  std::vector<uint8_t> leads_out_;
};

}  // namespace

std::vector<FleeingRoute> SampleRoutes(const FugitiveReach& reach,
                                       const std::vector<uint8_t>& exits, uint32_t ring_ms,
                                       uint32_t count, std::mt19937_64& random) {
  const OutwardWalk walk(reach, exits, ring_ms);
  std::vector<FleeingRoute> routes;
  for (uint32_t i = 0; i < count; ++i) {
    FleeingRoute route;
    route.stops = walk.Draw(random);
    if (!route.stops.empty()) routes.push_back(std::move(route));
  }
  for (FleeingRoute& route : routes) route.share = 1.0 / static_cast<double>(routes.size());
  return routes;
}

}  // namespace cordon
