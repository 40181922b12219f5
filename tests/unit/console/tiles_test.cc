// SPDX-License-Identifier: Apache-2.0
#include "console/tiles.h"

#include <gtest/gtest.h>

#include <cmath>
#include <protozero/pbf_reader.hpp>

#include "console/tile_geometry.h"
#include "dispatch/demo_city.h"
#include "dispatch/road_draft.h"

namespace cordon {
namespace {

using console::TilePoint;

std::shared_ptr<const RoadNetwork> Demo() {
  static const auto* const network = new std::shared_ptr<const RoadNetwork>(
      RoadNetwork::FromImage(BuildRoadImage(DrawDemoCity()).value()).value());
  return *network;
}

TileId TileOf(const LatLon& place, uint32_t z) {
  const double count = std::ldexp(1.0, static_cast<int>(z));
  const double y = (1 - std::asinh(std::tan(place.lat * M_PI / 180)) / M_PI) / 2;
  return {z, static_cast<uint32_t>((place.lon + 180) / 360 * count),
          static_cast<uint32_t>(y * count)};
}

struct Layer {
  std::vector<std::string> keys;
  std::vector<std::string> values;
  int features = 0;
  int32_t least = 0;
  int32_t most = 0;
};

void ReadGeometry(protozero::pbf_reader feature, Layer& layer) {
  while (feature.next(4)) {
    TilePoint at;
    const auto commands = feature.get_packed_uint32();
    for (auto word = commands.begin(); word != commands.end();) {
      const uint32_t count = *word++ >> 3;
      for (uint32_t i = 0; i < count; ++i) {
        const auto unzigzag = [](uint32_t n) { return static_cast<int32_t>(n >> 1 ^ -(n & 1)); };
        at.x += unzigzag(*word++);
        at.y += unzigzag(*word++);
        layer.least = std::min({layer.least, at.x, at.y});
        layer.most = std::max({layer.most, at.x, at.y});
      }
    }
  }
}

std::map<std::string, Layer> Decode(const std::string& bytes) {
  std::map<std::string, Layer> layers;
  protozero::pbf_reader tile(bytes);
  while (tile.next(3)) {
    protozero::pbf_reader reader = tile.get_message();
    Layer layer;
    std::string name;
    while (reader.next()) {
      switch (reader.tag()) {
        case 1:
          name = reader.get_string();
          break;
        case 2:
          ++layer.features;
          ReadGeometry(reader.get_message(), layer);
          break;
        case 3:
          layer.keys.push_back(reader.get_string());
          break;
        case 4: {
          protozero::pbf_reader value = reader.get_message();
          while (value.next(1)) layer.values.push_back(value.get_string());
          break;
        }
        default:
          reader.skip();
      }
    }
    layers[name] = layer;
  }
  return layers;
}

TEST(RoadTiles, DrawsTheCityInsideTheTileAndItsBuffer) {
  const RoadTiles tiles(Demo());
  for (const uint32_t z : {10u, 12u, 14u, 15u}) {
    const auto layers = Decode(tiles.Encode(TileOf(DemoCityCentre(), z)));
    ASSERT_TRUE(layers.contains("roads")) << z;
    const Layer& roads = layers.at("roads");
    EXPECT_GT(roads.features, 0);
    EXPECT_GE(roads.least, -console::kTileBuffer);
    EXPECT_LE(roads.most, console::kTileExtent + console::kTileBuffer);
    EXPECT_TRUE(std::find(roads.keys.begin(), roads.keys.end(), "class") != roads.keys.end());
  }
}

TEST(RoadTiles, SmallRoadsWaitForTheirZoom) {
  const RoadTiles tiles(Demo());
  const auto has = [&](uint32_t z, const std::string& what) {
    const auto values = Decode(tiles.Encode(TileOf(DemoCityCentre(), z))).at("roads").values;
    return std::find(values.begin(), values.end(), what) != values.end();
  };
  EXPECT_FALSE(has(10, "residential"));
  EXPECT_TRUE(has(14, "residential"));
}

TEST(RoadTiles, NothingThereIsAnEmptyTile) {
  const RoadTiles tiles(Demo());
  EXPECT_TRUE(tiles.Encode(TileOf({-33, 18}, 14)).empty());
  EXPECT_TRUE(tiles.Encode({0, 0, 0}).size() < 100'000);
}

TEST(RoadTiles, SameTileSameBytes) {
  const RoadTiles one(Demo());
  const RoadTiles other(Demo());
  const TileId tile = TileOf(DemoCityCentre(), 13);
  EXPECT_EQ(one.Encode(tile), other.Encode(tile));
}

TEST(RoadTiles, RefusesPathsThatAreNoTile) {
  RoadTiles tiles(Demo());
  for (const char* path :
       {"/api/tiles/", "/api/tiles/1/2", "/api/tiles/1/2/3.mvt", "/api/tiles/17/0/0.mvt",
        "/api/tiles/-1/0/0.mvt", "/api/tiles/1/0/0.png", "/api/tiles/a/b/c.mvt",
        "/api/tiles/1/0/0/0.mvt", "/api/tiles/99999999999/0/0.mvt"}) {
    HttpRequest request;
    request.path = path;
    EXPECT_EQ(tiles.Handle(request).status, 404) << path;
  }
}

TEST(TileGeometry, LineAcrossTheTileIsCutAtTheBuffer) {
  const auto parts = console::ClipLine({{-10'000, 2000}, {20'000, 2000}}, 1);
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].front().x, -console::kTileBuffer);
  EXPECT_EQ(parts[0].back().x, console::kTileExtent + console::kTileBuffer);
}

TEST(TileGeometry, LineThatLeavesAndReturnsIsTwoParts) {
  const auto parts = console::ClipLine({{100, 100}, {100, -9000}, {200, -9000}, {200, 100}}, 1);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[1].back(), (TilePoint{200, 100}));
}

TEST(TileGeometry, LineOutsideIsNothing) {
  EXPECT_TRUE(console::ClipLine({{-900, -900}, {-200, -900}, {-200, 5000}}, 1).empty());
}

TEST(TileGeometry, CommandsAreThoseOfTheSpecification) {
  // The example of the specification, 4.3.5.3: MultiLineString
  // ((2,2),(2,10),(10,10)),((1,1),(3,5)).
  const std::vector<uint32_t> expected = {9, 4, 4, 18, 0, 16, 16, 0, 9, 17, 17, 10, 4, 8};
  EXPECT_EQ(console::EncodeLines({{{2, 2}, {2, 10}, {10, 10}}, {{1, 1}, {3, 5}}}), expected);
}

}  // namespace
}  // namespace cordon
