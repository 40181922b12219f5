// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "dispatch/road_types.h"

namespace cordon {

// One road between two junctions, both directions; as it lies in the road file.
struct RoadPiece {
  EdgeId edge[2];  // forward (as drawn), backward
  uint32_t shape_first =
      0;  // its points are shape_first .. the next piece's shape_first, ends included
  uint32_t length_cm = 0;  // at least 1
  uint32_t name = 0;       // 0: none
  uint16_t flags = 0;      // RoadFlag
  uint16_t access = 0;     // AccessBit
  RoadClass road_class = RoadClass::kResidential;
  uint8_t speed_kmh[2] = {0, 0};  // posted or default limit, forward and backward
  int8_t layer = 0;
};
static_assert(sizeof(RoadPiece) == 28);

// A school, hospital, police post or station found in the map.
struct RoadSite {
  RoadPoint point;
  uint32_t name = 0;
  SiteKind kind = SiteKind::kOther;
  uint8_t reserved[3] = {0, 0, 0};  // no byte of the file is left to chance
};

// Everything about roads that does not change while Cordon runs: a read-only view of a road file,
// memory-mapped or in memory. Junctions are numbered in Z-order, edges by their tail, so that
// neighbours on the map are neighbours in memory. Every piece has both edges, also where one of
// them may never be driven. Thread-safe; share it by shared_ptr.
//
// Speeds, closures and turn costs are not here but in TravelGraph; where a fix lies on the roads is
// Snapper's.
class RoadNetwork {
 public:
  // Maps a file. NOT_FOUND; DATA_LOSS when truncated or corrupt; FAILED_PRECONDITION when written
  // by another version or on a machine of the other byte order. The message says what to do.
  static absl::StatusOr<std::shared_ptr<const RoadNetwork>> Open(const std::string& path);
  // The same from bytes in memory (the demo city, tests).
  static absl::StatusOr<std::shared_ptr<const RoadNetwork>> FromImage(std::string image);

  virtual ~RoadNetwork() = default;

  uint32_t junction_count() const { return static_cast<uint32_t>(points_.size()); }
  uint32_t piece_count() const { return piece_count_; }
  uint32_t edge_count() const { return static_cast<uint32_t>(edge_piece_.size()); }

  RoadPoint point(JunctionId j) const { return points_[j.value]; }
  // Edges that leave junction j are first_out()[j] .. first_out()[j + 1]; those that arrive are
  // their twins.
  std::span<const uint32_t> first_out() const { return first_out_; }

  JunctionId head(EdgeId e) const { return {edge_head_[e.value]}; }
  JunctionId tail(EdgeId e) const { return head(twin(e)); }
  PieceId piece_of(EdgeId e) const { return {edge_piece_[e.value] >> 1}; }
  bool is_forward(EdgeId e) const { return (edge_piece_[e.value] & 1) == 0; }
  EdgeId twin(EdgeId e) const {
    return pieces_[edge_piece_[e.value] >> 1].edge[1 - (edge_piece_[e.value] & 1)];
  }
  // Directions in 1/64 of a circle clockwise from north, on leaving the tail and on arriving at the
  // head. Where only two pieces meet, the two agree, so that following the road is never a turn. A
  // U-turn is exactly 32 apart.
  uint8_t leaving_direction(EdgeId e) const { return leaving_[e.value]; }
  uint8_t arriving_direction(EdgeId e) const { return arriving_[e.value] & 63; }
  // True when at least three pieces meet at the head: crossing it costs time.
  bool ends_at_crossing(EdgeId e) const;
  bool has_signal(EdgeId e) const {
    return piece(e).flags & (is_forward(e) ? kFlagSignalForward : kFlagSignalBackward);
  }
  bool allows(EdgeId e, AccessBit access) const {
    return piece(e).access & AccessOf(access, is_forward(e));
  }

  const RoadPiece& piece(PieceId p) const { return pieces_[p.value]; }
  const RoadPiece& piece(EdgeId e) const { return pieces_[edge_piece_[e.value] >> 1]; }
  uint32_t length_cm(EdgeId e) const { return piece(e).length_cm; }
  // From the forward edge's tail to its head; at least two points.
  std::span<const RoadPoint> shape(PieceId p) const {
    return shapes_.subspan(pieces_[p.value].shape_first,
                           pieces_[p.value + 1].shape_first - pieces_[p.value].shape_first);
  }
  // Empty: unnamed. Lives as long as the network.
  std::string_view name(PieceId p) const { return NameAt(pieces_[p.value].name); }
  std::string_view NameAt(uint32_t name) const;
  // The point `offset_cm` along the edge.
  LatLon PointAt(const RoadPosition& position) const;
  // The part of the edge's shape between two offsets from its tail, in its direction of travel;
  // ends interpolated.
  std::vector<RoadPoint> Part(EdgeId e, uint32_t from_cm, uint32_t to_cm) const;

  // For a ghost edge the edge it copies, otherwise the edge itself. Ghosts share shape and length
  // with their original.
  EdgeId original(EdgeId e) const;
  bool is_ghost(EdgeId e) const { return piece(e).flags & kFlagGhost; }
  // All ghost pieces, in rising order.
  std::span<const PieceId> ghost_pieces() const { return ghosts_; }
  // Sorted by from, then to.
  std::span<const TurnRule> turn_rules() const { return turn_rules_; }
  std::span<const RoadSite> sites() const { return sites_; }

  RoadPoint south_west() const { return south_west_; }
  RoadPoint north_east() const { return north_east_; }
  bool drives_left() const { return drives_left_; }
  // "key=value" lines of the import: source, attribution, counts, suspicious things.
  std::string_view notes() const { return notes_; }
  // Of the file's content; the same network has the same checksum.
  uint64_t checksum() const { return checksum_; }
  size_t file_bytes() const { return image_.size(); }
  // Bytes of geometry, the part that is only touched for drawing and snapping.
  size_t geometry_bytes() const { return shapes_.size_bytes(); }

  // Pieces (never ghosts) of the index cells within `radius` of `p`, each once or more; a superset
  // of those nearer.
  template <class Fn>
  void ForPiecesNear(const LatLon& p, Metres radius, Fn&& fn) const {
    const CellBox box = CellsNear(p, radius);
    for (uint32_t y = box.y0; y < box.y1; ++y)
      for (uint32_t x = box.x0; x < box.x1; ++x)
        for (uint32_t i = grid_first_[y * grid_width_ + x];
             i < grid_first_[y * grid_width_ + x + 1]; ++i)
          fn(PieceId{grid_pieces_[i]});
  }

 protected:
  RoadNetwork() = default;
  // Checks `image_` and points the spans into it.
  absl::Status Attach(const std::string& what);
  std::span<const char> image_;

 private:
  friend class RoadFileReader;
  struct CellBox {
    uint32_t x0 = 0, x1 = 0, y0 = 0, y1 = 0;
  };
  CellBox CellsNear(const LatLon& p, Metres radius) const;

  std::span<const RoadPoint> points_;
  std::span<const uint32_t> first_out_;
  std::span<const uint32_t> edge_piece_;  // piece << 1 | backward
  std::span<const uint32_t> edge_head_;
  std::span<const uint8_t> leaving_;
  std::span<const uint8_t> arriving_;
  std::span<const RoadPiece> pieces_;  // one more than piece_count_, the end of the shapes
  std::span<const RoadPoint> shapes_;
  std::span<const char> names_;
  std::span<const TurnRule> turn_rules_;
  std::span<const PieceId> ghosts_;
  std::span<const uint32_t> ghost_originals_;
  std::span<const RoadSite> sites_;
  std::span<const uint32_t> grid_first_;
  std::span<const uint32_t> grid_pieces_;
  std::string_view notes_;
  uint32_t piece_count_ = 0;
  uint32_t grid_width_ = 0;
  uint32_t grid_height_ = 0;
  uint32_t grid_step_lat_e7_ = 1;
  uint32_t grid_step_lon_e7_ = 1;
  RoadPoint south_west_;
  RoadPoint north_east_;
  bool drives_left_ = false;
  uint64_t checksum_ = 0;
};

}  // namespace cordon
