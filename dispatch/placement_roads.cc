// SPDX-License-Identifier: Apache-2.0
#include "dispatch/placement_roads.h"

#include <algorithm>
#include <cmath>

#include "absl/container/flat_hash_map.h"
#include "dispatch/search.h"
#include "dispatch/snap.h"

namespace cordon {
namespace {

constexpr double kMostWeight = 1e6;
// Weights become integers in thousandths, so that sums do not depend on their order.
constexpr double kWeightUnit = 1e-3;

bool GoodToWaitAt(const RoadPiece& piece) {
  constexpr uint16_t kBad =
      kFlagGhost | kFlagLink | kFlagRoundabout | kFlagBridge | kFlagTunnel | kFlagIsland;
  return !(piece.flags & kBad) && piece.road_class >= RoadClass::kPrimary &&
         piece.road_class <= RoadClass::kService && (piece.access & BothWays(kAccessEmergency));
}

// One candidate per square of the spacing: its best road, then the piece first in the file.
class CandidateGrid {
 public:
  CandidateGrid(const RoadNetwork& network, Metres spacing) : network_(network) {
    const double middle = (network.south_west().lat_e7 + network.north_east().lat_e7) / 2e7;
    step_lat_e7_ = spacing.value / 111'195 * 1e7;
    step_lon_e7_ = step_lat_e7_ / std::max(0.05, std::cos(middle * M_PI / 180));
  }
  void Offer(PieceId p) {
    const RoadPiece& piece = network_.piece(p);
    if (!GoodToWaitAt(piece)) return;
    const RoadPoint at = RoadPoint::From(network_.PointAt({piece.edge[0], piece.length_cm / 2}));
    const auto y = static_cast<uint64_t>((at.lat_e7 - network_.south_west().lat_e7) / step_lat_e7_);
    const auto x = static_cast<uint64_t>((at.lon_e7 - network_.south_west().lon_e7) / step_lon_e7_);
    const auto [cell, is_new] = best_.try_emplace(y << 32 | x, p);
    if (is_new) return;
    const RoadPiece& known = network_.piece(cell->second);
    if (std::pair(piece.road_class, p) < std::pair(known.road_class, cell->second))
      cell->second = p;
  }
  std::vector<PieceId> Candidates() const {
    std::vector<PieceId> all;
    for (const auto& [cell, piece] : best_) all.push_back(piece);
    std::sort(all.begin(), all.end());
    return all;
  }

 private:
  const RoadNetwork& network_;
  double step_lat_e7_ = 1;
  double step_lon_e7_ = 1;
  absl::flat_hash_map<uint64_t, PieceId> best_;
};

struct SnappedDemand {
  std::vector<SearchSeed> seeds;
  int64_t weight = 0;
};

// Demands at the same spot of the network become one.
std::vector<SnappedDemand> SnapAll(const TravelGraph& graph, std::span<const PlacedDemand> demands,
                                   size_t& off_network) {
  std::vector<SnappedDemand> snapped;
  absl::flat_hash_map<uint64_t, size_t> known;
  for (const PlacedDemand& demand : demands) {
    SceneSnap snap = SnapScene(graph, demand.place);
    if (snap.seeds.empty()) {
      ++off_network;
      continue;
    }
    const auto weight = static_cast<int64_t>(std::llround(demand.weight / kWeightUnit));
    const uint64_t spot =
        uint64_t{snap.seeds.front().at.edge.value} << 32 | snap.seeds.front().at.offset_cm / 2'000;
    const auto [at, is_new] = known.try_emplace(spot, snapped.size());
    if (is_new) {
      snapped.push_back({std::move(snap.seeds), weight});
    } else {
      snapped[at->second].weight += weight;
    }
  }
  return snapped;
}

// Within the tier of a unit that waits in the middle of the piece, heading either way.
bool ReachesFrom(const BoundedSearch& search, const TravelGraph& graph, PieceId p,
                 uint32_t tier_ms) {
  const RoadPiece& piece = graph.network().piece(p);
  for (const EdgeId e : piece.edge) {
    if (!graph.Passable(e)) continue;
    const uint32_t time = search.TimeAt({e, piece.length_cm / 2});
    if (time != kUnreached && time <= tier_ms) return true;
  }
  return false;
}

bool CoveredBy(const BoundedSearch& search, std::span<const UnitSeeds> present, uint32_t tier_ms) {
  for (const UnitSeeds& unit : present)
    for (const SearchSeed& seed : unit.seeds)
      if (const uint32_t time = search.TimeAt(seed.at);
          time != kUnreached && time + seed.delay_ms <= tier_ms)
        return true;
  return false;
}

absl::Status CheckInput(std::span<const PlacedDemand> demands, const WaitingOptions& options) {
  if (demands.empty()) return absl::InvalidArgumentError("there are no alerts to be near to; give at least one {lat, lon}");
  for (const PlacedDemand& demand : demands)
    if (!(demand.weight >= 0 && demand.weight <= kMostWeight) || !IsPlausible(demand.place))
      return absl::InvalidArgumentError(
          "an alert's weight must be 0 to 1,000,000 and its place on the earth");
  if (options.units < 0 || options.units > 10'000)
    return absl::InvalidArgumentError("0 to 10,000 units can be placed");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<WaitingAnswer> FindWaitingPlaces(const TravelGraph& graph,
                                                std::span<const PlacedDemand> demands,
                                                std::span<const UnitSeeds> present,
                                                const WaitingOptions& options) {
  RETURN_IF_ERROR(CheckInput(demands, options));
  const RoadNetwork& network = graph.network();
  WaitingAnswer answer;
  const std::vector<SnappedDemand> snapped = SnapAll(graph, demands, answer.off_network);
  CandidateGrid grid(network, options.spacing);
  for (uint32_t p = 0; p < network.piece_count(); ++p) grid.Offer({p});
  const std::vector<PieceId> candidates = grid.Candidates();
  absl::flat_hash_map<PieceId, int32_t> site_of;
  for (size_t i = 0; i < candidates.size(); ++i) site_of[candidates[i]] = static_cast<int32_t>(i);

  CoveringProblem problem;
  problem.reached.resize(candidates.size());
  BoundedSearch search;
  for (const SnappedDemand& demand : snapped) {
    const auto index = static_cast<int32_t>(problem.weight.size());
    problem.weight.push_back(demand.weight);
    search.Run(graph, SearchDirection::kReverse, demand.seeds, options.tier_ms);
    problem.already_covered.push_back(CoveredBy(search, present, options.tier_ms));
    std::vector<PieceId> near;
    search.ForReached([&](EdgeId e, uint32_t) { near.push_back(network.piece_of(e)); });
    for (const SearchSeed& seed : demand.seeds) near.push_back(network.piece_of(seed.at.edge));
    std::sort(near.begin(), near.end());
    near.erase(std::unique(near.begin(), near.end()), near.end());
    for (const PieceId p : near)
      if (const auto site = site_of.find(p);
          site != site_of.end() && ReachesFrom(search, graph, p, options.tier_ms))
        problem.reached[site->second].push_back(index);
  }
  const CoveringSolution solution = SolveCovering(problem, {.sites = options.units});
  for (size_t i = 0; i < solution.chosen.size(); ++i) {
    const PieceId piece = candidates[solution.chosen[i]];
    const RoadPiece& road = network.piece(piece);
    answer.places.push_back({network.PointAt({road.edge[0], road.length_cm / 2}), piece,
                             static_cast<double>(solution.gain[i]) * kWeightUnit});
  }
  for (size_t d = 0; d < problem.weight.size(); ++d)
    if (problem.already_covered[d])
      answer.already_covered += static_cast<double>(problem.weight[d]) * kWeightUnit;
  answer.covered = static_cast<double>(solution.covered) * kWeightUnit;
  answer.upper_bound = static_cast<double>(solution.upper_bound) * kWeightUnit;
  answer.total = static_cast<double>(solution.total) * kWeightUnit;
  answer.candidates = candidates.size();
  return answer;
}

}  // namespace cordon
