// SPDX-License-Identifier: Apache-2.0
// Restrictions become rules about going from one edge directly to the next. One via ways forbids a
// sequence of more than two edges; the search knows only the edge it is on, so each proper prefix
// of such a sequence gets a ghost: a copy of its last edge that is entered only along that prefix,
// and whose exits are those that are left. The ghosts are the states of an Aho-Corasick automaton
// over edges.
#include <algorithm>
#include <map>
#include <optional>

#include "dispatch/road_pieces.h"

namespace cordon {
namespace {

using Path = std::vector<HalfPiece>;
// More pieces than this between `from` and `to` is a mapping error.
constexpr size_t kLongestVia = 24;

class TurnRules {
 public:
  TurnRules(const RoadDraft& draft, BuiltRoads& roads) : draft_(draft), roads_(roads) {}

  void Run() {
    for (const DraftRestriction& r : draft_.restrictions)
      for (const Path& path : PathsOf(r)) Forbid(r, path);
    MakeGhosts();
    for (HalfPiece first : Starts()) Follow({first}, first);
    for (const auto& [prefix, ghost] : ghosts_) Follow(prefix, ghost);
    std::sort(roads_.rules.begin(), roads_.rules.end(),
              [](const BuiltTurnRule& a, const BuiltTurnRule& b) {
                return std::tie(a.from, a.to, a.kind) < std::tie(b.from, b.to, b.kind);
              });
  }

 private:
  // The restriction as sequences of halves, one for each way to arrive.
  std::vector<Path> PathsOf(const DraftRestriction& r) const {
    std::vector<Path> paths;
    if (r.via_point != kNoIndex) {
      const uint32_t junction = roads_.junction_of_point[r.via_point];
      if (junction == kNoIndex) return paths;
      for (const HalfPiece out : roads_.leaving[junction]) {
        const HalfPiece from = Opposite(out);
        if (roads_.WayArriving(from) != r.from) continue;
        for (const HalfPiece to : roads_.leaving[junction])
          if (roads_.WayLeaving(to) == r.to && (to == out) == (r.u_turn && r.from == r.to))
            paths.push_back({from, to});
      }
      return paths;
    }
    for (HalfPiece from = 0; from < 2 * roads_.pieces.size(); ++from)
      if (roads_.WayArriving(from) == r.from) {
        Path path{from};
        if (Extend(r, 0, false, path)) paths.push_back(std::move(path));
      }
    return paths;
  }

  // Depth first along the via ways, each entered at least once, until the `to` way can be taken.
  bool Extend(const DraftRestriction& r, size_t via, bool entered, Path& path) const {
    if (path.size() > kLongestVia) return false;
    const HalfPiece last = path.back();
    for (const HalfPiece next : roads_.leaving[roads_.HeadOf(last)]) {
      if (next == Opposite(last) || std::find(path.begin(), path.end(), next) != path.end())
        continue;
      const size_t way = roads_.WayLeaving(next);
      path.push_back(next);
      if (entered && via + 1 == r.via_ways.size() && way == r.to) return true;
      if (way == r.via_ways[via] && Extend(r, via, true, path)) return true;
      if (entered && via + 1 < r.via_ways.size() && way == r.via_ways[via + 1] &&
          Extend(r, via + 1, true, path))
        return true;
      path.pop_back();
    }
    return false;
  }

  void Forbid(const DraftRestriction& r, const Path& path) {
    const TurnRuleKind kind =
        r.except_emergency ? TurnRuleKind::kForbiddenNotUrgent : TurnRuleKind::kForbidden;
    if (!r.only) {
      AddSequence(path, kind);
      return;
    }
    for (size_t step = 0; step + 1 < path.size(); ++step) {
      Path other(path.begin(), path.begin() + static_cast<ptrdiff_t>(step) + 1);
      other.push_back(0);
      for (const HalfPiece next : roads_.leaving[roads_.HeadOf(path[step])])
        if (next != path[step + 1]) {
          other.back() = next;
          AddSequence(other, kind);
        }
    }
  }

  void AddSequence(const Path& path, TurnRuleKind kind) {
    const auto [at, added] = forbidden_.emplace(path, kind);
    if (!added) at->second = std::min(at->second, kind);
  }

  void MakeGhosts() {
    for (const auto& [path, kind] : forbidden_)
      for (size_t length = 2; length < path.size(); ++length) {
        const Path prefix(path.begin(), path.begin() + static_cast<ptrdiff_t>(length));
        if (ghosts_.contains(prefix)) continue;
        const auto piece = static_cast<uint32_t>(roads_.pieces.size());
        BuiltPiece copy = roads_.pieces[prefix.back() >> 1];
        const bool backward = prefix.back() & 1;
        copy.ghost_of = prefix.back() >> 1;
        copy.flags |= kFlagGhost;
        uint16_t own = 0;
        for (const AccessBit bit : {kAccessCar, kAccessMotorcycle, kAccessEmergency})
          own |= static_cast<uint16_t>(copy.access & AccessOf(bit, !backward));
        copy.access = own;
        roads_.pieces.push_back(std::move(copy));
        ghosts_.emplace(prefix, 2 * piece + (backward ? 1 : 0));
      }
  }

  std::vector<HalfPiece> Starts() const {
    std::vector<HalfPiece> starts;
    for (const auto& [path, kind] : forbidden_) starts.push_back(path.front());
    starts.erase(std::unique(starts.begin(), starts.end()), starts.end());  // the map is sorted
    return starts;
  }

  // All exits of the state `state` that was reached along `path`. Ghosts leave towards what their
  // original leaves towards.
  void Follow(const Path& path, HalfPiece state) {
    for (const HalfPiece next : roads_.leaving[roads_.HeadOf(path.back())]) {
      Path longer = path;
      longer.push_back(next);
      std::optional<TurnRuleKind> forbidden;
      HalfPiece target = next;
      bool target_found = false;
      for (size_t skip = 0; skip + 2 <= longer.size(); ++skip) {
        const Path suffix(longer.begin() + static_cast<ptrdiff_t>(skip), longer.end());
        if (const auto at = forbidden_.find(suffix); at != forbidden_.end())
          forbidden = forbidden ? std::min(*forbidden, at->second) : at->second;
        if (const auto at = ghosts_.find(suffix); at != ghosts_.end() && !target_found) {
          target = at->second;
          target_found = true;
        }
      }
      if (target != next) {
        roads_.rules.push_back({state, next, TurnRuleKind::kGhostInstead});
        roads_.rules.push_back({state, target, TurnRuleKind::kGhostEntry});
      }
      if (forbidden) roads_.rules.push_back({state, target, *forbidden});
    }
  }

  const RoadDraft& draft_;
  BuiltRoads& roads_;
  std::map<Path, TurnRuleKind> forbidden_;
  std::map<Path, HalfPiece> ghosts_;
};

// Contraflow driving is limited by cutting one-way roads into runs of at most kContraflowMaxCm:
// within a run one may follow the road, from run to run or from one road to another one may not.
// Stricter than the rule in rare cases, never laxer.
class ContraflowRules {
 public:
  explicit ContraflowRules(BuiltRoads& roads)
      : roads_(roads), next_(2 * roads.pieces.size(), kNoIndex) {}

  void Run() {
    DropLong();
    FindNext();
    CutIntoRuns();
    for (HalfPiece h = 0; h < next_.size(); ++h)
      if (roads_.Allows(h, kAccessContraflow)) AddRulesAfter(h);
  }

 private:
  void DropLong() {
    for (BuiltPiece& piece : roads_.pieces)
      if (piece.length_cm > kContraflowMaxCm)
        piece.access = static_cast<uint16_t>(piece.access & ~BothWays(kAccessContraflow));
  }

  uint8_t Leaving(HalfPiece h) const { return roads_.pieces[h >> 1].leaving[h & 1]; }
  uint8_t Arriving(HalfPiece h) const { return roads_.pieces[h >> 1].arriving[h & 1]; }

  // The straightest contraflow continuation, where each is the other's.
  void FindNext() {
    std::vector<HalfPiece> before(next_.size(), kNoIndex);
    std::vector<int> deviation(next_.size(), 12);  // at most 67 degrees
    for (HalfPiece h = 0; h < next_.size(); ++h) {
      if (!roads_.Allows(h, kAccessContraflow)) continue;
      HalfPiece best = kNoIndex;
      int least = 12;
      for (const HalfPiece n : roads_.leaving[roads_.HeadOf(h)]) {
        if (n == Opposite(h) || !roads_.Allows(n, kAccessContraflow)) continue;
        const int turn = (Leaving(n) - Arriving(h) + 64) & 63;
        const int off = std::min(turn, 64 - turn);
        if (off < least) {
          least = off;
          best = n;
        }
      }
      if (best != kNoIndex && least < deviation[best]) {
        if (before[best] != kNoIndex) next_[before[best]] = kNoIndex;
        before[best] = h;
        deviation[best] = least;
        next_[h] = best;
      }
    }
    for (HalfPiece h = 0; h < next_.size(); ++h) has_before_.push_back(before[h] != kNoIndex);
  }

  void CutIntoRuns() {
    std::vector<uint8_t> done(next_.size());
    const auto walk = [&](HalfPiece start) {
      uint64_t length = 0;
      for (HalfPiece h = start; h != kNoIndex && !done[h];) {
        done[h] = 1;
        length += roads_.pieces[h >> 1].length_cm;
        const HalfPiece n = next_[h];
        if (n == kNoIndex) return;
        if (done[n] || length + roads_.pieces[n >> 1].length_cm > kContraflowMaxCm) {
          next_[h] = kNoIndex;
          length = 0;
        }
        h = n;
      }
    };
    for (HalfPiece h = 0; h < next_.size(); ++h)
      if (!has_before_[h]) walk(h);
    for (HalfPiece h = 0; h < next_.size(); ++h) walk(h);  // circles
  }

  void AddRulesAfter(HalfPiece h) {
    const bool from_ghost = roads_.pieces[h >> 1].flags & kFlagGhost;
    const HalfPiece real = from_ghost ? 2 * roads_.pieces[h >> 1].ghost_of + (h & 1) : h;
    for (const HalfPiece n : roads_.leaving[roads_.HeadOf(h)])
      if (roads_.Allows(n, kAccessContraflow) && next_[real] != n)
        roads_.rules.push_back({h, n, TurnRuleKind::kContraflowEnds});
  }

  BuiltRoads& roads_;
  std::vector<HalfPiece> next_;
  std::vector<uint8_t> has_before_;
};

}  // namespace

void AddTurnRules(const RoadDraft& draft, BuiltRoads& roads) { TurnRules(draft, roads).Run(); }

void AddContraflowRules(BuiltRoads& roads) { ContraflowRules(roads).Run(); }

}  // namespace cordon
