// SPDX-License-Identifier: Apache-2.0
#include "dispatch/travel_graph.h"

#include <algorithm>
#include <cmath>

namespace cordon {
namespace {

// What entering a blocked arc costs: beyond any limit, and adding it cannot overflow.
constexpr uint32_t kBlockedMs = 0x4000'0000;
// Junctions with more arcs than a mask has bits: exceptions hold for the first 32.
constexpr uint32_t kMaskBits = 32;

}  // namespace

class TravelGraphBuilder {
 public:
  TravelGraphBuilder(std::shared_ptr<const RoadNetwork> network, const RoadState& state)
      : graph_(new TravelGraph()), state_(state) {
    graph_->network_ = std::move(network);
    graph_->state_version_ = state.version;
  }

  template <class Profile>
  void SetTimes(const Profile& profile) {
    const RoadNetwork& n = *graph_->network_;
    const uint32_t edges = n.edge_count();
    time_.resize(edges);
    blocked_.resize(edges);
    for (uint32_t e = 0; e < edges; ++e) {
      uint32_t ms = EdgeTimeMs(n, EdgeId{e}, profile);
      blocked_[e] = ms == kUnreached || n.piece(EdgeId{e}).length_cm == 0;
      // A unit may stand where its profile may not drive: it leaves at walking pace.
      if (ms == kUnreached)
        ms = static_cast<uint32_t>(
            std::min<uint64_t>(uint64_t{n.length_cm(EdgeId{e})} * 36 / 5 + 1, Arc::kMaxTimeMs));
      time_[e] = ms;
    }
    ApplyFactors();
    for (const auto& [edge, urgent_may_pass] : state_.closed)
      if (!urgent_may_pass || !graph_->pays_) blocked_[edge.value] = true;
    // What holds for a road holds for its copies.
    for (const PieceId ghost : n.ghost_pieces())
      for (const EdgeId copy : n.piece(ghost).edge) {
        time_[copy.value] = time_[n.original(copy).value];
        if (!blocked_[copy.value]) blocked_[copy.value] = blocked_[n.original(copy).value];
      }
  }

  void SetRules(const TurnCosts& costs, bool vehicle, bool pays, bool contraflow_limited) {
    graph_->turn_costs_ = costs;
    graph_->vehicle_ = vehicle;
    graph_->pays_ = pays;
    graph_->contraflow_limited_ = contraflow_limited;
  }

  std::shared_ptr<const TravelGraph> Finish() {
    FillArcs(graph_->forward_, false);
    FillArcs(graph_->reverse_, true);
    if (graph_->vehicle_) CollectExceptions();
    Close(graph_->forward_, forward_rows_);
    Close(graph_->reverse_, reverse_rows_);
    return graph_;
  }

 private:
  using Rows = absl::flat_hash_map<uint32_t, TurnException>;

  void ApplyFactors() {
    const RoadNetwork& n = *graph_->network_;
    const bool by_class = state_.class_factor != RoadState::AllOnes();
    if (!by_class && state_.speed_factor.empty()) {
      for (uint32_t& ms : time_) ms = std::min(ms, Arc::kMaxTimeMs);
      return;
    }
    for (uint32_t e = 0; e < time_.size(); ++e) {
      float factor = state_.class_factor[static_cast<size_t>(n.piece(EdgeId{e}).road_class)];
      if (const auto at = state_.speed_factor.find(n.piece_of(EdgeId{e}));
          at != state_.speed_factor.end())
        factor *= at->second;
      const double slowed = std::ceil(time_[e] / static_cast<double>(factor));
      time_[e] =
          static_cast<uint32_t>(std::clamp(slowed, 1.0, static_cast<double>(Arc::kMaxTimeMs)));
    }
  }

  // Slot s of the reverse graph stands for twin(s). The directions are those of s itself: going
  // back along twin(s) is going along s, and a turn's angle changes its sign.
  void FillArcs(ArcGraph& into, bool reverse) const {
    const RoadNetwork& n = *graph_->network_;
    into.first = n.first_out();
    into.arcs.resize(n.edge_count());
    for (uint32_t s = 0; s < n.edge_count(); ++s) {
      const EdgeId slot{s};
      const EdgeId edge = reverse ? n.twin(slot) : slot;
      bool blocked = blocked_[edge.value];
      // Ghosts are entered only through exceptions; backward they are left only through exceptions.
      if (n.is_ghost(edge) && (!reverse || !graph_->vehicle_)) blocked = true;
      into.arcs[s] = Arc(n.head(slot).value, time_[edge.value], n.leaving_direction(slot),
                         n.arriving_direction(slot), blocked, false);
    }
    for (uint32_t i = 0; i < 64; ++i) {
      into.turn_ms[i] = graph_->turn_costs_.by_angle_ms[reverse ? (64 - i) & 63 : i];
      into.turn_ms[i + 64] = kBlockedMs;
    }
    into.forbidden_ms = graph_->turn_costs_.forbidden_ms;
  }

  uint32_t BitOf(uint32_t slot) const {
    const RoadNetwork& n = *graph_->network_;
    const uint32_t position = slot - n.first_out()[n.tail(EdgeId{slot}).value];
    return position < kMaskBits ? 1U << position : 0;
  }

  static TurnException& RowOf(Rows& rows, uint32_t arc) {
    TurnException& row = rows[arc];
    row.arc = arc;
    return row;
  }

  void CollectExceptions() {
    const RoadNetwork& n = *graph_->network_;
    for (const PieceId ghost : n.ghost_pieces())
      for (const EdgeId copy : n.piece(ghost).edge) {
        // Backward, a ghost is left towards nothing but what CollectRule permits below.
        RowOf(reverse_rows_, n.twin(copy).value).forbidden = 0xFFFF'FFFF;
      }
    for (const TurnRule& rule : n.turn_rules())
      if (rule.kind == TurnRuleKind::kGhostEntry) CollectRule(rule);
    for (const TurnRule& rule : n.turn_rules())
      if (rule.kind != TurnRuleKind::kGhostEntry) CollectRule(rule);
  }

  void CollectRule(const TurnRule& rule) {
    const RoadNetwork& n = *graph_->network_;
    const uint32_t back_from = n.twin(rule.to).value;
    const uint32_t back_bit = BitOf(n.twin(rule.from).value);
    const uint32_t bit = BitOf(rule.to.value);
    bool priced = false;
    switch (rule.kind) {
      case TurnRuleKind::kGhostEntry:
        if (!blocked_[rule.to.value]) RowOf(forward_rows_, rule.from.value).entry |= bit;
        RowOf(reverse_rows_, back_from).forbidden &= ~back_bit;
        return;
      case TurnRuleKind::kForbiddenNotUrgent:
        if (graph_->pays_) return;
        break;
      case TurnRuleKind::kForbidden:
        priced = graph_->pays_;
        break;
      case TurnRuleKind::kContraflowEnds:
        if (!graph_->contraflow_limited_) return;
        break;
      case TurnRuleKind::kGhostInstead:
        break;
    }
    TurnException& ahead = RowOf(forward_rows_, rule.from.value);
    TurnException& back = RowOf(reverse_rows_, back_from);
    (priced ? ahead.priced : ahead.forbidden) |= bit;
    (priced ? back.priced : back.forbidden) |= back_bit;
  }

  static void Close(ArcGraph& graph, const Rows& rows) {
    for (const auto& [arc, row] : rows) graph.exceptions.push_back(row);
    std::sort(graph.exceptions.begin(), graph.exceptions.end(),
              [](const TurnException& a, const TurnException& b) { return a.arc < b.arc; });
    graph.first_exception.reserve(graph.arcs.size() / ArcGraph::kExceptionBlock + 1);
    uint32_t row = 0;
    for (uint32_t arc = 0; arc < graph.arcs.size(); arc += ArcGraph::kExceptionBlock) {
      while (row < graph.exceptions.size() && graph.exceptions[row].arc < arc) ++row;
      graph.first_exception.push_back(row);
    }
    for (const TurnException& exception : graph.exceptions) {
      const Arc& a = graph.arcs[exception.arc];
      graph.arcs[exception.arc] =
          Arc(a.head(), a.time_ms(), a.entry() & 63, a.arriving(), a.blocked(), true);
    }
  }

  std::shared_ptr<TravelGraph> graph_;
  const RoadState& state_;
  std::vector<uint32_t> time_;
  std::vector<uint8_t> blocked_;
  Rows forward_rows_;
  Rows reverse_rows_;
};

std::shared_ptr<const TravelGraph> TravelGraph::Build(std::shared_ptr<const RoadNetwork> network,
                                                      const RoadState& state,
                                                      const TravelProfile& profile) {
  TravelGraphBuilder builder(network, state);
  const bool vehicle = profile.kind != TravelKind::kFoot;
  const bool urgent = vehicle && profile.mode == TravelMode::kUrgent;
  builder.SetRules(TurnCostsOf(profile, network->drives_left()), vehicle, urgent, urgent);
  builder.SetTimes(profile);
  return builder.Finish();
}

std::shared_ptr<const TravelGraph> TravelGraph::Build(std::shared_ptr<const RoadNetwork> network,
                                                      const RoadState& state,
                                                      const FugitiveProfile& profile) {
  TravelGraphBuilder builder(network, state);
  builder.SetRules(TurnCosts{}, /*vehicle=*/false, /*pays=*/true, /*contraflow_limited=*/false);
  builder.SetTimes(profile);
  return builder.Finish();
}

uint32_t TravelGraph::TurnMs(EdgeId from, EdgeId to) const {
  const RoadNetwork& n = *network_;
  const bool ghost = n.is_ghost(to);
  if (n.head(from) != n.tail(to)) return kUnreached;
  if (!ghost && !Passable(to)) return kUnreached;
  // Ghosts are marked as blocked in the forward arcs; whether their road is open says the reverse
  // arc.
  if (ghost && (!vehicle_ || reverse_.arcs[n.twin(to).value].blocked())) return kUnreached;
  const auto rules = n.turn_rules();
  uint32_t ms =
      turn_costs_.by_angle_ms[(n.leaving_direction(to) - n.arriving_direction(from)) & 63];
  bool entry = false;
  if (vehicle_)
    for (auto at = std::lower_bound(rules.begin(), rules.end(), from,
                                    [](const TurnRule&r, EdgeId e) { return r.from < e; });
         at != rules.end() && at->from == from; ++at) {
      if (at->to != to) continue;
      switch (at->kind) {
        case TurnRuleKind::kGhostEntry:
          entry = true;
          break;
        case TurnRuleKind::kGhostInstead:
          return kUnreached;
        case TurnRuleKind::kContraflowEnds:
          if (contraflow_limited_) return kUnreached;
          break;
        case TurnRuleKind::kForbiddenNotUrgent:
          if (!pays_) return kUnreached;
          break;
        case TurnRuleKind::kForbidden:
          if (!pays_) return kUnreached;
          ms += turn_costs_.forbidden_ms;
          break;
      }
    }
  return ghost && !entry ? kUnreached : ms;
}

std::shared_ptr<const TravelGraph> TravelModel::Graph(const TravelProfile& profile) const {
  const auto at = static_cast<size_t>(profile.kind) * 2 + static_cast<size_t>(profile.mode);
  const auto state = conditions_->Snapshot();
  {
    absl::MutexLock lock(&mutex_);
    if (graphs_[at] && graphs_[at]->state_version() == state->version) return graphs_[at];
  }
  auto built = TravelGraph::Build(conditions_->network(), *state, profile);
  absl::MutexLock lock(&mutex_);
  if (!graphs_[at] || graphs_[at]->state_version() < built->state_version()) graphs_[at] = built;
  return graphs_[at]->state_version() >= built->state_version() ? graphs_[at] : built;
}

}  // namespace cordon
