// SPDX-License-Identifier: Apache-2.0
#include "analytics/object_evidence.h"

#include <algorithm>
#include <cmath>

namespace cordon {
namespace {

constexpr Microseconds kLookEvery = Milliseconds(190);
constexpr size_t kMostLooks = 8;
constexpr int kGrid = 20;       // samples across and down, at most
constexpr float kFade = 0.85F;  // what a comparison counts when the next one is made

// How far a box must have gone to be compared: in pixels, and as a share of its smaller side.
constexpr float kLeastPixels = 4;
constexpr float kLeastShare = 0.3F;
// Boxes tremble: the best place near by counts, this many steps around.
constexpr int kReachSteps = 3;
constexpr int kReachShare = 36;  // one step, of the box's smaller side
constexpr int kMostStep = 3;     // pixels
constexpr int kSway = 4;         // pixels: so far branches move the scene's texture
constexpr size_t kLeastSamples = 12;
// Contrast below this (deviation, grey levels) is the camera's noise.
constexpr double kNoise = 2;

// What the signs must be.
constexpr float kSceneIsThere = 0.6F;
constexpr float kClearlyMoved = 0.25F;  // better than the scene fits
constexpr float kMoved = 0.15F;
constexpr float kNewContour = 3;  // times the scene's
constexpr float kOwnContour = 1.5F;
constexpr float kNoContour = 0.5F;
constexpr float kContourOfThings = 10;  // grey levels
constexpr float kLeastPairs = 0.9F;
// A thing's contour rises to its contrast within two pixels or three, blurred by its motion within
// some more. The edge of a light or a cloud's shadow is many pixels wide.
constexpr float kSoft = 0.16F;  // a contour of its own, of the contrast

uint8_t At(const LumaPicture& picture, int x, int y) {
  return picture
      .pixels[static_cast<size_t>(y) * static_cast<size_t>(picture.width) + static_cast<size_t>(x)];
}

}  // namespace

ObjectEvidence::Look ObjectEvidence::LookAt(MediaTime now, const LumaPicture& picture,
                                            const LumaPicture& differs, const PictureBox& box) {
  Look look;
  look.time = now;
  look.centre = box.centre();
  look.rect = ToPixels(ClampToPicture(box), picture.width, picture.height);
  const PixelRect& r = look.rect;
  const int step_x = (r.width + kGrid - 1) / kGrid;
  const int step_y = (r.height + kGrid - 1) / kGrid;
  for (int y = r.y; y < r.y + r.height; y += step_y) {
    for (int x = r.x; x < r.x + r.width; x += step_x) {
      if (At(differs, x, y) == 0) continue;
      look.samples.push_back({static_cast<int16_t>(x), static_cast<int16_t>(y), At(picture, x, y)});
    }
  }
  return look;
}

// Normalised correlation of the samples with the picture, shifted; 0 where too little is inside.
float ObjectEvidence::Correlation(const Look& look, const LumaPicture& picture, int dx, int dy) {
  double n = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;
  for (const Look::Sample& sample : look.samples) {
    const int x = sample.x + dx;
    const int y = sample.y + dy;
    if (x < 0 || y < 0 || x >= picture.width || y >= picture.height) continue;
    const double before = sample.value;
    const double now = At(picture, x, y);
    ++n;
    a += before;
    b += now;
    aa += before * before;
    bb += now * now;
    ab += before * now;
  }
  if (n < kLeastSamples) return 0;
  const double least = n * kNoise * kNoise;
  return static_cast<float>((ab - a * b / n) / std::sqrt(std::max(aa - a * a / n, least) *
                                                         std::max(bb - b * b / n, least)));
}

float ObjectEvidence::BestCorrelation(const Look& look, const LumaPicture& picture, int dx, int dy,
                                      int steps, int step) {
  float best = -1;
  for (int y = -steps; y <= steps; ++y) {
    for (int x = -steps; x <= steps; ++x) {
      best = std::max(best, Correlation(look, picture, dx + x * step, dy + y * step));
    }
  }
  return best;
}

void ObjectEvidence::Compare(const Look& before, const Look& now, const LumaPicture& picture,
                             Signs& signs) {
  const auto width = static_cast<float>(picture.width);
  const auto height = static_cast<float>(picture.height);
  const auto dx = static_cast<int>(std::lround((now.centre.x - before.centre.x) * width));
  const auto dy = static_cast<int>(std::lround((now.centre.y - before.centre.y) * height));
  const int small = std::min(before.rect.width, before.rect.height);
  const int step = std::clamp(small / kReachShare, 1, kMostStep);
  const float moved = BestCorrelation(before, picture, dx, dy, kReachSteps, step);
  signs.pairs *= kFade;
  signs.moved = (signs.moved * signs.pairs + moved) / (signs.pairs + 1);
  signs.pairs += 1;
}

void ObjectEvidence::CompareWithScene(const Look& now, const LumaPicture& empty,
                                      const SceneModel::Border& border, Signs& signs) {
  if (border.pixels == 0) return;
  signs.looks *= kFade;
  const auto mean = [&](float& value, double next) {
    value = (value * signs.looks + static_cast<float>(next)) / (signs.looks + 1);
  };
  mean(signs.scene, BestCorrelation(now, empty, 0, 0, kSway, 1));
  int brighter = 0;
  int contrast = 0;
  for (const Look::Sample& sample : now.samples) {
    const int change = sample.value - At(empty, sample.x, sample.y);
    brighter += change > 0;
    contrast += std::abs(change);
  }
  if (!now.samples.empty()) {
    const auto samples = static_cast<double>(now.samples.size());
    mean(signs.brighter, brighter / samples);
    mean(signs.contrast, contrast / samples);
  }
  mean(signs.contour, border.now / border.pixels);
  mean(signs.before, border.scene / border.pixels);
  mean(signs.own, border.own / border.pixels);
  signs.looks += 1;
}

void ObjectEvidence::Update(MediaTime now, float aspect, const LumaPicture& picture,
                            const SceneModel& scene, std::span<const Track> tracks,
                            std::span<const uint64_t> in_doubt) {
  const auto doubted = [&](uint64_t id) {
    return std::binary_search(in_doubt.begin(), in_doubt.end(), id);
  };
  std::erase_if(records_, [&](const auto& record) { return !doubted(record.first); });
  LumaPicture empty;
  for (const Track& track : tracks) {
    if (!track.measured || !doubted(track.id)) continue;
    Record& record = records_[track.id];
    if (!record.looks.empty() && now - record.looks.back().time < kLookEvery) continue;
    if (empty.pixels.empty()) empty = scene.Background();
    Look look = LookAt(now, picture, scene.view().foreground, track.box);
    CompareWithScene(look, empty, scene.BorderOf(track.box), record.signs);
    const auto height = static_cast<float>(picture.height);
    const auto small = static_cast<float>(std::min(look.rect.width, look.rect.height));
    const float least = std::max(kLeastPixels, kLeastShare * small) / height;
    const auto before = std::find_if(record.looks.rbegin(), record.looks.rend(), [&](auto& other) {
      return Distance(other.centre, look.centre, aspect) >= least;
    });
    if (before != record.looks.rend()) Compare(*before, look, picture, record.signs);
    if (record.looks.size() >= kMostLooks) record.looks.erase(record.looks.begin());
    record.looks.push_back(std::move(look));
  }
}

ObjectEvidence::Signs ObjectEvidence::SignsOf(uint64_t track_id) const {
  const auto it = records_.find(track_id);
  return it == records_.end() ? Signs{} : it->second.signs;
}

ObjectEvidence::Verdict ObjectEvidence::Of(uint64_t track_id) const {
  const Signs s = SignsOf(track_id);
  const bool compared = s.pairs >= kLeastPairs;
  if (s.scene > kSceneIsThere && !(compared && s.moved - s.scene > kClearlyMoved))
    return Verdict::kSurface;
  if (s.contour < kContourOfThings || s.own < kSoft * s.contrast) return Verdict::kSurface;
  if (compared && s.moved - s.scene > kClearlyMoved &&
      s.contour > kOwnContour * std::max(s.before, kContourOfThings))
    return Verdict::kCertain;
  if (compared && s.moved - s.scene > kMoved) return Verdict::kThing;
  if (s.contour > kNewContour * s.before) return Verdict::kThing;
  return s.contour < kNoContour * s.before ? Verdict::kSurface : Verdict::kOpen;
}

}  // namespace cordon
