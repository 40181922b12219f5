// SPDX-License-Identifier: Apache-2.0
#include "cli/simulated_unit.h"

#include <algorithm>
#include <cmath>

namespace cordon::cli {
namespace {

constexpr uint32_t kLongestWayMs = 3'600'000;
constexpr double kReceiverScatterM = 2.5;
constexpr double kReceiverAccuracyM = 5;
// The heading is that of the road over this length: a receiver does not see single shape points.
constexpr uint32_t kHeadingOverCm = 1500;

int KindIndex(proto::UnitConfig::Kind kind) {
  return kind == proto::UnitConfig::KIND_MOTORCYCLE ? 1 : 0;
}

}  // namespace

SimulatedCity::SimulatedCity(std::shared_ptr<const RoadNetwork> network)
    : network_(std::move(network)) {
  const RoadState open;
  for (const TravelKind kind : {TravelKind::kCar, TravelKind::kMotorcycle})
    for (const TravelMode mode : {TravelMode::kRoutine, TravelMode::kUrgent})
      graphs_[static_cast<int>(kind)][static_cast<int>(mode)] =
          TravelGraph::Build(network_, open, TravelProfile{kind, mode});
  double total = 0;
  length_until_.reserve(network_->piece_count());
  for (uint32_t i = 0; i < network_->piece_count(); ++i) {
    const RoadPiece& piece = network_->piece(PieceId{i});
    const bool usable =
        !(piece.flags & (kFlagIsland | kFlagGhost)) && graphs_[0][0]->Passable(piece.edge[0]);
    total += usable ? piece.length_cm : 0;
    length_until_.push_back(total);
  }
}

const TravelGraph& SimulatedCity::Graph(proto::UnitConfig::Kind kind, TravelMode mode) const {
  return *graphs_[KindIndex(kind)][static_cast<int>(mode)];
}

RoadPosition SimulatedCity::RandomPlace(std::mt19937_64& random) const {
  std::uniform_real_distribution<double> along(0, length_until_.back());
  const auto at = std::upper_bound(length_until_.begin(), length_until_.end(), along(random));
  const PieceId piece{static_cast<uint32_t>(
      std::min<ptrdiff_t>(at - length_until_.begin(), network_->piece_count() - 1))};
  return {network_->piece(piece).edge[0], network_->piece(piece).length_cm / 2};
}

std::vector<EdgeId> SimulatedCity::Way(proto::UnitConfig::Kind kind, const RoadPosition& from,
                                       const RoadPosition& to) {
  const SearchSeed seed{from, 0};
  const EdgeId goal[] = {to.edge};
  search_.Run(Graph(kind, TravelMode::kUrgent), SearchDirection::kForward, {&seed, 1},
              kLongestWayMs, goal);
  return search_.Path(to);
}

std::optional<RoadPosition> SimulatedCity::StopFor(proto::UnitConfig::Kind kind,
                                                   const LatLon& scene) const {
  const SceneSnap snap = SnapScene(Graph(kind, TravelMode::kUrgent), scene, Metres{300});
  if (snap.seeds.empty()) return std::nullopt;
  return snap.seeds.front().at;
}

SimulatedUnit::SimulatedUnit(std::string id, proto::UnitConfig::Kind kind, SimulatedCity& city,
                             uint64_t seed)
    : id_(std::move(id)), kind_(kind), city_(city), random_(seed), at_(city.RandomPlace(random_)) {}

bool SimulatedUnit::Respond(const LatLon& scene) {
  const std::optional<RoadPosition> stop = city_.StopFor(kind_, scene);
  if (!stop) return false;
  std::vector<EdgeId> way = city_.Way(kind_, at_, *stop);
  if (way.empty()) {
    // Facing the wrong way on a road that goes nowhere else: turn round where it stands.
    at_ = {city_.network().twin(at_.edge), city_.network().length_cm(at_.edge) - at_.offset_cm};
    way = city_.Way(kind_, at_, *stop);
  }
  if (way.empty()) return false;
  responding_ = true;
  at_goal_ = false;
  goal_ = *stop;
  way_ = std::move(way);
  way_next_ = 1;  // the first is where it stands
  return true;
}

void SimulatedUnit::Patrol() {
  responding_ = false;
  at_goal_ = false;
  way_.clear();
  way_next_ = 0;
}

EdgeId SimulatedUnit::NextEdge() {
  if (responding_) return way_next_ < way_.size() ? way_[way_next_++] : kNoEdge;
  const RoadNetwork& network = city_.network();
  const JunctionId junction = network.head(at_.edge);
  std::vector<std::pair<double, EdgeId>> choices;
  for (uint32_t e = network.first_out()[junction.value];
       e < network.first_out()[junction.value + 1]; ++e) {
    const EdgeId edge{e};
    if (network.is_ghost(edge) || !graph().Passable(edge) ||
        graph().TurnMs(at_.edge, edge) == kUnreached)
      continue;
    const bool back = edge == network.twin(at_.edge);
    // Patrols keep to through roads and turn round only where the road ends.
    const bool small = network.piece(edge).road_class >= RoadClass::kService;
    choices.emplace_back(back ? 0.001 : small ? 0.2 : 1.0, edge);
  }
  if (choices.empty()) return network.twin(at_.edge);
  double total = 0;
  for (const auto& [weight, edge] : choices) total += weight;
  double draw = std::uniform_real_distribution<double>(0, total)(random_);
  for (const auto& [weight, edge] : choices)
    if ((draw -= weight) <= 0) return edge;
  return choices.back().second;
}

void SimulatedUnit::Drive(Milliseconds time) {
  const RoadNetwork& network = city_.network();
  double left_ms = static_cast<double>(time.count());
  double driven_cm = 0;
  // A drive of one step crosses few junctions; the bound is against a loop of pieces without
  // length.
  for (int steps = 0; left_ms > 0 && steps < 1000 && !at_goal_; ++steps) {
    const double cm_per_ms =
        network.length_cm(at_.edge) / std::max(1.0, static_cast<double>(graph().EdgeMs(at_.edge)));
    const bool last = responding_ && way_next_ >= way_.size();
    const uint32_t end =
        last ? std::max(at_.offset_cm, goal_.offset_cm) : network.length_cm(at_.edge);
    const double to_end_ms = (end - at_.offset_cm) / cm_per_ms;
    if (to_end_ms > left_ms) {
      const auto moved = static_cast<uint32_t>(left_ms * cm_per_ms);
      at_.offset_cm += moved;
      driven_cm += moved;
      break;
    }
    driven_cm += end - at_.offset_cm;
    left_ms -= to_end_ms;
    at_.offset_cm = end;
    if (last) {
      at_goal_ = true;
      break;
    }
    const EdgeId next = NextEdge();
    if (next == kNoEdge) {
      at_goal_ = true;
      break;
    }
    at_ = {next, 0};
  }
  speed_mps_ = at_goal_ ? 0 : driven_cm / 100 / (static_cast<double>(time.count()) / 1000);
  const uint32_t length = network.length_cm(at_.edge);
  const uint32_t ahead = std::min(length, at_.offset_cm + kHeadingOverCm);
  const uint32_t behind = ahead > kHeadingOverCm ? ahead - kHeadingOverCm : 0;
  if (speed_mps_ > 0 && ahead > behind)
    course_deg_ =
        BearingDegrees(network.PointAt({at_.edge, behind}), network.PointAt({at_.edge, ahead}));
}

SimulatedUnit::Fix SimulatedUnit::Observe() {
  std::normal_distribution<double> scatter(0, kReceiverScatterM);
  std::uniform_real_distribution<double> round(0, 360);
  return {Offset(place(), round(random_), Metres{std::abs(scatter(random_))}), speed_mps_,
          course_deg_, kReceiverAccuracyM};
}

}  // namespace cordon::cli
