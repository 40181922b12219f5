// SPDX-License-Identifier: Apache-2.0
#include "dispatch/road_report.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace cordon {
namespace {

constexpr uint16_t kMotor =
    BothWays(kAccessCar) | BothWays(kAccessEmergency) | BothWays(kAccessContraflow);
constexpr size_t kExamples = 5;
constexpr uint32_t kCrowd = 8;

// Strongly connected parts of what routine cars may drive (Tarjan, without recursion); returns the
// part of each junction.
std::vector<uint32_t> StrongParts(const RoadNetwork& n, uint32_t& count) {
  const uint32_t junctions = n.junction_count();
  std::vector<uint32_t> order(junctions, kNoIndex), low(junctions), part(junctions, kNoIndex),
      stack;
  struct Frame {
    uint32_t junction;
    uint32_t next;
  };
  std::vector<Frame> frames;
  uint32_t clock = 0;
  count = 0;
  for (uint32_t start = 0; start < junctions; ++start) {
    if (order[start] != kNoIndex) continue;
    frames.push_back({start, n.first_out()[start]});
    while (!frames.empty()) {
      Frame& f = frames.back();
      const uint32_t j = f.junction;
      if (order[j] == kNoIndex) {
        order[j] = low[j] = clock++;
        stack.push_back(j);
      }
      if (f.next < n.first_out()[j + 1]) {
        const EdgeId e{f.next++};
        if (!n.allows(e, kAccessCar) || n.is_ghost(e)) continue;
        const uint32_t to = n.head(e).value;
        if (order[to] == kNoIndex) {
          frames.push_back({to, n.first_out()[to]});
        } else if (part[to] == kNoIndex) {
          low[j] = std::min(low[j], order[to]);
        }
        continue;
      }
      if (low[j] == order[j]) {
        while (true) {
          const uint32_t top = stack.back();
          stack.pop_back();
          part[top] = count;
          if (top == j) break;
        }
        ++count;
      }
      frames.pop_back();
      if (!frames.empty())
        low[frames.back().junction] = std::min(low[frames.back().junction], low[j]);
    }
  }
  return part;
}

void CountTraps(const RoadNetwork& n, RoadReport& report) {
  uint32_t count = 0;
  const auto part = StrongParts(n, count);
  std::vector<uint32_t> size(count);
  for (const uint32_t p : part) ++size[p];
  const auto main_part =
      static_cast<uint32_t>(std::max_element(size.begin(), size.end()) - size.begin());
  for (uint32_t j = 0; j < n.junction_count(); ++j) {
    if (part[j] == main_part) continue;
    bool joins_main = false;
    for (uint32_t s = n.first_out()[j]; s < n.first_out()[j + 1]; ++s) {
      const EdgeId e{s};
      const bool driven = n.allows(e, kAccessCar) || n.allows(n.twin(e), kAccessCar);
      joins_main |= driven && part[n.head(e).value] == main_part;
    }
    if (!joins_main) continue;
    ++report.traps;
    if (report.trap_examples.size() < kExamples)
      report.trap_examples.push_back(n.point(JunctionId{j}).ToLatLon());
  }
}

void CountPiece(const RoadNetwork& n, PieceId p, RoadReport& report) {
  const RoadPiece& piece = n.piece(p);
  if (piece.flags & kFlagGhost) {
    ++report.ghosts;
    return;
  }
  ++report.pieces;
  const double km = piece.length_cm / 1e5;
  const bool motor = piece.access & kMotor;
  if (piece.road_class == RoadClass::kBarrier) {
    ++report.barriers;
    report.barriers_open_to_urgent += (piece.access & BothWays(kAccessEmergency)) != 0;
    return;
  }
  report.km_by_class[static_cast<size_t>(piece.road_class)] += km;
  if (!motor) report.km_walked_only += km;
  if (motor && (piece.flags & kFlagIsland)) report.km_island += km;
  if (piece.flags & kFlagBridge) report.km_bridge += km;
  if (piece.flags & kFlagTunnel) report.km_tunnel += km;
  if (piece.access & BothWays(kAccessContraflow)) report.km_contraflow += km;
  const uint16_t car = piece.access & BothWays(kAccessCar);
  if (car != 0 && car != BothWays(kAccessCar)) report.km_one_way += km;
  for (const EdgeId e : piece.edge) {
    report.edges_routine += n.allows(e, kAccessCar);
    report.edges_urgent +=
        n.allows(e, kAccessCar) || n.allows(e, kAccessEmergency) || n.allows(e, kAccessContraflow);
    report.signals += n.has_signal(e);
  }
  const bool minor =
      piece.road_class >= RoadClass::kResidential && piece.road_class <= RoadClass::kTrack;
  report.fast_minor_pieces += minor && (piece.flags & kFlagMaxspeedTagged) &&
                              std::max(piece.speed_kmh[0], piece.speed_kmh[1]) > 100;
}

void CountJunctions(const RoadNetwork& n, RoadReport& report) {
  std::set<uint32_t> island_roots;
  std::vector<uint32_t> parent(n.junction_count());
  std::iota(parent.begin(), parent.end(), 0);
  const auto root = [&](uint32_t j) {
    while (parent[j] != j) j = parent[j] = parent[parent[j]];
    return j;
  };
  for (uint32_t p = 0; p < n.piece_count(); ++p) {
    const RoadPiece& piece = n.piece(PieceId{p});
    if ((piece.access & kMotor) && (piece.flags & kFlagIsland))
      parent[root(n.head(piece.edge[0]).value)] = root(n.head(piece.edge[1]).value);
  }
  for (uint32_t j = 0; j < n.junction_count(); ++j) {
    uint32_t driven = 0;
    bool island = false;
    for (uint32_t s = n.first_out()[j]; s < n.first_out()[j + 1]; ++s) {
      const RoadPiece& piece = n.piece(EdgeId{s});
      if (!(piece.access & kMotor) || (piece.flags & kFlagGhost)) continue;
      ++driven;
      island |= (piece.flags & kFlagIsland) != 0;
    }
    report.dead_ends += driven == 1;
    report.crowded_junctions += driven > kCrowd;
    if (island) island_roots.insert(root(j));
  }
  report.islands = static_cast<uint32_t>(island_roots.size());
}

}  // namespace

const char* RoadClassName(RoadClass road_class) {
  constexpr const char* kNames[kRoadClasses] = {
      "motorway",     "trunk",       "primary",       "secondary", "tertiary",
      "unclassified", "residential", "living_street", "service",   "track",
      "pedestrian",   "path",        "steps",         "barrier"};
  return kNames[static_cast<size_t>(road_class)];
}

const char* SiteKindName(SiteKind kind) {
  constexpr const char* kNames[] = {"school", "hospital", "police", "station", "other"};
  return kNames[static_cast<size_t>(kind)];
}

RoadReport ReportOn(const RoadNetwork& network) {
  RoadReport report;
  report.junctions = network.junction_count();
  for (uint32_t p = 0; p < network.piece_count(); ++p) CountPiece(network, PieceId{p}, report);
  for (const TurnRule& rule : network.turn_rules())
    report.forbidden_turns +=
        rule.kind == TurnRuleKind::kForbidden || rule.kind == TurnRuleKind::kForbiddenNotUrgent;
  for (const RoadSite& site : network.sites()) ++report.sites[SiteKindName(site.kind)];
  std::string_view notes = network.notes();
  while (!notes.empty()) {
    const std::string_view line = notes.substr(0, notes.find('\n'));
    notes.remove_prefix(std::min(notes.size(), line.size() + 1));
    if (const size_t at = line.find('='); at != std::string_view::npos)
      report.notes.emplace(line.substr(0, at), line.substr(at + 1));
  }
  CountJunctions(network, report);
  CountTraps(network, report);
  return report;
}

}  // namespace cordon
