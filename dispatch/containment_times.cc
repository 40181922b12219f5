// SPDX-License-Identifier: Apache-2.0
#include "dispatch/containment_times.h"

#include <algorithm>

namespace cordon {

void UnitTimes::Run(const TravelModel& model, std::span<const CordonUnit> units, uint32_t age_ms,
                    uint32_t horizon_ms, uint32_t set_up_ms) {
  units_ = units;
  latest_ms_ = age_ms + horizon_ms;
  held_after_ms_ = age_ms + set_up_ms;
  direct_.clear();
  std::array<std::vector<UnitSeeds>, 3> by_kind;
  for (uint32_t u = 0; u < units.size(); ++u) {
    if (const auto& holding = units[u].holding)
      direct_[holding->junction.value].push_back({u, age_ms - std::min(age_ms, holding->for_ms)});
    if (!units[u].seeds.empty())
      by_kind[static_cast<size_t>(units[u].kind)].push_back({u, units[u].seeds});
  }
  for (size_t kind = 0; kind < by_kind.size(); ++kind) {
    graphs_[kind] = nullptr;
    if (by_kind[kind].empty() || set_up_ms > horizon_ms) continue;
    graphs_[kind] = model.Graph({static_cast<TravelKind>(kind), TravelMode::kUrgent});
    nearest_[kind].Reset(graphs_[kind], horizon_ms - set_up_ms);
    nearest_[kind].Update(by_kind[kind]);
    for (const UnitSeeds& unit : by_kind[kind]) {
      for (const SearchSeed& seed : unit.seeds) {
        const TravelGraph& graph = *graphs_[kind];
        const uint32_t at_head = seed.delay_ms + graph.EdgeMs(seed.at.edge) -
                                 graph.PartMs(seed.at.edge, seed.at.offset_cm);
        direct_[graph.network().head(seed.at.edge).value].push_back(
            {unit.unit, at_head + held_after_ms_});
      }
    }
  }
}

// fn(unit, closed); a unit may come more than once.
template <class Fn>
void UnitTimes::ForArrivals(uint32_t junction, Fn&& fn) const {
  if (const auto direct = direct_.find(junction); direct != direct_.end())
    for (const UnitClosing& closing : direct->second) fn(closing.unit, closing.closed_ms);
  for (size_t kind = 0; kind < graphs_.size(); ++kind) {
    if (!graphs_[kind]) continue;
    const RoadNetwork& network = graphs_[kind]->network();
    const auto first = network.first_out();
    for (uint32_t out = first[junction]; out < first[junction + 1]; ++out) {
      const EdgeId arriving = network.twin(EdgeId{out});
      const NearestPair pair = nearest_[kind].At(arriving);
      for (const NearestPair::Label& label : {pair.first, pair.second})
        if (label.reached())
          fn(label.unit, label.time_ms + graphs_[kind]->EdgeMs(arriving) + held_after_ms_);
    }
  }
}

uint32_t UnitTimes::EarliestClosed(uint32_t junction) const {
  uint32_t best = kUnreached;
  ForArrivals(junction, [&](uint32_t, uint32_t closed_ms) { best = std::min(best, closed_ms); });
  return best <= latest_ms_ ? best : kUnreached;
}

std::vector<UnitClosing> UnitTimes::EarliestTwo(uint32_t junction) const {
  std::vector<UnitClosing> closings;
  ForArrivals(junction, [&](uint32_t unit, uint32_t closed_ms) {
    if (closed_ms > latest_ms_) return;
    const auto same = std::find_if(closings.begin(), closings.end(),
                                   [&](const UnitClosing& c) { return c.unit == unit; });
    if (same == closings.end()) {
      closings.push_back({unit, closed_ms});
    } else {
      same->closed_ms = std::min(same->closed_ms, closed_ms);
    }
  });
  return closings;
}

std::vector<UnitClosing> UnitTimes::AllClosings(uint32_t junction, uint32_t latest_closed_ms) {
  std::vector<UnitClosing> closings;
  std::vector<uint32_t> closed(units_.size(), kUnreached);
  if (const auto direct = direct_.find(junction); direct != direct_.end())
    for (const UnitClosing& c : direct->second)
      closed[c.unit] = std::min(closed[c.unit], c.closed_ms);
  for (size_t kind = 0; kind < graphs_.size(); ++kind) {
    if (!graphs_[kind] || latest_closed_ms < held_after_ms_) continue;
    const TravelGraph& graph = *graphs_[kind];
    const RoadNetwork& network = graph.network();
    std::vector<SearchSeed> goal;
    for (uint32_t out = network.first_out()[junction]; out < network.first_out()[junction + 1];
         ++out) {
      const EdgeId arriving = network.twin(EdgeId{out});
      if (graph.Passable(arriving) || network.is_ghost(arriving))
        goal.push_back({{arriving, network.length_cm(arriving)}, 0});
    }
    std::vector<EdgeId> until;
    for (const CordonUnit& unit : units_)
      if (static_cast<size_t>(unit.kind) == kind)
        for (const SearchSeed& seed : unit.seeds) until.push_back(seed.at.edge);
    search_.Run(graph, SearchDirection::kReverse, goal, latest_closed_ms - held_after_ms_, until);
    for (uint32_t u = 0; u < units_.size(); ++u) {
      if (static_cast<size_t>(units_[u].kind) != kind) continue;
      for (const SearchSeed& seed : units_[u].seeds) {
        const uint32_t time = search_.TimeAt(seed.at);
        if (time != kUnreached)
          closed[u] = std::min(closed[u], time + seed.delay_ms + held_after_ms_);
      }
    }
  }
  for (uint32_t u = 0; u < units_.size(); ++u)
    if (closed[u] <= latest_closed_ms) closings.push_back({u, closed[u]});
  return closings;
}

}  // namespace cordon
