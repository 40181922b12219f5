// SPDX-License-Identifier: Apache-2.0
#include "dispatch/contour.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "base/check.h"
#include "dispatch/contour_grid.h"
#include "dispatch/contour_rings.h"
#include "dispatch/road_geometry.h"

namespace cordon {
namespace {

constexpr int kBlock = ContourDrawer::kBlock;
// Carriageways of one road lie 15 m apart: coarser cells would take the one that is not reached
// with the other.
constexpr double kCellMetres = 7.5;
// A road also marks cells that it passes at this distance (in cells, about half a metre), so that
// rounding never loses it and corner hairs (1/32 cell) hold no road.
constexpr double kMargin = 0.05;

// Cells first..last of a row, word by word: fn(word, mask).
template <class Fn>
void ForWords(int first, int last, Fn&& fn) {
  for (int word = first >> 6; word <= last >> 6; ++word) {
    uint64_t mask = ~uint64_t{0};
    if (word == first >> 6) mask <<= first & 63;
    if (word == last >> 6) mask &= ~uint64_t{0} >> (63 - (last & 63));
    fn(word, mask);
  }
}

}  // namespace

// visit(y, first, last) for each row: the cells of it within kMargin of the segment.
template <class Visit>
void ContourDrawer::ForRuns(CellPoint a, CellPoint b, Visit&& visit) {
  if (a.y > b.y) std::swap(a, b);
  const auto cell = [](double v) { return static_cast<int>(v); };  // never negative
  const int south = cell(a.y - kMargin);
  const int north = cell(b.y + kMargin);
  const double slope = b.y > a.y ? (b.x - a.x) / (b.y - a.y) : 0;
  const double low_x = std::min(a.x, b.x);
  const double high_x = std::max(a.x, b.x);
  for (int y = south; y <= north; ++y) {
    double from = low_x;
    double to = high_x;
    if (slope != 0) {
      // Where the segment enters and leaves the row with its margins.
      const double enters = a.x + (std::max(a.y, y - kMargin) - a.y) * slope;
      const double leaves = a.x + (std::min(b.y, y + 1 + kMargin) - a.y) * slope;
      from = std::max(low_x, std::min(enters, leaves));
      to = std::min(high_x, std::max(enters, leaves));
    }
    visit(y, cell(from - kMargin), cell(to + kMargin));
  }
}

// Kept between drawings: fresh memory for each would cost as much as filling it.
struct ContourDrawer::Matrices {
  BitMatrix cells;
  BitMatrix reached;
  BitMatrix roads;
};

ContourDrawer::ContourDrawer(std::shared_ptr<const RoadNetwork> network, Roads roads)
    : network_(std::move(network)) {
  const RoadPoint low = network_->south_west();
  const RoadPoint high = network_->north_east();
  middle_lat_e7_ = (static_cast<double>(low.lat_e7) + high.lat_e7) / 2;
  const double radians_per_e7 = 1e-7 * std::numbers::pi / 180;
  cosine_ = std::cos(middle_lat_e7_ * radians_per_e7);
  cosine_slope_ = -std::sin(middle_lat_e7_ * radians_per_e7) * radians_per_e7;
  // Whole multiples, so that ring points are whole numbers of 1e-7 degree.
  const auto whole = [](double e7) {
    return static_cast<uint32_t>(std::max(1.0, std::floor(e7 / kRingUnitsPerCell))) *
           kRingUnitsPerCell;
  };
  step_lat_ = whole(kCellMetres / kMetresPerE7);
  step_lon_ = whole(kCellMetres / (kMetresPerE7 * std::max(0.01, cosine_)));
  origin_lat_ = int64_t{low.lat_e7} - int64_t{step_lat_} * kBlock;
  origin_lon_ = int64_t{low.lon_e7} - int64_t{step_lon_} * kBlock;
  blocks_y_ = static_cast<int>((high.lat_e7 - origin_lat_) / (int64_t{step_lat_} * kBlock)) + 2;
  blocks_x_ = static_cast<int>((high.lon_e7 - origin_lon_) / (int64_t{step_lon_} * kBlock)) + 2;
  road_blocks_.resize(static_cast<size_t>(blocks_x_) * static_cast<size_t>(blocks_y_));
  reach_blocks_.resize(road_blocks_.size());
  waits_.resize(road_blocks_.size());
  matrices_ = std::make_unique<Matrices>();
  whole_from_.assign(network_->piece_count(), kMostTiers);
  MarkRoads(roads);
}

ContourDrawer::~ContourDrawer() = default;

ContourDrawer::RoadBlock& ContourDrawer::RoadBlockAt(int bx, int by) {
  auto& block = road_blocks_[BlockIndex(bx, by)];
  if (!block) block = std::make_unique<RoadBlock>();
  return *block;
}

ContourDrawer::ReachBlock& ContourDrawer::ReachBlockAt(int bx, int by) {
  auto& block = reach_blocks_[BlockIndex(bx, by)];
  if (!block) {
    if (spare_blocks_.empty()) spare_blocks_.push_back(std::make_unique<ReachBlock>());
    block = std::move(spare_blocks_.back());
    spare_blocks_.pop_back();
    block->reached.assign(tiers_, Rows{});
    block->first_tier = kMostTiers;
    used_.emplace_back(by, bx);
  }
  return *block;
}

void ContourDrawer::MarkRoads(Roads roads) {
  constexpr uint16_t kDriven =
      BothWays(kAccessCar) | BothWays(kAccessEmergency) | BothWays(kAccessContraflow);
  const uint16_t wanted = roads == Roads::kDriven ? kDriven : BothWays(kAccessFoot);
  for (uint32_t p = 0; p < network_->piece_count(); ++p) {
    const RoadPiece& piece = network_->piece(PieceId{p});
    if (!(piece.access & wanted) || (piece.flags & kFlagGhost)) continue;
    const auto shape = network_->shape(PieceId{p});
    for (size_t i = 1; i < shape.size(); ++i)
      ForRuns(CellOf(shape[i - 1]), CellOf(shape[i]), [&](int y, int first, int last) {
        ForWords(first, last, [&](int bx, uint64_t mask) {
          RoadBlockAt(bx, y / kBlock).road[static_cast<size_t>(y % kBlock)] |= mask;
        });
      });
  }
}

void ContourDrawer::MarkSegment(const CellPoint& a, const CellPoint& b, size_t tier) {
  ForRuns(a, b, [&](int y, int first, int last) {
    ForWords(first, last, [&](int bx, uint64_t mask) {
      ReachBlockAt(bx, y / kBlock).reached[tier][static_cast<size_t>(y % kBlock)] |= mask;
    });
  });
}

// As SegmentMetres, without its trigonometry; right to 1e-5 within a degree of the middle.
double ContourDrawer::SegmentLength(const RoadPoint& a, const RoadPoint& b) const {
  const double lat = (static_cast<double>(a.lat_e7) + b.lat_e7) / 2;
  const double dx = (static_cast<double>(b.lon_e7) - a.lon_e7) *
                    (cosine_ + cosine_slope_ * (lat - middle_lat_e7_));
  const double dy = static_cast<double>(b.lat_e7) - a.lat_e7;
  return std::sqrt(dx * dx + dy * dy);
}

// Offsets from the edge's tail.
void ContourDrawer::MarkPart(EdgeId edge, double from_cm, double to_cm, size_t tier) {
  const RoadNetwork& n = *network_;
  const auto shape = n.shape(n.piece_of(edge));
  const double length_cm = n.length_cm(edge);
  if (!n.is_forward(edge)) std::tie(from_cm, to_cm) = std::pair(length_cm - to_cm, length_cm - from_cm);
  double whole = 0;
  for (size_t i = 1; i < shape.size(); ++i) whole += SegmentLength(shape[i - 1], shape[i]);
  const double scale = length_cm / std::max(1e-6, whole);
  double walked = 0;
  for (size_t i = 1; i < shape.size() && walked <= to_cm; ++i) {
    const double begin = walked;
    const double step = SegmentLength(shape[i - 1], shape[i]) * scale;
    walked += step;
    if (walked < from_cm) continue;
    const CellPoint a = CellOf(shape[i - 1]);
    const CellPoint b = CellOf(shape[i]);
    const double t0 = step > 0 ? std::clamp((from_cm - begin) / step, 0.0, 1.0) : 0;
    const double t1 = step > 0 ? std::clamp((to_cm - begin) / step, 0.0, 1.0) : 1;
    MarkSegment({a.x + t0 * (b.x - a.x), a.y + t0 * (b.y - a.y)},
                {a.x + t1 * (b.x - a.x), a.y + t1 * (b.y - a.y)}, tier);
  }
}

// Each tier gets the part that it reaches, the first that reaches all of it the rest for those
// after it. Both directions of a road are mostly reached: its cells are marked once.
void ContourDrawer::MarkStretch(const ReachedStretch& s, std::span<const uint32_t> limits_ms) {
  const uint32_t first = std::min(s.from_ms, s.to_ms);
  const uint32_t last = std::max(s.from_ms, s.to_ms);
  const PieceId piece = network_->piece_of(s.edge);
  uint8_t& whole_from = whole_from_[piece.value];
  const double cm_per_ms = (static_cast<double>(s.to_cm) - s.from_cm) / std::max(1U, last - first);
  for (size_t t = 0; t < limits_ms.size() && t < whole_from; ++t) {
    const uint32_t limit = limits_ms[t];
    if (first > limit) continue;
    if (last > limit) {
      const double reached_cm = (limit - first) * cm_per_ms;
      if (s.from_ms <= s.to_ms) {
        MarkPart(s.edge, s.from_cm, s.from_cm + reached_cm, t);
      } else {
        MarkPart(s.edge, s.to_cm - reached_cm, s.to_cm, t);
      }
      continue;
    }
    if (s.from_cm > 0 || s.to_cm < network_->length_cm(s.edge))
      return MarkPart(s.edge, s.from_cm, s.to_cm, t);
    if (whole_from == kMostTiers) whole_pieces_.push_back(piece.value);
    whole_from = static_cast<uint8_t>(t);
    const auto shape = network_->shape(piece);
    for (size_t i = 1; i < shape.size(); ++i)
      MarkSegment(CellOf(shape[i - 1]), CellOf(shape[i]), t);
  }
}

// Cells of a neighbouring block may belong to a reached cell near the border.
void ContourDrawer::AllocateNeighbours() {
  constexpr uint64_t kWest = (uint64_t{1} << kFillCells) - 1;
  constexpr uint64_t kEast = kWest << (kBlock - kFillCells);
  const size_t marked = used_.size();
  for (size_t i = 0; i < marked; ++i) {
    const auto [by, bx] = used_[i];
    const Rows& reached = ReachBlockAt(bx, by).reached[tiers_ - 1];
    uint64_t all = 0;
    uint64_t south = 0;
    uint64_t north = 0;
    for (int y = 0; y < kBlock; ++y) {
      const uint64_t row = reached[static_cast<size_t>(y)];
      all |= row;
      if (y < kFillCells) south |= row;
      if (y >= kBlock - kFillCells) north |= row;
    }
    for (int dy = -1; dy <= 1; ++dy)
      for (int dx = -1; dx <= 1; ++dx) {
        const uint64_t rows = dy < 0 ? south : dy > 0 ? north : all;
        const uint64_t near = dx < 0 ? rows & kWest : dx > 0 ? rows & kEast : rows;
        if (near != 0 && Exists(bx + dx, by + dy)) ReachBlockAt(bx + dx, by + dy);
      }
  }
}

void ContourDrawer::Clear() {
  for (const auto& [by, bx] : used_)
    spare_blocks_.push_back(std::move(reach_blocks_[BlockIndex(bx, by)]));
  used_.clear();
  for (const uint32_t piece : whole_pieces_) whole_from_[piece] = kMostTiers;
  whole_pieces_.clear();
}

// A tier holds what the tiers before it hold.
void ContourDrawer::SumTiers() {
  for (const auto& [by, bx] : used_) {
    ReachBlock& block = *reach_blocks_[BlockIndex(bx, by)];
    block.first_tier = kMostTiers;
    for (size_t t = 0; t < tiers_; ++t) {
      uint64_t any = 0;
      for (size_t y = 0; y < kBlock; ++y) {
        if (t > 0) block.reached[t][y] |= block.reached[t - 1][y];
        any |= block.reached[t][y];
      }
      if (any != 0) block.first_tier = std::min(block.first_tier, t);
    }
  }
}

// Far apart districts are drawn one by one: the frame of all would be mostly empty.
std::vector<ContourDrawer::Cluster> ContourDrawer::ClustersOf(size_t tier) {
  const auto for_around = [&](int bx, int by, auto&& fn) {
    for (int dy = -1; dy <= 1; ++dy)
      for (int dx = -1; dx <= 1; ++dx)
        if (Exists(bx + dx, by + dy)) fn(bx + dx, by + dy);
  };
  // Blocks that have something of the tier or lie beside one that has.
  for (const auto& [by, bx] : used_) {
    if (reach_blocks_[BlockIndex(bx, by)]->first_tier > tier) continue;
    for_around(bx, by, [&](int x, int y) {
      if (reach_blocks_[BlockIndex(x, y)]) waits_[BlockIndex(x, y)] = 1;
    });
  }
  std::vector<Cluster> clusters;
  for (const auto& first : used_) {
    if (!waits_[BlockIndex(first.second, first.first)]) continue;
    waits_[BlockIndex(first.second, first.first)] = 0;
    Cluster& cluster =
        clusters.emplace_back(Cluster{{first}, first.second, first.second, first.first, first.first});
    for (size_t i = 0; i < cluster.blocks.size(); ++i) {
      const auto [by, bx] = cluster.blocks[i];
      cluster.west = std::min(cluster.west, bx);
      cluster.east = std::max(cluster.east, bx);
      cluster.south = std::min(cluster.south, by);
      cluster.north = std::max(cluster.north, by);
      for_around(bx, by, [&](int x, int y) {
        if (std::exchange(waits_[BlockIndex(x, y)], 0)) cluster.blocks.emplace_back(y, x);
      });
    }
  }
  return clusters;
}

void ContourDrawer::DrawCluster(const Cluster& box, size_t tier,
                                std::vector<ContourPolygon>& polygons) {
  const int width = box.east - box.west + 1;
  const int height = (box.north - box.south + 1) * kBlock;
  auto& [cells, reached, roads] = *matrices_;
  for (BitMatrix* matrix : {&cells, &reached, &roads}) matrix->Reset(width, height);
  for (const auto& [by, bx] : box.blocks) {
    const Rows filled = Fill(bx, by, tier);
    const Rows& passed = reach_blocks_[BlockIndex(bx, by)]->reached[tier];
    const Rows& road = RoadBlockAt(bx, by).road;
    for (int y = 0; y < kBlock; ++y) {
      const auto row = static_cast<size_t>(y);
      const int to = (by - box.south) * kBlock + y;
      cells.Word(bx - box.west, to) = filled[row];
      reached.Word(bx - box.west, to) = passed[row];
      roads.Word(bx - box.west, to) = road[row];
    }
  }
  const int64_t lat = origin_lat_ + int64_t{box.south} * kBlock * step_lat_;
  const int64_t lon = origin_lon_ + int64_t{box.west} * kBlock * step_lon_;
  const auto to_points = [&](const std::vector<RingPoint>& ring) {
    ContourRing points;
    points.reserve(ring.size());
    for (const RingPoint& p : ring)
      points.push_back({static_cast<int32_t>(lat + int64_t{p.y} * (step_lat_ / kRingUnitsPerCell)),
                        static_cast<int32_t>(lon + int64_t{p.x} * (step_lon_ / kRingUnitsPerCell))});
    return points;
  };
  for (const RingPolygon& polygon : TraceRings(cells, reached, roads)) {
    polygons.push_back({to_points(polygon.outer), {}});
    for (const auto& hole : polygon.holes) polygons.back().holes.push_back(to_points(hole));
  }
}

std::vector<ContourTier> ContourDrawer::Draw(std::span<const ReachedStretch> stretches,
                                             std::span<const uint32_t> limits_ms) {
  CORDON_CHECK(limits_ms.size() <= kMostTiers, "at most kMostTiers tiers");
  std::vector<ContourTier> tiers;
  for (const uint32_t limit : limits_ms) tiers.push_back({limit, {}});
  tiers_ = limits_ms.size();
  for (const ReachedStretch& stretch : stretches) MarkStretch(stretch, limits_ms);
  SumTiers();
  if (!used_.empty()) AllocateNeighbours();
  std::sort(used_.begin(), used_.end());
  for (size_t t = 0; t < tiers_; ++t)
    for (const Cluster& cluster : ClustersOf(t)) DrawCluster(cluster, t, tiers[t].polygons);
  Clear();
  return tiers;
}

}  // namespace cordon
