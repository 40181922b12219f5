// SPDX-License-Identifier: Apache-2.0
// A painted place with texture, for tests that need pixels.
#pragma once

#include <functional>

#include "analytics/geometry.h"
#include "ingest/frame.h"

namespace cordon {

inline constexpr int kPlaceWidth = 320;
inline constexpr int kPlaceHeight = 180;
inline constexpr float kPlaceAspect = static_cast<float>(kPlaceWidth) / kPlaceHeight;

// Patches of three pixels, of 64 brightnesses.
inline int Texture(int x, int y, unsigned seed) {
  auto hash = static_cast<unsigned>(x / 3) * 73856093U ^ static_cast<unsigned>(y / 3) * 19349663U ^
              seed * 83492791U;
  hash ^= hash >> 13;
  hash *= 0x5bd1e995U;
  return static_cast<int>((hash ^ hash >> 15) & 63U);
}
inline int Ground(int x, int y) { return 100 + Texture(x, y, 1); }

// Brightness at a place and second.
using PaintedScene = std::function<int(int x, int y, double t)>;

inline LumaPicture Paint(const PaintedScene& scene, double t) {
  LumaPicture picture;
  picture.width = kPlaceWidth;
  picture.height = kPlaceHeight;
  for (int y = 0; y < kPlaceHeight; ++y) {
    for (int x = 0; x < kPlaceWidth; ++x) {
      picture.pixels.push_back(static_cast<uint8_t>(scene(x, y, t)));
    }
  }
  return picture;
}

inline bool In(const PixelRect& r, int x, int y) {
  return x >= r.x && x < r.x + r.width && y >= r.y && y < r.y + r.height;
}

}  // namespace cordon
