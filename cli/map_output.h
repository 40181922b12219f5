// SPDX-License-Identifier: Apache-2.0
// --geojson, --svg and --png of the road commands.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/status.h"
#include "dispatch/map_drawing.h"
#include "dispatch/road_network.h"

namespace cordon::cli {

struct MapOutput {
  std::string geojson;
  std::string svg;
  std::string png;
  int size_px = 1400;
  std::string frame;  // "LAT,LON,RADIUS_M"; empty: the command's own choice
  bool wants_picture() const { return !svg.empty() || !png.empty(); }
};
void AddMapOptions(CLI::App& command, MapOutput& output);

// The frame asked for, or `otherwise`.
absl::StatusOr<Bounds> FrameOf(const MapOutput& output, const Bounds& otherwise);
absl::Status WritePictures(const MapOutput& output, const MapDrawing& drawing);

// RFC 7946.
nlohmann::json GeoPointJson(const LatLon& p);
nlohmann::json GeoLineJson(const std::vector<LatLon>& points);
nlohmann::json GeoMultiLineJson(const std::vector<std::vector<LatLon>>& lines);
nlohmann::json GeoFeature(nlohmann::json geometry, nlohmann::json properties);
// Writes a FeatureCollection with the map's attribution.
absl::Status WriteGeoJson(const MapOutput& output, const RoadNetwork& roads,
                          nlohmann::json features);

}  // namespace cordon::cli
