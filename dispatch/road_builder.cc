// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <unordered_map>

#include "base/check.h"
#include "dispatch/road_file.h"
#include "dispatch/road_geometry.h"
#include "dispatch/road_pieces.h"

namespace cordon {
namespace {

constexpr uint16_t kMotorAccess =
    BothWays(kAccessCar) | BothWays(kAccessEmergency) | BothWays(kAccessContraflow);
// A connected part shorter than this share of the largest is an island: cut off by the extract's
// border or by mapping.
constexpr double kIslandShare = 0.1;
constexpr double kGridCellMetres = 150;
constexpr uint64_t kMostGridCells = 4'000'000;
constexpr size_t kMostJunctions = (size_t{1} << 24) - 1;

uint64_t SpreadBits(uint64_t v) {
  v = (v | v << 16) & 0x0000'FFFF'0000'FFFF;
  v = (v | v << 8) & 0x00FF'00FF'00FF'00FF;
  v = (v | v << 4) & 0x0F0F'0F0F'0F0F'0F0F;
  v = (v | v << 2) & 0x3333'3333'3333'3333;
  return (v | v << 1) & 0x5555'5555'5555'5555;
}

// Z-order (Morton) code: neighbours on the map get neighbouring codes.
uint64_t ZOrder(const RoadPoint& p) {
  const auto y = static_cast<uint32_t>(static_cast<int64_t>(p.lat_e7) + 900'000'000);
  const auto x = static_cast<uint32_t>(static_cast<int64_t>(p.lon_e7) + 1'800'000'000);
  return SpreadBits(y) << 1 | SpreadBits(x);
}

// Numbers everything and lays the arrays out.
class ImageWriter {
 public:
  ImageWriter(const RoadDraft& draft, const BuiltRoads& roads) : draft_(draft), roads_(roads) {}

  std::string Run() {
    OrderJunctions();
    NumberEdges();
    WritePieces();
    WriteRules();
    WriteSites();
    WriteGrid();
    return Assemble();
  }

 private:
  void OrderJunctions() {
    const size_t count = roads_.junctions.size();
    std::vector<std::pair<uint64_t, uint32_t>> order(count);
    for (uint32_t j = 0; j < count; ++j) order[j] = {ZOrder(roads_.junctions[j]), j};
    std::sort(order.begin(), order.end());
    rank_.resize(count);
    for (uint32_t i = 0; i < count; ++i) {
      rank_[order[i].second] = i;
      points_.push_back(roads_.junctions[order[i].second]);
    }
  }

  void NumberEdges() {
    const auto pieces = static_cast<uint32_t>(roads_.pieces.size());
    piece_order_.resize(pieces);
    std::iota(piece_order_.begin(), piece_order_.end(), 0);
    const auto key = [&](uint32_t p) {
      const BuiltPiece& piece = roads_.pieces[p];
      const auto [low, high] = std::minmax(rank_[piece.tail], rank_[piece.head]);
      return std::tuple(low, high, p);
    };
    std::sort(piece_order_.begin(), piece_order_.end(),
              [&](uint32_t a, uint32_t b) { return key(a) < key(b); });
    first_out_.assign(points_.size() + 1, 0);
    for (const BuiltPiece& piece : roads_.pieces) {
      ++first_out_[rank_[piece.tail] + 1];
      ++first_out_[rank_[piece.head] + 1];
    }
    std::partial_sum(first_out_.begin(), first_out_.end(), first_out_.begin());
    std::vector<uint32_t> next(first_out_.begin(), first_out_.end() - 1);
    edge_of_half_.resize(2 * size_t{pieces});
    edge_piece_.resize(2 * size_t{pieces});
    edge_head_.resize(2 * size_t{pieces});
    leaving_.resize(2 * size_t{pieces});
    arriving_.resize(2 * size_t{pieces});
    new_piece_.resize(pieces);
    for (uint32_t i = 0; i < pieces; ++i) {
      new_piece_[piece_order_[i]] = i;
      const BuiltPiece& piece = roads_.pieces[piece_order_[i]];
      for (uint32_t d = 0; d < 2; ++d) {
        const uint32_t e = next[rank_[d == 0 ? piece.tail : piece.head]]++;
        edge_of_half_[2 * piece_order_[i] + d] = e;
        edge_piece_[e] = i << 1 | d;
        edge_head_[e] = rank_[d == 0 ? piece.head : piece.tail];
        leaving_[e] = piece.leaving[d];
        const bool crossing = d == 0 ? piece.crossing_at_head : piece.crossing_at_tail;
        arriving_[e] =
            static_cast<uint8_t>(piece.arriving[d] | (crossing ? kArrivingAtCrossing : 0));
      }
    }
  }

  uint32_t NameOffset(const std::string& name) {
    if (name.empty()) return 0;
    const auto [at, added] = name_offsets_.emplace(name, static_cast<uint32_t>(names_.size()));
    if (added) {
      const size_t length = std::min<size_t>(name.size(), 0xFFFF);
      names_.push_back(static_cast<char>(length & 0xFF));
      names_.push_back(static_cast<char>(length >> 8));
      names_.append(name, 0, length);
    }
    return at->second;
  }

  void WritePieces() {
    names_.assign(2, '\0');
    for (const uint32_t p : piece_order_) {
      const BuiltPiece& built = roads_.pieces[p];
      RoadPiece piece;
      piece.edge[0] = {edge_of_half_[2 * p]};
      piece.edge[1] = {edge_of_half_[2 * p + 1]};
      piece.shape_first = static_cast<uint32_t>(shapes_.size());
      piece.length_cm = built.length_cm;
      piece.name = NameOffset(draft_.ways[built.way_at_tail].name);
      piece.flags = built.flags;
      piece.access = built.access;
      piece.road_class = built.road_class;
      piece.speed_kmh[0] = built.speed_kmh[0];
      piece.speed_kmh[1] = built.speed_kmh[1];
      piece.layer = built.layer;
      pieces_.push_back(piece);
      shapes_.insert(shapes_.end(), built.shape.begin(), built.shape.end());
      if (built.ghost_of != kNoIndex) {
        ghosts_.push_back({static_cast<uint32_t>(pieces_.size() - 1)});
        ghost_originals_.push_back(new_piece_[built.ghost_of]);
      }
    }
    RoadPiece end;
    end.shape_first = static_cast<uint32_t>(shapes_.size());
    pieces_.push_back(end);
  }

  void WriteRules() {
    for (const BuiltTurnRule& rule : roads_.rules)
      rules_.push_back({{edge_of_half_[rule.from]}, {edge_of_half_[rule.to]}, rule.kind});
    std::sort(rules_.begin(), rules_.end(), [](const TurnRule& a, const TurnRule& b) {
      return std::tie(a.from, a.to, a.kind) < std::tie(b.from, b.to, b.kind);
    });
    rules_.erase(std::unique(rules_.begin(), rules_.end(),
                             [](const TurnRule& a, const TurnRule& b) {
                               return a.from == b.from && a.to == b.to && a.kind == b.kind;
                             }),
                 rules_.end());
  }

  void WriteSites() {
    for (const DraftSite& site : draft_.sites) {
      RoadSite written;
      written.point = site.at;
      written.kind = site.kind;
      written.name = NameOffset(site.name);
      sites_.push_back(written);
    }
  }

  void WriteGrid() {
    RoadPoint low = shapes_.front();
    RoadPoint high = low;
    for (const RoadPoint& p : shapes_) {
      low = {std::min(low.lat_e7, p.lat_e7), std::min(low.lon_e7, p.lon_e7)};
      high = {std::max(high.lat_e7, p.lat_e7), std::max(high.lon_e7, p.lon_e7)};
    }
    header_.south_west = low;
    header_.north_east = high;
    const double mid_lat =
        (static_cast<double>(low.lat_e7) + high.lat_e7) * 0.5e-7 * std::numbers::pi / 180;
    double step = kGridCellMetres / kMetresPerE7;
    const double height = static_cast<double>(high.lat_e7) - low.lat_e7 + 1;
    const double width =
        (static_cast<double>(high.lon_e7) - low.lon_e7 + 1) * std::max(0.01, std::cos(mid_lat));
    while (height / step * (width / step) > static_cast<double>(kMostGridCells)) step *= 1.5;
    header_.grid_step_lat_e7 = static_cast<uint32_t>(step);
    header_.grid_step_lon_e7 = static_cast<uint32_t>(step / std::max(0.01, std::cos(mid_lat)));
    header_.grid_width = Cell(high.lon_e7, low.lon_e7, header_.grid_step_lon_e7) + 1;
    header_.grid_height = Cell(high.lat_e7, low.lat_e7, header_.grid_step_lat_e7) + 1;
    FillGrid();
  }

  static uint32_t Cell(int32_t value, int32_t origin, uint32_t step) {
    return static_cast<uint32_t>((static_cast<int64_t>(value) - origin) / step);
  }

  void FillGrid() {
    std::vector<std::pair<uint32_t, uint32_t>> entries;
    for (uint32_t p = 0; p + 1 < pieces_.size(); ++p) {
      if (pieces_[p].flags & kFlagGhost) continue;
      const size_t before = entries.size();
      for (uint32_t i = pieces_[p].shape_first + 1; i < pieces_[p + 1].shape_first; ++i)
        MarkSegment(shapes_[i - 1], shapes_[i], p, entries);
      std::sort(entries.begin() + static_cast<ptrdiff_t>(before), entries.end());
      entries.erase(std::unique(entries.begin() + static_cast<ptrdiff_t>(before), entries.end()),
                    entries.end());
    }
    std::sort(entries.begin(), entries.end());
    grid_first_.assign(size_t{header_.grid_width} * header_.grid_height + 1, 0);
    for (const auto& [cell, piece] : entries) {
      ++grid_first_[cell + 1];
      grid_pieces_.push_back(piece);
    }
    std::partial_sum(grid_first_.begin(), grid_first_.end(), grid_first_.begin());
  }

  // All cells of the box around each stretch of at most one cell's size: a few too many, never one
  // too few.
  void MarkSegment(RoadPoint a, RoadPoint b, uint32_t piece,
                   std::vector<std::pair<uint32_t, uint32_t>>& entries) const {
    const double dy = std::abs(static_cast<double>(b.lat_e7) - a.lat_e7) / header_.grid_step_lat_e7;
    const double dx = std::abs(static_cast<double>(b.lon_e7) - a.lon_e7) / header_.grid_step_lon_e7;
    const int parts = 1 + static_cast<int>(std::max(dx, dy));
    const auto at = [&](int i) {
      const auto mix = [&](int32_t p, int32_t q) {
        return static_cast<int32_t>(p + (static_cast<int64_t>(q) - p) * i / parts);
      };
      return RoadPoint{mix(a.lat_e7, b.lat_e7), mix(a.lon_e7, b.lon_e7)};
    };
    for (int i = 0; i < parts; ++i) {
      const RoadPoint p = at(i);
      const RoadPoint q = at(i + 1);
      const RoadPoint& origin = header_.south_west;
      const auto [y0, y1] = std::minmax({Cell(p.lat_e7, origin.lat_e7, header_.grid_step_lat_e7),
                                         Cell(q.lat_e7, origin.lat_e7, header_.grid_step_lat_e7)});
      const auto [x0, x1] = std::minmax({Cell(p.lon_e7, origin.lon_e7, header_.grid_step_lon_e7),
                                         Cell(q.lon_e7, origin.lon_e7, header_.grid_step_lon_e7)});
      for (uint32_t y = y0; y <= y1; ++y)
        for (uint32_t x = x0; x <= x1; ++x) entries.emplace_back(y * header_.grid_width + x, piece);
    }
  }

  template <class T>
  void Append(RoadSection section, const std::vector<T>& values) {
    image_.resize((image_.size() + 7) / 8 * 8, '\0');
    header_.sections[section] = {image_.size(), values.size() * sizeof(T)};
    if (!values.empty())
      image_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  }

  std::string Assemble() {
    std::string notes;
    for (const auto& [key, value] : draft_.notes) notes += fmt::format("{}={}\n", key, value);
    image_.assign(sizeof header_, '\0');
    Append(kSectionPoints, points_);
    Append(kSectionFirstOut, first_out_);
    Append(kSectionEdgePiece, edge_piece_);
    Append(kSectionEdgeHead, edge_head_);
    Append(kSectionLeaving, leaving_);
    Append(kSectionArriving, arriving_);
    Append(kSectionPieces, pieces_);
    Append(kSectionTurnRules, rules_);
    Append(kSectionGhosts, ghosts_);
    Append(kSectionGhostOriginals, ghost_originals_);
    Append(kSectionGridFirst, grid_first_);
    Append(kSectionGridPieces, grid_pieces_);
    Append(kSectionSites, sites_);
    Append(kSectionShapes, shapes_);
    Append(kSectionNames, std::vector<char>(names_.begin(), names_.end()));
    Append(kSectionNotes, std::vector<char>(notes.begin(), notes.end()));
    std::memcpy(header_.magic, kRoadFileMagic, sizeof kRoadFileMagic);
    header_.version = kRoadFileVersion;
    header_.byte_order = kRoadFileByteOrder;
    header_.drives_left = draft_.drives_left;
    header_.file_bytes = image_.size();
    std::memcpy(image_.data(), &header_, sizeof header_);
    header_.checksum =
        RoadChecksum({image_.data() + kRoadChecksumFrom, image_.size() - kRoadChecksumFrom});
    std::memcpy(image_.data(), &header_, sizeof header_);
    return std::move(image_);
  }

  const RoadDraft& draft_;
  const BuiltRoads& roads_;
  RoadFileHeader header_{};
  std::vector<uint32_t> rank_;         // junction as built -> as written
  std::vector<uint32_t> piece_order_;  // as written -> as built
  std::vector<uint32_t> new_piece_;    // as built -> as written
  std::vector<uint32_t> edge_of_half_;
  std::vector<RoadPoint> points_;
  std::vector<uint32_t> first_out_;
  std::vector<uint32_t> edge_piece_;
  std::vector<uint32_t> edge_head_;
  std::vector<uint8_t> leaving_;
  std::vector<uint8_t> arriving_;
  std::vector<RoadPiece> pieces_;
  std::vector<RoadPoint> shapes_;
  std::string names_;
  std::unordered_map<std::string, uint32_t> name_offsets_;
  std::vector<TurnRule> rules_;
  std::vector<PieceId> ghosts_;
  std::vector<uint32_t> ghost_originals_;
  std::vector<RoadSite> sites_;
  std::vector<uint32_t> grid_first_;
  std::vector<uint32_t> grid_pieces_;
  std::string image_;
};

// Connected parts of what motor vehicles may drive, directions ignored.
void MarkIslands(BuiltRoads& roads) {
  std::vector<uint32_t> parent(roads.junctions.size());
  std::iota(parent.begin(), parent.end(), 0);
  const auto root = [&](uint32_t j) {
    while (parent[j] != j) j = parent[j] = parent[parent[j]];
    return j;
  };
  for (const BuiltPiece& piece : roads.pieces)
    if (piece.access & kMotorAccess) parent[root(piece.tail)] = root(piece.head);
  std::vector<double> length(roads.junctions.size());
  for (const BuiltPiece& piece : roads.pieces)
    if (piece.access & kMotorAccess) length[root(piece.tail)] += piece.length_cm;
  const double largest = *std::max_element(length.begin(), length.end());
  for (BuiltPiece& piece : roads.pieces)
    if ((piece.access & kMotorAccess) && length[root(piece.tail)] < kIslandShare * largest)
      piece.flags |= kFlagIsland;
}

}  // namespace

absl::StatusOr<std::string> BuildRoadImage(const RoadDraft& draft) {
  if (draft.ways.empty()) return absl::InvalidArgumentError("there is no road in it");
  for (const DraftWay& way : draft.ways) {
    CORDON_CHECK(way.points.size() >= 2, "a way has at least two points");
    for (const uint32_t p : way.points)
      CORDON_CHECK(p < draft.points.size(), "a way's points exist");
  }
  BuiltRoads roads = SplitIntoPieces(draft);
  if (roads.junctions.size() > kMostJunctions)
    return absl::ResourceExhaustedError(
        fmt::format("{} junctions, at most {} fit in one road file; cut the extract",
                    roads.junctions.size(), kMostJunctions));
  MarkIslands(roads);
  AddTurnRules(draft, roads);
  AddContraflowRules(roads);
  return ImageWriter(draft, roads).Run();
}

}  // namespace cordon
