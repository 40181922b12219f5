// SPDX-License-Identifier: Apache-2.0
#include "dispatch/contour.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "base/check.h"
#include "dispatch/road_geometry.h"

namespace cordon {
namespace {

constexpr int kBlock = ContourGrid::kBlock;
// Of the finest grid. Carriageways of one road lie 15 m apart, and less in old towns: coarser cells
// would take the one that is not reached with the other. The fewer roads a tier holds, the more of
// them are such neighbours at its border.
constexpr double kCellMetres = 3;
constexpr int kRingUnitsPerCell = 32;
constexpr size_t kLevels = 3;
// Tiers up to so much are drawn on the finest grid, others on the coarsest. Not a round number, which
// tiers tend to have: 60 s and 61 s must not differ by more than a second's drive.
constexpr uint32_t kFinestUpToMs = 95'000;

}  // namespace

// Kept between drawings: fresh memory for each would cost as much as filling it.
struct ContourDrawer::Matrices {
  BitMatrix cells;
  BitMatrix reached;
  BitMatrix keeps_out;
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
    return static_cast<int32_t>(std::max(1.0, std::floor(e7 / kRingUnitsPerCell)));
  };
  unit_lat_e7_ = whole(kCellMetres / kMetresPerE7);
  unit_lon_e7_ = whole(kCellMetres / (kMetresPerE7 * std::max(0.01, cosine_)));
  // The coarsest grid's blocks, one of them as a rim on each side.
  constexpr int64_t kUnitsPerBlock = int64_t{kRingUnitsPerCell} * kBlock << (kLevels - 1);
  origin_lat_ = int64_t{low.lat_e7} - unit_lat_e7_ * kUnitsPerBlock;
  origin_lon_ = int64_t{low.lon_e7} - unit_lon_e7_ * kUnitsPerBlock;
  const auto blocks = [&](int64_t span_e7, int64_t unit_e7) {
    return static_cast<int>(span_e7 / (unit_e7 * kUnitsPerBlock)) + 2;
  };
  const int blocks_x = blocks(high.lon_e7 - origin_lon_, unit_lon_e7_);
  const int blocks_y = blocks(high.lat_e7 - origin_lat_, unit_lat_e7_);
  for (size_t level = 0; level < kLevels; ++level) {
    const int scale = 1 << (kLevels - 1 - level);
    grids_.push_back(std::make_unique<ContourGrid>(blocks_x * scale, blocks_y * scale));
  }
  matrices_ = std::make_unique<Matrices>();
  whole_.assign(network_->piece_count(), 0);
  MarkRoads(roads);
}

ContourDrawer::~ContourDrawer() = default;

ContourDrawer::Canvas ContourDrawer::CanvasOf(size_t level) const {
  const int units = kRingUnitsPerCell << level;
  return {grids_[level].get(), 1.0 / (static_cast<double>(unit_lat_e7_) * units),
          1.0 / (static_cast<double>(unit_lon_e7_) * units), units, level + 1 == kLevels};
}

void ContourDrawer::MarkRoads(Roads roads) {
  constexpr uint16_t kDriven =
      BothWays(kAccessCar) | BothWays(kAccessEmergency) | BothWays(kAccessContraflow);
  const uint16_t wanted = roads == Roads::kDriven ? kDriven : BothWays(kAccessFoot);
  const Canvas canvas = CanvasOf(0);
  const bool keeps_runs = grids_.back()->NamedByRuns();
  for (uint32_t p = 0; p < network_->piece_count(); ++p) {
    const RoadPiece& piece = network_->piece(PieceId{p});
    if (keeps_runs) first_run_.push_back(static_cast<uint32_t>(runs_.size()));
    if (!(piece.access & wanted) || (piece.flags & kFlagGhost)) continue;
    const auto shape = network_->shape(PieceId{p});
    for (size_t i = 1; i < shape.size(); ++i)
      canvas.grid->MarkRoad(CellOf(canvas, shape[i - 1]), CellOf(canvas, shape[i]));
    if (keeps_runs) KeepRuns(PieceId{p});
  }
  if (keeps_runs) first_run_.push_back(static_cast<uint32_t>(runs_.size()));
  for (size_t level = 1; level < kLevels; ++level)
    grids_[level]->TakeRoadsFrom(*grids_[level - 1]);
}

// Most of what a large tier marks are whole pieces: their cells are found once.
void ContourDrawer::KeepRuns(PieceId piece) {
  const Canvas canvas = CanvasOf(kLevels - 1);
  const auto shape = network_->shape(piece);
  const size_t begin = runs_.size();
  for (size_t i = 1; i < shape.size(); ++i)
    ContourGrid::AddRuns(CellOf(canvas, shape[i - 1]), CellOf(canvas, shape[i]), begin, runs_);
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
void ContourDrawer::MarkPart(const Canvas& canvas, EdgeId edge, double from_cm, double to_cm) {
  const RoadNetwork& n = *network_;
  const auto shape = n.shape(n.piece_of(edge));
  const double length_cm = n.length_cm(edge);
  if (!n.is_forward(edge))
    std::tie(from_cm, to_cm) = std::pair(length_cm - to_cm, length_cm - from_cm);
  double whole = 0;
  for (size_t i = 1; i < shape.size(); ++i) whole += SegmentLength(shape[i - 1], shape[i]);
  const double scale = length_cm / std::max(1e-6, whole);
  double walked = 0;
  for (size_t i = 1; i < shape.size() && walked <= to_cm; ++i) {
    const double begin = walked;
    const double step = SegmentLength(shape[i - 1], shape[i]) * scale;
    walked += step;
    if (walked < from_cm) continue;
    const CellPoint a = CellOf(canvas, shape[i - 1]);
    const CellPoint b = CellOf(canvas, shape[i]);
    const double t0 = step > 0 ? std::clamp((from_cm - begin) / step, 0.0, 1.0) : 0;
    const double t1 = step > 0 ? std::clamp((to_cm - begin) / step, 0.0, 1.0) : 1;
    canvas.grid->MarkReached({a.x + t0 * (b.x - a.x), a.y + t0 * (b.y - a.y)},
                             {a.x + t1 * (b.x - a.x), a.y + t1 * (b.y - a.y)});
  }
}

// Both directions of a road are mostly reached: its cells are marked once.
void ContourDrawer::MarkWhole(const Canvas& canvas, PieceId piece) {
  if (whole_[piece.value]) return;
  whole_[piece.value] = 1;
  whole_pieces_.push_back(piece.value);
  if (canvas.coarsest && !first_run_.empty()) {
    const uint32_t begin = first_run_[piece.value];
    const uint32_t end = first_run_[piece.value + 1];
    if (begin != end) return canvas.grid->MarkReached(std::span(runs_).subspan(begin, end - begin));
  }
  const auto shape = network_->shape(piece);
  CellPoint from = CellOf(canvas, shape[0]);
  for (size_t i = 1; i < shape.size(); ++i) {
    const CellPoint to = CellOf(canvas, shape[i]);
    canvas.grid->MarkReached(from, to);
    from = to;
  }
}

void ContourDrawer::MarkStretch(const Canvas& canvas, const ReachedStretch& s, uint32_t limit_ms) {
  const uint32_t first = std::min(s.from_ms, s.to_ms);
  const uint32_t last = std::max(s.from_ms, s.to_ms);
  if (first > limit_ms) return;
  const PieceId piece = network_->piece_of(s.edge);
  if (last <= limit_ms && s.from_cm == 0 && s.to_cm == network_->length_cm(s.edge))
    return MarkWhole(canvas, piece);
  if (whole_[piece.value]) return;
  const double whole_cm = static_cast<double>(s.to_cm) - s.from_cm;
  const double reached_cm =
      last <= limit_ms ? whole_cm : (limit_ms - first) * whole_cm / std::max(1U, last - first);
  if (s.from_ms <= s.to_ms) {
    MarkPart(canvas, s.edge, s.from_cm, s.from_cm + reached_cm);
  } else {
    MarkPart(canvas, s.edge, s.to_cm - reached_cm, s.to_cm);
  }
}

ContourRing ContourDrawer::ToPoints(int64_t west_e7, int64_t south_e7,
                                    std::span<const RingPoint> ring) const {
  ContourRing points;
  points.reserve(ring.size());
  for (const RingPoint& p : ring)
    points.push_back({static_cast<int32_t>(south_e7 + int64_t{p.y} * unit_lat_e7_),
                      static_cast<int32_t>(west_e7 + int64_t{p.x} * unit_lon_e7_)});
  return points;
}

void ContourDrawer::DrawCluster(const Canvas& canvas, const ContourGrid::Cluster& box,
                                std::vector<ContourPolygon>& polygons) {
  const int width = box.east - box.west + 1;
  const int height = (box.north - box.south + 1) * kBlock;
  auto& [cells, reached, keeps_out] = *matrices_;
  cells.Reset(width, height);
  reached.Reset(width, height);
  keeps_out.Reset(width, height, /*set=*/true);
  for (const ContourGrid::Place& at : box.blocks) {
    const ContourGrid::ReachBlock& block = canvas.grid->reach(at);
    const ContourGrid::Rows out = canvas.grid->KeepsOut(at);
    for (int y = 0; y < kBlock; ++y) {
      const auto row = static_cast<size_t>(y);
      const int to = (at.by - box.south) * kBlock + y;
      cells.Word(at.bx - box.west, to) = block.filled[row];
      reached.Word(at.bx - box.west, to) = block.reached[row];
      keeps_out.Word(at.bx - box.west, to) = out[row];
    }
  }
  const int64_t block_units = int64_t{canvas.ring_units_per_cell} * kBlock;
  const int64_t south = origin_lat_ + box.south * block_units * unit_lat_e7_;
  const int64_t west = origin_lon_ + box.west * block_units * unit_lon_e7_;
  for (const RingPolygon& polygon :
       TraceRings(cells, reached, keeps_out, canvas.ring_units_per_cell)) {
    polygons.push_back({ToPoints(west, south, polygon.outer), {}});
    for (const auto& hole : polygon.holes)
      polygons.back().holes.push_back(ToPoints(west, south, hole));
  }
}

void ContourDrawer::DrawTier(std::span<const ReachedStretch> stretches, ContourTier& tier) {
  const size_t level = tier.limit_ms <= kFinestUpToMs ? 0 : kLevels - 1;
  const Canvas canvas = CanvasOf(level);
  for (const ReachedStretch& stretch : stretches) MarkStretch(canvas, stretch, tier.limit_ms);
  for (const uint32_t piece : whole_pieces_) whole_[piece] = 0;
  whole_pieces_.clear();
  for (size_t above = level + 1; above < kLevels; ++above)
    grids_[above]->TakeReachedFrom(*grids_[above - 1]);
  for (size_t at = kLevels; at-- > level;)
    grids_[at]->Fill(at + 1 < kLevels ? grids_[at + 1].get() : nullptr);
  for (const ContourGrid::Cluster& cluster : canvas.grid->Clusters())
    DrawCluster(canvas, cluster, tier.polygons);
  for (const auto& grid : grids_) grid->Clear();
}

std::vector<ContourTier> ContourDrawer::Draw(std::span<const ReachedStretch> stretches,
                                             std::span<const uint32_t> limits_ms) {
  CORDON_CHECK(limits_ms.size() <= kMostTiers, "at most kMostTiers tiers");
  std::vector<ContourTier> tiers;
  for (const uint32_t limit : limits_ms) {
    tiers.push_back({limit, {}});
    DrawTier(stretches, tiers.back());
  }
  return tiers;
}

}  // namespace cordon
