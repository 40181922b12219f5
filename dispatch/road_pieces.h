// SPDX-License-Identifier: Apache-2.0
// Between a draft and a road file: pieces and junctions that still have lists. Used by the
// builder's parts only.
#pragma once

#include <cstdint>
#include <vector>

#include "dispatch/road_draft.h"

namespace cordon {

// A piece in one direction before edges have numbers: piece * 2 + (backward ? 1 : 0).
using HalfPiece = uint32_t;
constexpr HalfPiece Opposite(HalfPiece h) { return h ^ 1; }

struct BuiltPiece {
  uint32_t tail = 0;  // junctions
  uint32_t head = 0;
  std::vector<RoadPoint> shape;  // tail to head, at least two points
  uint32_t length_cm = 1;
  size_t way_at_tail = 0;  // position in RoadDraft::ways; differ when ways were joined
  size_t way_at_head = 0;
  RoadClass road_class = RoadClass::kResidential;
  uint16_t flags = 0;
  uint16_t access = 0;
  uint8_t speed_kmh[2] = {0, 0};
  int8_t layer = 0;
  uint8_t leaving[2] = {0, 0};  // 1/64 circle, by direction
  uint8_t arriving[2] = {0, 0};
  bool crossing_at_head = false;
  bool crossing_at_tail = false;
  uint32_t ghost_of = kNoIndex;
};

struct BuiltTurnRule {
  HalfPiece from;
  HalfPiece to;
  TurnRuleKind kind;
};

struct BuiltRoads {
  std::vector<RoadPoint> junctions;
  std::vector<uint32_t>
      junction_of_point;  // draft point -> junction (the middle one of a barrier); kNoIndex: none
  std::vector<BuiltPiece> pieces;
  std::vector<BuiltTurnRule> rules;
  std::vector<std::vector<HalfPiece>> leaving;  // by junction: halves that leave it

  uint32_t TailOf(HalfPiece h) const { return h & 1 ? pieces[h >> 1].head : pieces[h >> 1].tail; }
  uint32_t HeadOf(HalfPiece h) const { return TailOf(Opposite(h)); }
  // The draft's way at the end that the half arrives at, and at the end that it leaves from.
  size_t WayArriving(HalfPiece h) const {
    return h & 1 ? pieces[h >> 1].way_at_tail : pieces[h >> 1].way_at_head;
  }
  size_t WayLeaving(HalfPiece h) const { return WayArriving(Opposite(h)); }
  bool Allows(HalfPiece h, AccessBit access) const {
    return pieces[h >> 1].access & AccessOf(access, (h & 1) == 0);
  }
};

// road_split.cc: cuts ways at junctions and barriers, joins what belongs together, measures.
BuiltRoads SplitIntoPieces(const RoadDraft& draft);
// road_turns.cc: restrictions (ghost copies for those via ways) and the ends of contraflow driving.
void AddTurnRules(const RoadDraft& draft, BuiltRoads& roads);
void AddContraflowRules(BuiltRoads& roads);

}  // namespace cordon
