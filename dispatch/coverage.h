// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/ids.h"
#include "base/status.h"
#include "dispatch/coverage_labels.h"
#include "dispatch/coverage_lengths.h"
#include "dispatch/coverage_places.h"
#include "dispatch/number_set.h"

namespace cordon {

// A unit that counts for coverage now: available, its fix not stale. `seeds` as SnapUnit gives
// them; empty when it is off the network.
struct CoverageUnit {
  UnitId id;
  TravelKind kind = TravelKind::kCar;
  bool fresh = true;  // false: the fix is usable but older than fresh_s
  std::vector<SearchSeed> seeds;
};

struct CoverageOptions {
  std::vector<uint32_t> tiers_ms = {60'000, 180'000, 300'000};  // ascending, 1 to 8
  // A piece of road is marked at each multiple of this, and units are taken to stand at the last
  // mark before where they are: creeping and jitter cost nothing, and both directions of a road
  // change at the same marks. Errs on the safe side, by two seconds of driving.
  uint32_t step_cm = 2'500;
};

struct TierCoverage {
  uint32_t tier_ms = 0;
  uint64_t covered_cm = 0;  // of road that some unit reaches within the tier
  uint64_t twice_cm = 0;    // that two different units reach
};

// Roads that no unit reaches within a tier, gathered by squares of kGapCellMetres.
struct CoverageGap {
  LatLon middle;     // of its heaviest piece
  std::string road;  // name of its heaviest named road; empty: none
  uint64_t uncovered_cm = 0;
  int64_t weight = 0;
  PieceId heaviest;
};
inline constexpr double kGapCellMetres = 500;

// Which roads and places the available units cover, kept up to date as they move. Built on
// NearestTwo (one for each kind of unit) and on the places' own reach (PlaceBoard). A tick costs
// what moved; the result equals that of a fresh object given the same units (tests/unit/dispatch).
//
// Lengths are of pieces that an urgent car may drive in at least one direction, ghosts left out.
// One thread at a time. 8 bytes per piece and tier, 4 per piece beside the labels.
class Coverage {
 public:
  // INVALID_ARGUMENT for tiers that do not ascend or are too many.
  static absl::StatusOr<std::unique_ptr<Coverage>> Create(std::shared_ptr<const RoadNetwork> roads,
                                                          CoverageOptions options);

  // Weights of pieces for ranking gaps (alerts of the past, say); empty: their length in cm.
  void SetWeights(std::vector<int64_t> piece_weights);
  // Replaces the protected places; those off the network are reported by status, not refused.
  void SetPlaces(std::vector<ProtectedPlace> places, const TravelModel& model);

  struct Tick {
    uint32_t units = 0;
    uint32_t searched = 0;  // moved, came, went or were touched by a change of the roads
    uint32_t off_network = 0;
    uint32_t pieces_recounted = 0;
  };
  // The units as of now; a unit that is not among them is gone. At most limits::kMaxUnits.
  absl::StatusOr<Tick> Update(const TravelModel& model, std::span<const CoverageUnit> units);

  const std::vector<TierCoverage>& tiers() const { return totals_; }
  uint64_t total_cm() const { return total_cm_; }
  // Who reaches an edge, kinds merged, ghosts folded in: the two first of each kind and way of
  // entering it, and units standing on it. Ascending time.
  std::vector<EdgeReach> At(EdgeId e) const;
  uint32_t CoveredCm(PieceId p, size_t tier) const {
    return lengths_[p.value * tier_count() + tier].once_cm;
  }
  bool Counts(PieceId p) const { return counts_[p.value]; }
  // The heaviest `most` gaps of a tier.
  std::vector<CoverageGap> Gaps(size_t tier, size_t most) const;
  // Status of every place at a time. For up to `far_looks` gaps the nearest unit is searched
  // beyond the tiers, up to `far_limit_ms`.
  std::vector<PlaceStatus> Places(WallTime now, const TravelModel& model, size_t far_looks,
                                  uint32_t far_limit_ms);
  const UnitId& unit_id(UnitSlot slot) const { return units_[slot].id; }
  const RoadNetwork& network() const { return *network_; }
  const CoverageOptions& options() const { return options_; }

 private:
  struct Unit {
    UnitId id;
    TravelKind kind = TravelKind::kCar;
    bool fresh = true;
    bool present = false;
    std::vector<SearchSeed> seeds;  // stepped
  };
  Coverage(std::shared_ptr<const RoadNetwork> roads, CoverageOptions options);
  size_t tier_count() const { return options_.tiers_ms.size(); }
  void NumberGapCells();
  UnitSlot SlotOf(const UnitId& id);
  std::vector<SearchSeed> Stepped(std::span<const SearchSeed> seeds) const;
  void FollowGraphs(const TravelModel& model);
  void Move(UnitSlot slot, TravelKind kind, std::vector<SearchSeed> seeds);
  uint32_t ApplyMoves(const TravelModel& model);
  void MarkStanding(std::span<const SearchSeed> seeds, UnitSlot slot, bool present);
  uint32_t RecountTouched();
  void AskAhead(PieceId piece) const;
  void Recount(PieceId piece);
  void CollectReaches(EdgeId e, std::vector<EdgeReach>& out) const;
  bool Simple(PieceId piece) const;
  void LookFarther(const ProtectedPlace& place, const TravelModel& model, uint32_t limit_ms,
                   PlaceStatus::Tier& tier, BoundedSearch& search);

  const std::shared_ptr<const RoadNetwork> network_;
  const CoverageOptions options_;
  std::vector<uint8_t> counts_;                      // by piece: part of the total length
  std::vector<uint8_t> special_;                     // by piece: has ghosts or units standing on it
  std::vector<std::pair<PieceId, PieceId>> ghosts_;  // original, ghost; sorted
  uint64_t total_cm_ = 0;
  std::vector<uint32_t> gap_cell_;  // by piece
  uint32_t gap_cells_ = 0;
  std::vector<int64_t> weights_;
  std::array<std::unique_ptr<NearestTwo>, 3> layers_;  // by TravelKind, made on first use
  NearestTwo* only_layer_ = nullptr;                   // the one that exists, when only one does
  std::vector<Unit> units_;
  absl::flat_hash_map<UnitId, UnitSlot> slots_;
  std::array<std::vector<UnitSeeds>, 3> moves_;
  absl::flat_hash_map<EdgeId, std::vector<UnitSlot>> standing_;
  std::vector<ReachedLengths> lengths_;  // by piece and tier
  std::vector<TierCoverage> totals_;
  NumberSet dirty_;                 // pieces
  std::vector<PieceId> recounts_;   // scratch
  std::vector<EdgeReach> reaches_;  // scratch
  PlaceBoard places_;
};

}  // namespace cordon
