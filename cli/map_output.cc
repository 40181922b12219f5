// SPDX-License-Identifier: Apache-2.0
#include "cli/map_output.h"

#include <cmath>

#include "base/file_util.h"
#include "cli/dispatch_inputs.h"
#include "dispatch/map_drawing_roads.h"

namespace cordon::cli {
namespace {

using Json = nlohmann::json;

// Seven decimals are a centimetre: the resolution of the map itself.
Json Position(const LatLon& p) {
  return {std::round(p.lon * 1e7) / 1e7, std::round(p.lat * 1e7) / 1e7};
}

}  // namespace

void AddMapOptions(CLI::App& command, MapOutput& output) {
  command
      .add_option("--geojson", output.geojson,
                  "Write the answer as GeoJSON (RFC 7946), for any GIS")
      ->type_name("FILE");
  command.add_option("--svg", output.svg, "Write a picture of the answer as SVG")
      ->type_name("FILE");
  command.add_option("--png", output.png, "Write a picture of the answer as PNG")
      ->type_name("FILE");
  command.add_option("--picture-size", output.size_px, "Longer side of the picture, pixels")
      ->check(CLI::Range(256, 8192))
      ->capture_default_str();
  command.add_option("--frame", output.frame, "Draw only this part of the map")
      ->type_name("LAT,LON,RADIUS_M");
}

absl::StatusOr<Bounds> FrameOf(const MapOutput& output, const Bounds& otherwise) {
  if (output.frame.empty()) return otherwise;
  const size_t comma = output.frame.rfind(',');
  const absl::Status bad = absl::InvalidArgumentError(fmt::format(
      "--frame: '{}' is not LAT,LON,RADIUS_M as in 41.1496,-8.6110,2000", output.frame));
  if (comma == std::string::npos) return bad;
  const auto middle = ParseLatLon(output.frame.substr(0, comma));
  const double radius = std::strtod(output.frame.c_str() + comma + 1, nullptr);
  if (!middle.ok() || !(radius >= 50 && radius <= 200'000)) return bad;
  Bounds bounds;
  bounds.Include(*middle);
  bounds.Grow({radius});
  return bounds;
}

absl::Status WritePictures(const MapOutput& output, const MapDrawing& drawing) {
  if (!output.svg.empty()) RETURN_IF_ERROR(drawing.WriteSvg(output.svg));
  if (!output.png.empty()) RETURN_IF_ERROR(drawing.WritePng(output.png));
  return absl::OkStatus();
}

Json GeoPointJson(const LatLon& p) { return {{"type", "Point"}, {"coordinates", Position(p)}}; }

Json GeoLineJson(const std::vector<LatLon>& points) {
  Json coordinates = Json::array();
  for (const LatLon& p : points) coordinates.push_back(Position(p));
  return {{"type", "LineString"}, {"coordinates", std::move(coordinates)}};
}

Json GeoMultiLineJson(const std::vector<std::vector<LatLon>>& lines) {
  Json coordinates = Json::array();
  for (const auto& line : lines) coordinates.push_back(GeoLineJson(line)["coordinates"]);
  return {{"type", "MultiLineString"}, {"coordinates", std::move(coordinates)}};
}

Json GeoFeature(Json geometry, Json properties) {
  return {{"type", "Feature"},
          {"geometry", std::move(geometry)},
          {"properties", std::move(properties)}};
}

absl::Status WriteGeoJson(const MapOutput& output, const RoadNetwork& roads, Json features) {
  if (output.geojson.empty()) return absl::OkStatus();
  const Json collection = {{"type", "FeatureCollection"},
                           {"attribution", AttributionOf(roads)},
                           {"features", std::move(features)}};
  return WriteFileDurably(output.geojson, collection.dump() + "\n", 0644);
}

}  // namespace cordon::cli
