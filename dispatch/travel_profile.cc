// SPDX-License-Identifier: Apache-2.0
#include "dispatch/travel_profile.h"

#include <algorithm>
#include <cmath>

namespace cordon {
namespace {

// What a class is driven at when nothing is in the way, routine and urgent, km/h. A tagged or
// default limit lowers the routine speed to nine tenths of itself; sirens may exceed the limit by
// kUrgentOverLimit, up to the urgent figure. Priors, from published emergency travel studies'
// orders of magnitude; learning corrects them by class and hour.
struct ClassSpeeds {
  float routine;
  float urgent;
};
constexpr ClassSpeeds kUrban[kRoadClasses] = {
    {90, 110},  // motorway
    {65, 85},   // trunk
    {48, 65},   // primary
    {45, 60},   // secondary
    {40, 52},   // tertiary
    {35, 45},   // unclassified
    {28, 38},   // residential
    {12, 18},   // living street
    {15, 20},   // service
    {15, 20},   // track
    {8, 15},    // pedestrian
    {5, 5},     // path
    {3, 3},     // steps
    {5, 8},     // barrier
};
constexpr ClassSpeeds kRural[kRoadClasses] = {
    {110, 130}, {85, 105}, {70, 90}, {65, 82}, {55, 70}, {45, 58}, {30, 40},
    {12, 18},   {18, 25},  {20, 28}, {8, 15},  {5, 5},   {3, 3},   {5, 8},
};
constexpr float kOfLimit = 0.9F;
constexpr float kUrgentOverLimit = 1.35F;
constexpr float kLinkFactor = 0.7F;
constexpr float kMotorcycleFactor = 1.08F;
constexpr float kContraflowFactor = 0.5F;
constexpr float kWalkKmh = 5.0F;
constexpr float kHurryKmh = 7.5F;  // an officer on foot, urgent
constexpr float kStepsKmh = 3.0F;

// Waiting and slowing at the end of an edge, ms.
constexpr uint32_t kSignalRoutineMs = 12'000;
constexpr uint32_t kSignalUrgentMs = 3'500;
constexpr uint32_t kCrossingMs = 500;
constexpr uint32_t kGateMs = 8'000;  // opening what may be opened

bool MayDrive(const RoadNetwork& network, EdgeId e, const TravelProfile& profile) {
  switch (profile.kind) {
    case TravelKind::kFoot:
      return network.allows(e, kAccessFoot);
    case TravelKind::kCar:
      if (network.allows(e, kAccessCar)) return true;
      break;
    case TravelKind::kMotorcycle:
      if (network.allows(e, kAccessMotorcycle)) return true;
      break;
  }
  return profile.mode == TravelMode::kUrgent &&
         (network.allows(e, kAccessEmergency) || network.allows(e, kAccessContraflow));
}

bool AgainstOneWay(const RoadNetwork& network, EdgeId e) {
  return network.allows(e, kAccessContraflow) && !network.allows(e, kAccessEmergency) &&
         !network.allows(e, kAccessCar);
}

uint32_t DriveMs(uint32_t length_cm, float kmh) {
  // 1 cm at 1 km/h takes 36 ms.
  const double ms = std::ceil(static_cast<double>(length_cm) * 36.0 / static_cast<double>(kmh));
  return static_cast<uint32_t>(std::clamp(ms, 1.0, 10'000'000.0));
}

}  // namespace

const char* TravelKindName(TravelKind kind) {
  switch (kind) {
    case TravelKind::kCar:
      return "car";
    case TravelKind::kMotorcycle:
      return "motorcycle";
    case TravelKind::kFoot:
      return "foot";
  }
  return "";
}

std::optional<TravelKind> TravelKindFromName(std::string_view name) {
  for (const TravelKind kind : {TravelKind::kCar, TravelKind::kMotorcycle, TravelKind::kFoot})
    if (name == TravelKindName(kind)) return kind;
  return std::nullopt;
}

TurnCosts TurnCostsOf(const TravelProfile& profile, bool drives_left) {
  TurnCosts costs;
  if (profile.kind == TravelKind::kFoot) return costs;
  const bool urgent = profile.mode == TravelMode::kUrgent;
  const uint32_t near_side = urgent ? 2'000 : 3'000;  // right, where one drives on the right
  const uint32_t far_side = urgent ? 3'000 : 5'000;   // across the oncoming traffic
  const uint32_t u_turn = urgent ? 9'000 : 15'000;
  for (uint32_t angle = 0; angle < 64; ++angle) {
    const bool right = angle < 32;
    const uint32_t off = right ? angle : 64 - angle;  // 16 is a right angle
    const uint32_t full = right != drives_left ? near_side : far_side;
    if (off >= 30) {
      costs.by_angle_ms[angle] = u_turn;
    } else if (off > 5) {  // up to 28 degrees is straight on
      const uint32_t share = std::min<uint32_t>(off - 5, 11);
      costs.by_angle_ms[angle] = full * share / 11 + (off > 20 ? full * (off - 20) / 20 : 0);
    }
  }
  costs.forbidden_ms = 6'000;
  costs.mid_edge_u_turn_ms = u_turn;
  return costs;
}

float CruiseKmh(const RoadPiece& piece, bool forward, const TravelProfile& profile) {
  const auto c = static_cast<size_t>(piece.road_class);
  const bool urgent = profile.mode == TravelMode::kUrgent;
  if (profile.kind == TravelKind::kFoot) {
    if (piece.road_class == RoadClass::kSteps) return kStepsKmh;
    return urgent ? kHurryKmh : kWalkKmh;
  }
  const ClassSpeeds& speeds = (piece.flags & kFlagUrban ? kUrban : kRural)[c];
  const auto limit = static_cast<float>(piece.speed_kmh[forward ? 0 : 1]);
  float kmh = urgent ? speeds.urgent : speeds.routine;
  if (limit > 0) kmh = std::min(kmh, limit * kOfLimit * (urgent ? kUrgentOverLimit : 1.0F));
  // A tagged limit above the class's prior says that the road is better than its class.
  if (limit > 0 && (piece.flags & kFlagMaxspeedTagged))
    kmh =
        std::max(kmh, std::min(limit * kOfLimit, (urgent ? speeds.urgent : speeds.routine) * 1.3F));
  if (piece.flags & kFlagLink) kmh *= kLinkFactor;
  if (piece.flags & kFlagRoundabout) kmh = std::min(kmh, urgent ? 35.0F : 28.0F);
  if (profile.kind == TravelKind::kMotorcycle && urgent) kmh *= kMotorcycleFactor;
  return std::max(3.0F, kmh);
}

uint32_t EdgeTimeMs(const RoadNetwork& network, EdgeId e, const TravelProfile& profile) {
  if (!MayDrive(network, e, profile)) return kUnreached;
  const RoadPiece& piece = network.piece(e);
  const bool forward = network.is_forward(e);
  if (profile.kind == TravelKind::kFoot)
    return DriveMs(piece.length_cm, CruiseKmh(piece, forward, profile));
  const bool against = AgainstOneWay(network, e);
  // Against a one-way only the permitted direction has a posted speed.
  float kmh = CruiseKmh(piece, against ? !forward : forward, profile);
  if (against) kmh *= kContraflowFactor;
  uint32_t ms = DriveMs(piece.length_cm, kmh);
  if (piece.road_class == RoadClass::kBarrier) ms += kGateMs;
  if (network.has_signal(e)) {
    ms += profile.mode == TravelMode::kUrgent ? kSignalUrgentMs : kSignalRoutineMs;
  } else if (network.ends_at_crossing(e)) {
    ms += kCrossingMs;
  }
  return ms;
}

uint32_t EdgeTimeMs(const RoadNetwork& network, EdgeId e, const FugitiveProfile& profile) {
  const RoadPiece& piece = network.piece(e);
  constexpr TravelProfile kUrgentCar{TravelKind::kCar, TravelMode::kUrgent};
  if (piece.flags & kFlagGhost) return kUnreached;
  const EdgeId twin = network.twin(e);
  const bool with = network.allows(e, kAccessCar) || network.allows(e, kAccessEmergency);
  const bool against = network.allows(twin, kAccessCar) || network.allows(twin, kAccessEmergency);
  const bool walked =
      piece.road_class == RoadClass::kPedestrian || piece.road_class == RoadClass::kPath;
  if (!with && !(against && profile.contraflow) && !(walked && profile.off_road_paths))
    return kUnreached;
  const bool forward = network.is_forward(e);
  float kmh = CruiseKmh(piece, with ? forward : !forward, kUrgentCar) *
              std::max(0.1F, profile.speed_factor);
  if (walked) kmh = std::max(kmh, 20.0F);
  return DriveMs(piece.length_cm, kmh);
}

}  // namespace cordon
