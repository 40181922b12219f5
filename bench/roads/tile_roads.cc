// SPDX-License-Identifier: Apache-2.0
// Lays an extract several times side by side, so that a bench has a graph of a bigger city's size.
//   tile_roads IN.osm.pbf OUT.roads [TILES=8] [connect]
// Tiles are not connected unless `connect` is given: then a main road joins each to the next.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/file_util.h"
#include "dispatch/osm_import.h"
#include "dispatch/road_network.h"

namespace {

using namespace cordon;

// The eastmost or westmost point of a primary road.
uint32_t Outmost(const RoadDraft& draft, bool east) {
  uint32_t best = draft.ways.front().points.front();
  for (const DraftWay& way : draft.ways)
    if (way.road_class == RoadClass::kPrimary)
      for (const uint32_t p : way.points) {
        const int32_t lon = draft.points[p].at.lon_e7;
        if (east ? lon > draft.points[best].at.lon_e7 : lon < draft.points[best].at.lon_e7)
          best = p;
      }
  return best;
}

RoadDraft Tile(const RoadDraft& one, int tiles, bool connect) {
  int32_t west = INT32_MAX;
  int32_t east = INT32_MIN;
  for (const DraftPoint& p : one.points) {
    west = std::min(west, p.at.lon_e7);
    east = std::max(east, p.at.lon_e7);
  }
  RoadDraft all;
  all.notes = one.notes;
  all.drives_left = one.drives_left;
  const auto points = static_cast<uint32_t>(one.points.size());
  for (int t = 0; t < tiles; ++t) {
    const int32_t shift = t * (east - west + 100'000);
    const auto first_point = static_cast<uint32_t>(all.points.size());
    const size_t first_way = all.ways.size();
    for (DraftPoint p : one.points) {
      p.at.lon_e7 += shift;
      all.points.push_back(p);
    }
    for (DraftWay way : one.ways) {
      for (uint32_t& p : way.points) p += first_point;
      all.ways.push_back(std::move(way));
    }
    for (DraftRestriction r : one.restrictions) {
      r.from += first_way;
      r.to += first_way;
      for (size_t& via : r.via_ways) via += first_way;
      if (r.via_point != kNoIndex) r.via_point += first_point;
      all.restrictions.push_back(std::move(r));
    }
    for (DraftSite site : one.sites) {
      site.at.lon_e7 += shift;
      all.sites.push_back(std::move(site));
    }
  }
  const uint32_t from = Outmost(one, true);
  const uint32_t to = Outmost(one, false);
  for (int t = 0; connect && t + 1 < tiles; ++t) {
    DraftWay way;
    way.points = {from + static_cast<uint32_t>(t) * points,
                  to + static_cast<uint32_t>(t + 1) * points};
    way.road_class = RoadClass::kPrimary;
    way.access = BothWays(kAccessCar) | BothWays(kAccessMotorcycle) | BothWays(kAccessEmergency) |
                 BothWays(kAccessFoot);
    way.speed_kmh[0] = way.speed_kmh[1] = 90;
    all.ways.push_back(std::move(way));
  }
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "tile_roads IN.osm.pbf OUT.roads [TILES=8] [connect]\n");
    return 2;
  }
  const int tiles = argc > 3 ? std::atoi(argv[3]) : 8;
  const bool connect = argc > 4 && std::string_view(argv[4]) == "connect";
  const auto draft = ImportOsm(argv[1]);
  if (!draft.ok() || tiles < 1 || tiles > 64) {
    std::fprintf(stderr, "tile_roads: %s\n",
                 draft.ok() ? "1 to 64 tiles" : std::string(draft.status().message()).c_str());
    return 2;
  }
  const auto image = BuildRoadImage(Tile(*draft, tiles, connect));
  const absl::Status written = image.ok() ? WriteFileDurably(argv[2], *image) : image.status();
  if (!written.ok()) {
    std::fprintf(stderr, "tile_roads: %s\n", std::string(written.message()).c_str());
    return 1;
  }
  return 0;
}
