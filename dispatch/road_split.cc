// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>

#include "dispatch/road_geometry.h"
#include "dispatch/road_pieces.h"

namespace cordon {
namespace {

constexpr uint32_t kBarrierLengthCm = 10;
// A direction is taken over this much road: closer points are drawing noise.
constexpr double kDirectionOverMetres = 12;

class Splitter {
 public:
  explicit Splitter(const RoadDraft& draft)
      : draft_(draft), uses_(draft.points.size()), kept_(draft.points.size()) {}

  BuiltRoads Run() {
    CountUses();
    roads_.junction_of_point.assign(draft_.points.size(), kNoIndex);
    for (size_t w = 0; w < draft_.ways.size(); ++w) Cut(w);
    SeparateAtBarriers();
    Join();
    for (BuiltPiece& piece : roads_.pieces) Measure(piece);
    Connect();
    Align();
    return std::move(roads_);
  }

 private:
  void CountUses() {
    for (const DraftWay& way : draft_.ways) {
      for (const uint32_t p : way.points) ++uses_[p];
      // A way's end is a junction even when nothing else is there.
      ++uses_[way.points.front()];
      ++uses_[way.points.back()];
    }
    for (const DraftRestriction& r : draft_.restrictions) {
      if (r.via_point != kNoIndex) kept_[r.via_point] = true;
      for (const size_t w : r.via_ways)
        for (const uint32_t p : {draft_.ways[w].points.front(), draft_.ways[w].points.back()})
          kept_[p] = true;
      for (const size_t w : {r.from, r.to})
        for (const uint32_t p : {draft_.ways[w].points.front(), draft_.ways[w].points.back()})
          kept_[p] = true;
    }
  }

  bool IsCut(uint32_t point) const {
    return uses_[point] > 1 || kept_[point] || draft_.points[point].barrier;
  }

  uint32_t JunctionAt(uint32_t point) {
    uint32_t& junction = roads_.junction_of_point[point];
    if (junction == kNoIndex) {
      junction = static_cast<uint32_t>(roads_.junctions.size());
      roads_.junctions.push_back(draft_.points[point].at);
    }
    return junction;
  }

  void Cut(size_t w) {
    const DraftWay& way = draft_.ways[w];
    size_t from = 0;
    for (size_t i = 1; i < way.points.size(); ++i) {
      if (i + 1 < way.points.size() && !IsCut(way.points[i])) continue;
      AddPiece(w, from, i);
      from = i;
    }
  }

  void AddPiece(size_t w, size_t from, size_t to) {
    const DraftWay& way = draft_.ways[w];
    BuiltPiece piece;
    piece.tail = JunctionAt(way.points[from]);
    piece.head = JunctionAt(way.points[to]);
    piece.way_at_tail = piece.way_at_head = w;
    piece.road_class = way.road_class;
    piece.flags = way.flags;
    piece.access = way.access;
    piece.speed_kmh[0] = way.speed_kmh[0];
    piece.speed_kmh[1] = way.speed_kmh[1];
    piece.layer = way.layer;
    for (size_t i = from; i <= to; ++i) {
      const DraftPoint& point = draft_.points[way.points[i]];
      piece.shape.push_back(point.at);
      // A signal holds those who arrive at it, not those who leave from it.
      if (i > from && point.signal_forward) piece.flags |= kFlagSignalForward;
      if (i < to && point.signal_backward) piece.flags |= kFlagSignalBackward;
    }
    point_ends_.push_back({way.points[from], way.points[to]});
    roads_.pieces.push_back(std::move(piece));
  }

  // At a barrier every side but the first gets a junction of its own and reaches the middle over a
  // barrier piece.
  void SeparateAtBarriers() {
    std::vector<uint8_t> seen(draft_.points.size());
    const size_t pieces = roads_.pieces.size();
    for (size_t i = 0; i < pieces; ++i)
      for (int end = 0; end < 2; ++end) {
        const uint32_t point = point_ends_[i][static_cast<size_t>(end)];
        if (!draft_.points[point].barrier) continue;
        if (!seen[point]) {
          seen[point] = 1;
          continue;
        }
        const auto side = static_cast<uint32_t>(roads_.junctions.size());
        roads_.junctions.push_back(draft_.points[point].at);
        uint32_t& attached = end == 0 ? roads_.pieces[i].tail : roads_.pieces[i].head;
        BuiltPiece barrier;
        barrier.tail = attached;
        barrier.head = side;
        attached = side;
        barrier.shape = {draft_.points[point].at, draft_.points[point].at};
        barrier.way_at_tail = barrier.way_at_head = roads_.pieces[i].way_at_tail;
        barrier.road_class = RoadClass::kBarrier;
        barrier.access = draft_.points[point].barrier_access;
        barrier.layer = roads_.pieces[i].layer;
        barrier.speed_kmh[0] = barrier.speed_kmh[1] = 5;
        roads_.pieces.push_back(std::move(barrier));
      }
  }

  bool SameRoad(const BuiltPiece& a, const BuiltPiece& b) const {
    constexpr uint16_t kSignals = kFlagSignalForward | kFlagSignalBackward;
    return a.road_class == b.road_class && (a.flags & ~kSignals) == (b.flags & ~kSignals) &&
           a.access == b.access && a.speed_kmh[0] == b.speed_kmh[0] &&
           a.speed_kmh[1] == b.speed_kmh[1] && a.layer == b.layer &&
           draft_.ways[a.way_at_tail].name == draft_.ways[b.way_at_tail].name;
  }

  // Turns a piece round: what was drawn backward is forward now.
  static void Reverse(BuiltPiece& piece) {
    std::swap(piece.tail, piece.head);
    std::swap(piece.way_at_tail, piece.way_at_head);
    std::swap(piece.speed_kmh[0], piece.speed_kmh[1]);
    std::reverse(piece.shape.begin(), piece.shape.end());
    constexpr uint16_t kForwardBits =
        kAccessCar | kAccessMotorcycle | kAccessEmergency | kAccessContraflow | kAccessFoot;
    const uint16_t forward = piece.access & kForwardBits;
    const uint16_t backward = static_cast<uint16_t>(piece.access >> 1) & kForwardBits;
    piece.access = static_cast<uint16_t>(backward | forward << 1);
    const uint16_t signals = piece.flags & (kFlagSignalForward | kFlagSignalBackward);
    piece.flags = static_cast<uint16_t>(piece.flags & ~signals);
    if (signals & kFlagSignalForward) piece.flags |= kFlagSignalBackward;
    if (signals & kFlagSignalBackward) piece.flags |= kFlagSignalForward;
  }

  // Where exactly two pieces of the same road meet and nothing else is there, they become one: ways
  // are cut for reasons of mapping (a bus route, a name's spelling) that no driver notices.
  void Join() {
    std::vector<std::vector<uint32_t>> at(roads_.junctions.size());
    for (uint32_t p = 0; p < roads_.pieces.size(); ++p) {
      at[roads_.pieces[p].tail].push_back(p);
      at[roads_.pieces[p].head].push_back(p);
    }
    std::vector<uint8_t> fixed(roads_.junctions.size());
    for (size_t point = 0; point < kept_.size(); ++point)
      if (roads_.junction_of_point[point] != kNoIndex &&
          (kept_[point] || draft_.points[point].barrier))
        fixed[roads_.junction_of_point[point]] = 1;
    std::vector<uint8_t> gone(roads_.pieces.size());
    for (uint32_t j = 0; j < at.size(); ++j) {
      if (fixed[j] || at[j].size() != 2 || at[j][0] == at[j][1]) continue;
      const uint32_t a = at[j][0];
      const uint32_t b = at[j][1];
      BuiltPiece& first = roads_.pieces[a];
      BuiltPiece second = roads_.pieces[b];
      if (first.road_class == RoadClass::kBarrier || second.road_class == RoadClass::kBarrier)
        continue;
      if (first.head != j) Reverse(first);
      if (second.tail != j) Reverse(second);
      if (first.head != j || second.tail != j || first.tail == second.head ||
          !SameRoad(first, second))
        continue;
      first.head = second.head;
      first.way_at_head = second.way_at_head;
      first.shape.insert(first.shape.end(), second.shape.begin() + 1, second.shape.end());
      first.flags |= second.flags;
      gone[b] = 1;
      std::replace(at[second.head].begin(), at[second.head].end(), b, a);
      at[j].clear();
    }
    DropUnused(gone);
  }

  void DropUnused(const std::vector<uint8_t>& gone) {
    size_t kept = 0;
    for (size_t p = 0; p < roads_.pieces.size(); ++p)
      if (!gone[p]) {
        if (kept != p) roads_.pieces[kept] = std::move(roads_.pieces[p]);
        ++kept;
      }
    roads_.pieces.resize(kept);
    std::vector<uint32_t> renumbered(roads_.junctions.size(), kNoIndex);
    std::vector<RoadPoint> junctions;
    for (BuiltPiece& piece : roads_.pieces)
      for (uint32_t* end : {&piece.tail, &piece.head}) {
        if (renumbered[*end] == kNoIndex) {
          renumbered[*end] = static_cast<uint32_t>(junctions.size());
          junctions.push_back(roads_.junctions[*end]);
        }
        *end = renumbered[*end];
      }
    roads_.junctions = std::move(junctions);
    for (uint32_t& junction : roads_.junction_of_point)
      if (junction != kNoIndex) junction = renumbered[junction];
  }

  static uint8_t DirectionFrom(const std::vector<RoadPoint>& shape, bool backward) {
    const auto at = [&](size_t i) { return shape[backward ? shape.size() - 1 - i : i]; };
    const LatLon origin = at(0).ToLatLon();
    const LocalPlane plane(origin);
    PlanePoint to;
    for (size_t i = 1; i < shape.size(); ++i) {
      to = plane(at(i));
      if (std::hypot(to.x, to.y) >= kDirectionOverMetres) break;
    }
    const double turns = std::atan2(to.x, to.y) / (2 * std::numbers::pi);
    return static_cast<uint8_t>(std::lround((turns + 1) * 64)) & 63;
  }

  static void Measure(BuiltPiece& piece) {
    if (piece.road_class == RoadClass::kBarrier) {
      piece.length_cm = kBarrierLengthCm;
    } else {
      piece.length_cm =
          static_cast<uint32_t>(std::clamp(std::round(ShapeMetres(piece.shape) * 100), 1.0, 4e9));
    }
    for (const bool backward : {false, true}) {
      piece.leaving[backward] = DirectionFrom(piece.shape, backward);
      piece.arriving[!backward] = (piece.leaving[backward] + 32) & 63;
    }
  }

  void Connect() {
    roads_.leaving.resize(roads_.junctions.size());
    for (uint32_t p = 0; p < roads_.pieces.size(); ++p) {
      roads_.leaving[roads_.pieces[p].tail].push_back(2 * p);
      roads_.leaving[roads_.pieces[p].head].push_back(2 * p + 1);
    }
  }

  void SetLeaving(HalfPiece h, uint8_t direction) {
    BuiltPiece& piece = roads_.pieces[h >> 1];
    piece.leaving[h & 1] = direction;
    piece.arriving[1 - (h & 1)] = (direction + 32) & 63;
  }

  // Following a road through a place where only two pieces meet is no turn; a barrier has no
  // direction of its own.
  void Align() {
    for (const auto& halves : roads_.leaving) {
      const bool crossing = halves.size() >= 3;
      for (const HalfPiece h : halves)
        (h & 1 ? roads_.pieces[h >> 1].crossing_at_head : roads_.pieces[h >> 1].crossing_at_tail) =
            crossing;
      if (halves.size() != 2 || halves[0] >> 1 == halves[1] >> 1) continue;
      const bool first_is_barrier = roads_.pieces[halves[0] >> 1].road_class == RoadClass::kBarrier;
      const HalfPiece fixed = first_is_barrier ? halves[1] : halves[0];
      const HalfPiece aligned = first_is_barrier ? halves[0] : halves[1];
      SetLeaving(aligned, (roads_.pieces[fixed >> 1].leaving[fixed & 1] + 32) & 63);
    }
  }

  const RoadDraft& draft_;
  std::vector<uint32_t> uses_;
  std::vector<uint8_t> kept_;  // points that must stay junctions
  std::vector<std::array<uint32_t, 2>> point_ends_;
  BuiltRoads roads_;
};

}  // namespace

BuiltRoads SplitIntoPieces(const RoadDraft& draft) { return Splitter(draft).Run(); }

}  // namespace cordon
