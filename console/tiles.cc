// SPDX-License-Identifier: Apache-2.0
#include "console/tiles.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <protozero/pbf_writer.hpp>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "console/tile_geometry.h"
#include "dispatch/road_report.h"

namespace cordon {
namespace {

using console::TilePoint;
using console::TileProjection;

// Field numbers of vector_tile.proto.
constexpr protozero::pbf_tag_type kTileLayer = 3;
constexpr protozero::pbf_tag_type kLayerVersion = 15;
constexpr protozero::pbf_tag_type kLayerName = 1;
constexpr protozero::pbf_tag_type kLayerFeature = 2;
constexpr protozero::pbf_tag_type kLayerKey = 3;
constexpr protozero::pbf_tag_type kLayerValue = 4;
constexpr protozero::pbf_tag_type kLayerExtent = 5;
constexpr protozero::pbf_tag_type kFeatureTags = 2;
constexpr protozero::pbf_tag_type kFeatureType = 3;
constexpr protozero::pbf_tag_type kFeatureGeometry = 4;
constexpr protozero::pbf_tag_type kValueString = 1;
constexpr uint32_t kTypePoint = 1;
constexpr uint32_t kTypeLine = 2;

// The zoom from which roads of a class are drawn, by RoadClass; matches the page's style.
constexpr std::array<uint32_t, kRoadClasses> kFromZoom = {0,  0,  8,  8,  11, 11, 11,
                                                          12, 13, 13, 13, 14, 14, 99};

// Collects the features of one layer; strings are kept once.
class LayerWriter {
 public:
  explicit LayerWriter(const char* name) {
    layer_.add_uint32(kLayerVersion, 2);
    layer_.add_string(kLayerName, name);
    layer_.add_uint32(kLayerExtent, static_cast<uint32_t>(console::kTileExtent));
  }

  void Add(uint32_t type, const std::vector<uint32_t>& geometry,
           std::initializer_list<std::pair<const char*, std::string_view>> attributes) {
    std::vector<uint32_t> tags;
    for (const auto& [key, value] : attributes) {
      if (value.empty()) continue;
      tags.push_back(IndexOf(keys_, key));
      tags.push_back(IndexOf(values_, std::string(value)));
    }
    std::string bytes;
    protozero::pbf_writer feature(bytes);
    feature.add_packed_uint32(kFeatureTags, tags.begin(), tags.end());
    feature.add_enum(kFeatureType, static_cast<int32_t>(type));
    feature.add_packed_uint32(kFeatureGeometry, geometry.begin(), geometry.end());
    layer_.add_message(kLayerFeature, bytes);
    empty_ = false;
  }

  void Finish(protozero::pbf_writer& tile) {
    if (empty_) return;
    for (const std::string& key : InOrder(keys_)) layer_.add_string(kLayerKey, key);
    for (const std::string& text : InOrder(values_)) {
      std::string bytes;
      protozero::pbf_writer(bytes).add_string(kValueString, text);
      layer_.add_message(kLayerValue, bytes);
    }
    tile.add_message(kTileLayer, bytes_);
  }

 private:
  using Dictionary = absl::flat_hash_map<std::string, uint32_t>;
  static uint32_t IndexOf(Dictionary& dictionary, const std::string& text) {
    return dictionary.try_emplace(text, static_cast<uint32_t>(dictionary.size())).first->second;
  }
  static std::vector<std::string> InOrder(const Dictionary& dictionary) {
    std::vector<std::string> all(dictionary.size());
    for (const auto& [text, index] : dictionary) all[index] = text;
    return all;
  }

  std::string bytes_;
  protozero::pbf_writer layer_{bytes_};
  Dictionary keys_;
  Dictionary values_;
  bool empty_ = true;
};

// Roads that look and are called alike.
using Group = std::pair<RoadClass, uint32_t>;  // class, name

// Joins pieces end to end into lines as long as they go, in a fixed order.
class LineJoiner {
 public:
  LineJoiner(const RoadNetwork& network, const std::vector<PieceId>& pieces)
      : network_(network), pieces_(pieces) {
    for (const PieceId piece : pieces) {
      at_[network.tail(network.piece(piece).edge[0]).value].push_back(piece);
      at_[network.head(network.piece(piece).edge[0]).value].push_back(piece);
    }
  }

  std::vector<std::vector<RoadPoint>> Lines() {
    std::vector<std::vector<RoadPoint>> lines;
    for (const PieceId piece : pieces_) {
      if (used_.contains(piece)) continue;
      used_.insert(piece);
      std::vector<RoadPoint> line(network_.shape(piece).begin(), network_.shape(piece).end());
      const EdgeId forward = network_.piece(piece).edge[0];
      Extend(line, network_.head(forward));
      std::reverse(line.begin(), line.end());
      Extend(line, network_.tail(forward));
      lines.push_back(std::move(line));
    }
    return lines;
  }

 private:
  void Extend(std::vector<RoadPoint>& line, JunctionId end) {
    for (;;) {
      const std::vector<PieceId>& here = at_[end.value];
      const auto next = std::find_if(here.begin(), here.end(),
                                     [&](PieceId piece) { return !used_.contains(piece); });
      if (next == here.end()) return;
      used_.insert(*next);
      const std::span<const RoadPoint> shape = network_.shape(*next);
      const EdgeId forward = network_.piece(*next).edge[0];
      if (network_.tail(forward) == end) {
        line.insert(line.end(), shape.begin() + 1, shape.end());
        end = network_.head(forward);
      } else {
        line.insert(line.end(), shape.rbegin() + 1, shape.rend());
        end = network_.tail(forward);
      }
    }
  }

  const RoadNetwork& network_;
  const std::vector<PieceId>& pieces_;
  absl::flat_hash_map<uint32_t, std::vector<PieceId>> at_;  // by junction
  absl::flat_hash_set<PieceId> used_;
};

std::map<Group, std::vector<PieceId>> PiecesOf(const RoadNetwork& network, const TileId& tile,
                                               const TileProjection& projection) {
  const LatLon south_west = projection.south_west();
  const LatLon north_east = projection.north_east();
  const LatLon centre{(south_west.lat + north_east.lat) / 2, (south_west.lon + north_east.lon) / 2};
  const Metres radius{
      std::max(Distance(centre, south_west).value, Distance(centre, north_east).value)};
  std::vector<PieceId> found;
  network.ForPiecesNear(centre, radius, [&](PieceId piece) {
    if (tile.z >= kFromZoom[static_cast<size_t>(network.piece(piece).road_class)])
      found.push_back(piece);
  });
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  std::map<Group, std::vector<PieceId>> groups;
  for (const PieceId piece : found)
    groups[{network.piece(piece).road_class, network.piece(piece).name}].push_back(piece);
  return groups;
}

void WriteRoads(const RoadNetwork& network, const TileId& tile, const TileProjection& projection,
                protozero::pbf_writer& into) {
  LayerWriter layer("roads");
  // Half a screen pixel at 512 pixels a tile; nothing is lost at the zoom at which tiles are
  // stretched further.
  const int32_t tolerance = tile.z >= 15 ? 1 : 6;
  for (const auto& [group, pieces] : PiecesOf(network, tile, projection)) {
    std::vector<std::vector<TilePoint>> parts;
    for (const std::vector<RoadPoint>& line : LineJoiner(network, pieces).Lines()) {
      std::vector<TilePoint> projected;
      projected.reserve(line.size());
      for (const RoadPoint& point : line) projected.push_back(projection.Project(point.ToLatLon()));
      for (auto& part : console::ClipLine(projected, tolerance)) parts.push_back(std::move(part));
    }
    if (parts.empty()) continue;
    layer.Add(kTypeLine, console::EncodeLines(parts),
              {{"class", RoadClassName(group.first)}, {"name", network.NameAt(group.second)}});
  }
  layer.Finish(into);
}

void WriteSites(const RoadNetwork& network, const TileProjection& projection,
                protozero::pbf_writer& into) {
  LayerWriter layer("sites");
  const LatLon south_west = projection.south_west();
  const LatLon north_east = projection.north_east();
  for (const RoadSite& site : network.sites()) {
    const LatLon place = site.point.ToLatLon();
    if (place.lat < south_west.lat || place.lat > north_east.lat || place.lon < south_west.lon ||
        place.lon > north_east.lon)
      continue;
    layer.Add(kTypePoint, console::EncodePoint(projection.Project(place)),
              {{"kind", SiteKindName(site.kind)}, {"name", network.NameAt(site.name)}});
  }
  layer.Finish(into);
}

std::optional<TileId> ParsePath(const std::string& path, size_t prefix) {
  const std::vector<std::string> parts = absl::StrSplit(path.substr(prefix), '/');
  constexpr std::string_view kSuffix = ".mvt";
  if (parts.size() != 3 || !parts[2].ends_with(kSuffix)) return std::nullopt;
  TileId tile;
  if (!absl::SimpleAtoi(parts[0], &tile.z) || !absl::SimpleAtoi(parts[1], &tile.x) ||
      !absl::SimpleAtoi(parts[2].substr(0, parts[2].size() - kSuffix.size()), &tile.y))
    return std::nullopt;
  if (tile.z > RoadTiles::kMaxZoom || tile.x >> tile.z != 0 || tile.y >> tile.z != 0)
    return std::nullopt;
  return tile;
}

}  // namespace

RoadTiles::RoadTiles(std::shared_ptr<const RoadNetwork> network)
    : network_(std::move(network)), etag_(fmt::format("\"{:016x}\"", network_->checksum())) {}

std::string RoadTiles::Encode(const TileId& tile) const {
  const TileProjection projection(tile);
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  WriteRoads(*network_, tile, projection, writer);
  if (tile.z >= 13) WriteSites(*network_, projection, writer);
  return bytes;
}

RoadTiles::Bytes RoadTiles::Cached(const TileId& tile) {
  {
    absl::MutexLock lock(&mutex_);
    const auto found = index_.find(tile);
    if (found != index_.end()) {
      recent_.splice(recent_.begin(), recent_, found->second);
      return found->second->second;
    }
  }
  auto made = std::make_shared<const std::string>(Encode(tile));
  absl::MutexLock lock(&mutex_);
  if (index_.contains(tile)) return made;
  recent_.emplace_front(tile, made);
  index_[tile] = recent_.begin();
  bytes_ += made->size();
  while (bytes_ > kCacheBytes && recent_.size() > 1) {
    bytes_ -= recent_.back().second->size();
    index_.erase(recent_.back().first);
    recent_.pop_back();
  }
  return made;
}

HttpResponse RoadTiles::Handle(const HttpRequest& request) {
  const std::optional<TileId> tile = ParsePath(request.path, sizeof(kPrefix) - 1);
  if (!tile)
    return ErrorResponse(absl::NotFoundError("a tile is /api/tiles/Z/X/Y.mvt, Z at most 16"));
  HttpResponse response{200,
                        "application/vnd.mapbox-vector-tile",
                        {},
                        {{"ETag", etag_}, {"Cache-Control", "private, max-age=3600"}}};
  if (request.Header("if-none-match") == etag_) {
    response.status = 304;
    return response;
  }
  response.body = *Cached(*tile);
  return response;
}

HttpResponse RoadTiles::HandleCoverage(const HttpRequest& request,
                                       const CoverageDrawing* drawing) const {
  const std::optional<TileId> tile = ParsePath(request.path, sizeof(kCoveragePrefix) - 1);
  if (!tile)
    return ErrorResponse(
        absl::NotFoundError("a tile is /api/coverage-tiles/Z/X/Y.mvt, Z at most 16"));
  HttpResponse response{200, "application/vnd.mapbox-vector-tile", {}, {}};
  if (drawing == nullptr) return response;
  const TileProjection projection(*tile);
  std::map<uint8_t, std::vector<std::vector<TilePoint>>> by_tier;
  for (const auto& [group, pieces] : PiecesOf(*network_, *tile, projection)) {
    if (group.first >= RoadClass::kPath) continue;
    for (const PieceId piece : pieces) {
      std::vector<TilePoint> line;
      for (const RoadPoint& point : network_->shape(piece))
        line.push_back(projection.Project(point.ToLatLon()));
      for (auto& part : console::ClipLine(line, 2))
        by_tier[drawing->tier_of_piece[piece.value]].push_back(std::move(part));
    }
  }
  protozero::pbf_writer writer(response.body);
  LayerWriter layer("coverage");
  for (const auto& [tier, parts] : by_tier)
    layer.Add(kTypeLine, console::EncodeLines(parts), {{"tier", std::to_string(tier)}});
  layer.Finish(writer);
  return response;
}

}  // namespace cordon
