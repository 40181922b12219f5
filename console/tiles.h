// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "console/coverage_feed.h"
#include "console/http.h"
#include "dispatch/road_network.h"

namespace cordon {

// One tile of the usual web map: Web Mercator, y from the north.
struct TileId {
  uint32_t z = 0;
  uint32_t x = 0;
  uint32_t y = 0;
  friend auto operator<=>(const TileId&, const TileId&) = default;
};

// The road network as vector tiles (Mapbox Vector Tile 2.1, github.com/mapbox/vector-tile-spec), so
// that the page draws real cities without any other map. Layers: "roads" (class, name; pieces of
// one name are joined into lines that a name fits on) and "sites" (kind, name). Small roads appear
// from the zoom at which they can be told apart. Keeps the tiles last asked for, up to kCacheBytes.
// Thread-safe.
class RoadTiles {
 public:
  static constexpr uint32_t kMaxZoom = 16;
  static constexpr size_t kCacheBytes = 32 * 1024 * 1024;

  explicit RoadTiles(std::shared_ptr<const RoadNetwork> network);

  // The encoded tile; empty where there is nothing to draw.
  std::string Encode(const TileId& tile) const;

  // GET /api/tiles/Z/X/Y.mvt
  HttpResponse Handle(const HttpRequest& request);
  static constexpr char kPrefix[] = "/api/tiles/";

  // GET /api/coverage-tiles/Z/X/Y.mvt: one layer "coverage" of the roads that count, with "tier":
  // the position of the fastest tier that covers them, or their number where none does. Not cached:
  // it changes every second.
  HttpResponse HandleCoverage(const HttpRequest& request, const CoverageDrawing* drawing) const;
  static constexpr char kCoveragePrefix[] = "/api/coverage-tiles/";

 private:
  using Bytes = std::shared_ptr<const std::string>;
  Bytes Cached(const TileId& tile) ABSL_LOCKS_EXCLUDED(mutex_);

  const std::shared_ptr<const RoadNetwork> network_;
  const std::string etag_;
  absl::Mutex mutex_;
  std::list<std::pair<TileId, Bytes>> recent_ ABSL_GUARDED_BY(mutex_);  // newest first
  std::map<TileId, std::list<std::pair<TileId, Bytes>>::iterator> index_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace cordon
