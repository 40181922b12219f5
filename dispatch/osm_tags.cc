// SPDX-License-Identifier: Apache-2.0
#include "dispatch/osm_tags.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace cordon {
namespace {

constexpr CountryLimits kGeneric{"", 120, 90, 50, false};
constexpr CountryLimits kCountries[] = {
    {"AT", 130, 100, 50, false}, {"AU", 110, 100, 50, true},  {"BE", 120, 70, 50, false},
    {"BR", 110, 80, 60, false},  {"CH", 120, 80, 50, false},  {"CN", 120, 70, 50, false},
    {"CZ", 130, 90, 50, false},  {"DE", 130, 100, 50, false}, {"DK", 130, 80, 50, false},
    {"ES", 120, 90, 50, false},  {"FI", 120, 80, 50, false},  {"FR", 130, 80, 50, false},
    {"GB", 112, 96, 48, true},   {"GR", 130, 90, 50, false},  {"HK", 110, 80, 50, true},
    {"HU", 130, 90, 50, false},  {"IE", 120, 80, 50, true},   {"IN", 120, 80, 50, true},
    {"IT", 130, 90, 50, false},  {"JP", 100, 60, 60, true},   {"KR", 110, 80, 50, false},
    {"MC", 50, 50, 50, false},   {"MO", 80, 60, 60, true},    {"MY", 110, 90, 60, true},
    {"NL", 100, 80, 50, false},  {"NO", 110, 80, 50, false},  {"NZ", 100, 100, 50, true},
    {"PL", 140, 90, 50, false},  {"PT", 120, 90, 50, false},  {"RO", 130, 90, 50, false},
    {"RU", 110, 90, 60, false},  {"SE", 110, 70, 50, false},  {"SG", 90, 70, 50, true},
    {"TH", 120, 90, 60, true},   {"TR", 120, 90, 50, false},  {"TW", 110, 70, 50, false},
    {"UA", 130, 90, 50, false},  {"US", 105, 88, 40, false},  {"ZA", 120, 100, 60, true},
};

struct HighwayClass {
  std::string_view value;
  RoadClass road_class;
  bool link;
};
constexpr HighwayClass kHighways[] = {
    {"motorway", RoadClass::kMotorway, false},
    {"motorway_link", RoadClass::kMotorway, true},
    {"trunk", RoadClass::kTrunk, false},
    {"trunk_link", RoadClass::kTrunk, true},
    {"primary", RoadClass::kPrimary, false},
    {"primary_link", RoadClass::kPrimary, true},
    {"secondary", RoadClass::kSecondary, false},
    {"secondary_link", RoadClass::kSecondary, true},
    {"tertiary", RoadClass::kTertiary, false},
    {"tertiary_link", RoadClass::kTertiary, true},
    {"unclassified", RoadClass::kUnclassified, false},
    {"road", RoadClass::kUnclassified, false},
    {"residential", RoadClass::kResidential, false},
    {"living_street", RoadClass::kLivingStreet, false},
    {"service", RoadClass::kService, false},
    {"busway", RoadClass::kService, false},
    {"bus_guideway", RoadClass::kPath, false},
    {"track", RoadClass::kTrack, false},
    {"pedestrian", RoadClass::kPedestrian, false},
    {"footway", RoadClass::kPath, false},
    {"path", RoadClass::kPath, false},
    {"cycleway", RoadClass::kPath, false},
    {"bridleway", RoadClass::kPath, false},
    {"corridor", RoadClass::kPath, false},
    {"steps", RoadClass::kSteps, false},
};

std::string_view Value(const OsmTags& tags, std::string_view key) {
  const auto at = tags.find(key);
  return at == tags.end() ? std::string_view() : std::string_view(at->second);
}

bool Is(const OsmTags& tags, std::string_view key, std::string_view value) {
  return Value(tags, key) == value;
}

template <size_t N>
bool OneOf(std::string_view value, const std::string_view (&list)[N]) {
  return std::find(std::begin(list), std::end(list), value) != std::end(list);
}

bool Permits(std::string_view v) {
  constexpr std::string_view kYes[] = {"yes",       "designated", "permissive", "destination",
                                       "customers", "delivery",   "official",   "permit"};
  return OneOf(v, kYes);
}
bool Forbids(std::string_view v) {
  constexpr std::string_view kNo[] = {"no",       "private",    "agricultural", "forestry",
                                      "military", "restricted", "use_sidepath"};
  return OneOf(v, kNo);
}
bool ForGuests(std::string_view v) {
  constexpr std::string_view kGuests[] = {"destination", "customers", "delivery", "permit"};
  return OneOf(v, kGuests);
}

// The most specific of the keys that says anything.
template <size_t N>
std::string_view MostSpecific(const OsmTags& tags, const std::string_view (&keys)[N]) {
  for (const std::string_view key : keys)
    if (const std::string_view v = Value(tags, key); Permits(v) || Forbids(v)) return v;
  return {};
}

constexpr std::string_view kCarKeys[] = {"motorcar", "motor_vehicle", "vehicle", "access"};
constexpr std::string_view kMotorcycleKeys[] = {"motorcycle", "motor_vehicle", "vehicle", "access"};
constexpr std::string_view kFootKeys[] = {"foot", "access"};

// +1 as drawn, -1 against, 0 both, 2 changes by the hour.
int OneWay(const OsmTags& tags, RoadClass road_class, bool link) {
  for (const std::string_view key : {"oneway:motor_vehicle", "oneway:vehicle", "oneway"}) {
    const std::string_view v = Value(tags, key);
    if (v == "yes" || v == "true" || v == "1") return 1;
    if (v == "-1" || v == "reverse") return -1;
    if (v == "no" || v == "false" || v == "0") return 0;
    if (v == "reversible" || v == "alternating") return 2;
  }
  const bool round = Is(tags, "junction", "roundabout") || Is(tags, "junction", "circular");
  return round || (road_class == RoadClass::kMotorway && !link) ? 1 : 0;
}

// Access in the permitted direction, without one-way rules: bits of the forward edge.
uint16_t AccessAlong(const OsmTags& tags, RoadClass road_class, DraftWay& way) {
  const bool wide = road_class < RoadClass::kPath;
  const bool motor_class = road_class < RoadClass::kPedestrian;
  const bool bus_only = Is(tags, "highway", "busway");
  const std::string_view car = MostSpecific(tags, kCarKeys);
  const std::string_view motorcycle = MostSpecific(tags, kMotorcycleKeys);
  const std::string_view foot = MostSpecific(tags, kFootKeys);
  const std::string_view emergency = Value(tags, "emergency");
  uint16_t access = 0;
  const bool for_emergency_only = Is(tags, "service", "emergency_access");
  if ((motor_class && !bus_only && !for_emergency_only && !Forbids(car)) || (wide && Permits(car)))
    access |= kAccessCar;
  if ((motor_class && !bus_only && !for_emergency_only && !Forbids(motorcycle)) ||
      (wide && Permits(motorcycle)))
    access |= kAccessMotorcycle;
  if (ForGuests(car)) way.flags |= kFlagNoThrough;
  // access=no alone may mean a building site: urgent only where somebody is let through.
  const bool shut = Is(tags, "access", "no") && !Permits(Value(tags, "bus")) &&
                    !Permits(Value(tags, "psv")) && !Permits(foot);
  if (Permits(emergency) || (wide && !shut && emergency != "no")) access |= kAccessEmergency;
  if ((access & kAccessCar) && emergency != "no") access |= kAccessEmergency;
  const bool motorway = road_class == RoadClass::kMotorway || Is(tags, "motorroad", "yes");
  if (!Forbids(foot) && (!motorway || Permits(foot))) access |= kAccessFoot;
  if (Is(tags, "highway", "cycleway") && foot.empty()) access |= kAccessFoot;
  return access;
}

void SpreadAccess(const OsmTags& tags, DraftWay& way) {
  const uint16_t along = AccessAlong(tags, way.road_class, way);
  const int one_way = OneWay(tags, way.road_class, way.flags & kFlagLink);
  if (along & kAccessFoot) way.access |= BothWays(kAccessFoot);
  const bool no_contraflow = way.road_class <= RoadClass::kTrunk || (way.flags & kFlagRoundabout);
  for (const bool forward : {true, false}) {
    const bool with = one_way == 0 || one_way == (forward ? 1 : -1);
    for (const AccessBit bit : {kAccessCar, kAccessMotorcycle})
      if (with && (along & bit)) way.access |= AccessOf(bit, forward);
    if (!(along & kAccessEmergency)) continue;
    if (with || one_way == 2) {
      way.access |= AccessOf(kAccessEmergency, forward);
    } else if (!no_contraflow) {
      way.access |= AccessOf(kAccessContraflow, forward);
    }
  }
}

void ReadSpeeds(const OsmTags& tags, const CountryLimits& limits, DraftWay& way) {
  uint8_t both = ParseMaxspeed(Value(tags, "maxspeed"), limits);
  for (const std::string_view key : {"maxspeed:type", "zone:maxspeed", "source:maxspeed"})
    if (both == 0 && Value(tags, key).find(':') != std::string_view::npos)
      both = ParseMaxspeed(Value(tags, key), limits);
  const uint8_t ahead = ParseMaxspeed(Value(tags, "maxspeed:forward"), limits);
  const uint8_t back = ParseMaxspeed(Value(tags, "maxspeed:backward"), limits);
  way.speed_kmh[0] = ahead != 0 ? ahead : both;
  way.speed_kmh[1] = back != 0 ? back : both;
  if (way.speed_kmh[0] != 0 && way.speed_kmh[1] != 0) way.flags |= kFlagMaxspeedTagged;
}

}  // namespace

const CountryLimits& LimitsOf(std::string_view country) {
  for (const CountryLimits& limits : kCountries)
    if (country == limits.country) return limits;
  return kGeneric;
}

std::optional<DraftWay> RoadOf(const OsmTags& tags, const CountryLimits& limits) {
  const std::string_view highway = Value(tags, "highway");
  if (highway.empty()) return std::nullopt;
  const auto* found = std::find_if(std::begin(kHighways), std::end(kHighways),
                                   [&](const HighwayClass& h) { return h.value == highway; });
  if (found == std::end(kHighways)) return std::nullopt;
  DraftWay way;
  way.road_class = found->road_class;
  if (found->link) way.flags |= kFlagLink;
  if (Is(tags, "junction", "roundabout") || Is(tags, "junction", "circular"))
    way.flags |= kFlagRoundabout;
  if (const auto v = Value(tags, "bridge"); !v.empty() && v != "no") way.flags |= kFlagBridge;
  if (const auto v = Value(tags, "tunnel"); !v.empty() && v != "no") way.flags |= kFlagTunnel;
  const std::string_view layer = Value(tags, "layer");
  int number = 0;
  if (std::from_chars(layer.data(), layer.data() + layer.size(), number).ec == std::errc())
    way.layer = static_cast<int8_t>(std::clamp(number, -9, 9));
  const std::string_view name = Value(tags, "name");
  way.name = name.empty() ? Value(tags, "ref") : name;
  // The rim of a square is walked along; nobody drives along it.
  if (Is(tags, "area", "yes") && way.road_class < RoadClass::kPath)
    way.road_class = RoadClass::kPath;
  SpreadAccess(tags, way);
  ReadSpeeds(tags, limits, way);
  if (way.access == 0) return std::nullopt;
  return way;
}

uint8_t DefaultLimit(RoadClass road_class, uint16_t flags, bool urban,
                     const CountryLimits& limits) {
  switch (road_class) {
    case RoadClass::kMotorway:
      return flags & kFlagLink ? limits.rural_kmh : limits.motorway_kmh;
    case RoadClass::kTrunk:
      return urban ? static_cast<uint8_t>(limits.urban_kmh + 20) : limits.rural_kmh;
    case RoadClass::kLivingStreet:
      return 20;
    case RoadClass::kService:
      return 30;
    case RoadClass::kTrack:
      return 40;
    case RoadClass::kPedestrian:
      return 15;
    case RoadClass::kPath:
    case RoadClass::kSteps:
    case RoadClass::kBarrier:
      return 10;
    default:
      return urban ? limits.urban_kmh : limits.rural_kmh;
  }
}

uint8_t ParseMaxspeed(std::string_view text, const CountryLimits& limits) {
  if (text.empty()) return 0;
  if (text == "none") return 130;
  if (text == "walk" || text.ends_with(":walk") || text.ends_with(":living_street")) return 10;
  if (text.size() > 3 && text[2] == ':') {
    const std::string zone_country(text.substr(0, 2));
    const CountryLimits& own = LimitsOf(zone_country);
    const CountryLimits& zone = own.country[0] != '\0' ? own : limits;
    const std::string_view kind = text.substr(3);
    if (kind == "urban") return zone.urban_kmh;
    if (kind == "rural") return zone.rural_kmh;
    if (kind == "motorway") return zone.motorway_kmh;
    if (kind == "trunk") return zone.rural_kmh;
    if (kind.starts_with("zone"))
      text = kind.substr(kind.find_first_of("0123456789") == std::string_view::npos
                             ? kind.size()
                             : kind.find_first_of("0123456789"));
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !(value > 0) || value > 250) return 0;
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  if (unit.starts_with("mph")) value *= 1.609344;
  if (unit.starts_with("knots")) value *= 1.852;
  return static_cast<uint8_t>(std::clamp(std::lround(value), 1L, 250L));
}

std::string CountryOfZone(const OsmTags& tags) {
  for (const std::string_view key :
       {"maxspeed", "maxspeed:type", "zone:maxspeed", "source:maxspeed", "zone:traffic"}) {
    const std::string_view v = Value(tags, key);
    if (v.size() > 3 && v[2] == ':' && std::isupper(static_cast<unsigned char>(v[0])) &&
        std::isupper(static_cast<unsigned char>(v[1])))
      return std::string(v.substr(0, 2));
  }
  return {};
}

bool ReadPoint(const OsmTags& tags, DraftPoint& into) {
  const bool signal = Is(tags, "highway", "traffic_signals");
  if (signal) {
    const std::string_view direction = Value(tags, "traffic_signals:direction");
    into.signal_forward = direction != "backward";
    into.signal_backward = direction != "forward";
  }
  const std::string_view barrier = Value(tags, "barrier");
  constexpr std::string_view kPhysical[] = {"bollard",
                                            "block",
                                            "jersey_barrier",
                                            "cycle_barrier",
                                            "motorcycle_barrier",
                                            "stile",
                                            "kissing_gate",
                                            "turnstile",
                                            "full-height_turnstile",
                                            "log",
                                            "debris",
                                            "planter",
                                            "horse_stile",
                                            "fence",
                                            "wall",
                                            "hedge",
                                            "ditch",
                                            "retaining_wall",
                                            "city_wall",
                                            "tank_trap",
                                            "guard_rail",
                                            "barrier_board"};
  constexpr std::string_view kOpens[] = {
      "gate",      "lift_gate", "swing_gate",  "sliding_gate",  "hampshire_gate",
      "bump_gate", "chain",     "rope",        "cable_barrier", "wicket_gate",
      "yes",       "bus_trap",  "sump_buster", "spikes"};
  const bool physical = OneOf(barrier, kPhysical);
  const bool opens = OneOf(barrier, kOpens);
  if (!physical && !opens) return signal;
  into.barrier = true;
  const bool locked = Is(tags, "locked", "yes");
  const std::string_view car = MostSpecific(tags, kCarKeys);
  const std::string_view foot = MostSpecific(tags, kFootKeys);
  const bool let_in = Permits(Value(tags, "emergency"));
  const bool wall =
      barrier == "wall" || barrier == "fence" || barrier == "hedge" || barrier == "city_wall";
  if (!Forbids(foot) && !(wall && foot.empty())) into.barrier_access |= BothWays(kAccessFoot);
  const bool cars_pass =
      !locked &&
      (physical ? Permits(car) : !Forbids(car) && barrier != "bus_trap" && barrier != "spikes");
  if (cars_pass) into.barrier_access |= BothWays(kAccessCar) | BothWays(kAccessMotorcycle);
  if ((cars_pass || let_in) && !Is(tags, "emergency", "no"))
    into.barrier_access |= BothWays(kAccessEmergency);
  return true;
}

std::optional<SiteKind> SiteOf(const OsmTags& tags) {
  const std::string_view amenity = Value(tags, "amenity");
  if (amenity == "school" || amenity == "kindergarten" || amenity == "university" ||
      amenity == "college")
    return SiteKind::kSchool;
  if (amenity == "hospital" || amenity == "clinic") return SiteKind::kHospital;
  if (amenity == "police") return SiteKind::kPolice;
  if (Is(tags, "railway", "station") || Is(tags, "public_transport", "station") ||
      amenity == "bus_station")
    return SiteKind::kStation;
  return std::nullopt;
}

RestrictionUse ReadRestriction(const OsmTags& tags, RestrictionMeaning& into) {
  std::string_view kind;
  for (const std::string_view key :
       {"restriction:motorcar", "restriction:motor_vehicle", "restriction"})
    if (kind.empty()) kind = Value(tags, key);
  if (kind.empty()) {
    const bool conditional = std::any_of(tags.begin(), tags.end(), [](const auto& tag) {
      return tag.first.starts_with("restriction") && tag.first.ends_with(":conditional");
    });
    if (conditional) return RestrictionUse::kConditional;
    const bool others = std::any_of(tags.begin(), tags.end(), [](const auto& tag) {
      return tag.first.starts_with("restriction:");
    });
    return others ? RestrictionUse::kOtherVehicles : RestrictionUse::kUnknown;
  }
  const std::string except = ";" + std::string(Value(tags, "except")) + ";";
  if (except.find(";motorcar;") != std::string::npos ||
      except.find(";motor_vehicle;") != std::string::npos)
    return RestrictionUse::kOtherVehicles;
  into.except_emergency = except.find("emergency") != std::string::npos;
  into.only = kind.starts_with("only_");
  into.u_turn = kind == "no_u_turn";
  return into.only || kind.starts_with("no_") ? RestrictionUse::kApplies : RestrictionUse::kUnknown;
}

}  // namespace cordon
