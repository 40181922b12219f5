// SPDX-License-Identifier: Apache-2.0
#include "dispatch/containment_cut.h"

#include <algorithm>
#include <limits>

#include "dispatch/road_types.h"

namespace cordon {
namespace {

// Rounds in which the price of contested junctions is raised before the search branches.
constexpr int kPriceRounds = 4;
constexpr int32_t kBasePrice = 8;

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

bool ContainmentCut::Holdable(uint32_t junction) const {
  return ground_->holdable[junction] && !forbidden_->contains(junction);
}

bool ContainmentCut::Outside(uint32_t junction) const {
  return ground_->suspect_ms[junction] > ground_->ring_ms;
}

bool ContainmentCut::FloodCore() {
  for (const uint32_t j : core_) vertex_[j] = -1;
  for (const uint32_t j : members_) vertex_[j] = -1;
  vertex_.resize(ground_->suspect_ms.size(), -1);
  core_.clear();
  members_.clear();
  const auto enter = [&](uint32_t j) {
    if (vertex_[j] != -1) return true;
    if (Outside(j)) return false;
    if (Holdable(j)) return true;
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
    const bool holdable = Holdable(j);
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

MaxFlow ContainmentCut::BuildFlow(const std::function<int32_t(uint32_t)>& capacity) const {
  int32_t vertices = 2;
  for (const uint32_t j : members_) vertices += Holdable(j) ? 2 : 1;
  // About three streets meet at a junction.
  MaxFlow flow(vertices, 5 * members_.size() + core_.size());
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
    if (Holdable(j)) flow.AddArc(vertex_[j], ++leave, capacity(j));
    if (ground_->exits[j]) {
      flow.AddArc(leave, kSink, MaxFlow::kUnlimited);
      continue;
    }
    ForNeighbours(j, [&](uint32_t next) {
      if (entry(next) != kSource && next != j) flow.AddArc(leave, entry(next), MaxFlow::kUnlimited);
    });
  }
  return flow;
}

ContainmentCut::Result ContainmentCut::Find(const CutGround& ground,
                                            const absl::flat_hash_set<uint32_t>& forbidden,
                                            const std::function<int32_t(uint32_t)>& capacity,
                                            int32_t limit) {
  ground_ = &ground;
  forbidden_ = &forbidden;
  nearest_.clear();
  farthest_.clear();
  if (!FloodCore()) return Result::kNone;
  NumberVertices();
  if (!leads_out_) return Result::kEnclosed;
  MaxFlow flow = BuildFlow(capacity);
  const int32_t pushed = flow.Solve(kSource, kSink, limit);
  if (pushed == MaxFlow::kUnlimited) return Result::kNone;
  if (pushed > limit) return Result::kTooLarge;
  const std::vector<bool> near_side = flow.SourceSide();
  const std::vector<bool> far_side = flow.SourceSideFarthest();
  for (const uint32_t j : members_) {
    if (!Holdable(j)) continue;
    if (near_side[vertex_[j]] && !near_side[vertex_[j] + 1]) nearest_.push_back(j);
    if (far_side[vertex_[j]] && !far_side[vertex_[j] + 1]) farthest_.push_back(j);
  }
  return Result::kCut;
}

namespace {

class HeldCutSearch {
 public:
  HeldCutSearch(const CutGround& ground, int32_t units, const HoldOptions& options,
                uint32_t most_cuts)
      : ground_(ground), units_(units), options_(options), most_cuts_(most_cuts) {}

  HeldCut Run() {
    absl::flat_hash_set<uint32_t> forbidden;
    if (!TryPrices(forbidden) && !done_) Branch(forbidden);
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

  // The plain minimum cut first; where its matching fails, junctions that depend on the contested
  // units get dearer. Finds quickly, proves nothing (but the absence of any cut).
  bool TryPrices(const absl::flat_hash_set<uint32_t>& forbidden) {
    absl::flat_hash_map<uint32_t, int32_t> price;
    const auto capacity = [&](uint32_t j) {
      const auto at = price.find(j);
      return at == price.end() ? kBasePrice : at->second;
    };
    for (int round = 0; round < kPriceRounds && result_.cuts < most_cuts_; ++round) {
      ++result_.cuts;
      const int32_t limit = round == 0 ? units_ * kBasePrice : MaxFlow::kUnlimited - 1;
      const auto outcome = cut_.Find(ground_, forbidden, capacity, limit);
      if (outcome == ContainmentCut::Result::kEnclosed) {
        result_.enclosed = true;
        return true;
      }
      if (outcome != ContainmentCut::Result::kCut) {
        // Without prices this is final: any cordon is a cut of at most `units` holdable junctions.
        done_ = round == 0;
        return false;
      }
      if (AcceptEither()) return true;
      for (const uint32_t j : violator_) price[j] = capacity(j) + kBasePrice;
    }
    return false;
  }

  // Any cordon leaves out some junction of the violated set: forbids each in turn. False: none in
  // this branch.
  bool Branch(absl::flat_hash_set<uint32_t>& forbidden) {
    if (result_.cuts >= most_cuts_) {
      result_.proven = false;
      return false;
    }
    ++result_.cuts;
    const auto outcome = cut_.Find(
        ground_, forbidden, [](uint32_t) { return 1; }, units_);
    if (outcome != ContainmentCut::Result::kCut) return false;
    if (AcceptEither()) return true;
    const std::vector<uint32_t> contested = violator_;
    for (const uint32_t j : contested) {
      if (!forbidden.insert(j).second) continue;
      if (Branch(forbidden)) return true;
      forbidden.erase(j);
      if (result_.cuts >= most_cuts_) break;
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
  bool done_ = false;
};

}  // namespace

HeldCut FindHeldCut(const CutGround& ground, int32_t units, const HoldOptions& options,
                    uint32_t most_cuts) {
  return HeldCutSearch(ground, units, options, most_cuts).Run();
}

}  // namespace cordon
