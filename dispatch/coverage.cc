// SPDX-License-Identifier: Apache-2.0
#include "dispatch/coverage.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/limits.h"
#include "dispatch/coverage_lengths.h"
#include "dispatch/search.h"
#include "dispatch/snap.h"

namespace cordon {
namespace {

constexpr size_t kMostTiers = 8;
constexpr size_t kAskedAhead = 8;

size_t Index(TravelKind kind) { return static_cast<size_t>(kind); }

bool SameSeeds(std::span<const SearchSeed> a, std::span<const SearchSeed> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const SearchSeed& x, const SearchSeed& y) {
                      return x.at == y.at && x.delay_ms == y.delay_ms;
                    });
}

}  // namespace

absl::StatusOr<std::unique_ptr<Coverage>> Coverage::Create(std::shared_ptr<const RoadNetwork> roads,
                                                           CoverageOptions options) {
  if (options.tiers_ms.empty() || options.tiers_ms.size() > kMostTiers)
    return absl::InvalidArgumentError(
        fmt::format("tiers: {} given, 1 to {} are possible", options.tiers_ms.size(), kMostTiers));
  if (options.tiers_ms.front() == 0 ||
      std::adjacent_find(options.tiers_ms.begin(), options.tiers_ms.end(),
                         std::greater_equal<>()) != options.tiers_ms.end())
    return absl::InvalidArgumentError(
        "tiers must ascend and be positive, as in 60,180,300 (seconds)");
  return std::unique_ptr<Coverage>(new Coverage(std::move(roads), std::move(options)));
}

Coverage::Coverage(std::shared_ptr<const RoadNetwork> roads, CoverageOptions options)
    : network_(std::move(roads)), options_(std::move(options)) {
  const uint32_t pieces = network_->piece_count();
  counts_.assign(pieces, 0);
  special_.assign(pieces, 0);
  lengths_.assign(size_t{pieces} * tier_count(), {});
  dirty_.Reset(pieces);
  for (const uint32_t tier : options_.tiers_ms) totals_.push_back({.tier_ms = tier});
  for (uint32_t p = 0; p < pieces; ++p) {
    const RoadPiece& piece = network_->piece(PieceId{p});
    if ((piece.flags & kFlagGhost) || !(piece.access & BothWays(kAccessEmergency))) continue;
    counts_[p] = 1;
    total_cm_ += piece.length_cm;
  }
  for (const PieceId ghost : network_->ghost_pieces()) {
    const PieceId original = network_->piece_of(network_->original(network_->piece(ghost).edge[0]));
    ghosts_.push_back({original, ghost});
    special_[original.value] = 1;
  }
  std::sort(ghosts_.begin(), ghosts_.end());
  NumberGapCells();
}

// Squares that hold some piece, in the order of the pieces.
void Coverage::NumberGapCells() {
  const double lat_step_e7 = kGapCellMetres / 111'195 * 1e7;
  const double middle = (network_->south_west().lat_e7 + network_->north_east().lat_e7) / 2e7;
  const double lon_step_e7 = lat_step_e7 / std::max(0.05, std::cos(middle * M_PI / 180));
  gap_cell_.resize(network_->piece_count());
  absl::flat_hash_map<uint64_t, uint32_t> numbers;
  for (uint32_t p = 0; p < network_->piece_count(); ++p) {
    const RoadPoint at = network_->point(network_->head(network_->piece(PieceId{p}).edge[0]));
    const auto y = static_cast<uint64_t>((at.lat_e7 - network_->south_west().lat_e7) / lat_step_e7);
    const auto x = static_cast<uint64_t>((at.lon_e7 - network_->south_west().lon_e7) / lon_step_e7);
    gap_cell_[p] =
        numbers.try_emplace(y << 32 | x, static_cast<uint32_t>(numbers.size())).first->second;
  }
  gap_cells_ = static_cast<uint32_t>(numbers.size());
}

void Coverage::SetWeights(std::vector<int64_t> piece_weights) {
  CORDON_CHECK(piece_weights.empty() || piece_weights.size() == network_->piece_count(),
               "one weight for each piece");
  weights_ = std::move(piece_weights);
}

void Coverage::SetPlaces(std::vector<ProtectedPlace> places, const TravelModel& model) {
  places_.SetPlaces(std::move(places));
  // Cars are prepared even when there are none yet: they say which places are off the network.
  places_.Prepare(TravelKind::kCar, model.Graph({TravelKind::kCar, TravelMode::kUrgent}));
  for (size_t kind = 1; kind < layers_.size(); ++kind)
    if (layers_[kind])
      places_.Prepare(static_cast<TravelKind>(kind), layers_[kind]->shared_graph());
  for (UnitSlot slot = 0; slot < units_.size(); ++slot)
    if (units_[slot].present)
      places_.SetUnit(slot, units_[slot].kind, units_[slot].fresh, units_[slot].seeds);
}

UnitSlot Coverage::SlotOf(const UnitId& id) {
  const auto [it, is_new] = slots_.try_emplace(id, static_cast<UnitSlot>(units_.size()));
  if (is_new) units_.push_back({.id = id});
  return it->second;
}

std::vector<SearchSeed> Coverage::Stepped(std::span<const SearchSeed> seeds) const {
  std::vector<SearchSeed> stepped(seeds.begin(), seeds.end());
  for (SearchSeed& seed : stepped) {
    uint32_t& offset = seed.at.offset_cm;
    const uint32_t step = options_.step_cm;
    if (network_->is_forward(seed.at.edge)) {
      offset -= offset % step;
    } else {  // marks lie from the other end
      const uint32_t length = network_->length_cm(seed.at.edge);
      const uint32_t mark = ((length - offset) / step + 1) * step;
      offset = length - std::min(length, mark);
    }
  }
  return stepped;
}

void Coverage::MarkStanding(std::span<const SearchSeed> seeds, UnitSlot slot, bool present) {
  for (const SearchSeed& seed : seeds) {
    const EdgeId edge = network_->original(seed.at.edge);
    const PieceId piece = network_->piece_of(edge);
    auto& list = standing_[edge];
    if (present) {
      if (std::find(list.begin(), list.end(), slot) == list.end()) list.push_back(slot);
    } else {
      std::erase(list, slot);
      if (list.empty()) standing_.erase(edge);
    }
    const bool haunted =
        std::binary_search(ghosts_.begin(), ghosts_.end(), std::pair(piece, PieceId{0}),
                           [](const auto& a, const auto& b) { return a.first < b.first; });
    special_[piece.value] =
        haunted || standing_.contains(edge) || standing_.contains(network_->twin(edge));
    dirty_.Insert(piece.value);
  }
}

void Coverage::FollowGraphs(const TravelModel& model) {
  for (size_t kind = 0; kind < layers_.size(); ++kind) {
    if (!layers_[kind]) continue;
    const auto travel_kind = static_cast<TravelKind>(kind);
    const auto graph = model.Graph({travel_kind, TravelMode::kUrgent});
    if (graph == layers_[kind]->shared_graph()) continue;
    layers_[kind]->ChangeGraph(graph);
    if (places_.places().empty()) continue;
    places_.Prepare(travel_kind, graph);
    for (UnitSlot slot = 0; slot < units_.size(); ++slot)
      if (units_[slot].present && units_[slot].kind == travel_kind)
        places_.SetUnit(slot, travel_kind, units_[slot].fresh, units_[slot].seeds);
  }
}

void Coverage::Move(UnitSlot slot, TravelKind kind, std::vector<SearchSeed> seeds) {
  Unit& unit = units_[slot];
  if (unit.kind != kind && !unit.seeds.empty()) moves_[Index(unit.kind)].push_back({slot, {}});
  MarkStanding(unit.seeds, slot, false);
  unit.kind = kind;
  unit.seeds = std::move(seeds);
  MarkStanding(unit.seeds, slot, true);
  moves_[Index(kind)].push_back({slot, unit.seeds});
}

uint32_t Coverage::ApplyMoves(const TravelModel& model) {
  size_t searched = 0;
  for (size_t kind = 0; kind < layers_.size(); ++kind) {
    if (moves_[kind].empty()) continue;
    if (!layers_[kind]) {
      const auto travel_kind = static_cast<TravelKind>(kind);
      layers_[kind] = std::make_unique<NearestTwo>();
      layers_[kind]->Reset(model.Graph({travel_kind, TravelMode::kUrgent}),
                           options_.tiers_ms.back());
      if (!places_.places().empty() && places_.graph(travel_kind) != &layers_[kind]->graph())
        places_.Prepare(travel_kind, layers_[kind]->shared_graph());
      only_layer_ =
          only_layer_ == nullptr && std::count(layers_.begin(), layers_.end(), nullptr) == 2
              ? layers_[kind].get()
              : nullptr;
    }
    layers_[kind]->Update(moves_[kind]);
    searched += moves_[kind].size();
    moves_[kind].clear();
  }
  return static_cast<uint32_t>(searched);
}

absl::StatusOr<Coverage::Tick> Coverage::Update(const TravelModel& model,
                                                std::span<const CoverageUnit> units) {
  if (units.size() > limits::kMaxUnits)
    return absl::ResourceExhaustedError(
        fmt::format("{} units; at most {} are possible", units.size(), limits::kMaxUnits));
  Tick tick;
  FollowGraphs(model);
  std::vector<bool> seen(units_.size(), false);
  std::vector<UnitSlot> for_places;
  for (const CoverageUnit& given : units) {
    const UnitSlot slot = SlotOf(given.id);
    seen.resize(units_.size(), false);
    if (seen[slot])
      return absl::InvalidArgumentError(fmt::format("unit {} is given twice", given.id.str()));
    seen[slot] = true;
    ++tick.units;
    tick.off_network += given.seeds.empty() ? 1 : 0;
    std::vector<SearchSeed> seeds = Stepped(given.seeds);
    Unit& unit = units_[slot];
    const bool moved = unit.kind != given.kind || !SameSeeds(unit.seeds, seeds);
    if (moved) Move(slot, given.kind, std::move(seeds));
    if (moved || unit.fresh != given.fresh || !unit.present) for_places.push_back(slot);
    unit.fresh = given.fresh;
    unit.present = true;
  }
  for (UnitSlot slot = 0; slot < units_.size(); ++slot) {
    if (seen[slot] || !units_[slot].present) continue;
    Move(slot, units_[slot].kind, {});
    units_[slot].present = false;
    for_places.push_back(slot);
  }
  tick.searched = ApplyMoves(model);
  for (const UnitSlot slot : for_places)
    places_.SetUnit(slot, units_[slot].kind, units_[slot].fresh, units_[slot].seeds);
  tick.pieces_recounted = RecountTouched();
  return tick;
}

uint32_t Coverage::RecountTouched() {
  for (const auto& layer : layers_) {
    if (!layer) continue;
    layer->TakeTouched([&](EdgeId edge) {
      PieceId piece = network_->piece_of(edge);
      if (!counts_[piece.value] && (network_->piece(piece).flags & kFlagGhost))
        piece = network_->piece_of(network_->original(edge));
      dirty_.Insert(piece.value);
    });
  }
  recounts_.clear();
  dirty_.Drain([&](uint32_t piece) { recounts_.push_back({piece}); });
  for (size_t i = 0; i < recounts_.size(); ++i) {
    if (i + kAskedAhead < recounts_.size()) AskAhead(recounts_[i + kAskedAhead]);
    if (counts_[recounts_[i].value]) Recount(recounts_[i]);
  }
  return static_cast<uint32_t>(recounts_.size());
}

// Recounting waits for memory most of its time: what a piece needs is asked for some pieces before.
void Coverage::AskAhead(PieceId piece) const {
  __builtin_prefetch(&lengths_[piece.value * tier_count()], 1);
  if (only_layer_ == nullptr) return;
  for (const EdgeId edge : network_->piece(piece).edge) only_layer_->AskAhead(edge);
}

// One layer, no ghosts, nobody standing on it: the common case, without lists.
bool Coverage::Simple(PieceId piece) const {
  return only_layer_ != nullptr && !special_[piece.value];
}

void Coverage::Recount(PieceId id) {
  const RoadPiece& piece = network_->piece(id);
  const bool simple = Simple(id);
  NearestPair forward, backward;
  uint32_t forward_ms = 1, backward_ms = 1;
  if (simple) {
    forward = only_layer_->At(piece.edge[0]);
    backward = only_layer_->At(piece.edge[1]);
    forward_ms = only_layer_->graph().EdgeMs(piece.edge[0]);
    backward_ms = only_layer_->graph().EdgeMs(piece.edge[1]);
  } else {
    reaches_.clear();
    CollectReaches(piece.edge[0], reaches_);
    CollectReaches(piece.edge[1], reaches_);
  }
  for (size_t t = 0; t < tier_count(); ++t) {
    const uint32_t tier_ms = options_.tiers_ms[t];
    const ReachedLengths lengths =
        simple ? LengthsOfPairs(piece.length_cm, tier_ms, {forward, forward_ms},
                                {backward, backward_ms})
               : LengthsOfReaches(piece.length_cm, tier_ms, reaches_);
    ReachedLengths& before = lengths_[id.value * tier_count() + t];
    totals_[t].covered_cm += lengths.once_cm;
    totals_[t].covered_cm -= before.once_cm;
    totals_[t].twice_cm += lengths.twice_cm;
    totals_[t].twice_cm -= before.twice_cm;
    before = lengths;
  }
}

void Coverage::CollectReaches(EdgeId edge, std::vector<EdgeReach>& out) const {
  const bool forward = network_->is_forward(edge);
  const auto collect = [&](EdgeId e) {
    for (const auto& layer : layers_) {
      if (!layer) continue;
      const NearestPair pair = layer->At(e);
      for (const NearestPair::Label& label : {pair.first, pair.second})
        if (label.reached())
          out.push_back({label.unit, label.time_ms, layer->graph().EdgeMs(e), 0, forward});
    }
  };
  collect(edge);
  const PieceId piece = network_->piece_of(edge);
  if (!special_[piece.value]) return;
  for (auto it = std::lower_bound(ghosts_.begin(), ghosts_.end(), std::pair(piece, PieceId{0}));
       it != ghosts_.end() && it->first == piece; ++it)
    for (const EdgeId ghost : network_->piece(it->second).edge)
      if (network_->original(ghost) == edge) collect(ghost);
  const auto standing = standing_.find(edge);
  if (standing == standing_.end()) return;
  for (const UnitSlot slot : standing->second) {
    const TravelGraph& graph = layers_[Index(units_[slot].kind)]->graph();
    for (const SearchSeed& seed : units_[slot].seeds)
      if (network_->original(seed.at.edge) == edge)
        out.push_back({slot, seed.delay_ms, graph.EdgeMs(edge), seed.at.offset_cm, forward});
  }
}

std::vector<EdgeReach> Coverage::At(EdgeId edge) const {
  std::vector<EdgeReach> reaches;
  CollectReaches(network_->original(edge), reaches);
  std::sort(reaches.begin(), reaches.end(), [](const EdgeReach& a, const EdgeReach& b) {
    return std::tuple(a.time_ms, a.unit, a.from_cm) < std::tuple(b.time_ms, b.unit, b.from_cm);
  });
  return reaches;
}

std::vector<CoverageGap> Coverage::Gaps(size_t tier, size_t most) const {
  CORDON_CHECK(tier < tier_count(), "a tier that exists");
  struct Cell {
    uint64_t uncovered_cm = 0;
    int64_t weight = 0;
    int64_t heaviest_weight = -1;
    PieceId heaviest;
    int64_t heaviest_named_weight = -1;
    uint32_t name = 0;
  };
  std::vector<Cell> cells(gap_cells_);
  for (uint32_t p = 0; p < network_->piece_count(); ++p) {
    if (!counts_[p]) continue;
    const RoadPiece& piece = network_->piece(PieceId{p});
    const uint32_t uncovered = piece.length_cm - lengths_[p * tier_count() + tier].once_cm;
    if (uncovered == 0) continue;
    const int64_t whole = weights_.empty() ? piece.length_cm : weights_[p];
    const int64_t weight = whole * uncovered / piece.length_cm;
    if (weight == 0) continue;
    Cell& cell = cells[gap_cell_[p]];
    cell.uncovered_cm += uncovered;
    cell.weight += weight;
    if (weight > cell.heaviest_weight) {
      cell.heaviest_weight = weight;
      cell.heaviest = {p};
    }
    if (piece.name != 0 && weight > cell.heaviest_named_weight) {
      cell.heaviest_named_weight = weight;
      cell.name = piece.name;
    }
  }
  std::erase_if(cells, [](const Cell& cell) { return cell.uncovered_cm == 0; });
  const size_t kept = std::min(most, cells.size());
  std::partial_sort(cells.begin(), cells.begin() + static_cast<ptrdiff_t>(kept), cells.end(),
                    [](const Cell& a, const Cell& b) {
                      return a.weight != b.weight ? a.weight > b.weight : a.heaviest < b.heaviest;
                    });
  std::vector<CoverageGap> gaps;
  for (const Cell& cell : std::span(cells).first(kept)) {
    const RoadPiece& piece = network_->piece(cell.heaviest);
    gaps.push_back({network_->PointAt({piece.edge[0], piece.length_cm / 2}),
                    std::string(network_->NameAt(cell.name)), cell.uncovered_cm, cell.weight,
                    cell.heaviest});
  }
  return gaps;
}

std::vector<PlaceStatus> Coverage::Places(WallTime now, const TravelModel& model, size_t far_looks,
                                          uint32_t far_limit_ms) {
  std::vector<PlaceStatus> all = places_.Status(now);
  BoundedSearch search;
  for (PlaceStatus& status : all) {
    for (PlaceStatus::Tier& tier : status.tiers) {
      if (tier.state != PlaceState::kGap || tier.unit != kNoUnit || far_looks == 0) continue;
      --far_looks;
      LookFarther(*status.place, model, far_limit_ms, tier, search);
    }
  }
  return all;
}

void Coverage::LookFarther(const ProtectedPlace& place, const TravelModel& model, uint32_t limit_ms,
                           PlaceStatus::Tier& tier, BoundedSearch& search) {
  std::vector<std::pair<uint32_t, UnitSlot>> arrivals;
  for (size_t kind = 0; kind < layers_.size(); ++kind) {
    const auto travel_kind = static_cast<TravelKind>(kind);
    const auto& wanted = tier.require.kinds;
    if (!layers_[kind] ||
        (!wanted.empty() && std::find(wanted.begin(), wanted.end(), travel_kind) == wanted.end()))
      continue;
    const auto graph = model.Graph({travel_kind, TravelMode::kUrgent});
    search.Run(*graph, SearchDirection::kReverse, SnapScene(*graph, place.place).seeds, limit_ms);
    for (UnitSlot slot = 0; slot < units_.size(); ++slot) {
      if (!units_[slot].present || units_[slot].kind != travel_kind) continue;
      uint32_t best = kUnreached;
      for (const SearchSeed& seed : units_[slot].seeds)
        if (const uint32_t time = search.TimeAt(seed.at); time != kUnreached)
          best = std::min(best, time + seed.delay_ms);
      if (best != kUnreached) arrivals.emplace_back(best, slot);
    }
  }
  if (arrivals.size() <= tier.have) return;
  std::nth_element(arrivals.begin(), arrivals.begin() + tier.have, arrivals.end());
  tier.eta_ms = arrivals[tier.have].first;
  tier.unit = arrivals[tier.have].second;
}

}  // namespace cordon
