// SPDX-License-Identifier: Apache-2.0
#include "dispatch/contour.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/check.h"
#include "dispatch/contour_rings.h"
#include "dispatch/road_geometry.h"

namespace cordon {
namespace {

constexpr int kBlock = ContourDrawer::kBlock;
// Carriageways of one road lie 15 m apart: coarser cells would take the one that is not reached
// with the other.
constexpr double kCellMetres = 7.5;
// Cells without a road belong to the nearest road cell within this many cells.
constexpr int kFillCells = 9;
// A road also marks cells that it passes at this distance (in cells, about half a metre), so that
// rounding never loses it and corner hairs (1/32 cell) hold no road.
constexpr double kMargin = 0.05;

struct Offset {
  int dx;
  int dy;
};

// Offsets up to kFillCells by rising distance; ties in a fixed order. Code of offset i is i + 1.
const std::vector<Offset>& NearOffsets() {
  static const std::vector<Offset> offsets = [] {
    std::vector<Offset> all;
    for (int dy = -kFillCells; dy <= kFillCells; ++dy)
      for (int dx = -kFillCells; dx <= kFillCells; ++dx)
        if ((dx != 0 || dy != 0) && dx * dx + dy * dy <= kFillCells * kFillCells)
          all.push_back({dx, dy});
    std::stable_sort(all.begin(), all.end(), [](const Offset& a, const Offset& b) {
      return a.dx * a.dx + a.dy * a.dy < b.dx * b.dx + b.dy * b.dy;
    });
    return all;
  }();
  return offsets;
}

struct CellPoint {
  double x;
  double y;
};

// Calls visit(x, y, t) for every cell within kMargin of the segment, t being the smallest part 0..1
// of the way at which it is touched... or, with `last`, the largest.
template <class Visit>
void ForCells(const CellPoint& a, const CellPoint& b, Visit&& visit) {
  const double dx = b.x - a.x;
  const double dy = b.y - a.y;
  const auto span = [](double from, double step, double low, double high, double& t0, double& t1) {
    if (step == 0) return from >= low && from <= high;
    double enter = (low - from) / step;
    double leave = (high - from) / step;
    if (enter > leave) std::swap(enter, leave);
    t0 = std::max(t0, enter);
    t1 = std::min(t1, leave);
    return t0 <= t1;
  };
  const int y0 = static_cast<int>(std::floor(std::min(a.y, b.y) - kMargin));
  const int y1 = static_cast<int>(std::floor(std::max(a.y, b.y) + kMargin));
  for (int y = y0; y <= y1; ++y) {
    double t0 = 0;
    double t1 = 1;
    if (!span(a.y, dy, y - kMargin, y + 1 + kMargin, t0, t1)) continue;
    const double xa = a.x + t0 * dx;
    const double xb = a.x + t1 * dx;
    const int x0 = static_cast<int>(std::floor(std::min(xa, xb) - kMargin));
    const int x1 = static_cast<int>(std::floor(std::max(xa, xb) + kMargin));
    for (int x = x0; x <= x1; ++x) {
      double u0 = t0;
      double u1 = t1;
      if (span(a.x, dx, x - kMargin, x + 1 + kMargin, u0, u1)) visit(x, y, u0, u1);
    }
  }
}

}  // namespace

ContourDrawer::ContourDrawer(std::shared_ptr<const RoadNetwork> network, Roads roads)
    : network_(std::move(network)) {
  const RoadPoint low = network_->south_west();
  const RoadPoint high = network_->north_east();
  const double mid_lat =
      (static_cast<double>(low.lat_e7) + high.lat_e7) * 0.5e-7 * std::numbers::pi / 180;
  // Whole multiples, so that ring points are whole numbers of 1e-7 degree.
  const auto whole = [](double e7) {
    return static_cast<uint32_t>(std::max(1.0, std::floor(e7 / kRingUnitsPerCell))) *
           kRingUnitsPerCell;
  };
  step_lat_ = whole(kCellMetres / kMetresPerE7);
  step_lon_ = whole(kCellMetres / (kMetresPerE7 * std::max(0.01, std::cos(mid_lat))));
  origin_lat_ = int64_t{low.lat_e7} - int64_t{step_lat_} * kBlock;
  origin_lon_ = int64_t{low.lon_e7} - int64_t{step_lon_} * kBlock;
  blocks_y_ = static_cast<int>((high.lat_e7 - origin_lat_) / (int64_t{step_lat_} * kBlock)) + 2;
  blocks_x_ = static_cast<int>((high.lon_e7 - origin_lon_) / (int64_t{step_lon_} * kBlock)) + 2;
  road_blocks_.resize(static_cast<size_t>(blocks_x_) * static_cast<size_t>(blocks_y_));
  time_blocks_.resize(road_blocks_.size());
  MarkRoads(roads);
}

ContourDrawer::~ContourDrawer() = default;

ContourDrawer::RoadBlock& ContourDrawer::RoadBlockAt(int bx, int by) {
  auto& block = road_blocks_[BlockIndex(bx, by)];
  if (!block) block = std::make_unique<RoadBlock>();
  return *block;
}

ContourDrawer::TimeBlock& ContourDrawer::TimeBlockAt(int bx, int by) {
  auto& block = time_blocks_[BlockIndex(bx, by)];
  if (!block) {
    if (spare_blocks_.empty()) spare_blocks_.push_back(std::make_unique<TimeBlock>());
    block = std::move(spare_blocks_.back());
    spare_blocks_.pop_back();
    block->time.fill(kUnreached);
    block->direct.fill(0);
    used_.emplace_back(by, bx);
  }
  return *block;
}

bool ContourDrawer::HasRoad(int x, int y) const {
  if (x < 0 || y < 0 || x >= blocks_x_ * kBlock || y >= blocks_y_ * kBlock) return false;
  const auto& block = road_blocks_[BlockIndex(x / kBlock, y / kBlock)];
  return block && block->road[static_cast<size_t>(y % kBlock)] >> (x % kBlock) & 1;
}

void ContourDrawer::MarkRoads(Roads roads) {
  constexpr uint16_t kDriven =
      BothWays(kAccessCar) | BothWays(kAccessEmergency) | BothWays(kAccessContraflow);
  const uint16_t wanted = roads == Roads::kDriven ? kDriven : BothWays(kAccessFoot);
  for (uint32_t p = 0; p < network_->piece_count(); ++p) {
    const RoadPiece& piece = network_->piece(PieceId{p});
    if (!(piece.access & wanted) || (piece.flags & kFlagGhost)) continue;
    const auto shape = network_->shape(PieceId{p});
    const auto cell = [&](const RoadPoint& q) {
      return CellPoint{static_cast<double>(q.lon_e7 - origin_lon_) / step_lon_,
                       static_cast<double>(q.lat_e7 - origin_lat_) / step_lat_};
    };
    for (size_t i = 1; i < shape.size(); ++i)
      ForCells(cell(shape[i - 1]), cell(shape[i]), [&](int x, int y, double, double) {
        RoadBlockAt(x / kBlock, y / kBlock).road[static_cast<size_t>(y % kBlock)] |=
            uint64_t{1} << (x % kBlock);
      });
  }
}

// Times are linear along the stretch, so a cell's earliest one is at the end of its part of a
// segment.
void ContourDrawer::MarkStretch(const ReachedStretch& stretch) {
  const RoadNetwork& n = *network_;
  const PieceId piece = n.piece_of(stretch.edge);
  const auto shape = n.shape(piece);
  const bool ahead = n.is_forward(stretch.edge);
  const double length = n.length_cm(stretch.edge);
  const double scale =
      length / std::max(1e-6, ShapeMetres(shape));  // cm of the edge for each metre of shape
  const double slope =
      (static_cast<double>(stretch.to_ms) - stretch.from_ms) / (stretch.to_cm - stretch.from_cm);
  const auto time_at = [&](double cm) {
    const double inside =
        std::clamp(cm, static_cast<double>(stretch.from_cm), static_cast<double>(stretch.to_cm));
    return stretch.from_ms + slope * (inside - stretch.from_cm);
  };
  double walked = 0;
  for (size_t i = 1; i < shape.size(); ++i) {
    const RoadPoint& a = shape[ahead ? i - 1 : shape.size() - i];
    const RoadPoint& b = shape[ahead ? i : shape.size() - i - 1];
    const double begin = walked;
    const double step = SegmentMetres(a, b) * scale;
    walked += step;
    if (walked < stretch.from_cm || begin > stretch.to_cm) continue;
    const double cut_a = step > 0 ? std::clamp((stretch.from_cm - begin) / step, 0.0, 1.0) : 0;
    const double cut_b = step > 0 ? std::clamp((stretch.to_cm - begin) / step, 0.0, 1.0) : 1;
    const double ax = static_cast<double>(a.lon_e7 - origin_lon_) / step_lon_;
    const double ay = static_cast<double>(a.lat_e7 - origin_lat_) / step_lat_;
    const double dx = (static_cast<double>(b.lon_e7) - a.lon_e7) / step_lon_;
    const double dy = (static_cast<double>(b.lat_e7) - a.lat_e7) / step_lat_;
    ForCells({ax + cut_a * dx, ay + cut_a * dy}, {ax + cut_b * dx, ay + cut_b * dy},
             [&](int x, int y, double t0, double t1) {
               const double first = time_at(begin + (cut_a + t0 * (cut_b - cut_a)) * step);
               const double last = time_at(begin + (cut_a + t1 * (cut_b - cut_a)) * step);
               const auto earliest = static_cast<uint32_t>(std::floor(std::min(first, last)));
               TimeBlock& block = TimeBlockAt(x / kBlock, y / kBlock);
               uint32_t& time = block.time[static_cast<size_t>(y % kBlock) * kBlock +
                                           static_cast<size_t>(x % kBlock)];
               time = std::min(time, earliest);
               block.direct[static_cast<size_t>(y % kBlock)] |= uint64_t{1} << (x % kBlock);
             });
  }
}

// Cells of a neighbouring block may belong to a reached cell near the border.
void ContourDrawer::AllocateNeighbours() {
  constexpr uint64_t kWest = (uint64_t{1} << kFillCells) - 1;
  constexpr uint64_t kEast = kWest << (kBlock - kFillCells);
  const size_t marked = used_.size();
  for (size_t i = 0; i < marked; ++i) {
    const auto [by, bx] = used_[i];
    const TimeBlock& block = TimeBlockAt(bx, by);
    uint64_t all = 0;
    uint64_t south = 0;
    uint64_t north = 0;
    for (int y = 0; y < kBlock; ++y) {
      const uint64_t row = block.direct[static_cast<size_t>(y)];
      all |= row;
      if (y < kFillCells) south |= row;
      if (y >= kBlock - kFillCells) north |= row;
    }
    for (int dy = -1; dy <= 1; ++dy)
      for (int dx = -1; dx <= 1; ++dx) {
        const uint64_t rows = dy < 0 ? south : dy > 0 ? north : all;
        const uint64_t near = dx < 0 ? rows & kWest : dx > 0 ? rows & kEast : rows;
        const bool within =
            bx + dx >= 0 && by + dy >= 0 && bx + dx < blocks_x_ && by + dy < blocks_y_;
        if (near != 0 && within) TimeBlockAt(bx + dx, by + dy);
      }
  }
}

// By whole rows: for each offset in order of distance, the cells that have a road there and none
// nearer.
void ContourDrawer::FindNearest(int bx, int by) {
  RoadBlock& block = RoadBlockAt(bx, by);
  if (block.nearest_known) return;
  block.nearest_known = true;
  const auto row_of = [&](int block_x, int y) -> uint64_t {
    const int block_y = y < 0 ? by - 1 : y >= kBlock ? by + 1 : by;
    if (block_x < 0 || block_y < 0 || block_x >= blocks_x_ || block_y >= blocks_y_) return 0;
    const auto& other = road_blocks_[BlockIndex(block_x, block_y)];
    return other ? other->road[static_cast<size_t>((y + kBlock) % kBlock)] : 0;
  };
  const auto& offsets = NearOffsets();
  for (int y = 0; y < kBlock; ++y) {
    uint64_t open = ~block.road[static_cast<size_t>(y)];
    for (size_t i = 0; i < offsets.size() && open != 0; ++i) {
      const auto [dx, dy] = offsets[i];
      uint64_t shifted = row_of(bx, y + dy);
      if (dx > 0) shifted = shifted >> dx | row_of(bx + 1, y + dy) << (kBlock - dx);
      if (dx < 0) shifted = shifted << -dx | row_of(bx - 1, y + dy) >> (kBlock + dx);
      for (uint64_t found = open & shifted; found != 0; found &= found - 1)
        block.nearest[static_cast<size_t>(y) * kBlock +
                      static_cast<size_t>(std::countr_zero(found))] = static_cast<uint8_t>(i + 1);
      open &= ~shifted;
    }
  }
}

// Cells without a road take the time of the cell they belong to.
void ContourDrawer::Fill(int bx, int by) {
  FindNearest(bx, by);
  const RoadBlock& roads = RoadBlockAt(bx, by);
  TimeBlock& block = TimeBlockAt(bx, by);
  const auto& offsets = NearOffsets();
  for (int y = 0; y < kBlock; ++y) {
    const uint64_t open =
        ~(roads.road[static_cast<size_t>(y)] | block.direct[static_cast<size_t>(y)]);
    for (uint64_t rest = open; rest != 0; rest &= rest - 1) {
      const int x = std::countr_zero(rest);
      const size_t at = static_cast<size_t>(y) * kBlock + static_cast<size_t>(x);
      const uint8_t code = roads.nearest[at];
      if (code == 0) continue;
      const int nx = bx * kBlock + x + offsets[code - 1].dx;
      const int ny = by * kBlock + y + offsets[code - 1].dy;
      if (nx < 0 || ny < 0 || nx >= blocks_x_ * kBlock || ny >= blocks_y_ * kBlock) continue;
      const auto& other = time_blocks_[BlockIndex(nx / kBlock, ny / kBlock)];
      if (!other || !(other->direct[static_cast<size_t>(ny % kBlock)] >> (nx % kBlock) & 1))
        continue;
      block.time[at] =
          other->time[static_cast<size_t>(ny % kBlock) * kBlock + static_cast<size_t>(nx % kBlock)];
    }
  }
}

void ContourDrawer::Clear() {
  for (const auto& [by, bx] : used_)
    spare_blocks_.push_back(std::move(time_blocks_[BlockIndex(bx, by)]));
  used_.clear();
}

std::vector<ContourTier> ContourDrawer::Draw(std::span<const ReachedStretch> stretches,
                                             std::span<const uint32_t> limits_ms) {
  std::vector<ContourTier> tiers;
  for (const uint32_t limit : limits_ms) tiers.push_back({limit, {}});
  if (limits_ms.empty()) return tiers;
  for (const ReachedStretch& s : stretches)
    if (std::min(s.from_ms, s.to_ms) <= limits_ms.back()) MarkStretch(s);
  if (used_.empty()) return tiers;
  AllocateNeighbours();
  std::sort(used_.begin(), used_.end());
  for (const auto& [by, bx] : used_) Fill(bx, by);
  int west = blocks_x_, east = 0, south = blocks_y_, north = 0;
  for (const auto& [by, bx] : used_) {
    west = std::min(west, bx);
    east = std::max(east, bx);
    south = std::min(south, by);
    north = std::max(north, by);
  }
  const int x0 = west * kBlock;
  const int y0 = south * kBlock;
  RingRules rules;
  rules.keeps_corners = [&](int x, int y) {
    const auto& block = time_blocks_[BlockIndex((x + x0) / kBlock, (y + y0) / kBlock)];
    return block &&
           (block->direct[static_cast<size_t>((y + y0) % kBlock)] >> ((x + x0) % kBlock) & 1);
  };
  rules.keeps_out = [&](int x, int y) { return HasRoad(x + x0, y + y0); };
  for (ContourTier& tier : tiers) {
    BitMatrix cells(east - west + 1, (north - south + 1) * kBlock);
    for (const auto& [by, bx] : used_) {
      const TimeBlock& block = *time_blocks_[BlockIndex(bx, by)];
      for (int y = 0; y < kBlock; ++y) {
        uint64_t row = 0;
        for (int x = 0; x < kBlock; ++x)
          row |= uint64_t{block.time[static_cast<size_t>(y * kBlock + x)] <= tier.limit_ms} << x;
        cells.Word(bx - west, by * kBlock - y0 + y) = row;
      }
    }
    const auto to_points = [&](const std::vector<RingPoint>& ring) {
      ContourRing points;
      for (const RingPoint& p : ring)
        points.push_back({static_cast<int32_t>(origin_lat_ + int64_t{y0} * step_lat_ +
                                               int64_t{p.y} * (step_lat_ / kRingUnitsPerCell)),
                          static_cast<int32_t>(origin_lon_ + int64_t{x0} * step_lon_ +
                                               int64_t{p.x} * (step_lon_ / kRingUnitsPerCell))});
      return points;
    };
    for (const RingPolygon& polygon : TraceRings(cells, rules)) {
      tier.polygons.push_back({to_points(polygon.outer), {}});
      for (const auto& hole : polygon.holes) tier.polygons.back().holes.push_back(to_points(hole));
    }
  }
  Clear();
  return tiers;
}

std::string GeoJsonMultiPolygon(const std::vector<ContourPolygon>& polygons) {
  std::string out = R"({"type":"MultiPolygon","coordinates":[)";
  const auto coordinate = [&](int32_t e7) {
    const uint32_t magnitude = static_cast<uint32_t>(std::abs(int64_t{e7}));
    fmt::format_to(std::back_inserter(out), "{}{}.{:07}", e7 < 0 ? "-" : "", magnitude / 10'000'000,
                   magnitude % 10'000'000);
  };
  const auto point = [&](const RoadPoint& p) {
    out += '[';
    coordinate(p.lon_e7);
    out += ',';
    coordinate(p.lat_e7);
    out += ']';
  };
  const auto ring = [&](const ContourRing& points) {
    out += '[';
    for (const RoadPoint& p : points) {
      point(p);
      out += ',';
    }
    point(points.front());
    out += ']';
  };
  for (size_t i = 0; i < polygons.size(); ++i) {
    out += i == 0 ? "[" : ",[";
    ring(polygons[i].outer);
    for (const ContourRing& hole : polygons[i].holes) {
      out += ',';
      ring(hole);
    }
    out += ']';
  }
  return out + "]}";
}

}  // namespace cordon
