// SPDX-License-Identifier: Apache-2.0
#include "dispatch/map_match.h"

#include <algorithm>
#include <cmath>
#include <queue>

#include "base/check.h"

namespace cordon {
namespace {

constexpr double kLeastSigmaMetres = 4.07;  // of a good receiver (Newson & Krumm)
constexpr double kUnknownSigmaMetres = 8;
constexpr double kMostSigmaMetres = 40;
constexpr double kHeadingSigmaDegrees = 25;
constexpr double kMostHeadingPenalty = 8;
constexpr double kCourseFromMps = 2;  // below, a course is noise
constexpr double kContraflowPenalty = 3;
constexpr double kUTurnPenalty = 6;
constexpr double kBacksliding = 15;  // metres that a standing receiver may slide backwards
constexpr double kStandingMetres = 3;
constexpr double kMostSpeedMps = 60;
constexpr double kBetaMetres = 12;   // how far drive and straight line differ...
constexpr double kBetaShare = 0.12;  // ...more so over gaps and in tunnels
constexpr double kDetour = 1.8;
constexpr double kDetourMetres = 250;
constexpr double kLongestGapMetres = 6'000;
constexpr size_t kMostCandidates = 12;
// Another road is named while it fits the latest fix nearly as well. Errors of successive fixes are
// alike, so what speaks against it over all fixes counts less.
constexpr double kAlternativeFit = 2;
constexpr double kAlternativeWithin = 8;
// The direction counts as known when the other one is seven times less likely.
constexpr double kDirectionWithin = 2;

double AngleBetween(double a, double b) {
  const double d = std::fabs(std::fmod(a - b, 360));
  return d > 180 ? 360 - d : d;
}

double SigmaOf(const TrackFix& fix) {
  return std::clamp(fix.accuracy ? fix.accuracy->value : kUnknownSigmaMetres, kLeastSigmaMetres,
                    kMostSigmaMetres);
}

bool AgainstOneWay(const RoadNetwork& network, EdgeId e) {
  return network.allows(e, kAccessContraflow) && !network.allows(e, kAccessEmergency) &&
         !network.allows(e, kAccessCar);
}

}  // namespace

const char* MatchStateName(MatchState state) {
  switch (state) {
    case MatchState::kMatched:
      return "matched";
    case MatchState::kStarted:
      return "started";
    case MatchState::kOffNetwork:
      return "off-network";
    case MatchState::kOutOfOrder:
      return "out-of-order";
  }
  return "unknown";
}

std::vector<MapMatcher::Candidate> MapMatcher::CandidatesOf(const TrackFix& fix) const {
  const double sigma = SigmaOf(fix);
  // The course is weighed here, not by Snap, so that the two directions stay comparable.
  const auto near =
      Snap(*graph_, {.place = fix.place, .accuracy = {sigma}}, kVehicleSnapLimit, kMostCandidates);
  const bool moving = fix.course_deg && fix.speed_mps.value_or(0) >= kCourseFromMps;
  std::vector<Candidate> candidates;
  for (const SnapCandidate& snap : near) {
    Candidate candidate{.position = snap.position, .distance_m = snap.distance.value};
    const double off = snap.distance.value / sigma;
    candidate.log_likelihood = -0.5 * off * off;
    if (moving) {
      const double turned = AngleBetween(snap.heading_deg, *fix.course_deg) / kHeadingSigmaDegrees;
      candidate.log_likelihood -= std::min(kMostHeadingPenalty, 0.5 * turned * turned);
    }
    if (AgainstOneWay(graph_->network(), snap.position.edge))
      candidate.log_likelihood -= kContraflowPenalty;
    candidate.emission = candidate.log_likelihood;
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

void MapMatcher::Explore(const RoadPosition& from, double limit_m) {
  const RoadNetwork& network = graph_->network();
  using Entry = std::tuple<double, uint32_t>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;
  reached_.clear();
  const auto leave = [&](EdgeId e, double metres) {
    if (metres > limit_m) return;
    const JunctionId at = network.head(e);
    for (uint32_t s = network.first_out()[at.value]; s < network.first_out()[at.value + 1]; ++s) {
      const EdgeId next{s};
      const uint32_t turn = graph_->TurnMs(e, next);
      if (turn == kUnreached) continue;
      const auto [known, is_new] = reached_.try_emplace(next, Reached{metres, e});
      if (!is_new) {
        if (known->second.metres <= metres) continue;
        known->second = {metres, e};
      }
      queue.emplace(metres, next.value);
    }
  };
  leave(from.edge, (network.length_cm(from.edge) - from.offset_cm) / 100.0);
  while (!queue.empty()) {
    const auto [metres, edge] = queue.top();
    queue.pop();
    if (metres > reached_[EdgeId{edge}].metres) continue;
    leave(EdgeId{edge}, metres + network.length_cm(EdgeId{edge}) / 100.0);
  }
}

std::optional<double> MapMatcher::DriveMetres(const RoadPosition& from,
                                              const RoadPosition& to) const {
  std::optional<double> best;
  if (from.edge == to.edge && to.offset_cm >= from.offset_cm)
    best = (to.offset_cm - from.offset_cm) / 100.0;
  const auto at = reached_.find(to.edge);
  if (at != reached_.end()) {
    const double metres = at->second.metres + to.offset_cm / 100.0;
    if (!best || metres < *best) best = metres;
  }
  return best;
}

std::vector<EdgeId> MapMatcher::Way(const RoadPosition& from, const RoadPosition& to) const {
  const RoadNetwork& network = graph_->network();
  if (from.edge == to.edge) return {from.edge};
  if (network.twin(from.edge) == to.edge) return {from.edge, to.edge};
  std::vector<EdgeId> way;
  for (EdgeId e = to.edge;;) {
    way.push_back(network.original(e));
    const auto at = reached_.find(e);
    // The seed's own edge may be in the list too, reached again: the way ends where it began.
    if (at == reached_.end() || way.size() > reached_.size()) break;
    e = at->second.before;
    if (e == from.edge) {
      way.push_back(e);
      break;
    }
  }
  std::reverse(way.begin(), way.end());
  return way;
}

bool MapMatcher::Connect(const Step& before, Step& now) {
  const RoadNetwork& network = graph_->network();
  const double straight = Distance(before.fix.place, now.fix.place).value;
  const double seconds =
      std::max(0.2, std::chrono::duration<double>(now.fix.time - before.fix.time).count());
  const double limit = std::min({kDetour * straight + kDetourMetres,
                                 kMostSpeedMps * seconds + kDetourMetres, kLongestGapMetres});
  const double beta = kBetaMetres + kBetaShare * straight;
  std::vector<double> best(now.candidates.size(), -HUGE_VAL);
  for (size_t b = 0; b < before.candidates.size(); ++b) {
    const Candidate& from = before.candidates[b];
    Explore(from.position, limit);
    for (size_t c = 0; c < now.candidates.size(); ++c) {
      Candidate& to = now.candidates[c];
      std::optional<double> metres = DriveMetres(from.position, to.position);
      double penalty = 0;
      const auto slide = [&](double along, double price) {
        if (metres &&
            std::fabs(*metres - straight) / beta <= std::fabs(along - straight) / beta + price)
          return;
        metres = along;
        penalty = price;
      };
      if (from.position.edge == to.position.edge &&
          from.position.offset_cm > to.position.offset_cm) {
        const double back = (from.position.offset_cm - to.position.offset_cm) / 100.0;
        if (back <= kBacksliding) slide(back, 0.2);
      }
      if (network.twin(from.position.edge) == to.position.edge) {
        const double mirrored =
            (network.length_cm(from.position.edge) - to.position.offset_cm) / 100.0;
        slide(std::fabs(mirrored - from.position.offset_cm / 100.0), kUTurnPenalty);
      }
      if (!metres || *metres > limit + kDetourMetres) continue;
      const double total =
          from.log_likelihood - std::fabs(*metres - straight) / beta - penalty + to.emission;
      if (total <= best[c]) continue;
      best[c] = total;
      to.before = static_cast<int>(b);
      to.way = Way(from.position, to.position);
    }
  }
  double highest = -HUGE_VAL;
  for (const double value : best) highest = std::max(highest, value);
  if (highest == -HUGE_VAL) return false;
  // Relative to the best, so that the numbers stay small; who was not reached drops out.
  std::vector<Candidate> kept;
  for (size_t c = 0; c < now.candidates.size(); ++c) {
    if (best[c] == -HUGE_VAL) continue;
    now.candidates[c].log_likelihood = best[c] - highest;
    kept.push_back(std::move(now.candidates[c]));
  }
  now.candidates = std::move(kept);
  return true;
}

void MapMatcher::Restart(Step step) {
  steps_.clear();
  double highest = -HUGE_VAL;
  for (const Candidate& candidate : step.candidates)
    highest = std::max(highest, candidate.log_likelihood);
  for (Candidate& candidate : step.candidates) candidate.log_likelihood -= highest;
  steps_.push_back(std::move(step));
}

MatchedFix MapMatcher::Add(const TrackFix& fix) {
  if (!IsPlausible(fix.place)) return {};
  if (!steps_.empty() && fix.time <= steps_.back().fix.time)
    return {.state = MatchState::kOutOfOrder};
  // Standing: fixes within the receiver's error say nothing new, and must not wear the memory out.
  if (!steps_.empty() &&
      Distance(steps_.back().fix.place, fix.place).value <
          std::max(kStandingMetres, (fix.speed_mps ? 3 : 2) * SigmaOf(fix)) &&
      fix.speed_mps.value_or(0) < kCourseFromMps) {
    steps_.back().fix.time = fix.time;
    return Describe(MatchState::kMatched);
  }
  Step step{fix, CandidatesOf(fix)};
  if (step.candidates.empty()) return {};
  if (steps_.empty() || !Connect(steps_.back(), step)) {
    // Connect changes nothing of the candidates' emissions when it fails.
    Restart(std::move(step));
    return Describe(MatchState::kStarted);
  }
  steps_.push_back(std::move(step));
  if (steps_.size() > kMatchMemory) {
    steps_.pop_front();
    for (Candidate& candidate : steps_.front().candidates) candidate.before = -1;
  }
  return Describe(MatchState::kMatched);
}

MatchedFix MapMatcher::Describe(MatchState state) const {
  const std::vector<Candidate>& candidates = steps_.back().candidates;
  const RoadNetwork& network = graph_->network();
  const auto best = std::max_element(
      candidates.begin(), candidates.end(),
      [](const Candidate& a, const Candidate& b) { return a.log_likelihood < b.log_likelihood; });
  double sum = 0;
  const Candidate* other = nullptr;
  bool direction_known = true;
  for (const Candidate& candidate : candidates) {
    if (candidate.position.edge == network.twin(best->position.edge))
      direction_known = candidate.log_likelihood < best->log_likelihood - kDirectionWithin;
    sum += std::exp(candidate.log_likelihood - best->log_likelihood);
    if (network.piece_of(candidate.position.edge) == network.piece_of(best->position.edge))
      continue;
    // The next piece of the same road is not another place: both ends of the same junction.
    const bool touching =
        network.head(candidate.position.edge) == network.tail(best->position.edge) ||
        network.tail(candidate.position.edge) == network.head(best->position.edge) ||
        network.head(candidate.position.edge) == network.head(best->position.edge) ||
        network.tail(candidate.position.edge) == network.tail(best->position.edge);
    if (touching) continue;
    if (other == nullptr || candidate.log_likelihood > other->log_likelihood) other = &candidate;
  }
  MatchedFix match{.state = state,
                   .position = best->position,
                   .distance = {best->distance_m},
                   .confidence = 1 / sum,
                   .direction_known = direction_known};
  match.way = best->way;
  if (match.way.empty()) match.way = {best->position.edge};
  if (other != nullptr && other->log_likelihood > best->log_likelihood - kAlternativeWithin &&
      other->emission > best->emission - kAlternativeFit) {
    match.alternative = other->position;
    match.alternative_confidence = std::exp(other->log_likelihood - best->log_likelihood) / sum;
  }
  return match;
}

std::vector<RoadPosition> MapMatcher::Recent() const {
  std::vector<RoadPosition> positions;
  if (steps_.empty()) return positions;
  const auto& last = steps_.back().candidates;
  auto at = static_cast<int>(std::max_element(last.begin(), last.end(),
                                              [](const Candidate& a, const Candidate& b) {
                                                return a.log_likelihood < b.log_likelihood;
                                              }) -
                             last.begin());
  for (size_t i = steps_.size(); i-- > 0 && at >= 0;) {
    positions.push_back(steps_[i].candidates[static_cast<size_t>(at)].position);
    at = steps_[i].candidates[static_cast<size_t>(at)].before;
  }
  std::reverse(positions.begin(), positions.end());
  return positions;
}

UnitSnap SnapOfMatch(const TravelGraph& graph, const MatchedFix& match) {
  UnitSnap snap;
  if (match.state == MatchState::kOffNetwork || match.state == MatchState::kOutOfOrder) return snap;
  const RoadNetwork& network = graph.network();
  const auto both = [&](const RoadPosition& at) {
    std::vector<SearchSeed> seeds = {{at, 0}};
    const EdgeId back = network.twin(at.edge);
    if (graph.Passable(back))
      seeds.push_back({{back, network.length_cm(back) - at.offset_cm},
                       match.direction_known ? graph.turn_costs().mid_edge_u_turn_ms : 0});
    return seeds;
  };
  snap.seeds = both(match.position);
  if (match.alternative) snap.alternative = both(*match.alternative);
  snap.distance = match.distance;
  return snap;
}

}  // namespace cordon
