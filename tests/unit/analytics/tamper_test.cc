// SPDX-License-Identifier: Apache-2.0
#include "analytics/tamper.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

namespace cordon {
namespace {

// A drawn scene: blocks of many sizes and greys, with sensor noise of its own in each picture.
LumaPicture Scene(unsigned seed) {
  LumaPicture picture{320, 180, std::vector<uint8_t>(size_t{320} * 180, 120)};
  std::mt19937 random(seed);
  for (int i = 0; i < 160; ++i) {
    const auto x = static_cast<int>(random() % 300U), y = static_cast<int>(random() % 165U);
    const auto w = static_cast<int>(random() % 30U) + 4, h = static_cast<int>(random() % 20U) + 4;
    const auto grey = static_cast<uint8_t>(60 + random() % 130U);
    for (int b = y; b < std::min(180, y + h); ++b)
      for (int a = x; a < std::min(320, x + w); ++a)
        picture.pixels[static_cast<size_t>(b * 320 + a)] = grey;
  }
  return picture;
}

void AddNoise(LumaPicture& picture, unsigned frame) {
  std::mt19937 random(frame);
  for (uint8_t& pixel : picture.pixels) {
    pixel = static_cast<uint8_t>(
        std::clamp(static_cast<int>(pixel) + static_cast<int>(random() % 7U) - 3, 0, 255));
  }
}

LumaPicture Blurred(const LumaPicture& picture, int radius) {
  LumaPicture out = picture;
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      int sum = 0, n = 0;
      for (int b = std::max(0, y - radius); b <= std::min(picture.height - 1, y + radius); ++b)
        for (int a = std::max(0, x - radius); a <= std::min(picture.width - 1, x + radius); ++a, ++n)
          sum += picture.row(b)[a];
      out.pixels[static_cast<size_t>(y * picture.width + x)] = static_cast<uint8_t>(sum / n);
    }
  }
  return out;
}

struct Seen {
  proto::EventKind kind = proto::EVENT_KIND_UNSPECIFIED;  // the first finding
  double after = -1;                                      // seconds after second 20
  bool early = false;                                     // a finding before that
  int light_switches = 0;
};

constexpr double kBegins = 20;

// The scene for 20 s, then `change(picture, seconds since)`; noise in every picture unless frozen.
Seen Play(const std::function<void(LumaPicture&, double)>& change, bool frozen = false,
          double seconds = 30) {
  TamperWatch watch;
  Seen seen;
  const LumaPicture scene = Scene(5);
  for (unsigned n = 0; n < static_cast<unsigned>(seconds * 10); ++n) {
    const double t = n * 0.1;
    Frame frame;
    frame.luma = scene;
    if (t >= kBegins && change) change(frame.luma, t - kBegins);
    AddNoise(frame.luma, frozen && t >= kBegins ? 7U : n + 100);
    const GlobalState& state = watch.Update(frame, MediaFromMicros(n * 100'000));
    seen.light_switches += state.light_switched;
    if (watch.findings().empty()) continue;
    if (t < kBegins) seen.early = true;
    if (seen.after >= 0) continue;
    seen.after = t - kBegins;
    seen.kind = watch.findings()[0].kind;
  }
  return seen;
}

void Expose(LumaPicture& picture, double gain, double offset) {
  for (uint8_t& pixel : picture.pixels)
    pixel = static_cast<uint8_t>(std::clamp(pixel * gain + offset, 0.0, 255.0));
}

void ExpectCaught(const Seen& seen, proto::EventKind kind) {
  EXPECT_FALSE(seen.early);
  EXPECT_EQ(proto::EventKind_Name(seen.kind), proto::EventKind_Name(kind));
  EXPECT_GE(seen.after, 0);
  EXPECT_LE(seen.after, 3.0);
}

TEST(TamperWatch, FindsACover) {
  ExpectCaught(Play([](LumaPicture& p, double s) {
                 const int to = std::min(320, static_cast<int>(s * 320));
                 for (int y = 0; y < 180; ++y) std::fill_n(p.pixels.data() + y * 320, to, 40);
               }),
               proto::EVENT_KIND_TAMPER_COVERED);
}

TEST(TamperWatch, FindsALensOutOfFocus) {
  ExpectCaught(Play([](LumaPicture& p, double) { p = Blurred(p, 7); }),
               proto::EVENT_KIND_TAMPER_DEFOCUSED);
}

TEST(TamperWatch, FindsATurnedCamera) {
  ExpectCaught(Play([](LumaPicture& p, double) { p = Scene(6); }),
               proto::EVENT_KIND_TAMPER_MOVED);
}

TEST(TamperWatch, FindsABlackPicture) {
  ExpectCaught(Play([](LumaPicture& p, double) { Expose(p, 0, 4); }),
               proto::EVENT_KIND_TAMPER_BLACK);
}

TEST(TamperWatch, FindsADazzlingLight) {
  ExpectCaught(Play([](LumaPicture& p, double) { Expose(p, 0.35, 170); }),
               proto::EVENT_KIND_TAMPER_SUDDEN_LIGHT);
}

TEST(TamperWatch, FindsAFrozenPicture) {
  ExpectCaught(Play(nullptr, true), proto::EVENT_KIND_TAMPER_FROZEN);
}

TEST(TamperWatch, ALampSwitchedIsALightSwitchAndNoTampering) {
  for (const double gain : {0.4, 0.6, 1.6}) {
    const Seen seen = Play([gain](LumaPicture& p, double) { Expose(p, gain, 0); });
    EXPECT_LT(seen.after, 0) << gain << ": " << proto::EventKind_Name(seen.kind);
    EXPECT_EQ(seen.light_switches, 1) << gain;
  }
}

TEST(TamperWatch, ALargeObjectThatPassesIsNoTampering) {
  const Seen seen = Play([](LumaPicture& p, double s) {
    const int at = static_cast<int>(s * 90) - 150;
    for (int y = 20; y < 180; ++y)
      for (int x = std::max(0, at); x < std::min(320, at + 150); ++x)
        p.pixels[static_cast<size_t>(y * 320 + x)] = static_cast<uint8_t>(200 - x % 40);
  });
  EXPECT_LT(seen.after, 0) << proto::EventKind_Name(seen.kind);
}

TEST(TamperWatch, ACameraThatDriftsSlowlyWasNotTurned) {
  const Seen seen = Play(
      [](LumaPicture& p, double s) {
        const int shift = static_cast<int>(s * 0.8);
        const LumaPicture old = p;
        for (int y = 0; y < 180; ++y)
          for (int x = 0; x < 320; ++x)
            p.pixels[static_cast<size_t>(y * 320 + x)] = old.row(y)[std::min(319, x + shift)];
      },
      false, 50);
  EXPECT_LT(seen.after, 0) << proto::EventKind_Name(seen.kind);
}

TEST(TamperWatch, ATurnedCameraIsTheSceneAfterHalfAMinute) {
  TamperWatch watch;
  bool before = false;
  for (unsigned n = 0; n < 700; ++n) {
    Frame frame;
    frame.luma = Scene(n < 200 ? 5 : 6);
    AddNoise(frame.luma, n);
    watch.Update(frame, MediaFromMicros(n * 100'000));
    if (n == 400) before = !watch.findings().empty();
  }
  EXPECT_TRUE(before);
  EXPECT_TRUE(watch.findings().empty());
}

}  // namespace
}  // namespace cordon
