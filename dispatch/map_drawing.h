// SPDX-License-Identifier: Apache-2.0
// Pictures of a road network and what happens on it: SVG or PNG through cairo. A drawing is a list
// of shapes in WGS-84 that is rendered in the order of the layers; within a layer in the order of
// the calls. Only a drawing: nothing is computed from it, and shapes outside the frame are cut off.
//
// Projection: local equirectangular around the frame's middle, north up; right for city extents
// (distortion below 0.1 % over 50 km at mid latitudes). Text is drawn in the system's sans-serif
// font, Chinese in a Noto CJK font where one is installed. One thread. The same shapes give the
// same picture on the same machine.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/geo.h"
#include "base/status.h"

namespace cordon {

struct Colour {
  double red = 0, green = 0, blue = 0, alpha = 1;  // 0..1
  static constexpr Colour Hex(uint32_t rgb, double alpha = 1) {
    return {(rgb >> 16 & 0xFFU) / 255.0, (rgb >> 8 & 0xFFU) / 255.0, (rgb & 0xFFU) / 255.0, alpha};
  }
  Colour WithAlpha(double a) const { return {red, green, blue, a}; }
};

// The palette of every picture of Cordon, readable with the common colour vision deficiencies.
namespace palette {
inline constexpr Colour kPaper = Colour::Hex(0xF6F4EE);
inline constexpr Colour kWater = Colour::Hex(0xB9D7EA);
inline constexpr Colour kMajorRoad = Colour::Hex(0xC9BFA9);
inline constexpr Colour kRoad = Colour::Hex(0xDAD4C6);
inline constexpr Colour kMinorRoad = Colour::Hex(0xE6E1D6);
inline constexpr Colour kInk = Colour::Hex(0x22303C);
inline constexpr Colour kUnit = Colour::Hex(0x12436D);
inline constexpr Colour kSpareUnit = Colour::Hex(0x7C8791);
inline constexpr Colour kScene = Colour::Hex(0xB3123A);
inline constexpr Colour kGap = Colour::Hex(0xC1121F);
inline constexpr Colour kHeld = Colour::Hex(0x0B6E4F);
inline constexpr Colour kLeak = Colour::Hex(0xD7261E);
// Tiers from the first to the last; more than these fade out.
inline constexpr Colour kTiers[] = {Colour::Hex(0x0B6E4F), Colour::Hex(0x2E86C1),
                                    Colour::Hex(0xE9A820), Colour::Hex(0xC76B98),
                                    Colour::Hex(0x8C7AA9)};
Colour Tier(size_t index);
}  // namespace palette

struct Bounds {
  LatLon south_west{90, 180};
  LatLon north_east{-90, -180};
  bool empty() const { return south_west.lat > north_east.lat; }
  void Include(const LatLon& p);
  void Grow(Metres margin);
  bool Contains(const LatLon& p) const;
};

enum class Layer { kWater, kArea, kRoadCasing, kRoad, kOverlay, kMarker, kLabel };
enum class Symbol { kCar, kMotorcycle, kFoot, kScene, kPoint, kCross, kPlace, kSquare };

struct Stroke {
  Colour colour = palette::kInk;
  double width_px = 1;
  std::vector<double> dash_px;  // empty: a full line
  bool arrow = false;           // an arrow head at the end
};

class MapDrawing {
 public:
  // The frame's longer side gets `longer_side_px` pixels (256..8192).
  MapDrawing(Bounds frame, int longer_side_px);
  ~MapDrawing();
  MapDrawing(const MapDrawing&) = delete;
  MapDrawing& operator=(const MapDrawing&) = delete;

  const Bounds& frame() const;
  double metres_per_px() const;

  void AddLine(Layer layer, std::vector<LatLon> points, Stroke stroke);
  // Rings by the even-odd rule: holes are rings like any other.
  void AddPolygon(Layer layer, std::vector<std::vector<LatLon>> rings, Colour fill, Stroke outline);
  // `label` beside the symbol; left out where it would cover another label.
  void AddMarker(const LatLon& at, Symbol symbol, Colour colour, double size_px,
                 std::string label = {});

  void SetTitle(std::string title, std::string subtitle = {});
  void AddLegendLine(std::string text, Stroke stroke);
  void AddLegendArea(std::string text, Colour fill);
  void AddLegendSymbol(std::string text, Symbol symbol, Colour colour);
  // Shown at the lower right; OpenStreetMap data requires "© OpenStreetMap contributors".
  void SetAttribution(std::string text);

  // INVALID_ARGUMENT for an empty frame or no shapes; UNKNOWN when the file cannot be written.
  // Written whole or not at all.
  absl::Status WriteSvg(const std::string& path) const;
  absl::Status WritePng(const std::string& path) const;

 private:
  struct Shapes;
  std::unique_ptr<Shapes> shapes_;
};

}  // namespace cordon
