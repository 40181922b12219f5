// SPDX-License-Identifier: Apache-2.0
#include "analytics/detector_canvas.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace cordon {
namespace {

// A network judges an object with its surroundings; without any, scores fall.
constexpr double kMargin = 0.25;
constexpr int kLeastMargin = 16;
constexpr int kCell = 32;
// A canvas's sides are the input's less a multiple of this, so that few different shapes occur: an
// engine plans each shape anew, which costs more than the area saved (OpenVINO: 30 ms for the first
// run of a shape, 3 ms after it).
constexpr int kSideStep = 96;
constexpr int kLeastSide = 96;
// Scales are tried from the largest down in these steps; the loss against the best fit is below one
// step.
constexpr double kScaleStep = 0.92;
// Boxes that come this near to an inner edge of a tile are taken as cut by it, in canvas pixels.
constexpr float kCutEdge = 2.0F;

int Right(const PixelRect& r) { return r.x + r.width; }
int Bottom(const PixelRect& r) { return r.y + r.height; }

PixelRect GrownRegion(const PixelRect& r, int width, int height) {
  const int dx = std::max(kLeastMargin, static_cast<int>(kMargin * r.width));
  const int dy = std::max(kLeastMargin, static_cast<int>(kMargin * r.height));
  const int left = std::clamp(r.x - dx, 0, width - 1);
  const int top = std::clamp(r.y - dy, 0, height - 1);
  const int right = std::clamp(Right(r) + dx, left + 1, width);
  const int bottom = std::clamp(Bottom(r) + dy, top + 1, height);
  return {left, top, right - left, bottom - top};
}

bool Touch(const PixelRect& a, const PixelRect& b) {
  return a.x < Right(b) && b.x < Right(a) && a.y < Bottom(b) && b.y < Bottom(a);
}

PixelRect Around(const PixelRect& a, const PixelRect& b) {
  const int left = std::min(a.x, b.x);
  const int top = std::min(a.y, b.y);
  return {left, top, std::max(Right(a), Right(b)) - left, std::max(Bottom(a), Bottom(b)) - top};
}

std::vector<PixelRect> Merged(std::span<const PixelRect> regions, int width, int height) {
  std::vector<PixelRect> merged;
  for (const PixelRect& region : regions) {
    PixelRect grown = GrownRegion(region, width, height);
    for (size_t i = 0; i < merged.size();) {
      if (!Touch(merged[i], grown)) {
        ++i;
        continue;
      }
      grown = Around(merged[i], grown);
      merged.erase(merged.begin() + static_cast<std::ptrdiff_t>(i));
      i = 0;
    }
    merged.push_back(grown);
  }
  // Tall first: shelves waste least.
  std::stable_sort(merged.begin(), merged.end(),
                   [](const PixelRect& a, const PixelRect& b) { return a.height > b.height; });
  return merged;
}

// Puts the tiles on shelves within the limit. Empty when they do not fit.
std::optional<Canvas> Pack(const std::vector<PixelRect>& sources, double scale, InputSize limit) {
  Canvas canvas;
  int x = 0;
  int shelf = 0;
  int shelf_height = 0;
  for (const PixelRect& source : sources) {
    Tile tile{source, 0, 0, std::max(1, static_cast<int>(std::lround(source.width * scale))),
              std::max(1, static_cast<int>(std::lround(source.height * scale)))};
    if (x > 0 && x + tile.width > limit.width) {
      shelf += shelf_height + kGutter;
      x = shelf_height = 0;
    }
    if (tile.width > limit.width || shelf + tile.height > limit.height) return std::nullopt;
    tile.x = x;
    tile.y = shelf;
    x += tile.width + kGutter;
    shelf_height = std::max(shelf_height, tile.height);
    canvas.size.width = std::max(canvas.size.width, tile.x + tile.width);
    canvas.size.height = std::max(canvas.size.height, tile.y + tile.height);
    canvas.tiles.push_back(tile);
  }
  return canvas;
}

int UpToCell(int length, int most) { return std::min((length + kCell - 1) / kCell * kCell, most); }

int UpToStep(int length, int most) {
  int side = most;
  while (side - kSideStep >= std::max(length, kLeastSide)) side -= kSideStep;
  return side;
}

// Of several widths of the canvas the one with the least area.
std::optional<Canvas> BestPack(const std::vector<PixelRect>& sources, double scale, InputSize limit,
                               bool resizable) {
  std::optional<Canvas> best;
  for (int width = limit.width; width >= kLeastSide; width -= kSideStep) {
    std::optional<Canvas> canvas = Pack(sources, scale, {width, limit.height});
    if (!canvas) continue;
    canvas->size = resizable ? InputSize{UpToStep(canvas->size.width, limit.width),
                                         UpToStep(canvas->size.height, limit.height)}
                             : limit;
    if (!best || canvas->size.width * canvas->size.height < best->size.width * best->size.height) {
      best = std::move(canvas);
    }
    if (!resizable) break;
  }
  return best;
}

Canvas WholePicture(const proto::ModelCard& card, int width, int height, InputSize limit) {
  Canvas canvas;
  canvas.whole_picture = true;
  canvas.size = limit;
  Tile tile{{0, 0, width, height}, 0, 0, limit.width, limit.height};
  if (card.fit() == proto::ModelCard::FIT_LETTERBOX) {
    const double scale = std::min(static_cast<double>(limit.width) / width,
                                  static_cast<double>(limit.height) / height);
    tile.width = std::max(1, static_cast<int>(std::lround(width * scale)));
    tile.height = std::max(1, static_cast<int>(std::lround(height * scale)));
    if (card.resizable()) {
      canvas.size = {UpToCell(tile.width, limit.width), UpToCell(tile.height, limit.height)};
    }
  }
  canvas.tiles.push_back(tile);
  return canvas;
}

// Cut by an edge of its tile that is no edge of the picture.
bool IsCut(const Tile& tile, const RawBox& box, int source_width, int source_height) {
  const auto left = static_cast<float>(tile.x);
  const auto top = static_cast<float>(tile.y);
  const auto right = static_cast<float>(tile.x + tile.width);
  const auto bottom = static_cast<float>(tile.y + tile.height);
  return (tile.source.x > 0 && box.left < left + kCutEdge) ||
         (tile.source.y > 0 && box.top < top + kCutEdge) ||
         (Right(tile.source) < source_width && box.left + box.width > right - kCutEdge) ||
         (Bottom(tile.source) < source_height && box.top + box.height > bottom - kCutEdge);
}

bool InAny(std::span<const PixelRect> regions, float x, float y) {
  return std::any_of(regions.begin(), regions.end(), [&](const PixelRect& r) {
    return x >= static_cast<float>(r.x) && x < static_cast<float>(Right(r)) &&
           y >= static_cast<float>(r.y) && y < static_cast<float>(Bottom(r));
  });
}

}  // namespace

Canvas PlanCanvas(const proto::ModelCard& card, int source_width, int source_height,
                  std::span<const PixelRect> regions, double most_scale) {
  const InputSize limit{static_cast<int>(card.input_width()),
                        static_cast<int>(card.input_height())};
  const Canvas whole = WholePicture(card, source_width, source_height, limit);
  const double whole_scale = std::min(static_cast<double>(whole.tiles[0].width) / source_width,
                                      static_cast<double>(whole.tiles[0].height) / source_height);
  const std::vector<PixelRect> sources = Merged(regions, source_width, source_height);
  for (double scale = most_scale; scale > whole_scale; scale *= kScaleStep) {
    if (auto canvas = BestPack(sources, scale, limit, card.resizable())) return *std::move(canvas);
  }
  // At the whole picture's own scale a few small regions still cost less than all of it.
  if (auto canvas = BestPack(sources, whole_scale, limit, card.resizable());
      canvas && canvas->size.width * canvas->size.height < whole.size.width * whole.size.height) {
    return *std::move(canvas);
  }
  return whole;
}

bool ToSource(const Canvas& canvas, const RawBox& box, int source_width, int source_height,
              std::span<const PixelRect> regions, RawBox& out) {
  const float cx = box.left + box.width / 2;
  const float cy = box.top + box.height / 2;
  const auto tile = std::find_if(canvas.tiles.begin(), canvas.tiles.end(), [&](const Tile& t) {
    return cx >= static_cast<float>(t.x) && cx < static_cast<float>(t.x + t.width) &&
           cy >= static_cast<float>(t.y) && cy < static_cast<float>(t.y + t.height);
  });
  if (tile == canvas.tiles.end()) return false;
  const float sx = static_cast<float>(tile->source.width) / static_cast<float>(tile->width);
  const float sy = static_cast<float>(tile->source.height) / static_cast<float>(tile->height);
  out = box;
  const float left = (box.left - static_cast<float>(tile->x)) * sx;
  const float top = (box.top - static_cast<float>(tile->y)) * sy;
  const float right = left + box.width * sx;
  const float bottom = top + box.height * sy;
  // What reaches over the tile's edge was not seen there.
  const auto tile_width = static_cast<float>(tile->source.width);
  const auto tile_height = static_cast<float>(tile->source.height);
  const float clipped_left = std::clamp(left, 0.0F, tile_width);
  const float clipped_top = std::clamp(top, 0.0F, tile_height);
  out.left = static_cast<float>(tile->source.x) + clipped_left;
  out.top = static_cast<float>(tile->source.y) + clipped_top;
  out.width = std::clamp(right, 0.0F, tile_width) - clipped_left;
  out.height = std::clamp(bottom, 0.0F, tile_height) - clipped_top;
  if (out.width < 1 || out.height < 1) return false;
  return !IsCut(*tile, box, source_width, source_height) ||
         InAny(regions, out.left + out.width / 2, out.top + out.height / 2);
}

}  // namespace cordon
