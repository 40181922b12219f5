// SPDX-License-Identifier: Apache-2.0
#include "dispatch/coverage_places.h"

#include <algorithm>

#include "base/check.h"
#include "dispatch/search.h"
#include "dispatch/snap.h"

namespace cordon {

const char* PlaceStateName(PlaceState state) {
  switch (state) {
    case PlaceState::kInactive:
      return "inactive";
    case PlaceState::kMet:
      return "met";
    case PlaceState::kMetStale:
      return "met-stale";
    case PlaceState::kGap:
      return "gap";
    case PlaceState::kOffNetwork:
      return "off-network";
  }
  return "unknown";
}

void PlaceBoard::SetPlaces(std::vector<ProtectedPlace> places) {
  places_ = std::move(places);
  largest_tier_ms_.assign(places_.size(), 0);
  off_network_.assign(places_.size(), 0);
  near_.assign(places_.size(), {});
  for (auto& list : places_of_) list.clear();
  for (KindReach& reach : reach_) reach = {};
  for (size_t i = 0; i < places_.size(); ++i)
    for (const auto& require : places_[i].require)
      largest_tier_ms_[i] = std::max(largest_tier_ms_[i], require.tier_ms);
}

void PlaceBoard::Prepare(TravelKind kind, std::shared_ptr<const TravelGraph> graph) {
  struct Found {
    uint32_t edge;
    Entry entry;
  };
  KindReach& reach = reach_[static_cast<size_t>(kind)];
  reach.graph = std::move(graph);
  reach.spots.clear();
  std::vector<Found> found;
  BoundedSearch search;
  for (uint32_t i = 0; i < places_.size(); ++i) {
    const SceneSnap snap = SnapScene(*reach.graph, places_[i].place);
    off_network_[i] = snap.seeds.empty() ? 1 : 0;
    if (snap.seeds.empty()) continue;
    for (const SearchSeed& seed : snap.seeds)
      reach.spots[seed.at.edge].push_back({i, seed.at.offset_cm, seed.delay_ms});
    search.Run(*reach.graph, SearchDirection::kReverse, snap.seeds, largest_tier_ms_[i]);
    search.ForReached([&](EdgeId e, uint32_t time_ms) {
      found.push_back({e.value, {i, time_ms}});
    });
  }
  reach.first.assign(reach.graph->network().edge_count() + 1, 0);
  for (const Found& f : found) ++reach.first[f.edge + 1];
  for (size_t e = 1; e < reach.first.size(); ++e) reach.first[e] += reach.first[e - 1];
  reach.entries.resize(found.size());
  std::vector<uint32_t> next(reach.first.begin(), reach.first.end() - 1);
  for (const Found& f : found) reach.entries[next[f.edge]++] = f.entry;
}

void PlaceBoard::Note(uint32_t place, const Arrival& arrival) {
  if (arrival.time_ms > largest_tier_ms_[place]) return;
  auto& list = near_[place];
  const auto same = std::find_if(list.begin(), list.end(),
                                 [&](const Arrival& a) { return a.unit == arrival.unit; });
  if (same != list.end()) {
    same->time_ms = std::min(same->time_ms, arrival.time_ms);
    return;
  }
  list.push_back(arrival);
  places_of_[arrival.unit].push_back(place);
}

void PlaceBoard::SetUnit(UnitSlot unit, TravelKind kind, bool fresh,
                         std::span<const SearchSeed> seeds) {
  if (unit >= places_of_.size()) places_of_.resize(unit + 1);
  for (const uint32_t place : places_of_[unit])
    std::erase_if(near_[place], [&](const Arrival& a) { return a.unit == unit; });
  places_of_[unit].clear();
  if (places_.empty() || seeds.empty()) return;
  const KindReach& reach = reach_[static_cast<size_t>(kind)];
  CORDON_CHECK(reach.graph != nullptr, "the kind is prepared before its units");
  for (const SearchSeed& seed : seeds) {
    const uint32_t edge = seed.at.edge.value;
    const uint32_t passed = reach.graph->PartMs(seed.at.edge, seed.at.offset_cm);
    const uint32_t at_head = seed.delay_ms + reach.graph->EdgeMs(seed.at.edge) - passed;
    for (uint32_t i = reach.first[edge]; i < reach.first[edge + 1]; ++i)
      Note(reach.entries[i].place, {unit, at_head + reach.entries[i].time_ms, kind, fresh});
    const auto spots = reach.spots.find(seed.at.edge);
    if (spots == reach.spots.end()) continue;
    for (const Spot& spot : spots->second) {
      if (spot.offset_cm < seed.at.offset_cm) continue;  // already behind it
      const uint32_t ahead = reach.graph->PartMs(seed.at.edge, spot.offset_cm) - passed;
      Note(spot.place, {unit, seed.delay_ms + ahead + spot.delay_ms, kind, fresh});
    }
  }
}

PlaceStatus::Tier PlaceBoard::TierStatus(const ProtectedPlace::Requirement& require,
                                         std::vector<Arrival> near) const {
  PlaceStatus::Tier tier{.require = require};
  std::erase_if(near, [&](const Arrival& a) {
    return !require.kinds.empty() &&
           std::find(require.kinds.begin(), require.kinds.end(), a.kind) == require.kinds.end();
  });
  std::sort(near.begin(), near.end(), [](const Arrival& a, const Arrival& b) {
    return std::pair(a.time_ms, a.unit) < std::pair(b.time_ms, b.unit);
  });
  uint32_t fresh = 0;
  for (const Arrival& a : near) {
    if (a.time_ms > require.tier_ms) break;
    ++tier.have;
    fresh += a.fresh ? 1 : 0;
  }
  tier.state = fresh >= require.count       ? PlaceState::kMet
               : tier.have >= require.count ? PlaceState::kMetStale
                                            : PlaceState::kGap;
  const size_t deciding = tier.state == PlaceState::kGap ? tier.have : require.count - 1;
  if (deciding < near.size()) {
    tier.unit = near[deciding].unit;
    tier.eta_ms = near[deciding].time_ms;
  }
  return tier;
}

std::vector<PlaceStatus> PlaceBoard::Status(WallTime now) const {
  std::vector<PlaceStatus> all;
  all.reserve(places_.size());
  for (size_t i = 0; i < places_.size(); ++i) {
    PlaceStatus status{.place = &places_[i]};
    if (off_network_[i]) {
      status.state = PlaceState::kOffNetwork;
    } else if (places_[i].hours.ActiveAt(now)) {
      status.state = PlaceState::kMet;
      for (const auto& require : places_[i].require) {
        status.tiers.push_back(TierStatus(require, near_[i]));
        status.state = std::max(status.state, status.tiers.back().state);
      }
    }
    all.push_back(std::move(status));
  }
  return all;
}

}  // namespace cordon
