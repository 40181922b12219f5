// SPDX-License-Identifier: Apache-2.0
#include "dispatch/map_drawing.h"

#include <cairo-svg.h>
#include <cairo.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <numbers>
#include <optional>
#include <utility>

#include "base/check.h"
#include "dispatch/map_drawing_symbols.h"

namespace cordon {
namespace {

constexpr double kMetresPerDegree = 6'371'008.8 * std::numbers::pi / 180;
constexpr double kLeastAspect = 0.6;  // shorter side of a picture to the longer one
constexpr double kMarginPx = 18;
constexpr double kLegendRowPx = 21;

struct Line {
  std::vector<LatLon> points;
  Stroke stroke;
};
struct Area {
  std::vector<std::vector<LatLon>> rings;
  Colour fill;
  Stroke outline;
};
struct Marker {
  LatLon at;
  Symbol symbol;
  Colour colour;
  double size_px;
  std::string label;
};
struct LegendRow {
  std::string text;
  std::optional<Stroke> stroke;
  std::optional<Colour> fill;
  std::optional<std::pair<Symbol, Colour>> symbol;
};
struct Box {
  double x, y, width, height;
  bool Touches(const Box& o) const {
    return x < o.x + o.width && o.x < x + width && y < o.y + o.height && o.y < y + height;
  }
};

void SetColour(cairo_t* cairo, const Colour& c) {
  cairo_set_source_rgba(cairo, c.red, c.green, c.blue, c.alpha);
}

bool NeedsCjkFont(std::string_view text) {
  // UTF-8 lead bytes 0xE2.. start at U+2000; the ideographs lie at 0xE3 and above.
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0xE3; });
}

void SetFont(cairo_t* cairo, std::string_view text, double size, bool bold = false) {
  cairo_select_font_face(cairo, NeedsCjkFont(text) ? "Noto Sans CJK SC" : "DejaVu Sans",
                         CAIRO_FONT_SLANT_NORMAL,
                         bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(cairo, size);
}

double TextWidth(cairo_t* cairo, const std::string& text, double size, bool bold = false) {
  SetFont(cairo, text, size, bold);
  cairo_text_extents_t extents;
  cairo_text_extents(cairo, text.c_str(), &extents);
  return extents.x_advance;
}

// Text with a halo of the paper's colour, so that it reads over lines.
void DrawText(cairo_t* cairo, double x, double y, const std::string& text, double size, Colour ink,
              bool bold = false, double halo = 3) {
  SetFont(cairo, text, size, bold);
  cairo_move_to(cairo, x, y);
  if (halo > 0) {
    cairo_text_path(cairo, text.c_str());
    SetColour(cairo, palette::kPaper.WithAlpha(0.92));
    cairo_set_line_width(cairo, halo);
    cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_stroke(cairo);
    cairo_move_to(cairo, x, y);
  }
  SetColour(cairo, ink);
  cairo_show_text(cairo, text.c_str());
}

void RoundedBox(cairo_t* cairo, const Box& box, double radius) {
  constexpr double kQuarter = std::numbers::pi / 2;
  cairo_new_sub_path(cairo);
  cairo_arc(cairo, box.x + box.width - radius, box.y + radius, radius, -kQuarter, 0);
  cairo_arc(cairo, box.x + box.width - radius, box.y + box.height - radius, radius, 0, kQuarter);
  cairo_arc(cairo, box.x + radius, box.y + box.height - radius, radius, kQuarter, 2 * kQuarter);
  cairo_arc(cairo, box.x + radius, box.y + radius, radius, 2 * kQuarter, 3 * kQuarter);
  cairo_close_path(cairo);
}

void Panel(cairo_t* cairo, const Box& box) {
  RoundedBox(cairo, box, 7);
  SetColour(cairo, Colour::Hex(0xFFFFFF, 0.9));
  cairo_fill_preserve(cairo);
  SetColour(cairo, Colour::Hex(0x22303C, 0.18));
  cairo_set_line_width(cairo, 1);
  cairo_stroke(cairo);
}

// 1, 2 or 5 times a power of ten, at most `longest`.
double NiceLength(double longest) {
  const double power = std::pow(10, std::floor(std::log10(longest)));
  for (const double factor : {5.0, 2.0})
    if (factor * power <= longest) return factor * power;
  return power;
}

}  // namespace

Colour palette::Tier(size_t index) {
  return kTiers[std::min(index, std::size(kTiers) - 1)].WithAlpha(1);
}

void Bounds::Include(const LatLon& p) {
  south_west = {std::min(south_west.lat, p.lat), std::min(south_west.lon, p.lon)};
  north_east = {std::max(north_east.lat, p.lat), std::max(north_east.lon, p.lon)};
}

void Bounds::Grow(Metres margin) {
  if (empty()) return;
  const double lat = margin.value / kMetresPerDegree;
  const double middle = (south_west.lat + north_east.lat) / 2 * std::numbers::pi / 180;
  const double lon = lat / std::max(0.05, std::cos(middle));
  south_west = {south_west.lat - lat, south_west.lon - lon};
  north_east = {north_east.lat + lat, north_east.lon + lon};
}

bool Bounds::Contains(const LatLon& p) const {
  return p.lat >= south_west.lat && p.lat <= north_east.lat && p.lon >= south_west.lon &&
         p.lon <= north_east.lon;
}

struct MapDrawing::Shapes {
  Bounds frame;
  double width_px = 0;
  double height_px = 0;
  double px_per_degree_lat = 0;
  double px_per_degree_lon = 0;
  std::map<Layer, std::vector<Area>> areas;
  std::map<Layer, std::vector<Line>> lines;
  std::vector<Marker> markers;
  std::vector<LegendRow> legend;
  std::string title, subtitle, attribution;

  double X(const LatLon& p) const { return (p.lon - frame.south_west.lon) * px_per_degree_lon; }
  double Y(const LatLon& p) const { return (frame.north_east.lat - p.lat) * px_per_degree_lat; }

  void Trace(cairo_t* cairo, const std::vector<LatLon>& points) const;
  void DrawArea(cairo_t* cairo, const Area& area) const;
  void DrawLine(cairo_t* cairo, const Line& line) const;
  void DrawMarkers(cairo_t* cairo) const;
  Box LegendBox(cairo_t* cairo) const;
  Box TitleBox(cairo_t* cairo) const;
  void DrawLegend(cairo_t* cairo) const;
  void DrawTitle(cairo_t* cairo) const;
  void DrawScaleAndAttribution(cairo_t* cairo) const;
  void Render(cairo_t* cairo) const;
};

void MapDrawing::Shapes::Trace(cairo_t* cairo, const std::vector<LatLon>& points) const {
  for (size_t i = 0; i < points.size(); ++i) {
    if (i == 0) {
      cairo_move_to(cairo, X(points[i]), Y(points[i]));
    } else {
      cairo_line_to(cairo, X(points[i]), Y(points[i]));
    }
  }
}

void MapDrawing::Shapes::DrawArea(cairo_t* cairo, const Area& area) const {
  for (const auto& ring : area.rings) {
    Trace(cairo, ring);
    cairo_close_path(cairo);
  }
  cairo_set_fill_rule(cairo, CAIRO_FILL_RULE_EVEN_ODD);
  SetColour(cairo, area.fill);
  cairo_fill_preserve(cairo);
  SetColour(cairo, area.outline.colour);
  cairo_set_line_width(cairo, area.outline.width_px);
  cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
  if (area.outline.width_px > 0) {
    cairo_stroke(cairo);
  } else {
    cairo_new_path(cairo);
  }
}

void MapDrawing::Shapes::DrawLine(cairo_t* cairo, const Line& line) const {
  if (line.points.size() < 2) return;
  Trace(cairo, line.points);
  SetColour(cairo, line.stroke.colour);
  cairo_set_line_width(cairo, line.stroke.width_px);
  cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
  cairo_set_line_cap(cairo,
                     line.stroke.dash_px.empty() ? CAIRO_LINE_CAP_ROUND : CAIRO_LINE_CAP_BUTT);
  cairo_set_dash(cairo, line.stroke.dash_px.data(), static_cast<int>(line.stroke.dash_px.size()),
                 0);
  cairo_stroke(cairo);
  cairo_set_dash(cairo, nullptr, 0, 0);
  if (!line.stroke.arrow) return;
  const LatLon& tip = line.points.back();
  const LatLon& before = line.points[line.points.size() - 2];
  const double angle = std::atan2(Y(tip) - Y(before), X(tip) - X(before));
  const double size = 3 + 2.6 * line.stroke.width_px;
  cairo_move_to(cairo, X(tip), Y(tip));
  for (const double turn : {2.6, -2.6})
    cairo_line_to(cairo, X(tip) + size * std::cos(angle + turn),
                  Y(tip) + size * std::sin(angle + turn));
  cairo_close_path(cairo);
  cairo_fill(cairo);
}

void MapDrawing::Shapes::DrawMarkers(cairo_t* cairo) const {
  // What lies over the map hides what is written below it.
  std::vector<Box> taken = {{width_px / 2, height_px - kMarginPx - 44, width_px / 2, 60}};
  if (!title.empty()) taken.push_back(TitleBox(cairo));
  if (!legend.empty()) taken.push_back(LegendBox(cairo));
  for (const Marker& m : markers) {
    DrawSymbol(cairo, X(m.at), Y(m.at), m.symbol, m.colour, m.size_px);
    taken.push_back({X(m.at) - m.size_px / 2, Y(m.at) - m.size_px / 2, m.size_px, m.size_px});
  }
  for (size_t i = 0; i < markers.size(); ++i) {
    const Marker& m = markers[i];
    if (m.label.empty() || !frame.Contains(m.at)) continue;
    constexpr double kSize = 11.5;
    const double text = TextWidth(cairo, m.label, kSize, true);
    const double gap = m.size_px / 2 + 3;
    // Right, left, above, below: the first place that covers nothing.
    const Box places[] = {{X(m.at) + gap, Y(m.at) - 7, text, 14},
                          {X(m.at) - gap - text, Y(m.at) - 7, text, 14},
                          {X(m.at) - text / 2, Y(m.at) - gap - 12, text, 14},
                          {X(m.at) - text / 2, Y(m.at) + gap, text, 14}};
    for (const Box& place : places) {
      const bool free = std::none_of(taken.begin(), taken.end(),
                                     [&](const Box& other) { return place.Touches(other); });
      if (!free || place.x < 2 || place.x + place.width > width_px - 2) continue;
      taken.push_back(place);
      DrawText(cairo, place.x, place.y + 11, m.label, kSize, m.colour, true);
      break;
    }
  }
}

Box MapDrawing::Shapes::TitleBox(cairo_t* cairo) const {
  const double width = std::max(TextWidth(cairo, title, 19, true),
                                subtitle.empty() ? 0 : TextWidth(cairo, subtitle, 12.5));
  return {kMarginPx, kMarginPx, width + 28, subtitle.empty() ? 40.0 : 60.0};
}

void MapDrawing::Shapes::DrawTitle(cairo_t* cairo) const {
  if (title.empty()) return;
  Panel(cairo, TitleBox(cairo));
  DrawText(cairo, kMarginPx + 14, kMarginPx + 27, title, 19, palette::kInk, true, 0);
  if (!subtitle.empty())
    DrawText(cairo, kMarginPx + 14, kMarginPx + 48, subtitle, 12.5, palette::kInk.WithAlpha(0.8),
             false, 0);
}

Box MapDrawing::Shapes::LegendBox(cairo_t* cairo) const {
  double width = 0;
  for (const LegendRow& row : legend) width = std::max(width, TextWidth(cairo, row.text, 12.5));
  const double height = kLegendRowPx * static_cast<double>(legend.size()) + 16;
  return {kMarginPx, height_px - kMarginPx - height, width + 66, height};
}

void MapDrawing::Shapes::DrawLegend(cairo_t* cairo) const {
  if (legend.empty()) return;
  const Box box = LegendBox(cairo);
  Panel(cairo, box);
  double y = box.y + 8 + kLegendRowPx / 2;
  for (const LegendRow& row : legend) {
    const double x = box.x + 12;
    if (row.fill) {
      RoundedBox(cairo, {x, y - 6, 28, 12}, 3);
      SetColour(cairo, *row.fill);
      cairo_fill(cairo);
    }
    if (row.stroke) {
      SetColour(cairo, row.stroke->colour);
      cairo_set_line_width(cairo, row.stroke->width_px);
      cairo_set_dash(cairo, row.stroke->dash_px.data(),
                     static_cast<int>(row.stroke->dash_px.size()), 0);
      cairo_move_to(cairo, x, y);
      cairo_line_to(cairo, x + 28, y);
      cairo_stroke(cairo);
      cairo_set_dash(cairo, nullptr, 0, 0);
    }
    if (row.symbol) DrawSymbol(cairo, x + 14, y, row.symbol->first, row.symbol->second, 14);
    DrawText(cairo, x + 40, y + 4.5, row.text, 12.5, palette::kInk, false, 0);
    y += kLegendRowPx;
  }
}

void MapDrawing::Shapes::DrawScaleAndAttribution(cairo_t* cairo) const {
  const double px_per_metre = px_per_degree_lat / kMetresPerDegree;
  const double metres = NiceLength(0.2 * width_px / px_per_metre);
  const double length = metres * px_per_metre;
  const std::string text = metres >= 1000 ? std::to_string(static_cast<int>(metres / 1000)) + " km"
                                          : std::to_string(static_cast<int>(metres)) + " m";
  const double right = width_px - kMarginPx;
  const double y = height_px - kMarginPx - (attribution.empty() ? 0 : 20);
  for (const auto& [colour, width] :
       {std::pair(palette::kPaper.WithAlpha(0.9), 5.5), std::pair(palette::kInk, 2.0)}) {
    SetColour(cairo, colour);
    cairo_set_line_width(cairo, width);
    cairo_move_to(cairo, right - length, y - 6);
    cairo_line_to(cairo, right - length, y);
    cairo_line_to(cairo, right, y);
    cairo_line_to(cairo, right, y - 6);
    cairo_stroke(cairo);
  }
  DrawText(cairo, right - length / 2 - TextWidth(cairo, text, 12) / 2, y - 6, text, 12,
           palette::kInk);
  if (attribution.empty()) return;
  DrawText(cairo, right - TextWidth(cairo, attribution, 11), height_px - kMarginPx + 4, attribution,
           11, palette::kInk.WithAlpha(0.85));
}

void MapDrawing::Shapes::Render(cairo_t* cairo) const {
  SetColour(cairo, palette::kPaper);
  cairo_paint(cairo);
  for (const Layer layer : {Layer::kWater, Layer::kArea, Layer::kRoadCasing, Layer::kRoad,
                            Layer::kOverlay, Layer::kMarker, Layer::kLabel}) {
    if (const auto it = areas.find(layer); it != areas.end())
      for (const Area& area : it->second) DrawArea(cairo, area);
    if (const auto it = lines.find(layer); it != lines.end())
      for (const Line& line : it->second) DrawLine(cairo, line);
    if (layer == Layer::kMarker) DrawMarkers(cairo);
  }
  DrawTitle(cairo);
  DrawLegend(cairo);
  DrawScaleAndAttribution(cairo);
}

MapDrawing::MapDrawing(Bounds frame, int longer_side_px) : shapes_(std::make_unique<Shapes>()) {
  const double longer = std::clamp(longer_side_px, 256, 8192);
  shapes_->frame = frame;
  if (frame.empty()) return;
  // A frame of no extent (one point) becomes a block of houses.
  if (frame.north_east.lat - frame.south_west.lat < 1e-5 ||
      frame.north_east.lon - frame.south_west.lon < 1e-5)
    shapes_->frame.Grow({150});
  Bounds& f = shapes_->frame;
  const double middle = (f.south_west.lat + f.north_east.lat) / 2 * std::numbers::pi / 180;
  double tall = f.north_east.lat - f.south_west.lat;
  double wide = (f.north_east.lon - f.south_west.lon) * std::cos(middle);
  // A straight drive would be a strip: title and legend need room beside it.
  if (const double lacks = kLeastAspect * tall - wide; lacks > 0) {
    f.south_west.lon -= lacks / 2 / std::cos(middle);
    f.north_east.lon += lacks / 2 / std::cos(middle);
    wide += lacks;
  } else if (const double lacks_tall = kLeastAspect * wide - tall; lacks_tall > 0) {
    f.south_west.lat -= lacks_tall / 2;
    f.north_east.lat += lacks_tall / 2;
    tall += lacks_tall;
  }
  const double scale = longer / std::max(tall, wide);
  shapes_->px_per_degree_lat = scale;
  shapes_->px_per_degree_lon = scale * std::cos(middle);
  shapes_->width_px = std::ceil(std::max(240.0, wide * scale));
  shapes_->height_px = std::ceil(std::max(240.0, tall * scale));
}

MapDrawing::~MapDrawing() = default;

const Bounds& MapDrawing::frame() const { return shapes_->frame; }

double MapDrawing::metres_per_px() const { return kMetresPerDegree / shapes_->px_per_degree_lat; }

void MapDrawing::AddLine(Layer layer, std::vector<LatLon> points, Stroke stroke) {
  shapes_->lines[layer].push_back({std::move(points), std::move(stroke)});
}

void MapDrawing::AddPolygon(Layer layer, std::vector<std::vector<LatLon>> rings, Colour fill,
                            Stroke outline) {
  shapes_->areas[layer].push_back({std::move(rings), fill, std::move(outline)});
}

void MapDrawing::AddMarker(const LatLon& at, Symbol symbol, Colour colour, double size_px,
                           std::string label) {
  shapes_->markers.push_back({at, symbol, colour, size_px, std::move(label)});
}

void MapDrawing::SetTitle(std::string title, std::string subtitle) {
  shapes_->title = std::move(title);
  shapes_->subtitle = std::move(subtitle);
}

void MapDrawing::AddLegendLine(std::string text, Stroke stroke) {
  shapes_->legend.push_back({std::move(text), std::move(stroke), {}, {}});
}

void MapDrawing::AddLegendArea(std::string text, Colour fill) {
  shapes_->legend.push_back({std::move(text), {}, fill, {}});
}

void MapDrawing::AddLegendSymbol(std::string text, Symbol symbol, Colour colour) {
  shapes_->legend.push_back({std::move(text), {}, {}, std::pair(symbol, colour)});
}

void MapDrawing::SetAttribution(std::string text) { shapes_->attribution = std::move(text); }

namespace {

// Runs `draw` on a surface of `make`'s file and renames it over `path`.
template <class Make, class Finish>
absl::Status WriteSurface(const std::string& path, Make make, Finish finish) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.empty() && !std::filesystem::exists(folder))
    return absl::NotFoundError(
        fmt::format("cannot write {}: its folder does not exist; make it first", path));
  const std::string partial = path + ".tmp";
  cairo_surface_t* surface = make(partial);
  cairo_status_t status = cairo_surface_status(surface);
  if (status == CAIRO_STATUS_SUCCESS) status = finish(surface, partial);
  cairo_surface_finish(surface);
  if (status == CAIRO_STATUS_SUCCESS) status = cairo_surface_status(surface);
  cairo_surface_destroy(surface);
  std::error_code error;
  if (status == CAIRO_STATUS_SUCCESS) std::filesystem::rename(partial, path, error);
  if (status == CAIRO_STATUS_SUCCESS && !error) return absl::OkStatus();
  std::error_code ignored;
  std::filesystem::remove(partial, ignored);
  return absl::UnknownError(fmt::format("{}: the picture cannot be written: {}", path,
                                        error ? error.message() : cairo_status_to_string(status)));
}

}  // namespace

absl::Status MapDrawing::WriteSvg(const std::string& path) const {
  if (shapes_->frame.empty())
    return absl::InvalidArgumentError("nothing to draw: the map frame is empty");
  return WriteSurface(
      path,
      [&](const std::string& file) {
        return cairo_svg_surface_create(file.c_str(), shapes_->width_px, shapes_->height_px);
      },
      [&](cairo_surface_t* surface, const std::string&) {
        cairo_t* cairo = cairo_create(surface);
        shapes_->Render(cairo);
        const cairo_status_t status = cairo_status(cairo);
        cairo_destroy(cairo);
        return status;
      });
}

absl::Status MapDrawing::WritePng(const std::string& path) const {
  if (shapes_->frame.empty())
    return absl::InvalidArgumentError("nothing to draw: the map frame is empty");
  return WriteSurface(
      path,
      [&](const std::string&) {
        return cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(shapes_->width_px),
                                          static_cast<int>(shapes_->height_px));
      },
      [&](cairo_surface_t* surface, const std::string& file) {
        cairo_t* cairo = cairo_create(surface);
        shapes_->Render(cairo);
        cairo_status_t status = cairo_status(cairo);
        cairo_destroy(cairo);
        if (status == CAIRO_STATUS_SUCCESS)
          status = cairo_surface_write_to_png(surface, file.c_str());
        return status;
      });
}

}  // namespace cordon
