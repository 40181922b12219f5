// SPDX-License-Identifier: Apache-2.0
#include "console/tile_geometry.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

namespace cordon::console {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kMostNorth = 85.0511287798;  // where Web Mercator is square

double MercatorX(double lon) { return (lon + 180) / 360; }
double MercatorY(double lat) {
  const double phi = std::clamp(lat, -kMostNorth, kMostNorth) * kPi / 180;
  return (1 - std::asinh(std::tan(phi)) / kPi) / 2;
}
double LonOf(double x) { return x * 360 - 180; }
double LatOf(double y) { return std::atan(std::sinh(kPi * (1 - 2 * y))) * 180 / kPi; }

constexpr int32_t kLow = -kTileBuffer;
constexpr int32_t kHigh = kTileExtent + kTileBuffer;

// Liang-Barsky: the part of a segment inside the box, as fractions of it.
std::optional<std::pair<double, double>> InsidePart(TilePoint a, TilePoint b) {
  double enter = 0;
  double leave = 1;
  const double dx = b.x - a.x;
  const double dy = b.y - a.y;
  const double steps[4][2] = {{-dx, a.x - double{kLow}},
                              {dx, double{kHigh} - a.x},
                              {-dy, a.y - double{kLow}},
                              {dy, double{kHigh} - a.y}};
  for (const auto& [p, q] : steps) {
    if (p == 0) {
      if (q < 0) return std::nullopt;
      continue;
    }
    const double t = q / p;
    if (p < 0) enter = std::max(enter, t);
    if (p > 0) leave = std::min(leave, t);
  }
  if (enter > leave) return std::nullopt;
  return std::pair(enter, leave);
}

TilePoint Between(TilePoint a, TilePoint b, double t) {
  return {static_cast<int32_t>(std::lround(a.x + (b.x - a.x) * t)),
          static_cast<int32_t>(std::lround(a.y + (b.y - a.y) * t))};
}

constexpr uint32_t kMoveTo = 1;
constexpr uint32_t kLineTo = 2;
uint32_t CommandOf(uint32_t command, size_t count) {
  return command | static_cast<uint32_t>(count) << 3;
}
uint32_t Zigzag(int32_t value) {
  return static_cast<uint32_t>(value) << 1 ^ static_cast<uint32_t>(value >> 31);
}

}  // namespace

TileProjection::TileProjection(const TileId& tile) {
  const double count = std::ldexp(1.0, static_cast<int>(tile.z));
  scale_ = count * kTileExtent;
  left_ = tile.x / count;
  top_ = tile.y / count;
  const double margin = kTileBuffer / scale_;
  south_west_ = {LatOf((tile.y + 1) / count + margin), LonOf(left_ - margin)};
  north_east_ = {LatOf(top_ - margin), LonOf((tile.x + 1) / count + margin)};
}

TilePoint TileProjection::Project(const LatLon& place) const {
  return {static_cast<int32_t>(std::lround((MercatorX(place.lon) - left_) * scale_)),
          static_cast<int32_t>(std::lround((MercatorY(place.lat) - top_) * scale_))};
}

std::vector<std::vector<TilePoint>> ClipLine(const std::vector<TilePoint>& line,
                                             int32_t tolerance) {
  std::vector<TilePoint> thin;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool end = i == 0 || i + 1 == line.size();
    const bool far =
        thin.empty() ||
        std::abs(line[i].x - thin.back().x) + std::abs(line[i].y - thin.back().y) >= tolerance;
    if (far || (end && line[i] != thin.back())) thin.push_back(line[i]);
  }
  std::vector<std::vector<TilePoint>> parts;
  bool joined = false;
  for (size_t i = 0; i + 1 < thin.size(); ++i) {
    const auto inside = InsidePart(thin[i], thin[i + 1]);
    if (!inside) {
      joined = false;
      continue;
    }
    if (!joined) parts.push_back({Between(thin[i], thin[i + 1], inside->first)});
    const TilePoint to = Between(thin[i], thin[i + 1], inside->second);
    if (to != parts.back().back()) parts.back().push_back(to);
    joined = inside->second == 1;
  }
  std::erase_if(parts, [](const auto& part) { return part.size() < 2; });
  return parts;
}

std::vector<uint32_t> EncodeLines(const std::vector<std::vector<TilePoint>>& lines) {
  std::vector<uint32_t> commands;
  TilePoint at;
  for (const std::vector<TilePoint>& line : lines) {
    commands.push_back(CommandOf(kMoveTo, 1));
    for (size_t i = 0; i < line.size(); ++i) {
      if (i == 1) commands.push_back(CommandOf(kLineTo, line.size() - 1));
      commands.push_back(Zigzag(line[i].x - at.x));
      commands.push_back(Zigzag(line[i].y - at.y));
      at = line[i];
    }
  }
  return commands;
}

std::vector<uint32_t> EncodePoint(TilePoint point) {
  return {CommandOf(kMoveTo, 1), Zigzag(point.x), Zigzag(point.y)};
}

}  // namespace cordon::console
