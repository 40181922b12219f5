// SPDX-License-Identifier: Apache-2.0
#include "dispatch/containment_cut.h"

#include <algorithm>
#include <limits>

#include "dispatch/road_types.h"

namespace cordon {
namespace {

// Rounds in which the price of contested junctions is raised before the search branches.
constexpr int kPriceRounds = 4;

}  // namespace

template <class Fn>
void ContainmentCut::ForNeighbours(uint32_t junction, Fn&& fn) const {
  for (uint32_t e = ground_->first[junction]; e < ground_->first[junction + 1]; ++e) {
    for (const auto& arcs : ground_->arcs) {
      if (arcs[e].blocked()) continue;
      fn(arcs[e].head());
      break;
    }
  }
}

bool ContainmentCut::Outside(uint32_t junction) const {
  return ground_->suspect_ms[junction] > ground_->ring_ms;
}

bool ContainmentCut::FloodCore() {
  vertex_.assign(ground_->suspect_ms.size(), -1);
  core_.clear();
  members_.clear();
  const auto enter = [&](uint32_t j) {
    if (vertex_[j] != -1) return true;
    if (Outside(j)) return false;
    if (ground_->holdable[j]) return true;
    if (ground_->exits[j]) return false;
    vertex_[j] = kSource;
    core_.push_back(j);
    return true;
  };
  for (const uint32_t j : ground_->sources)
    if (!enter(j)) return false;
  bool closed = true;
  for (size_t i = 0; i < core_.size() && closed; ++i)
    ForNeighbours(core_[i], [&](uint32_t next) { closed = closed && enter(next); });
  return closed;
}

void ContainmentCut::NumberVertices() {
  int32_t next_vertex = 2;
  leads_out_ = false;
  const auto enter = [&](uint32_t j) {
    if (vertex_[j] != -1) return;
    const bool holdable = ground_->holdable[j];
    if (Outside(j) || ground_->exits[j]) {
      leads_out_ = true;
      // Outside nothing needs to be held; an exit inside the ring may be.
      if (Outside(j) || !holdable) return;
    }
    vertex_[j] = next_vertex;
    next_vertex += holdable ? 2 : 1;
    members_.push_back(j);
  };
  for (const uint32_t j : ground_->sources) enter(j);
  for (const uint32_t j : core_) ForNeighbours(j, enter);
  for (size_t i = 0; i < members_.size(); ++i) {
    if (!ground_->exits[members_[i]]) ForNeighbours(members_[i], enter);
  }
}

void ContainmentCut::BuildFlow() {
  int32_t vertices = 2;
  for (const uint32_t j : members_) vertices += ground_->holdable[j] ? 2 : 1;
  // About three streets meet at a junction.
  flow_.emplace(vertices, 5 * members_.size() + core_.size());
  MaxFlow& flow = *flow_;
  hold_arc_.clear();
  const auto entry = [&](uint32_t j) { return vertex_[j] == -1 ? kSink : vertex_[j]; };
  for (const uint32_t j : ground_->sources)
    if (vertex_[j] > kSink) flow.AddArc(kSource, vertex_[j], MaxFlow::kUnlimited);
  for (const uint32_t j : core_) {
    ForNeighbours(j, [&](uint32_t next) {
      if (entry(next) != kSource) flow.AddArc(kSource, entry(next), MaxFlow::kUnlimited);
    });
  }
  for (const uint32_t j : members_) {
    MaxFlow::Vertex leave = vertex_[j];
    if (ground_->holdable[j]) {
      hold_arc_[j] = flow.AddArc(leave, leave + 1, kPrice);
      ++leave;
    }
    if (ground_->exits[j]) {
      flow.AddArc(leave, kSink, MaxFlow::kUnlimited);
      continue;
    }
    ForNeighbours(j, [&](uint32_t next) {
      if (entry(next) != kSource && next != j) flow.AddArc(leave, entry(next), MaxFlow::kUnlimited);
    });
  }
}

void ContainmentCut::ReadNearest() {
  nearest_.clear();
  farthest_known_ = false;
  const std::vector<uint8_t> side = flow_->SourceSide();
  for (const uint32_t j : members_)
    if (ground_->holdable[j] && side[vertex_[j]] && !side[vertex_[j] + 1]) nearest_.push_back(j);
}

// Looks at all that lies outside of the cut: asked for only when the nearest does not do.
const std::vector<uint32_t>& ContainmentCut::farthest() {
  if (farthest_known_) return farthest_;
  farthest_known_ = true;
  farthest_.clear();
  const std::vector<uint8_t> side = flow_->SourceSideFarthest();
  for (const uint32_t j : members_)
    if (ground_->holdable[j] && side[vertex_[j]] && !side[vertex_[j] + 1]) farthest_.push_back(j);
  return farthest_;
}

ContainmentCut::Result ContainmentCut::Prepare(const CutGround& ground, int32_t most) {
  ground_ = &ground;
  if (!FloodCore()) return Result::kNone;
  NumberVertices();
  if (!leads_out_) return Result::kEnclosed;
  BuildFlow();
  base_flow_ = flow_->Solve(kSource, kSink, most * kPrice);
  if (base_flow_ > most * kPrice) return Result::kNone;
  base_ = flow_->Save();
  ReadNearest();
  return Result::kCut;
}

ContainmentCut::Result ContainmentCut::Find(std::span<const std::pair<uint32_t, int32_t>> dearer,
                                            int32_t limit) {
  flow_->Restore(base_);
  for (const auto& [junction, extra] : dearer) flow_->Raise(hold_arc_.at(junction), extra);
  if (base_flow_ + flow_->Continue(limit - base_flow_) > limit) return Result::kNone;
  ReadNearest();
  return Result::kCut;
}

namespace {

class HeldCutSearch {
 public:
  HeldCutSearch(const CutGround& ground, int32_t units, const HoldOptions& options,
                uint32_t most_cuts)
      : ground_(ground), units_(units), options_(options), most_cuts_(most_cuts) {}

  HeldCut Run() {
    ++result_.cuts;
    const auto outcome = cut_.Prepare(ground_, units_);
    result_.enclosed = outcome == ContainmentCut::Result::kEnclosed;
    // Any cordon is a cut of at most `units` holdable junctions: where there is none, that is the
    // proof.
    if (outcome == ContainmentCut::Result::kCut && !AcceptEither() && !TryPrices()) {
      std::vector<std::pair<uint32_t, int32_t>> forbidden;
      Branch(forbidden);
    }
    return std::move(result_);
  }

 private:
  // Takes the cut if its junctions can be matched; otherwise leaves a violated set in violator_.
  // All options of a junction are asked for only where the few do not suffice.
  bool Accept(const std::vector<uint32_t>& cut) {
    MatchingOptions options;
    std::vector<bool> complete(cut.size(), false);
    for (const uint32_t j : cut) options.push_back(options_.few(j));
    for (;;) {
      const Matching matching = WidestMatching(options, units_);
      if (matching.perfect()) {
        result_.found = true;
        result_.junctions = cut;
        result_.units = matching.unit_of_point;
        return true;
      }
      const std::vector<int32_t> violator = HallViolator(options, units_);
      bool asked = false;
      for (const int32_t at : violator) {
        if (complete[at]) continue;
        complete[at] = true;
        options[at] = options_.all(cut[at]);
        asked = true;
      }
      if (asked) continue;
      violator_.clear();
      for (const int32_t at : violator) violator_.push_back(cut[at]);
      return false;
    }
  }

  bool AcceptEither() {
    if (Accept(cut_.nearest())) return true;
    const std::vector<uint32_t> violator = violator_;
    if (cut_.farthest() == cut_.nearest()) return false;
    if (Accept(cut_.farthest())) return true;
    violator_ = violator;
    return false;
  }

  // Where the plain cut's matching fails, junctions that depend on the contested units get dearer.
  // Finds quickly, proves nothing.
  bool TryPrices() {
    absl::flat_hash_map<uint32_t, int32_t> extra;
    for (int round = 0; round < kPriceRounds && result_.cuts < most_cuts_; ++round) {
      for (const uint32_t j : violator_) extra[j] += ContainmentCut::kPrice;
      const std::vector<std::pair<uint32_t, int32_t>> dearer(extra.begin(), extra.end());
      ++result_.cuts;
      if (cut_.Find(dearer, ContainmentCut::kForbidden / 2) != ContainmentCut::Result::kCut)
        return false;
      if (AcceptEither()) return true;
    }
    return false;
  }

  // Any cordon leaves out some junction of the violated set: forbids each in turn. False: none in
  // this branch.
  bool Branch(std::vector<std::pair<uint32_t, int32_t>>& forbidden) {
    if (result_.cuts >= most_cuts_) {
      result_.proven = false;
      return false;
    }
    ++result_.cuts;
    if (cut_.Find(forbidden, units_ * ContainmentCut::kPrice) != ContainmentCut::Result::kCut)
      return false;
    if (AcceptEither()) return true;
    const std::vector<uint32_t> contested = violator_;
    for (const uint32_t j : contested) {
      forbidden.emplace_back(j, ContainmentCut::kForbidden);
      if (Branch(forbidden)) return true;
      forbidden.pop_back();
      if (!result_.proven) break;
    }
    return false;
  }

  const CutGround& ground_;
  const int32_t units_;
  const HoldOptions& options_;
  const uint32_t most_cuts_;
  ContainmentCut cut_;
  std::vector<uint32_t> violator_;
  HeldCut result_;
};

}  // namespace

HeldCut FindHeldCut(const CutGround& ground, int32_t units, const HoldOptions& options,
                    uint32_t most_cuts) {
  return HeldCutSearch(ground, units, options, most_cuts).Run();
}

}  // namespace cordon
