// SPDX-License-Identifier: Apache-2.0
// How the moving regions of one frame become one small input of the network.
#pragma once

#include <span>
#include <vector>

#include "analytics/dnn_decode.h"
#include "ingest/frame.h"
#include "proto/model_card.pb.h"

namespace cordon {

// A part of the source picture and where it lies on the canvas.
struct Tile {
  PixelRect source;
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

// One input of the network. Its tiles never overlap and lie at least kGutter apart.
struct Canvas {
  InputSize size;
  std::vector<Tile> tiles;
  bool whole_picture = false;
};

// Space between two tiles, so that an object of one is not continued in the other.
inline constexpr int kGutter = 16;

// Plans the canvas for `regions` of a source picture. Regions are grown (a network wants to see
// around an object), merged where they touch, and packed side by side at the largest common scale
// at which they fit into the network's input, at most `most_scale` of the source. Where that scale
// would be no better than showing the whole picture, the whole picture is shown. A resizable
// network gets a canvas just large enough (multiples of 32): its cost is its area. Pure.
Canvas PlanCanvas(const proto::ModelCard& card, int source_width, int source_height,
                  std::span<const PixelRect> regions, double most_scale);

// A box of the canvas in source pixels. False when it must not be reported: its centre is on no
// tile, or it is cut by a tile's inner edge and stands outside all `regions` (a bystander who is
// only partly shown).
bool ToSource(const Canvas& canvas, const RawBox& box, int source_width, int source_height,
              std::span<const PixelRect> regions, RawBox& out);

}  // namespace cordon
