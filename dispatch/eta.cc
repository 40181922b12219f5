// SPDX-License-Identifier: Apache-2.0
#include "dispatch/eta.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"
#include "dispatch/unit_tracks.h"

namespace cordon {
namespace {

constexpr double kMovingMps = 1.0;
constexpr double kCourseFromMps = 2.0;
// A unit that settles fewer edges than this within a minute is shut in.
constexpr size_t kShutInEdges = 12;
constexpr uint32_t kProbeMs = 60'000;
// Explaining why somebody is not reached costs a search each; a flood of such units must not cost
// more than the answer.
constexpr size_t kMostProbes = 20;

uint32_t ToMs(Nanoseconds t) {
  return static_cast<uint32_t>(
      std::clamp<int64_t>(std::chrono::duration_cast<Milliseconds>(t).count(), 0, 86'400'000));
}

uint32_t TimeOf(const BoundedSearch& search, std::span<const SearchSeed> seeds, RoadPosition* at) {
  uint32_t best = kUnreached;
  for (const SearchSeed& seed : seeds) {
    const uint32_t time = search.TimeAt(seed.at);
    if (time == kUnreached || time + seed.delay_ms >= best) continue;
    best = time + seed.delay_ms;
    if (at != nullptr) *at = seed.at;
  }
  return best;
}

std::string_view StatusReason(proto::UnitStatus status) {
  switch (status) {
    case proto::UNIT_STATUS_ASSIGNED:
      return "already assigned";
    case proto::UNIT_STATUS_ACKNOWLEDGED:
      return "already assigned and acknowledged";
    case proto::UNIT_STATUS_EN_ROUTE:
      return "on its way to another place";
    case proto::UNIT_STATUS_ON_SCENE:
      return "on scene elsewhere";
    case proto::UNIT_STATUS_BUSY:
      return "busy";
    default:
      return "";
  }
}

// Moves each arrival once: they are big.
void Rank(std::vector<UnitArrival>& units) {
  std::vector<uint32_t> order(units.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    const auto key = [](const UnitArrival& u) {
      return std::tuple(u.left_out != LeftOut::kNo, !u.has_eta, u.eta, std::cref(u.id));
    };
    return key(units[a]) < key(units[b]);
  });
  std::vector<UnitArrival> ranked;
  ranked.reserve(units.size());
  for (const uint32_t i : order) ranked.push_back(std::move(units[i]));
  units = std::move(ranked);
}

std::string AgeText(Nanoseconds age) {
  const auto s = std::chrono::duration_cast<Seconds>(age).count();
  if (s < 300) return fmt::format("{} s", s);
  if (s < 7200) return fmt::format("{} min", s / 60);
  return s < 172'800 ? fmt::format("{} h", s / 3600) : fmt::format("{} days", s / 86'400);
}

}  // namespace

TravelKind TravelKindOf(proto::UnitConfig::Kind kind) {
  switch (kind) {
    case proto::UnitConfig::KIND_MOTORCYCLE:
      return TravelKind::kMotorcycle;
    case proto::UnitConfig::KIND_FOOT:
      return TravelKind::kFoot;
    default:
      return TravelKind::kCar;
  }
}

const char* LeftOutName(LeftOut left_out) {
  switch (left_out) {
    case LeftOut::kNo:
      return "no";
    case LeftOut::kNoFix:
      return "no_fix";
    case LeftOut::kStale:
      return "stale";
    case LeftOut::kBusy:
      return "busy";
    case LeftOut::kOutOfService:
      return "out_of_service";
    case LeftOut::kOffNetwork:
      return "off_network";
    case LeftOut::kCutOff:
      return "cut_off";
    case LeftOut::kTooFar:
      return "too_far";
  }
  return "";
}

const UnitSnap& EtaEngine::SnapOf(const UnitState& unit, TravelKind kind,
                                  const TravelGraph& graph) {
  const double accuracy = unit.accuracy ? unit.accuracy->value : 0;
  const bool moving = unit.speed_mps.value_or(0) >= kCourseFromMps;
  KnownSnap& known = snaps_[unit.id.str()];
  if (tracks_ != nullptr) {
    if (std::optional<UnitSnap> matched = tracks_->Matched(unit, graph)) {
      known.snap = *std::move(matched);
      known.by_track = true;
      known.used = round_;
      return known.snap;
    }
  }
  const bool same = known.used != 0 && !known.by_track && known.place == unit.place &&
                    known.course_deg == unit.course_deg && known.moving == moving &&
                    known.accuracy == accuracy && known.kind == kind &&
                    known.state_version == graph.state_version();
  known.used = round_;
  if (same) return known.snap;
  known.by_track = false;
  known.place = unit.place;
  known.course_deg = unit.course_deg;
  known.moving = moving;
  known.accuracy = accuracy;
  known.kind = kind;
  known.state_version = graph.state_version();
  known.snap = SnapUnit(graph, {unit.place, {accuracy}, unit.course_deg, unit.speed_mps});
  return known.snap;
}

void EtaEngine::LeaveOut(const UnitState& unit, UnitArrival& arrival) const {
  if (unit.freshness == Freshness::kNever) {
    arrival.left_out = LeftOut::kNoFix;
    arrival.reason = "no position yet";
  } else if (unit.status == proto::UNIT_STATUS_OUT_OF_SERVICE) {
    arrival.left_out = LeftOut::kOutOfService;
    arrival.reason = "out of service";
  } else if (const auto reason = StatusReason(unit.status); !reason.empty()) {
    arrival.left_out = LeftOut::kBusy;
    arrival.reason = reason;
  } else if (unit.freshness == Freshness::kStale || unit.age > options_.stale) {
    arrival.left_out = LeftOut::kStale;
    arrival.reason = fmt::format("its position is {} old", AgeText(unit.age));
  }
}

void EtaEngine::Arrive(const UnitState& unit, const UnitSnap& snap, const BoundedSearch& search,
                       const TravelGraph& graph, UnitArrival& arrival) const {
  RoadPosition at;
  uint32_t likely = TimeOf(search, snap.seeds, &at);
  RoadPosition other_at;
  uint32_t other = TimeOf(search, snap.alternative, &other_at);
  if (likely == kUnreached) {
    likely = other;
    at = other_at;
  }
  if (likely == kUnreached) return;
  // Of two roads side by side the unit may be on either: promise the later arrival.
  if (other == kUnreached) other = likely;
  if (other > likely) at = other_at;
  const bool parked = unit.speed_mps.value_or(0) < kMovingMps;
  uint32_t extra = parked ? ToMs(options_.turn_out) : 0;
  if (arrival.kind == TravelKind::kFoot)
    extra += static_cast<uint32_t>(snap.distance.value / 1.5 * 1000);
  const uint32_t worst = std::max(likely, other) + extra;
  const uint32_t best = std::min(likely, other) + extra;
  const double kmh = static_cast<double>(CruiseKmh(graph.network().piece(at.edge),
                                                   graph.network().is_forward(at.edge),
                                                   {arrival.kind, options_.mode}));
  const double accuracy = unit.accuracy ? unit.accuracy->value : 0;
  const auto blur =
      static_cast<uint32_t>(std::clamp(accuracy * 3600 / kmh, 0.0, 600'000.0)) + ToMs(unit.age);
  arrival.has_eta = true;
  arrival.position = at;
  arrival.eta = Milliseconds(worst);
  arrival.low = Milliseconds(best > blur ? best - blur : 0);
  arrival.high = Milliseconds(worst + blur);
  for (auto tier = options_.tiers_s.rbegin(); tier != options_.tiers_s.rend(); ++tier)
    if (worst <= uint64_t{*tier} * 1000) arrival.tier_s = *tier;
}

void EtaEngine::ExplainUnreached(const UnitSnap& snap, const TravelGraph& graph,
                                 UnitArrival& arrival) {
  const RoadNetwork& network = graph.network();
  if (network.piece(snap.seeds.front().at.edge).flags & kFlagIsland) {
    arrival.left_out = LeftOut::kCutOff;
    arrival.reason = "on roads that are not connected with the rest";
    return;
  }
  probe_.Run(graph, SearchDirection::kForward, snap.seeds, kProbeMs);
  const bool shut_in = probe_.settled() < kShutInEdges;
  arrival.left_out = shut_in ? LeftOut::kCutOff : LeftOut::kTooFar;
  arrival.reason = shut_in ? "cannot leave where it is: closed roads or barriers around it"
                           : fmt::format("no way within {} s", options_.search_limit.count());
}

absl::StatusOr<EtaAnswer> EtaEngine::ToScene(const SceneQuery& query,
                                             std::span<const UnitState> units) {
  if (!IsPlausible(query.scene)) return absl::InvalidArgumentError("the scene is not a position");
  ++round_;
  EtaAnswer answer;
  answer.off_network = true;
  std::array<std::vector<size_t>, 3> by_kind;
  answer.units.resize(units.size());
  for (size_t i = 0; i < units.size(); ++i) {
    UnitArrival& arrival = answer.units[i];
    arrival.unit = i;
    arrival.id = units[i].id;
    arrival.kind = TravelKindOf(units[i].kind);
    LeaveOut(units[i], arrival);
    if (units[i].freshness != Freshness::kNever)
      by_kind[static_cast<size_t>(arrival.kind)].push_back(i);
  }
  for (size_t kind = 0; kind < 3; ++kind) {
    graphs_[kind].reset();
    if (by_kind[kind].empty() && kind != 0)
      continue;  // cars always: the scene's own place is said for them
    graphs_[kind] = model_->Graph({static_cast<TravelKind>(kind), options_.mode});
    const TravelGraph& graph = *graphs_[kind];
    const SceneSnap scene =
        SnapScene(graph, query.scene, kind == 2 ? kFootSnapLimit : kVehicleSnapLimit);
    if (!scene.seeds.empty() && (answer.off_network || scene.distance < answer.scene_snap))
      answer.scene_snap = scene.distance;
    if (!scene.seeds.empty()) answer.off_network = false;
    std::vector<const UnitSnap*> snaps;
    std::vector<EdgeId> targets;
    for (const size_t i : by_kind[kind]) SnapOf(units[i], static_cast<TravelKind>(kind), graph);
    for (const size_t i : by_kind[kind]) {
      snaps.push_back(&snaps_.at(units[i].id.str()).snap);  // stable: nothing is added any more
      for (const auto* seeds : {&snaps.back()->seeds, &snaps.back()->alternative})
        for (const SearchSeed& seed : *seeds) targets.push_back(seed.at.edge);
    }
    const auto limit = static_cast<uint32_t>(Milliseconds(options_.search_limit).count());
    if (targets.empty() || scene.seeds.empty()) {
      searches_[kind].Run(graph, SearchDirection::kReverse, scene.seeds, 0);
    } else {
      searches_[kind].Run(graph, SearchDirection::kReverse, scene.seeds, limit, targets);
    }
    answer.settled += searches_[kind].settled();
    size_t probes = 0;
    for (size_t n = 0; n < by_kind[kind].size(); ++n) {
      UnitArrival& arrival = answer.units[by_kind[kind][n]];
      if (snaps[n]->seeds.empty()) {
        if (arrival.left_out == LeftOut::kNo || arrival.left_out == LeftOut::kStale) {
          arrival.left_out = LeftOut::kOffNetwork;
          arrival.reason = "no road near its position";
        }
        continue;
      }
      Arrive(units[arrival.unit], *snaps[n], searches_[kind], graph, arrival);
      if (arrival.has_eta || arrival.left_out != LeftOut::kNo) continue;
      arrival.left_out = LeftOut::kTooFar;
      arrival.reason = scene.seeds.empty()
                           ? "no road near the scene"
                           : fmt::format("no way within {} s", options_.search_limit.count());
      if (!answer.off_network && probes++ < kMostProbes)
        ExplainUnreached(*snaps[n], graph, arrival);
    }
  }
  Rank(answer.units);
  for (size_t i = 0; i < std::min(query.routes_for, answer.units.size()); ++i)
    if (answer.units[i].has_eta) answer.units[i].route = RouteOf(answer.units[i]);
  Recommend(query, answer);
  if (snaps_.size() > 2 * units.size() + 1000)
    absl::erase_if(snaps_, [this](const auto& entry) { return entry.second.used != round_; });
  return answer;
}

EtaRoute EtaEngine::RouteOf(const UnitArrival& arrival) const {
  EtaRoute route;
  const auto kind = static_cast<size_t>(arrival.kind);
  if (!arrival.has_eta || graphs_[kind] == nullptr) return route;
  const TravelGraph& graph = *graphs_[kind];
  const RoadNetwork& n = graph.network();
  const auto path = searches_[kind].Path(arrival.position);
  for (size_t i = 0; i < path.size(); ++i) {
    const EdgeId e = path[i];
    uint32_t from = 0;
    uint32_t to = n.length_cm(e);
    if (i == 0) from = std::min(to, arrival.position.offset_cm);
    if (i + 1 == path.size()) to = std::max(from, searches_[kind].SeedOffset(e, from));
    for (const RoadPoint& p : n.Part(e, from, to))
      if (route.points.empty() || !(p == route.points.back())) route.points.push_back(p);
    const double metres = (to - from) / 100.0;
    const Milliseconds duration(graph.PartMs(e, to) - graph.PartMs(e, from));
    route.distance.value += metres;
    const std::string_view name = n.name(n.piece_of(e));
    if (route.steps.empty() || route.steps.back().name != name)
      route.steps.push_back({std::string(name), {0}, Milliseconds(0)});
    route.steps.back().distance.value += metres;
    route.steps.back().duration += duration;
  }
  return route;
}

// Needs in order, each by the earliest units that are not taken yet.
void EtaEngine::Recommend(const SceneQuery& query, EtaAnswer& answer) const {
  std::vector<uint8_t> taken(answer.units.size());
  for (const UnitNeed& need : query.needs) {
    size_t found = 0;
    for (size_t i = 0; i < answer.units.size() && found < need.count; ++i) {
      const UnitArrival& u = answer.units[i];
      if (taken[i] || u.left_out != LeftOut::kNo || !u.has_eta) continue;
      if (!need.kinds.empty() &&
          std::find(need.kinds.begin(), need.kinds.end(), u.kind) == need.kinds.end())
        continue;
      taken[i] = 1;
      ++found;
      answer.recommended.push_back(i);
    }
    if (found == need.count) continue;
    std::string kinds;
    for (const TravelKind kind : need.kinds)
      kinds += (kinds.empty() ? "" : " or ") + std::string(TravelKindName(kind));
    answer.shortfalls.push_back(fmt::format("{} of {} {} can come within {} s", found, need.count,
                                            kinds.empty() ? "unit" : kinds,
                                            options_.search_limit.count()));
  }
}

}  // namespace cordon
