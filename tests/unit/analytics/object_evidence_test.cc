// SPDX-License-Identifier: Apache-2.0
// A painted place with texture; what crosses it is a block with a pattern of its own, a shadow, or
// the place's own texture to and fro.
#include "analytics/object_evidence.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "tests/unit/analytics/painted_place.h"

namespace cordon {
namespace {

// Three empty seconds, then two in which a track's box goes over the scene.
ObjectEvidence WatchAll(const PaintedScene& scene, const std::function<PixelRect(double)>& box) {
  SceneModel model;
  ObjectEvidence evidence;
  Track track;
  track.id = 7;
  track.confirmed = true;
  track.measured = true;
  const std::vector<uint64_t> in_doubt = {7};
  for (int n = 0; n < 50; ++n) {
    const double t = n * 0.1;
    const LumaPicture picture = Paint(scene, t);
    const MediaTime now = MediaFromMicros(n * 100'000);
    model.Update(picture, now, {});
    if (t < 3) continue;
    track.box = ToRelative(box(t), kPlaceWidth, kPlaceHeight);
    evidence.Update(now, kPlaceAspect, picture, model, {&track, 1}, in_doubt);
  }
  return evidence;
}
ObjectEvidence::Verdict Watch(const PaintedScene& scene,
                              const std::function<PixelRect(double)>& box) {
  return WatchAll(scene, box).Of(7);
}

PixelRect Walking(double t) { return {60 + static_cast<int>(40 * (t - 3)), 60, 20, 50}; }

TEST(ObjectEvidence, WhatTakesItsTextureAlongIsAThing) {
  const PaintedScene scene = [](int x, int y, double t) {
    const PixelRect r = Walking(t);
    if (t < 3 || !In(r, x, y)) return Ground(x, y);
    return 20 + Texture(x - r.x, y - r.y, 9);
  };
  EXPECT_EQ(Watch(scene, Walking), ObjectEvidence::Verdict::kCertain);
}

// What flakes in a lamp's light are.
TEST(ObjectEvidence, TellsWhetherAllOfAThingIsBrighterThanWhatIsBehindIt) {
  const auto brighter = [](int least) {
    const PaintedScene scene = [least](int x, int y, double t) {
      const PixelRect r = Walking(t);
      if (t < 3 || !In(r, x, y)) return Ground(x, y);
      return least + Texture(x - r.x, y - r.y, 9);
    };
    return WatchAll(scene, Walking).SignsOf(7).brighter;
  };
  EXPECT_GT(brighter(180), 0.9F);
  EXPECT_LT(brighter(20), 0.1F);
}

TEST(ObjectEvidence, AShadowThatCrossesIsASurface) {
  const PaintedScene scene = [](int x, int y, double t) {
    const bool dark = t >= 3 && In(Walking(t), x, y);
    return dark ? Ground(x, y) * 3 / 10 : Ground(x, y);
  };
  EXPECT_EQ(Watch(scene, Walking), ObjectEvidence::Verdict::kSurface);
}

// Headlights: so much brighter that the texture under them is hardly found again.
TEST(ObjectEvidence, ASoftLightThatSweepsOverTheGroundIsASurface) {
  const PaintedScene scene = [](int x, int y, double t) {
    const double ground = 140 + Texture(x, y, 1) / 2;
    if (t < 3) return static_cast<int>(ground);
    const double dx = (x - 70 - 40 * (t - 3)) / 24;
    const double dy = (y - 85) / 24.0;
    return static_cast<int>(std::min(255.0, ground * (1 + std::exp(-dx * dx - dy * dy))));
  };
  const auto light = [](double t) {
    return PixelRect{34 + static_cast<int>(40 * (t - 3)), 50, 72, 70};
  };
  EXPECT_EQ(Watch(scene, light), ObjectEvidence::Verdict::kSurface);
}

// As bright, as smooth and as large, but with an edge: a white van.
TEST(ObjectEvidence, ABrightSmoothThingWithAnEdgeIsAThing) {
  const auto van = [](double t) {
    return PixelRect{34 + static_cast<int>(40 * (t - 3)), 50, 72, 70};
  };
  const PaintedScene scene = [&](int x, int y, double t) {
    return t >= 3 && In(van(t), x, y) ? 250 : 140 + Texture(x, y, 1) / 16;
  };
  EXPECT_EQ(Watch(scene, van), ObjectEvidence::Verdict::kThing);
}

TEST(ObjectEvidence, TextureThatSwingsIsASurfaceHoweverItsBoxGoes) {
  const PaintedScene scene = [](int x, int y, double t) {
    const int shift = t < 3 ? 0 : static_cast<int>(std::lround(4 * std::sin(9 * t)));
    return Ground(x + shift, y);
  };
  EXPECT_EQ(Watch(scene, Walking), ObjectEvidence::Verdict::kSurface);
}

TEST(ObjectEvidence, ForgetsWhoIsNoLongerInDoubt) {
  SceneModel model;
  ObjectEvidence evidence;
  Track track;
  track.id = 7;
  track.measured = true;
  track.box = {0.2F, 0.2F, 0.1F, 0.2F};
  const LumaPicture picture = Paint([](int x, int y, double) { return Ground(x, y); }, 0);
  model.Update(picture, MediaFromMicros(0), {});
  const std::vector<uint64_t> in_doubt = {7};
  const LumaPicture block = Paint(
      [](int x, int y, double) {
        return In({60, 40, 40, 40}, x, y) ? 20 : Ground(x, y);
      },
      0);
  model.Update(block, MediaFromMicros(100'000), {});
  evidence.Update(MediaFromMicros(100'000), kPlaceAspect, block, model, {&track, 1}, in_doubt);
  EXPECT_GT(evidence.SignsOf(7).looks, 0);
  evidence.Update(MediaFromMicros(200'000), kPlaceAspect, block, model, {&track, 1}, {});
  EXPECT_EQ(evidence.SignsOf(7).looks, 0);
}

}  // namespace
}  // namespace cordon
