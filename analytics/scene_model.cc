// SPDX-License-Identifier: Apache-2.0
#include "analytics/scene_model.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <opencv2/imgproc.hpp>

#include "base/check.h"
#include "base/vectorised.h"

namespace cordon {
namespace {

// Grey levels and multiples of the mean absolute deviation.
constexpr float kLeastThreshold = 9;
constexpr float kMostThreshold = 45;
constexpr float kDeviations = 4.5F;  // 3.6 sigma of Gaussian noise
constexpr float kFirstDeviation = 3;
constexpr float kShake = 0.25F;  // pixels, of an edge's two gradients
constexpr float kMostEdge = 25;
constexpr float kEdgesEvery = 1;  // seconds
constexpr float kLeastDeviation = 0.8F;

// Time constants, seconds.
constexpr float kMeanTau = 6;
constexpr float kDeviationTau = 12;
constexpr float kVisitsTau = 30;
constexpr float kClutterTau = 20;
constexpr float kLearningFor = 2;

// A value that came back so often within kVisitsTau belongs to the scene: leaves, rain, a
// flickering lamp.
constexpr float kRecurringVisits = 4;
// Absent for longer than this ends a stay (sensor noise alone does not).
constexpr float kStayGap = 0.7F;

// The picture's shift against the scene.
constexpr int kShiftStep = 3;
constexpr float kShiftGradient = 4;  // grey levels a pixel
constexpr int kLeastShiftSamples = 120;
constexpr double kShiftMustExplain = 0.8;  // of the change at edges, else it is something else
constexpr float kLeastShift = 0.2F;        // pixels; every move blurs the model a little
constexpr float kMostShift = 3;

// How much stronger the outline must be in one picture than in the other.
constexpr double kOutlineRatio = 1.4;
constexpr float kMostContrast = 2;

// Light compensation looks at every kLightStep-th pixel in both directions.
constexpr int kLightStep = 4;
constexpr int kLightBins = 16;
constexpr double kOffsetDoubt = 0.1;
constexpr int kLeastBinSamples = 40;
constexpr double kLeastLightChange = 1.2;  // grey levels in some class

float Seconds32(Microseconds d) { return static_cast<float>(d.count()) * 1e-6F; }

cv::Mat View(const std::vector<uint8_t>& pixels, int width, int height) {
  return {height, width, CV_8UC1, const_cast<uint8_t*>(pixels.data())};
}
cv::Mat View(const std::vector<float>& values, int width, int height) {
  return {height, width, CV_32FC1, const_cast<float*>(values.data())};
}

// One pixel's gradients; both pictures' rows are `stride` long.
void AddGradients(const uint8_t* now, const float* scene, ptrdiff_t stride,
                  SceneModel::Border& sum) {
  const auto now_x = static_cast<float>(now[1] - now[-1]);
  const auto now_y = static_cast<float>(now[stride] - now[-stride]);
  const float scene_x = scene[1] - scene[-1];
  const float scene_y = scene[stride] - scene[-stride];
  const auto lit = static_cast<float>(now[1] + now[-1] + now[stride] + now[-stride]) /
                   std::max(scene[1] + scene[-1] + scene[stride] + scene[-stride], 1.0F);
  // The light scales the scene's gradient by about as much as its brightness; a model that followed
  // an exposure has lost some contrast.
  const float along = now_x * scene_x + now_y * scene_y;
  const float square = scene_x * scene_x + scene_y * scene_y;
  const float scale = std::clamp(along / std::max(square, 1.0F), 0.0F, kMostContrast * lit);
  sum.now += std::abs(now_x) + std::abs(now_y);
  sum.scene += std::abs(scene_x) + std::abs(scene_y);
  sum.own += std::abs(now_x - scale * scene_x) + std::abs(now_y - scale * scene_y);
  ++sum.pixels;
}

}  // namespace

void SceneModel::Relearn() { width_ = 0; }

void SceneModel::Start(const LumaPicture& luma, MediaTime time) {
  width_ = luma.width;
  height_ = luma.height;
  began_ = time;
  now_ = time;
  const auto size = luma.pixels.size();
  smooth_.resize(size);
  blur_.Apply(luma.pixels.data(), width_, height_, smooth_.data());
  mean_.assign(smooth_.begin(), smooth_.end());
  deviation_.assign(size, kFirstDeviation);
  second_ = smooth_;
  second_since_.assign(size, -1e3F);
  second_seen_.assign(size, -1e3F);
  visits_.assign(size, 0);
  held_.assign(size, 0);
  edge_.assign(size, 0);
  gradients_.clear();
  edges_learnt_ = -1;
  raw_.assign(size, 0);
  rests_.assign(size, 0);
  for (LumaPicture* picture : {&view_.foreground, &view_.still}) {
    picture->width = width_;
    picture->height = height_;
    picture->pixels.assign(size, 0);
  }
}

const SceneView& SceneModel::Update(const LumaPicture& luma, MediaTime time,
                                    std::span<const PictureBox> held) {
  CORDON_CHECK(luma.width >= 16 && luma.height >= 16, "the analysed picture is too small");
  if (luma.width != width_ || luma.height != height_) Start(luma, time);
  step_s_ = std::clamp(Seconds32(time - now_), 0.0F, 2.0F);
  now_ = time;
  seconds_since_start_ = Seconds32(time - began_);
  blur_.Apply(luma.pixels.data(), width_, height_, smooth_.data());

  view_.light = EstimateLight();
  if (view_.light.gain != 1 || view_.light.offset != 0) Follow(view_.light);
  if (const auto shift = EstimateShift()) Follow(*shift);
  // Young models average; old ones forget exponentially.
  const float age = std::max(seconds_since_start_, step_s_);
  const float tau = std::clamp(age, 0.3F, kMeanTau);
  LearnEdges();
  const size_t different =
      Classify(1 - std::exp(-step_s_ / tau), 1 - std::exp(-step_s_ / kDeviationTau));
  view_.foreground_share = static_cast<double>(different) / static_cast<double>(raw_.size());
  view_.learning = seconds_since_start_ < kLearningFor;
  ConsultSecondValue(held);
  Clean();
  RemoveShadows();
  return view_;
}

// Medians of (now - scene) by the scene's brightness, then a line through them: robust against
// whatever moves as long as it covers less than half of each brightness class.
LightChange SceneModel::EstimateLight() const {
  std::array<std::array<uint16_t, 512>, kLightBins> histogram{};
  std::array<int, kLightBins> samples{};
  for (int y = kLightStep / 2; y < height_; y += kLightStep) {
    for (int x = kLightStep / 2; x < width_; x += kLightStep) {
      const size_t i =
          static_cast<size_t>(y) * static_cast<size_t>(width_) + static_cast<size_t>(x);
      const int scene = static_cast<int>(mean_[i] + 0.5F);
      // Clipped pixels say nothing of the gain.
      if (smooth_[i] < 3 || smooth_[i] > 252) continue;
      const auto bin = static_cast<size_t>(std::min(scene, 255) * kLightBins / 256);
      ++histogram[bin][static_cast<size_t>(256 + smooth_[i] - scene)];
      ++samples[bin];
    }
  }
  double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0, most = 0;
  for (size_t bin = 0; bin < kLightBins; ++bin) {
    if (samples[bin] < kLeastBinSamples) continue;
    int seen = 0;
    size_t at = 0;
    while (2 * (seen + histogram[bin][at]) < samples[bin]) seen += histogram[bin][at++];
    const double x = (static_cast<double>(bin) + 0.5) * 256 / kLightBins;
    // The median between two whole grey levels.
    const double y =
        static_cast<double>(at) - 256.5 + (0.5 * samples[bin] - seen) / histogram[bin][at];
    const double w = samples[bin];
    n += w;
    sx += w * x;
    sy += w * y;
    sxx += w * x * x;
    sxy += w * x * y;
    most = std::max(most, std::abs(y));
  }
  if (most < kLeastLightChange || n < kLeastBinSamples) return {};
  const double spread = n * sxx - sx * sx;
  const double slope =
      spread > n * n * 100 ? std::clamp((n * sxy - sx * sy) / spread, -0.6, 1.5) : 0;
  return {static_cast<float>(1 + slope), static_cast<float>((sy - slope * sx) / n)};
}

// How far the picture has moved against the scene, by least squares over the scene's gradients
// (Lucas and Kanade 1981, with one displacement for all), twice: the second time without what the
// first cannot explain. Good to about 1.5 pixels.
std::optional<SceneModel::Shift> SceneModel::EstimateShift() const {
  Shift shift;
  for (int round = 0; round < 2; ++round) {
    const float most = round == 0 ? 40 : 15;
    double xx = 0, xy = 0, yy = 0, xt = 0, yt = 0, before = 0, after = 0;
    int samples = 0;
    for (const Gradient& gradient : gradients_) {
      const float change = static_cast<float>(smooth_[gradient.at]) - mean_[gradient.at];
      const float rest = change + gradient.x * shift.x + gradient.y * shift.y;
      if (std::abs(rest) > most) continue;
      ++samples;
      xx += gradient.x * gradient.x;
      xy += gradient.x * gradient.y;
      yy += gradient.y * gradient.y;
      xt += gradient.x * change;
      yt += gradient.y * change;
      before += std::abs(change);
      after += std::abs(rest);
    }
    const double det = xx * yy - xy * xy;
    if (samples < kLeastShiftSamples || det < 0.02 * xx * yy) return std::nullopt;
    if (round == 1 && after > kShiftMustExplain * before) return std::nullopt;
    shift = {static_cast<float>(-(xt * yy - yt * xy) / det),
             static_cast<float>(-(yt * xx - xt * xy) / det)};
  }
  const float length = std::hypot(shift.x, shift.y);
  if (length < kLeastShift || length > kMostShift) return std::nullopt;
  return shift;
}

// Where the scene's gradients are strong enough to tell a shift.
void SceneModel::LearnGradients() {
  gradients_.clear();
  const auto stride = static_cast<size_t>(width_);
  for (int y = 2; y + 2 < height_; y += kShiftStep) {
    for (int x = 2; x + 2 < width_; x += kShiftStep) {
      const size_t i = static_cast<size_t>(y) * stride + static_cast<size_t>(x);
      const Gradient gradient{static_cast<uint32_t>(i), (mean_[i + 1] - mean_[i - 1]) / 2,
                              (mean_[i + stride] - mean_[i - stride]) / 2};
      if (std::abs(gradient.x) + std::abs(gradient.y) >= kShiftGradient)
        gradients_.push_back(gradient);
    }
  }
}

// A camera on a pole sways, one with a stabiliser drifts: the scene goes with it.
void SceneModel::Follow(const Shift& shift) {
  const cv::Matx23f move(1, 0, shift.x, 0, 1, shift.y);
  cv::Mat mean = View(mean_, width_, height_);
  cv::Mat moved;
  cv::warpAffine(mean, moved, move, mean.size(), cv::INTER_LINEAR, cv::BORDER_REPLICATE);
  moved.copyTo(mean);
  cv::Mat deviation = View(deviation_, width_, height_);
  cv::warpAffine(deviation, moved, move, mean.size(), cv::INTER_LINEAR, cv::BORDER_REPLICATE);
  moved.copyTo(deviation);
  edges_learnt_ = -1;
}

// Moves the model by the light change if that explains the picture better than no change does.
void SceneModel::Follow(const LightChange& light) {
  size_t better = 0;
  size_t worse = 0;
  for (size_t i = 0; i < mean_.size(); i += 37) {
    const float before = std::abs(static_cast<float>(smooth_[i]) - mean_[i]);
    const float after =
        std::abs(static_cast<float>(smooth_[i]) - (light.gain * mean_[i] + light.offset));
    better += before > after + 1;
    worse += after > before + 1;
  }
  if (better < 2 * worse + 10) {
    view_.light = {};
    return;
  }
  for (float& value : mean_) value = std::clamp(light.gain * value + light.offset, 0.0F, 255.0F);
  for (uint8_t& value : second_) {
    value = static_cast<uint8_t>(
        std::clamp(light.gain * static_cast<float>(value) + light.offset, 0.0F, 255.0F));
  }
}

// Where the scene has an edge, a camera that shakes by half a pixel changes the picture by half the
// edge's height.
void SceneModel::LearnEdges() {
  if (edges_learnt_ >= 0 && seconds_since_start_ - edges_learnt_ < kEdgesEvery) return;
  edges_learnt_ = seconds_since_start_;
  LearnGradients();
  const float* mean = mean_.data();
  float* edge = edge_.data();
  const int w = width_;
  for (int y = 1; y + 1 < height_; ++y) {
    const float* row = mean + static_cast<ptrdiff_t>(y) * w;
    float* out = edge + static_cast<ptrdiff_t>(y) * w;
    for (int x = 1; x + 1 < w; ++x) {
      const float dx = std::abs(row[x + 1] - row[x - 1]);
      const float dy = std::abs(row[x + w] - row[x - w]);
      out[x] = std::min(kShake * (dx + dy), kMostEdge);
    }
  }
}

// The hot loop, written without branches so that it is vectorised.
CORDON_VECTORISED
size_t SceneModel::Classify(float mean_rate, float deviation_rate) {
  const size_t size = smooth_.size();
  const uint8_t* picture = smooth_.data();
  float* mean = mean_.data();
  float* deviation = deviation_.data();
  const float* edge = edge_.data();
  uint8_t* raw = raw_.data();
  const float floor = NoiseFloor();
  int different = 0;
  for (size_t i = 0; i < size; ++i) {
    const float delta = static_cast<float>(picture[i]) - mean[i];
    const float distance = std::abs(delta);
    const float threshold =
        std::min(std::max(kDeviations * deviation[i], floor + edge[i]), kMostThreshold);
    const bool moved = distance > threshold;
    mean[i] += moved ? 0.0F : mean_rate * delta;
    const float next = deviation[i] + deviation_rate * (distance - deviation[i]);
    deviation[i] = moved ? deviation[i] : std::max(next, kLeastDeviation);
    raw[i] = moved ? 255 : 0;
    different += moved;
  }
  return static_cast<size_t>(different);
}

float SceneModel::NoiseFloor() const { return kLeastThreshold; }

// Pixels that differ from the mean may still belong to the scene: they show the other recurring
// value, or have stayed the same for so long that the scene has changed.
void SceneModel::ConsultSecondValue(std::span<const PictureBox> held) {
  std::fill(held_.begin(), held_.end(), 0);
  for (const PictureBox& box : held) {
    const PixelRect r = ToPixels(box, width_, height_);
    for (int y = r.y; y < r.y + r.height; ++y) {
      std::memset(held_.data() + y * width_ + r.x, 1, static_cast<size_t>(r.width));
    }
  }
  // A young model may have learnt things that were passing when it started.
  const float absorb_after = std::clamp(seconds_since_start_ * 0.5F, 2.0F, Seconds32(kAbsorbAfter));
  const float still_after = Seconds32(kStillAfter);
  const float now = seconds_since_start_;
  const float clutter_rate = 1 - std::exp(-step_s_ / kClutterTau);
  std::fill(rests_.begin(), rests_.end(), 0);
  for (size_t i = 0; i < raw_.size(); ++i) {
    if (i % 8 == 0 && i + 8 <= raw_.size()) {
      uint64_t eight = 0;
      std::memcpy(&eight, raw_.data() + i, 8);
      if (eight == 0) {
        i += 7;
        continue;
      }
    }
    if (raw_[i] == 0) continue;
    const float threshold =
        std::clamp(kDeviations * deviation_[i], kLeastThreshold, kMostThreshold);
    // What differs all the time and is no object is restless by itself: leaves, water.
    if (held_[i] == 0) {
      const float distance = std::abs(static_cast<float>(smooth_[i]) - mean_[i]);
      deviation_[i] =
          std::min(deviation_[i] + clutter_rate * std::max(0.0F, distance - deviation_[i]),
                   kMostThreshold / kDeviations);
    }
    const bool same =
        std::abs(static_cast<float>(smooth_[i]) - static_cast<float>(second_[i])) < threshold;
    const float gap = now - second_seen_[i];
    if (!same) {
      // The recurring value keeps its seat until it has been away for long.
      if (visits_[i] * std::exp(-gap / kVisitsTau) >= kRecurringVisits / 2) continue;
      second_[i] = smooth_[i];
      second_since_[i] = now;
      second_seen_[i] = now;
      visits_[i] = 1;
      continue;
    }
    if (gap > std::max(kStayGap, 2.5F * step_s_)) {
      visits_[i] = visits_[i] * std::exp(-gap / kVisitsTau) + 1;
      second_since_[i] = now;
    }
    second_seen_[i] = now;
    if (visits_[i] >= kRecurringVisits && held_[i] == 0) {
      raw_[i] = 0;
      deviation_[i] = std::min(deviation_[i] + 0.02F, kMostThreshold / kDeviations);
      continue;
    }
    const float stay = now - second_since_[i];
    if (stay >= still_after) rests_[i] = 255;
    if (stay >= absorb_after && held_[i] == 0) {
      const auto before = static_cast<uint8_t>(mean_[i]);
      mean_[i] = smooth_[i];
      second_[i] = before;
      visits_[i] = 1;
      raw_[i] = 0;
    }
  }
}

// Single pixels go, small holes close.
void SceneModel::Clean() {
  majority_.Apply(raw_.data(), width_, height_, view_.foreground.pixels.data());
  majority_.Apply(rests_.data(), width_, height_, view_.still.pixels.data());
}

void SceneModel::RemoveShadows() {
  shadows_.Remove(smooth_.data(), mean_.data(), view_.foreground);
  cv::Mat still = View(view_.still.pixels, width_, height_);
  cv::bitwise_and(still, View(view_.foreground.pixels, width_, height_), still);
}

void SceneModel::Accept(const PictureBox& box) {
  if (width_ == 0) return;
  const PixelRect r = ToPixels(box, width_, height_);
  for (int y = r.y; y < r.y + r.height; ++y) {
    for (int x = r.x; x < r.x + r.width; ++x) {
      const size_t i =
          static_cast<size_t>(y) * static_cast<size_t>(width_) + static_cast<size_t>(x);
      if (view_.foreground.pixels[i] == 0 && view_.still.pixels[i] == 0) continue;
      mean_[i] = smooth_[i];
      visits_[i] = 0;
      view_.foreground.pixels[i] = 0;
      view_.still.pixels[i] = 0;
    }
  }
}

SceneModel::Outline SceneModel::OutlineOf(const PictureBox& box) const {
  const Border border = BorderOf(box);
  if (border.now > kOutlineRatio * border.scene) return Outline::kNew;
  return border.scene > kOutlineRatio * border.now ? Outline::kGone : Outline::kUnclear;
}

SceneModel::Border SceneModel::BorderOf(const PictureBox& box) const {
  Border sum;
  if (width_ == 0) return sum;
  const PixelRect r = ToPixels(box, width_, height_);
  const auto at = [&](int x, int y) {
    return static_cast<size_t>(y) * static_cast<size_t>(width_) + static_cast<size_t>(x);
  };
  const std::vector<uint8_t>& mask = view_.foreground.pixels;
  for (int y = std::max(r.y, 1); y < std::min(r.y + r.height, height_ - 1); ++y) {
    for (int x = std::max(r.x, 1); x < std::min(r.x + r.width, width_ - 1); ++x) {
      const bool inside = mask[at(x, y)] != 0;
      const bool border =
          inside != (mask[at(x + 1, y)] != 0) || inside != (mask[at(x, y + 1)] != 0);
      if (!border) continue;
      AddGradients(smooth_.data() + at(x, y), mean_.data() + at(x, y), width_, sum);
    }
  }
  return sum;
}

LumaPicture SceneModel::Background() const {
  LumaPicture picture;
  if (width_ == 0) return picture;
  picture.width = width_;
  picture.height = height_;
  picture.pixels.resize(mean_.size());
  std::transform(mean_.begin(), mean_.end(), picture.pixels.begin(),
                 [](float v) { return static_cast<uint8_t>(v + 0.5F); });
  return picture;
}

}  // namespace cordon
