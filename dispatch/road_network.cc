// SPDX-License-Identifier: Apache-2.0
#include "dispatch/road_network.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "dispatch/road_file.h"
#include "dispatch/road_geometry.h"

namespace cordon {
namespace {

constexpr std::string_view kRemedy = "build it again with 'cordon roads build'";

class MappedRoadNetwork final : public RoadNetwork {
 public:
  MappedRoadNetwork(void* address, size_t bytes, const std::string& path, absl::Status* status)
      : address_(address), bytes_(bytes) {
    image_ = {static_cast<const char*>(address), bytes};
    *status = Attach(path);
  }
  ~MappedRoadNetwork() override { ::munmap(address_, bytes_); }

 private:
  void* address_;
  size_t bytes_;
};

class ImageRoadNetwork final : public RoadNetwork {
 public:
  ImageRoadNetwork(const std::string& image, absl::Status* status)
      : words_((image.size() + 7) / 8) {
    std::memcpy(words_.data(), image.data(), image.size());
    image_ = {reinterpret_cast<const char*>(words_.data()), image.size()};
    *status = Attach("road image");
  }

 private:
  std::vector<uint64_t> words_;  // 8-byte alignment
};

}  // namespace

uint64_t RoadChecksum(std::string_view bytes) {
  constexpr uint64_t kMultiplier = 0x9E37'79B9'7F4A'7C15;
  uint64_t lanes[4] = {1, 2, 3, 4};
  const auto mix = [](uint64_t h, uint64_t word) {
    h = (h ^ word) * kMultiplier;
    return h << 31 | h >> 33;
  };
  size_t at = 0;
  for (; at + 32 <= bytes.size(); at += 32) {
    uint64_t words[4];
    std::memcpy(words, bytes.data() + at, 32);
    for (int i = 0; i < 4; ++i) lanes[i] = mix(lanes[i], words[i]);
  }
  uint64_t rest[4] = {0, 0, 0, 0};
  std::memcpy(rest, bytes.data() + at, bytes.size() - at);
  uint64_t hash = bytes.size();
  for (int i = 0; i < 4; ++i) hash = mix(hash, mix(lanes[i], rest[i]));
  return hash ^ hash >> 29;
}

// Points a network's spans into its image and checks every index once, so that no later access
// needs a check.
class RoadFileReader {
 public:
  RoadFileReader(RoadNetwork& network, std::string what) : n_(network), what_(std::move(what)) {}

  absl::Status Read() {
    RETURN_IF_ERROR(ReadHeader());
    if (!TakeSections() || !CheckEdges() || !CheckPieces() || !CheckRest())
      return absl::DataLossError(
          fmt::format("{}: the road file contradicts itself ({}); {}", what_, fault_, kRemedy));
    return absl::OkStatus();
  }

 private:
  absl::Status ReadHeader() {
    const auto image = n_.image_;
    if (image.size() < sizeof header_)
      return absl::DataLossError(fmt::format("{}: too short for a road file; {}", what_, kRemedy));
    std::memcpy(&header_, image.data(), sizeof header_);
    if (std::memcmp(header_.magic, kRoadFileMagic, sizeof kRoadFileMagic) != 0)
      return absl::DataLossError(fmt::format(
          "{}: not a road file; make one with 'cordon roads build IN.osm.pbf OUT.roads'", what_));
    if (header_.byte_order != kRoadFileByteOrder)
      return absl::FailedPreconditionError(
          fmt::format("{}: written on a machine of the other byte order; {} here", what_, kRemedy));
    if (header_.version != kRoadFileVersion)
      return absl::FailedPreconditionError(
          fmt::format("{}: road file version {}, this Cordon reads version {}; {}", what_,
                      header_.version, kRoadFileVersion, kRemedy));
    if (header_.file_bytes != image.size())
      return absl::DataLossError(
          fmt::format("{}: {} bytes where {} were written, the file is cut off or overwritten; {}",
                      what_, image.size(), header_.file_bytes, kRemedy));
    const uint64_t sum =
        RoadChecksum({image.data() + kRoadChecksumFrom, image.size() - kRoadChecksumFrom});
    if (sum != header_.checksum)
      return absl::DataLossError(
          fmt::format("{}: the checksum is wrong, the file is damaged; {}", what_, kRemedy));
    return absl::OkStatus();
  }

  template <class T>
  bool Take(RoadSection which, std::span<const T>& into) {
    const auto& s = header_.sections[which];
    if (s.offset % 8 != 0 || s.offset > n_.image_.size() || s.bytes > n_.image_.size() - s.offset ||
        s.bytes % sizeof(T) != 0)
      return Fault("section bounds");
    into = {reinterpret_cast<const T*>(n_.image_.data() + s.offset),
            static_cast<size_t>(s.bytes / sizeof(T))};
    return true;
  }

  bool TakeSections() {
    std::span<const char> notes;
    const bool ok = Take(kSectionPoints, n_.points_) && Take(kSectionFirstOut, n_.first_out_) &&
                    Take(kSectionEdgePiece, n_.edge_piece_) &&
                    Take(kSectionEdgeHead, n_.edge_head_) && Take(kSectionLeaving, n_.leaving_) &&
                    Take(kSectionArriving, n_.arriving_) && Take(kSectionPieces, n_.pieces_) &&
                    Take(kSectionShapes, n_.shapes_) && Take(kSectionNames, n_.names_) &&
                    Take(kSectionTurnRules, n_.turn_rules_) && Take(kSectionGhosts, n_.ghosts_) &&
                    Take(kSectionGhostOriginals, n_.ghost_originals_) &&
                    Take(kSectionSites, n_.sites_) && Take(kSectionGridFirst, n_.grid_first_) &&
                    Take(kSectionGridPieces, n_.grid_pieces_) && Take(kSectionNotes, notes);
    if (!ok) return false;
    n_.notes_ = {notes.data(), notes.size()};
    n_.grid_width_ = header_.grid_width;
    n_.grid_height_ = header_.grid_height;
    n_.grid_step_lat_e7_ = header_.grid_step_lat_e7;
    n_.grid_step_lon_e7_ = header_.grid_step_lon_e7;
    n_.south_west_ = header_.south_west;
    n_.north_east_ = header_.north_east;
    n_.drives_left_ = header_.drives_left != 0;
    n_.checksum_ = header_.checksum;
    return true;
  }

  bool CheckEdges() {
    const size_t junctions = n_.points_.size();
    const size_t edges = n_.edge_piece_.size();
    if (junctions == 0 || junctions > Arcs::kMaxJunctions || edges == 0 || edges >= kNoIndex)
      return Fault("counts");
    if (n_.first_out_.size() != junctions + 1 || n_.edge_head_.size() != edges ||
        n_.leaving_.size() != edges || n_.arriving_.size() != edges ||
        n_.pieces_.size() != edges / 2 + 1 || edges % 2 != 0)
      return Fault("array lengths");
    n_.piece_count_ = static_cast<uint32_t>(edges / 2);
    if (!Monotone(n_.first_out_, edges)) return Fault("junctions");
    if (!AllBelow(n_.edge_head_, junctions) || !AllBelow(n_.edge_piece_, edges))
      return Fault("edges");
    if (!AllBelow(n_.leaving_, 64) || !AllBelow(n_.arriving_, 128)) return Fault("directions");
    return true;
  }

  bool CheckPieces() {
    for (uint32_t p = 0; p < n_.piece_count_; ++p) {
      const RoadPiece& piece = n_.pieces_[p];
      const uint64_t shape_end = n_.pieces_[p + 1].shape_first;
      if (shape_end > n_.shapes_.size() || shape_end < uint64_t{piece.shape_first} + 2)
        return Fault("shapes");
      if (piece.length_cm == 0 || static_cast<int>(piece.road_class) >= kRoadClasses)
        return Fault("pieces");
      for (uint32_t d = 0; d < 2; ++d)
        if (piece.edge[d].value >= n_.edge_piece_.size() ||
            n_.edge_piece_[piece.edge[d].value] != (p << 1 | d))
          return Fault("edges of pieces");
      if (!NameFits(piece.name)) return Fault("names");
    }
    // Edge e must leave the junction in whose range it lies: its twin's head.
    for (uint32_t j = 0; j + 1 < n_.first_out_.size(); ++j)
      for (uint32_t e = n_.first_out_[j]; e < n_.first_out_[j + 1]; ++e)
        if (n_.edge_head_[n_.twin(EdgeId{e}).value] != j) return Fault("tails");
    return true;
  }

  bool CheckRest() {
    const size_t edges = n_.edge_piece_.size();
    for (size_t i = 0; i < n_.turn_rules_.size(); ++i) {
      const TurnRule& rule = n_.turn_rules_[i];
      if (rule.from.value >= edges || rule.to.value >= edges ||
          rule.kind > TurnRuleKind::kGhostEntry ||
          (i > 0 && rule.from < n_.turn_rules_[i - 1].from))
        return Fault("turn rules");
    }
    if (n_.ghosts_.size() != n_.ghost_originals_.size() ||
        !AllBelow(n_.ghost_originals_, n_.piece_count_))
      return Fault("ghosts");
    for (size_t i = 0; i < n_.ghosts_.size(); ++i)
      if (n_.ghosts_[i].value >= n_.piece_count_ || (i > 0 && n_.ghosts_[i] <= n_.ghosts_[i - 1]))
        return Fault("ghosts");
    size_t flagged = 0;
    for (uint32_t p = 0; p < n_.piece_count_; ++p)
      flagged += (n_.pieces_[p].flags & kFlagGhost) != 0;
    if (flagged != n_.ghosts_.size()) return Fault("ghosts");
    for (size_t i = 0; i < n_.ghosts_.size(); ++i)
      if (!(n_.pieces_[n_.ghosts_[i].value].flags & kFlagGhost) ||
          n_.pieces_[n_.ghost_originals_[i]].length_cm != n_.pieces_[n_.ghosts_[i].value].length_cm)
        return Fault("ghosts");
    for (const RoadSite& site : n_.sites_)
      if (site.kind > SiteKind::kOther || !NameFits(site.name)) return Fault("sites");
    const uint64_t cells = uint64_t{n_.grid_width_} * n_.grid_height_;
    if (n_.grid_step_lat_e7_ == 0 || n_.grid_step_lon_e7_ == 0 ||
        n_.grid_first_.size() != cells + 1 || !Monotone(n_.grid_first_, n_.grid_pieces_.size()) ||
        !AllBelow(n_.grid_pieces_, n_.piece_count_))
      return Fault("index grid");
    return true;
  }

  bool NameFits(uint32_t name) const {
    if (name == 0) return true;
    if (n_.names_.size() < 2 || name > n_.names_.size() - 2) return false;
    return n_.NameAt(name).size() + name + 2 <= n_.names_.size();
  }
  static bool Monotone(std::span<const uint32_t> first, size_t end) {
    if (first.empty() || first.front() != 0 || first.back() != end) return false;
    bool rises = true;
    for (size_t i = 1; i < first.size(); ++i) rises &= first[i] >= first[i - 1];
    return rises;
  }
  template <class T>
  static bool AllBelow(std::span<const T> values, size_t limit) {
    T highest = 0;
    for (const T value : values) highest = std::max(highest, value);
    return values.empty() || highest < limit;
  }
  bool Fault(const char* what) {
    fault_ = what;
    return false;
  }
  struct Arcs {
    static constexpr size_t kMaxJunctions = 1
                                            << 24;  // travel_graph.h packs a junction into 24 bits
  };

  RoadNetwork& n_;
  const std::string what_;
  const char* fault_ = "";
  RoadFileHeader header_{};
};

absl::Status RoadNetwork::Attach(const std::string& what) {
  return RoadFileReader(*this, what).Read();
}

absl::StatusOr<std::shared_ptr<const RoadNetwork>> RoadNetwork::Open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const int error = errno;
    if (error == ENOENT)
      return absl::NotFoundError(fmt::format(
          "{}: no such road file; make one with 'cordon roads build IN.osm.pbf {}'", path, path));
    return absl::UnknownError(
        fmt::format("{}: cannot open the road file: {}", path, std::strerror(error)));
  }
  struct stat info {};
  const bool regular = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  if (!regular || info.st_size == 0) {
    ::close(fd);
    return absl::DataLossError(
        fmt::format("{}: {}; {}", path, regular ? "an empty file" : "not a file", kRemedy));
  }
  const auto bytes = static_cast<size_t>(info.st_size);
  void* address = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  ::close(fd);
  if (address == MAP_FAILED)
    return absl::ResourceExhaustedError(
        fmt::format("{}: cannot map {} bytes: {}", path, bytes, std::strerror(errno)));
  absl::Status status;
  auto network = std::make_shared<MappedRoadNetwork>(address, bytes, path, &status);
  RETURN_IF_ERROR(status);
  return network;
}

absl::StatusOr<std::shared_ptr<const RoadNetwork>> RoadNetwork::FromImage(std::string image) {
  absl::Status status;
  auto network = std::make_shared<ImageRoadNetwork>(image, &status);
  RETURN_IF_ERROR(status);
  return network;
}

std::string_view RoadNetwork::NameAt(uint32_t name) const {
  if (name == 0) return {};
  const auto low = static_cast<uint8_t>(names_[name]);
  const auto high = static_cast<uint8_t>(names_[name + 1]);
  return {names_.data() + name + 2, static_cast<size_t>(low | high << 8)};
}

LatLon RoadNetwork::PointAt(const RoadPosition& position) const {
  const auto part = Part(position.edge, position.offset_cm, position.offset_cm);
  return part.front().ToLatLon();
}

std::vector<RoadPoint> RoadNetwork::Part(EdgeId e, uint32_t from_cm, uint32_t to_cm) const {
  const auto points = shape(piece_of(e));
  const double length = piece(e).length_cm;
  CORDON_CHECK(from_cm <= to_cm && to_cm <= length, "a part lies within its edge");
  const bool ahead = is_forward(e);
  const double total = std::max(1e-6, ShapeMetres(points));
  const double from = from_cm / length * total;
  const double to = to_cm / length * total;
  const auto at = [&](size_t i) { return points[ahead ? i : points.size() - 1 - i]; };
  const auto between = [](RoadPoint a, RoadPoint b, double t) {
    const auto mix = [t](int32_t p, int32_t q) {
      return static_cast<int32_t>(p + std::llround(t * (static_cast<double>(q) - p)));
    };
    return RoadPoint{mix(a.lat_e7, b.lat_e7), mix(a.lon_e7, b.lon_e7)};
  };
  std::vector<RoadPoint> part;
  double walked = 0;
  for (size_t i = 1; i < points.size(); ++i) {
    const double step = SegmentMetres(at(i - 1), at(i));
    const double end = walked + step;
    const bool last = i + 1 == points.size();
    if (part.empty() && (from <= end || last))
      part.push_back(
          between(at(i - 1), at(i), step > 0 ? std::clamp((from - walked) / step, 0.0, 1.0) : 0));
    if (!part.empty()) {
      const bool ends_here = to <= end || last;
      const RoadPoint next =
          ends_here
              ? between(at(i - 1), at(i), step > 0 ? std::clamp((to - walked) / step, 0.0, 1.0) : 1)
              : at(i);
      if (!(next == part.back())) part.push_back(next);
      if (ends_here) break;
    }
    walked = end;
  }
  if (part.size() < 2 && from_cm < to_cm) part.push_back(part.back());
  return part;
}

EdgeId RoadNetwork::original(EdgeId e) const {
  const PieceId p = piece_of(e);
  if (!(pieces_[p.value].flags & kFlagGhost)) return e;
  const auto at = std::lower_bound(ghosts_.begin(), ghosts_.end(), p) - ghosts_.begin();
  return pieces_[ghost_originals_[static_cast<size_t>(at)]].edge[edge_piece_[e.value] & 1];
}

bool RoadNetwork::ends_at_crossing(EdgeId e) const {
  return arriving_[e.value] & kArrivingAtCrossing;
}

RoadNetwork::CellBox RoadNetwork::CellsNear(const LatLon& p, Metres radius) const {
  const double half_lat = radius.value / kMetresPerE7;
  const double half_lon = half_lat / std::max(0.01, std::cos(p.lat * std::numbers::pi / 180));
  const auto cell = [](double from_origin, uint32_t step, uint32_t cells) {
    const double index = std::floor(from_origin / step);
    return static_cast<uint32_t>(std::clamp(index, 0.0, static_cast<double>(cells)));
  };
  const double y = p.lat * 1e7 - south_west_.lat_e7;
  const double x = p.lon * 1e7 - south_west_.lon_e7;
  CellBox box;
  if (!(std::isfinite(x) && std::isfinite(y))) return box;
  box.x0 = cell(x - half_lon, grid_step_lon_e7_, grid_width_);
  box.x1 = cell(x + half_lon + grid_step_lon_e7_, grid_step_lon_e7_, grid_width_);
  box.y0 = cell(y - half_lat, grid_step_lat_e7_, grid_height_);
  box.y1 = cell(y + half_lat + grid_step_lat_e7_, grid_step_lat_e7_, grid_height_);
  return box;
}

}  // namespace cordon
