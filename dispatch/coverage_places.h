// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/geo.h"
#include "base/ids.h"
#include "base/schedule.h"
#include "dispatch/coverage_labels.h"

namespace cordon {

// A school, hospital, station...: who must be near, and when.
struct ProtectedPlace {
  struct Requirement {
    uint32_t tier_ms = 0;
    std::vector<TravelKind> kinds;  // empty: any
    uint32_t count = 1;
  };
  PlaceId id;
  std::string name;
  LatLon place;
  std::vector<Requirement> require;
  Schedule hours;
};

enum class PlaceState {
  kInactive,  // outside its hours
  kMet,
  kMetStale,  // met only with units whose fixes are no longer fresh
  kGap,
  kOffNetwork,  // no road near it: nothing can be said
};
const char* PlaceStateName(PlaceState state);

struct PlaceStatus {
  struct Tier {
    ProtectedPlace::Requirement require;
    PlaceState state = PlaceState::kGap;
    uint32_t have = 0;  // units of these kinds within the tier
    // The unit that decides: the count-th nearest when met, the nearest missing one in a gap.
    UnitSlot unit = kNoUnit;
    uint32_t eta_ms = kUnreached;
  };
  const ProtectedPlace* place = nullptr;
  PlaceState state = PlaceState::kInactive;  // the worst of its tiers
  std::vector<Tier> tiers;
};

// Which units are within the required tiers of which places. The roads around each place are
// searched once, backwards, per kind of unit and state of the roads; a unit that moves then only
// looks up its own edge. Exact for any count and kinds. Memory: 8 bytes for each place and edge
// within its largest tier. One thread at a time.
class PlaceBoard {
 public:
  void SetPlaces(std::vector<ProtectedPlace> places);
  const std::vector<ProtectedPlace>& places() const { return places_; }
  // Searches around the places with this graph; forget units of the kind before and tell them
  // again.
  void Prepare(TravelKind kind, std::shared_ptr<const TravelGraph> graph);
  const TravelGraph* graph(TravelKind kind) const {
    return reach_[static_cast<size_t>(kind)].graph.get();
  }

  // A unit is here now; no seeds: gone.
  void SetUnit(UnitSlot unit, TravelKind kind, bool fresh, std::span<const SearchSeed> seeds);
  std::vector<PlaceStatus> Status(WallTime now) const;

 private:
  struct Entry {
    uint32_t place;
    uint32_t time_ms;  // from the edge's head
  };
  struct Spot {
    uint32_t place;
    uint32_t offset_cm;
    uint32_t delay_ms;
  };
  struct KindReach {
    std::shared_ptr<const TravelGraph> graph;
    std::vector<uint32_t> first;  // by edge
    std::vector<Entry> entries;
    absl::flat_hash_map<EdgeId, std::vector<Spot>> spots;  // places on the edge itself
  };
  struct Arrival {
    UnitSlot unit;
    uint32_t time_ms;
    TravelKind kind;
    bool fresh;
  };
  void Note(uint32_t place, const Arrival& arrival);
  PlaceStatus::Tier TierStatus(const ProtectedPlace::Requirement& require,
                               std::vector<Arrival> near) const;

  std::vector<ProtectedPlace> places_;
  std::vector<uint32_t> largest_tier_ms_;
  std::vector<uint8_t> off_network_;
  std::array<KindReach, 3> reach_;
  std::vector<std::vector<Arrival>> near_;        // by place
  std::vector<std::vector<uint32_t>> places_of_;  // by unit
};

}  // namespace cordon
