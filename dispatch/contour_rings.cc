// SPDX-License-Identifier: Apache-2.0
#include "dispatch/contour_rings.h"

#include <algorithm>
#include <bit>
#include <cstddef>

namespace cordon {
namespace {

// In units. Enough to keep two cells that touch at a corner apart; less than the margin by which
// roads are marked.
constexpr int kHair = 1;

// East, north, west, south.
constexpr int kDx[4] = {1, 0, -1, 0};
constexpr int kDy[4] = {0, 1, 0, -1};

// Set cells in a row, and which group they belong to.
struct Run {
  int begin;
  int end;
  uint32_t group;
};

bool HasAny(const BitMatrix& cells, int y, int begin, int end) {
  for (int word = begin >> 6; word <= (end - 1) >> 6; ++word) {
    uint64_t mask = ~uint64_t{0};
    if (word == begin >> 6) mask <<= begin & 63;
    if (word == (end - 1) >> 6) mask &= ~uint64_t{0} >> (63 - ((end - 1) & 63));
    if (cells.Word(word, y) & mask) return true;
  }
  return false;
}

class Groups {
 public:
  Groups(const BitMatrix& cells, const BitMatrix& keeps_corners)
      : first_(static_cast<size_t>(cells.height()) + 1) {
    for (int y = 0; y < cells.height(); ++y) {
      first_[static_cast<size_t>(y)] = runs_.size();
      AddRow(cells, y);
    }
    first_.back() = runs_.size();
    for (int y = 1; y < cells.height(); ++y) JoinWithRowBelow(y);
    solid_.resize(runs_.size());
    for (int y = 0; y < cells.height(); ++y)
      for (size_t r = first_[static_cast<size_t>(y)]; r < first_[static_cast<size_t>(y) + 1]; ++r)
        if (HasAny(keeps_corners, y, runs_[r].begin, runs_[r].end)) solid_[Root(r)] = 1;
  }

  uint32_t GroupOf(int x, int y) {
    const auto begin = runs_.begin() + static_cast<ptrdiff_t>(first_[static_cast<size_t>(y)]);
    const auto end = runs_.begin() + static_cast<ptrdiff_t>(first_[static_cast<size_t>(y) + 1]);
    const auto run =
        std::upper_bound(begin, end, x, [](int value, const Run& r) { return value < r.begin; }) -
        1;
    return Root(static_cast<size_t>(run - runs_.begin()));
  }
  bool IsSolid(uint32_t group) const { return solid_[group]; }
  size_t size() const { return runs_.size(); }

 private:
  void AddRow(const BitMatrix& cells, int y) {
    int begin = -1;
    for (int w = 0; w < cells.words(); ++w) {
      uint64_t word = cells.Word(w, y);
      if (begin >= 0 && word == ~uint64_t{0}) continue;
      int at = 0;
      while (at < 64) {
        const uint64_t rest = (begin >= 0 ? ~word : word) >> at;
        if (rest == 0) break;
        at += std::countr_zero(rest);
        if (begin < 0) {
          begin = w * 64 + at;
        } else {
          runs_.push_back({begin, w * 64 + at, static_cast<uint32_t>(runs_.size())});
          begin = -1;
        }
      }
    }
    if (begin >= 0) runs_.push_back({begin, cells.width(), static_cast<uint32_t>(runs_.size())});
  }

  void JoinWithRowBelow(int y) {
    size_t below = first_[static_cast<size_t>(y) - 1];
    const size_t below_end = first_[static_cast<size_t>(y)];
    for (size_t r = below_end; r < first_[static_cast<size_t>(y) + 1]; ++r) {
      while (below < below_end && runs_[below].end <= runs_[r].begin) ++below;
      for (size_t b = below; b < below_end && runs_[b].begin < runs_[r].end; ++b) {
        const uint32_t one = Root(r);
        const uint32_t other = Root(b);
        runs_[std::max(one, other)].group = std::min(one, other);
      }
    }
  }

  uint32_t Root(size_t r) {
    while (runs_[r].group != r) {
      runs_[r].group = runs_[runs_[r].group].group;
      r = runs_[r].group;
    }
    return static_cast<uint32_t>(r);
  }

  std::vector<size_t> first_;
  std::vector<Run> runs_;
  std::vector<uint8_t> solid_;
};

class Tracer {
 public:
  Tracer(const BitMatrix& cells, const BitMatrix& keeps_corners, const BitMatrix& keeps_out,
         int units_per_cell)
      : units_(units_per_cell),
        cells_(cells),
        keeps_corners_(keeps_corners),
        keeps_out_(keeps_out),
        done_(cells.words(), cells.height()),
        groups_(cells, keeps_corners) {}

  std::vector<RingPolygon> Run() {
    polygon_of_.assign(groups_.size(), -1);
    for (int y = 0; y < cells_.height(); ++y)
      for (int w = 0; w < cells_.words(); ++w) {
        const uint64_t below = cells_.Word(w, y - 1);
        for (uint64_t open = cells_.Word(w, y) & ~below & ~done_.Word(w, y); open != 0;
             open = cells_.Word(w, y) & ~below & ~done_.Word(w, y))
          Trace(w * 64 + std::countr_zero(open), y);
      }
    return std::move(polygons_);
  }

 private:
  // Once around, set cells to the left, beginning eastward under the cell.
  void Trace(int x, int y) {
    const uint32_t group = groups_.GroupOf(x, y);
    ring_.clear();
    const auto row = static_cast<ptrdiff_t>(cells_.RowBits());
    const ptrdiff_t step[4] = {1, row, -1, -row};
    const size_t start = cells_.BitOf(x, y);
    size_t cell = start;  // the set cell to the left of the border
    int heading = 0;
    do {
      if (heading == 0) done_.Set(cell);
      const int right = (heading + 3) & 3;
      const size_t ahead = cell + static_cast<size_t>(step[heading]);
      // The corner at the end of this border, in cells.
      const int vx = x + (heading < 2 ? 1 : 0);
      const int vy = y + (heading == 1 || heading == 2 ? 1 : 0);
      if (!cells_.Test(ahead)) {
        const int next = (heading + 1) & 3;
        AddCorner(vx, vy, heading, next, keeps_corners_.Test(cell) ? kHair : units_ / 2);
        heading = next;
        continue;
      }
      x += kDx[heading];
      y += kDy[heading];
      cell = ahead;
      const size_t beside = ahead + static_cast<size_t>(step[right]);
      if (!cells_.Test(beside)) continue;
      const size_t out = beside - static_cast<size_t>(step[heading]);
      AddCorner(vx, vy, heading, right, keeps_out_.Test(out) ? 0 : units_ / 2);
      heading = right;
      x += kDx[heading];
      y += kDy[heading];
      cell = beside;
    } while (cell != start || heading != 0);
    if (!groups_.IsSolid(group)) return;
    DropStraight(ring_);
    int64_t twice_area = 0;
    for (size_t i = 0, before = ring_.size() - 1; i < ring_.size(); before = i++)
      twice_area +=
          int64_t{ring_[before].x} * ring_[i].y - int64_t{ring_[before].y} * ring_[i].x;
    Keep(group, twice_area > 0, {ring_.begin(), ring_.end()});
  }

  // A cut staircase is one straight line. The first point stays in any case.
  static void DropStraight(std::vector<RingPoint>& ring) {
    if (ring.size() > 1 && ring.front().x == ring.back().x && ring.front().y == ring.back().y)
      ring.pop_back();
    size_t kept = 1;
    for (size_t i = 1; i < ring.size(); ++i) {
      const RingPoint& before = ring[kept - 1];
      const RingPoint at = ring[i];
      const RingPoint& after = ring[i + 1 < ring.size() ? i + 1 : 0];
      const int64_t cross = int64_t{at.x - before.x} * (after.y - at.y) -
                            int64_t{at.y - before.y} * (after.x - at.x);
      if (cross != 0) ring[kept++] = at;
    }
    ring.resize(kept);
  }

  void AddCorner(int vx, int vy, int in, int out, int cut) {
    const RingPoint v{vx * units_, vy * units_};
    if (cut == 0) return AddPoint(v);
    AddPoint({v.x - kDx[in] * cut, v.y - kDy[in] * cut});
    AddPoint({v.x + kDx[out] * cut, v.y + kDy[out] * cut});
  }

  void AddPoint(const RingPoint& p) {
    if (ring_.empty() || ring_.back().x != p.x || ring_.back().y != p.y) ring_.push_back(p);
  }

  // A group's outer ring is met before its holes: it reaches farther south.
  void Keep(uint32_t group, bool outer, std::vector<RingPoint> ring) {
    int32_t& polygon = polygon_of_[group];
    if (outer && polygon < 0) {
      polygon = static_cast<int32_t>(polygons_.size());
      polygons_.emplace_back();
      polygons_.back().outer = std::move(ring);
    } else if (polygon >= 0) {
      polygons_[static_cast<size_t>(polygon)].holes.push_back(std::move(ring));
    }
  }

  const int units_;
  const BitMatrix& cells_;
  const BitMatrix& keeps_corners_;
  const BitMatrix& keeps_out_;
  BitMatrix done_;
  Groups groups_;
  std::vector<int32_t> polygon_of_;
  std::vector<RingPolygon> polygons_;
  std::vector<RingPoint> ring_;  // the one at hand
};

}  // namespace

std::vector<RingPolygon> TraceRings(const BitMatrix& cells, const BitMatrix& keeps_corners,
                                    const BitMatrix& keeps_out, int units_per_cell) {
  return Tracer(cells, keeps_corners, keeps_out, units_per_cell).Run();
}

}  // namespace cordon
