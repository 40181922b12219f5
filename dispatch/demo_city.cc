// SPDX-License-Identifier: Apache-2.0
#include "dispatch/demo_city.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>
#include <utility>

#include "dispatch/road_geometry.h"

namespace cordon {
namespace {

constexpr LatLon kCentre{34.0, 113.0};
constexpr int kColumns = 71;
constexpr int kRows = 57;
constexpr double kSpacing = 145;  // metres between streets
constexpr double kRiverHalfWidth = 85;
constexpr double kEmbankmentOff = 135;
constexpr double kRingX = 3600;  // half axes of the ring road
constexpr double kRingY = 2900;
constexpr double kCarriagewayOff = 14;

const char* const kNames[] = {
    "Acacia",   "Almond",  "Amber",    "Apricot",  "Aspen",   "Azalea",    "Bamboo",  "Barley",
    "Beacon",   "Birch",   "Bridge",   "Camellia", "Canal",   "Cedar",     "Cherry",  "Chestnut",
    "Clover",   "Copper",  "Cotton",   "Crane",    "Cypress", "Dawn",      "Drum",    "Elm",
    "Falcon",   "Fern",    "Fountain", "Garden",   "Garnet",  "Ginkgo",    "Granite", "Harbour",
    "Hazel",    "Heron",   "Hill",     "Ivory",    "Jade",    "Jasmine",   "Juniper", "Lantern",
    "Laurel",   "Linden",  "Lotus",    "Magnolia", "Maple",   "Market",    "Meadow",  "Mill",
    "Mulberry", "Oak",     "Olive",    "Orchard",  "Orchid",  "Osmanthus", "Peach",   "Pear",
    "Peony",    "Pine",    "Plum",     "Poplar",   "Quarry",  "Quince",    "River",   "Rose",
    "Rowan",    "Saffron", "Silk",     "Spring",   "Stone",   "Swan",      "Teak",    "Thistle",
    "Tower",    "Walnut",  "Willow",   "Wisteria"};
constexpr size_t kNameCount = sizeof kNames / sizeof kNames[0];

// SplitMix64 (public domain, S. Vigna): the same numbers on every machine.
class Dice {
 public:
  uint64_t Next() {
    uint64_t z = state_ += 0x9E37'79B9'7F4A'7C15;
    z = (z ^ z >> 30) * 0xBF58'476D'1CE4'E5B9;
    z = (z ^ z >> 27) * 0x94D0'49BB'1331'11EB;
    return z ^ z >> 31;
  }
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  bool Chance(double p) { return Unit() < p; }
  double Spread(double most) { return (Unit() * 2 - 1) * most; }

 private:
  uint64_t state_ = 135;
};

double RiverY(double x) { return -500 + 420 * std::sin(x / 2400) + 130 * std::sin(x / 850 + 1); }

struct Park {
  double x, y, rx, ry;
};
constexpr Park kParks[] = {{-2100, 1500, 420, 330},
                           {1500, 2050, 350, 260},
                           {2400, -2000, 520, 380},
                           {-900, -1900, 300, 260}};

bool InPark(const PlanePoint& p) {
  return std::any_of(std::begin(kParks), std::end(kParks), [&](const Park& park) {
    return std::pow((p.x - park.x) / park.rx, 2) + std::pow((p.y - park.y) / park.ry, 2) < 1;
  });
}

double FromCentre(const PlanePoint& p) { return std::hypot(p.x / 1.15, p.y - 250); }

// A street between two neighbouring crossings, with the points where other roads were laid across
// it.
struct Street {
  uint32_t a = 0;
  uint32_t b = 0;
  RoadClass road_class = RoadClass::kResidential;
  int one_way = 0;  // 1: from a to b, -1: from b to a
  bool bridge = false;
  bool gone = false;
  std::string name;
  int line = 0;                                        // row, or column + 1000
  std::vector<std::pair<double, uint32_t>> crossings;  // part of the way from a to b, point
};

class City {
 public:
  RoadDraft Draw() {
    PlaceCrossings();
    LayStreets();
    LayBridges();
    for (const double side : {1.0, -1.0}) LayEmbankment(side);
    LayRing();
    LayAvenue({-3000, 2600}, {-350, 330}, "Northwest Avenue");
    LayAvenue({420, 280}, {3300, 2300}, "Northeast Avenue");
    WriteStreets();
    WriteParks();
    AddDeadEnds();
    DropUnconnected();
    AddSignals();
    AddRestrictions();
    AddSites();
    draft_.notes = {{"source", "demo city"}, {"attribution", "drawn by Cordon"}};
    return std::move(draft_);
  }

 private:
  uint32_t AddPoint(const PlanePoint& p) {
    draft_.points.push_back({plane_.Back(p)});
    places_.push_back(p);
    return static_cast<uint32_t>(places_.size() - 1);
  }

  // A grid bent by slow waves and shaken a little: districts with directions of their own.
  void PlaceCrossings() {
    for (int r = 0; r < kRows; ++r)
      for (int c = 0; c < kColumns; ++c) {
        const double x = (c - kColumns / 2) * kSpacing;
        const double y = (r - kRows / 2) * kSpacing;
        const double bend_x = 150 * std::sin(y / 1300 + 0.4) + 70 * std::sin(y / 520 + x / 1900);
        const double bend_y = 130 * std::sin(x / 1500) + 60 * std::cos(x / 640 - y / 1700);
        AddPoint({x + bend_x + dice_.Spread(16), y + bend_y + dice_.Spread(16)});
      }
  }

  static uint32_t At(int r, int c) { return static_cast<uint32_t>(r * kColumns + c); }
  bool InRiver(const PlanePoint& p) const { return std::abs(p.y - RiverY(p.x)) < kRiverHalfWidth; }
  bool Across(const PlanePoint& a, const PlanePoint& b) const {
    return (a.y > RiverY(a.x)) != (b.y > RiverY(b.x));
  }

  static RoadClass ClassOfLine(int line, int middle) {
    const int off = std::abs(line - middle);
    if (off % 12 == 0) return RoadClass::kPrimary;
    if (off % 6 == 0) return RoadClass::kSecondary;
    if (off % 3 == 0) return RoadClass::kTertiary;
    return RoadClass::kResidential;
  }

  void LayStreets() {
    for (int r = 0; r < kRows; ++r)
      for (int c = 0; c + 1 < kColumns; ++c)
        LayStreet(At(r, c), At(r, c + 1), r, ClassOfLine(r, kRows / 2));
    for (int c = 0; c < kColumns; ++c)
      for (int r = 0; r + 1 < kRows; ++r)
        LayStreet(At(r, c), At(r + 1, c), c + 1000, ClassOfLine(c, kColumns / 2));
  }

  void LayStreet(uint32_t a, uint32_t b, int line, RoadClass road_class) {
    const PlanePoint& p = places_[a];
    const PlanePoint& q = places_[b];
    const double out = FromCentre(p);
    const bool minor = road_class == RoadClass::kResidential;
    // The dice are thrown for every street, so that one rule's change does not move all others.
    const double missing = dice_.Unit();
    const double kind = dice_.Unit();
    if (InRiver(p) || InRiver(q) || Across(p, q)) return;
    if (minor && (InPark(p) || InPark(q))) return;
    if (out > 4300 && road_class > RoadClass::kSecondary) return;
    if (minor && missing < (out < 1300 ? 0.10 : out < 2600 ? 0.24 : out < 3500 ? 0.42 : 0.72))
      return;
    if (road_class == RoadClass::kTertiary && missing < (out < 3500 ? 0.04 : 0.4)) return;
    Street s;
    s.a = a;
    s.b = b;
    s.line = line;
    s.road_class = road_class;
    if (minor && out > 1200 && kind < 0.05) s.road_class = RoadClass::kLivingStreet;
    if (minor && out < 420 && kind < 0.45) s.road_class = RoadClass::kPedestrian;
    if (s.road_class == RoadClass::kResidential && out < 1700) s.one_way = line % 2 == 0 ? 1 : -1;
    if (road_class == RoadClass::kTertiary && out < 1100 && line % 2 == 1)
      s.one_way = line % 4 == 1 ? 1 : -1;
    s.name = NameOfLine(line);
    streets_.push_back(std::move(s));
  }

  static std::string NameOfLine(int line) {
    if (line >= 1000)
      return std::string(kNames[static_cast<size_t>(line * 7) % kNameCount]) + " Road";
    return std::string(kNames[static_cast<size_t>(line * 11 + 5) % kNameCount]) + " Street";
  }

  // Few bridges: that is what makes the far bank far.
  void LayBridges() {
    for (const int column : {12, 29, 35, 53}) {
      int below = -1;
      for (int r = 0; r < kRows; ++r) {
        const PlanePoint& p = places_[At(r, column)];
        if (InRiver(p)) continue;
        if (below >= 0 && Across(places_[At(below, column)], p)) {
          Street s;
          s.a = At(below, column);
          s.b = At(r, column);
          s.line = column + 1000;
          s.road_class = column == 35 ? RoadClass::kPrimary : RoadClass::kSecondary;
          s.bridge = true;
          s.name = NameOfLine(s.line) + " Bridge";
          streets_.push_back(std::move(s));
          break;
        }
        below = r;
      }
    }
  }

  // Lays a road over the streets: `meets` decides for each street it crosses whether there is a
  // crossing (the street gets a point) or the street ends.
  std::vector<uint32_t> LayOver(const std::vector<PlanePoint>& line, bool closed,
                                const std::function<bool(const Street&)>& meets) {
    std::vector<uint32_t> points;
    const size_t segments = line.size() - (closed ? 0 : 1);
    for (size_t i = 0; i < segments; ++i) {
      const PlanePoint& p = line[i];
      const PlanePoint& q = line[(i + 1) % line.size()];
      points.push_back(AddPoint(p));
      std::vector<std::pair<double, uint32_t>> here;
      for (Street& s : streets_) {
        if (s.gone) continue;
        double along = 0;
        double across = 0;
        if (!Intersect(p, q, places_[s.a], places_[s.b], along, across)) continue;
        if (!meets(s)) {
          s.gone = true;
          continue;
        }
        const uint32_t crossing = AddPoint({p.x + along * (q.x - p.x), p.y + along * (q.y - p.y)});
        here.emplace_back(along, crossing);
        s.crossings.emplace_back(across, crossing);
        crossings_.push_back(crossing);
      }
      std::sort(here.begin(), here.end());
      for (const auto& [along, crossing] : here) points.push_back(crossing);
    }
    points.push_back(closed ? points.front() : AddPoint(line.back()));
    return points;
  }

  static bool Intersect(const PlanePoint& p, const PlanePoint& q, const PlanePoint& a,
                        const PlanePoint& b, double& along, double& across) {
    const double dx = q.x - p.x, dy = q.y - p.y, ex = b.x - a.x, ey = b.y - a.y;
    const double cross = dx * ey - dy * ex;
    if (cross == 0) return false;
    along = ((a.x - p.x) * ey - (a.y - p.y) * ex) / cross;
    across = ((a.x - p.x) * dy - (a.y - p.y) * dx) / cross;
    return along >= 0 && along < 1 && across > 0.02 && across < 0.98;
  }

  void LayEmbankment(double side) {
    std::vector<PlanePoint> line;
    for (double x = -4200; x <= 4200; x += 60)
      line.push_back({x, RiverY(x) + side * kEmbankmentOff});
    const auto points = LayOver(line, false, [](const Street&) { return true; });
    WriteWay(points, RoadClass::kTertiary, 0, side > 0 ? "North Embankment" : "South Embankment",
             50);
  }

  // Two one-way carriageways. The outer one runs counter-clockwise: the oncoming one lies to the
  // left.
  void LayRing() {
    for (const bool outer : {true, false}) {
      std::vector<PlanePoint> line;
      const double off = outer ? kCarriagewayOff : -kCarriagewayOff;
      constexpr int kParts = 240;
      for (int i = 0; i < kParts; ++i) {
        const double angle = (outer ? 1 : -1) * 2 * std::numbers::pi * i / kParts;
        const double wave = 1 + 0.05 * std::sin(3 * angle) + 0.03 * std::cos(5 * angle);
        line.push_back({(kRingX * wave + off) * std::cos(angle),
                        (kRingY * wave + off) * std::sin(angle) + 100});
      }
      const auto points = LayOver(line, true, [](const Street& s) {
        return s.road_class <= RoadClass::kSecondary ||
               (s.road_class == RoadClass::kTertiary && s.line % 2 == 0);
      });
      WriteRing(points);
    }
  }

  void WriteRing(const std::vector<uint32_t>& points) {
    size_t from = 0;
    const auto wet = [&](size_t i) {
      return InRiver(places_[points[i]]) || Across(places_[points[i]], places_[points[i - 1]]);
    };
    for (size_t i = 1; i < points.size(); ++i) {
      const bool last = i + 1 == points.size();
      if (!last && wet(i) == wet(i + 1)) continue;
      WriteWay({points.begin() + static_cast<ptrdiff_t>(from),
                points.begin() + static_cast<ptrdiff_t>(i) + 1},
               RoadClass::kTrunk, 1, "Ring Road", 70);
      if (wet(i)) {
        draft_.ways.back().flags |= kFlagBridge;
        draft_.ways.back().layer = 1;
      }
      from = i;
    }
  }

  void LayAvenue(const PlanePoint& from, const PlanePoint& to, const char* name) {
    std::vector<PlanePoint> line;
    for (int i = 0; i <= 40; ++i) {
      const double t = i / 40.0;
      const double bow = 130 * std::sin(t * std::numbers::pi);
      line.push_back({from.x + t * (to.x - from.x) + bow, from.y + t * (to.y - from.y) - bow});
    }
    const auto points = LayOver(line, false, [](const Street&) { return true; });
    WriteWay(points, RoadClass::kPrimary, 0, name, 60);
  }

  void WriteWay(std::vector<uint32_t> points, RoadClass road_class, int one_way, std::string name,
                uint8_t limit) {
    points.erase(std::unique(points.begin(), points.end()), points.end());
    if (points.size() < 2) return;
    DraftWay way;
    way.id = static_cast<int64_t>(draft_.ways.size() + 1);
    way.points = std::move(points);
    way.road_class = road_class;
    way.name = std::move(name);
    way.speed_kmh[0] = way.speed_kmh[1] = limit;
    way.flags = kFlagUrban;
    const bool motor = road_class < RoadClass::kPedestrian;
    way.access = road_class == RoadClass::kTrunk ? 0 : BothWays(kAccessFoot);
    if (road_class == RoadClass::kPedestrian) way.access |= BothWays(kAccessEmergency);
    if (motor)
      for (const bool forward : {true, false}) {
        const bool permitted = one_way == 0 || (one_way > 0) == forward;
        for (const AccessBit bit : {kAccessCar, kAccessMotorcycle, kAccessEmergency})
          if (permitted) way.access |= AccessOf(bit, forward);
        if (!permitted && road_class != RoadClass::kTrunk)
          way.access |= AccessOf(kAccessContraflow, forward);
      }
    draft_.ways.push_back(std::move(way));
  }

  static uint8_t LimitOf(RoadClass road_class) {
    switch (road_class) {
      case RoadClass::kPrimary:
        return 60;
      case RoadClass::kSecondary:
        return 50;
      case RoadClass::kTertiary:
        return 50;
      case RoadClass::kLivingStreet:
        return 20;
      default:
        return 30;
    }
  }

  // Neighbouring streets of one line and kind become one way.
  void WriteStreets() {
    for (size_t i = 0; i < streets_.size();) {
      Street& first = streets_[i];
      if (first.gone) {
        ++i;
        continue;
      }
      std::vector<uint32_t> points = {first.a};
      size_t j = i;
      while (j < streets_.size() && !streets_[j].gone && streets_[j].a == points.back() &&
             SameKind(first, streets_[j])) {
        Street& s = streets_[j];
        std::sort(s.crossings.begin(), s.crossings.end());
        for (const auto& [part, point] : s.crossings) points.push_back(point);
        points.push_back(s.b);
        ++j;
      }
      WriteWay(std::move(points), first.road_class, first.one_way, first.name,
               LimitOf(first.road_class));
      if (first.bridge) {
        draft_.ways.back().flags |= kFlagBridge;
        draft_.ways.back().layer = 1;
      }
      if (dice_.Chance(0.02) && first.road_class == RoadClass::kResidential && first.one_way == 0)
        PutBollard();
      i = j;
    }
  }

  static bool SameKind(const Street& a, const Street& b) {
    return a.line == b.line && a.road_class == b.road_class && a.one_way == b.one_way &&
           a.bridge == b.bridge;
  }

  // In the middle of the last way's first street, where cars are not to pass.
  void PutBollard() {
    DraftWay& way = draft_.ways.back();
    const PlanePoint& p = places_[way.points[0]];
    const PlanePoint& q = places_[way.points[1]];
    const uint32_t middle = AddPoint({(p.x + q.x) / 2, (p.y + q.y) / 2});
    draft_.points[middle].barrier = true;
    draft_.points[middle].barrier_access = BothWays(kAccessFoot);
    way.points.insert(way.points.begin() + 1, middle);
  }

  void WriteParks() {
    for (const Park& park : kParks) {
      std::vector<uint32_t> rim;
      for (int i = 0; i < 12; ++i) {
        const double angle = 2 * std::numbers::pi * i / 12;
        rim.push_back(AddPoint(
            {park.x + 0.7 * park.rx * std::cos(angle), park.y + 0.7 * park.ry * std::sin(angle)}));
      }
      rim.push_back(rim.front());
      const uint32_t middle = AddPoint({park.x, park.y});
      WriteWay(rim, RoadClass::kPath, 0, "Park Walk", 5);
      for (const size_t i : {0, 3, 6, 9})
        WriteWay({NearestUsed(places_[rim[i]]), rim[i], middle}, RoadClass::kPath, 0, "", 5);
    }
  }

  uint32_t NearestUsed(const PlanePoint& p) const {
    uint32_t best = 0;
    double least = 1e18;
    for (const DraftWay& way : draft_.ways)
      if (way.road_class <= RoadClass::kResidential && way.road_class > RoadClass::kTrunk &&
          !(way.flags & kFlagBridge))
        for (const uint32_t i : way.points)
          if (const double d = std::hypot(places_[i].x - p.x, places_[i].y - p.y);
              d < least && d > 1) {
            least = d;
            best = i;
          }
    return best;
  }

  // Courtyards and cul-de-sacs.
  void AddDeadEnds() {
    const size_t ways = draft_.ways.size();
    for (size_t w = 0; w < ways; ++w) {
      if (draft_.ways[w].road_class != RoadClass::kResidential || draft_.ways[w].name.empty())
        continue;
      const auto points = draft_.ways[w].points;
      for (size_t i = 0; i + 1 < points.size(); ++i) {
        const double turn = dice_.Spread(0.5) + (dice_.Chance(0.5) ? 1.6 : -1.6);
        const double length = 35 + 30 * dice_.Unit();
        if (!dice_.Chance(0.22)) continue;
        const PlanePoint& p = places_[points[i]];
        const PlanePoint& q = places_[points[i + 1]];
        const uint32_t gate = AddPoint({(p.x + q.x) / 2, (p.y + q.y) / 2});
        const double heading = std::atan2(q.y - p.y, q.x - p.x) + turn;
        const uint32_t yard = AddPoint({places_[gate].x + length * std::cos(heading),
                                        places_[gate].y + length * std::sin(heading)});
        auto& into = draft_.ways[w].points;
        into.insert(std::find(into.begin(), into.end(), points[i + 1]), gate);
        WriteWay({gate, yard}, RoadClass::kService, 0, "", 20);
      }
    }
  }

  // Streets that the dice left without any connection.
  void DropUnconnected() {
    std::vector<uint32_t> parent(draft_.points.size());
    std::iota(parent.begin(), parent.end(), 0);
    const auto root = [&](uint32_t p) {
      while (parent[p] != p) p = parent[p] = parent[parent[p]];
      return p;
    };
    for (const DraftWay& way : draft_.ways)
      for (const uint32_t p : way.points) parent[root(p)] = root(way.points[0]);
    std::vector<size_t> size(draft_.points.size());
    for (const DraftWay& way : draft_.ways) size[root(way.points[0])] += way.points.size();
    const auto main_part =
        static_cast<uint32_t>(std::max_element(size.begin(), size.end()) - size.begin());
    std::erase_if(draft_.ways,
                  [&](const DraftWay& way) { return root(way.points[0]) != main_part; });
  }

  void AddSignals() {
    std::vector<int> main_roads(draft_.points.size());
    for (const DraftWay& way : draft_.ways)
      if (way.road_class <= RoadClass::kTertiary)
        for (const uint32_t p : way.points) ++main_roads[p];
    for (uint32_t p = 0; p < main_roads.size(); ++p) {
      const bool signal =
          main_roads[p] >= 3 || (main_roads[p] == 2 && FromCentre(places_[p]) < 2500);
      draft_.points[p].signal_forward = draft_.points[p].signal_backward = signal;
    }
  }

  // No left turn off the primary roads onto the two avenues, no U-turn on the bridges' ramps.
  void AddRestrictions() {
    for (size_t w = 0; w < draft_.ways.size(); ++w) {
      const DraftWay& way = draft_.ways[w];
      if (way.flags & kFlagBridge && way.road_class != RoadClass::kTrunk)
        for (const uint32_t end : {way.points.front(), way.points.back()})
          draft_.restrictions.push_back({w, {}, end, w, false, false, true});
      if (way.road_class != RoadClass::kPrimary) continue;
      for (size_t v = 0; v < draft_.ways.size(); ++v) {
        const DraftWay& other = draft_.ways[v];
        if (v == w || other.road_class != RoadClass::kPrimary ||
            other.points.front() != way.points.back())
          continue;
        if (LeftTurn(way, other))
          draft_.restrictions.push_back({w, {}, way.points.back(), v, false, v % 2 == 0, false});
      }
    }
  }

  bool LeftTurn(const DraftWay& from, const DraftWay& to) const {
    const PlanePoint& a = places_[from.points[from.points.size() - 2]];
    const PlanePoint& b = places_[from.points.back()];
    const PlanePoint& c = places_[to.points[1]];
    const double cross = (b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x);
    return cross > 0.5 * std::hypot(b.x - a.x, b.y - a.y) * std::hypot(c.x - b.x, c.y - b.y);
  }

  void AddSites() {
    struct Want {
      SiteKind kind;
      int count;
      const char* word;
    };
    constexpr Want kWanted[] = {{SiteKind::kSchool, 26, "School"},
                                {SiteKind::kHospital, 6, "Hospital"},
                                {SiteKind::kPolice, 7, "Police Station"},
                                {SiteKind::kStation, 4, "Railway Station"},
                                {SiteKind::kOther, 5, "Market"}};
    for (const Want& want : kWanted)
      for (int i = 0; i < want.count; ++i) {
        PlanePoint p;
        do {
          const double angle = dice_.Unit() * 2 * std::numbers::pi;
          const double out = 3300 * std::sqrt(dice_.Unit());
          p = {out * 1.15 * std::cos(angle), out * 0.85 * std::sin(angle) + 200};
        } while (std::abs(p.y - RiverY(p.x)) < 250 || InPark(p));
        const PlanePoint& street = places_[NearestUsed(p)];
        DraftSite site;
        site.at = plane_.Back({street.x + 12, street.y + 9});
        site.kind = want.kind;
        site.name = std::string(kNames[dice_.Next() % kNameCount]) + " " + want.word;
        draft_.sites.push_back(std::move(site));
      }
  }

  LocalPlane plane_{kCentre};
  Dice dice_;
  RoadDraft draft_;
  std::vector<PlanePoint> places_;  // of draft_.points, in metres from the centre
  std::vector<Street> streets_;
  std::vector<uint32_t> crossings_;
};

}  // namespace

RoadDraft DrawDemoCity() { return City().Draw(); }

std::vector<std::vector<LatLon>> DemoCityWater() {
  constexpr double kReach = 7000;
  const LocalPlane plane(kCentre);
  std::vector<LatLon> ring;
  for (double x = -kReach; x <= kReach; x += 50)
    ring.push_back(plane.Back({x, RiverY(x) + kRiverHalfWidth}).ToLatLon());
  for (double x = kReach; x >= -kReach; x -= 50)
    ring.push_back(plane.Back({x, RiverY(x) - kRiverHalfWidth}).ToLatLon());
  return {ring};
}

LatLon DemoCityCentre() { return kCentre; }

}  // namespace cordon
