// SPDX-License-Identifier: Apache-2.0
#include "analytics/tamper.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace cordon {
namespace {

constexpr int kSmallWidth = 160;
constexpr int kCoarseWidth = 24;
constexpr float kSaturated = 248;

// An edge of the scene, and the same edge in a picture: strong enough, and within 45 degrees.
constexpr float kSceneEdge = 5;
constexpr float kLeastEdge = 1.5F;
constexpr float kLeastEdgeShare = 0.12F;  // of the scene's strength
constexpr float kSameDirection = 0.7F;    // cosine
constexpr double kLeastEdges = 0.01;  // share of pixels; a scene with fewer has no edges to go by

// Thresholds. Unrelated pictures keep about a quarter of the edges by chance.
constexpr double kEdgesGone = 0.40;
constexpr double kEdgesThere = 0.55;
constexpr double kBlurred = 0.5;
constexpr double kStillAlike = 0.75;
constexpr double kDriftAlike =
    0.9;                       // alike from afar, other edges: the camera drifts, it was not turned
constexpr double kFlat = 0.5;  // of the scene's small edges: a cover has few
constexpr double kBlackMean = 18;
constexpr double kBlackSpread = 9;
constexpr double kFell = 0.4;  // of the scene's brightness
constexpr double kWhiteShare = 0.35;
constexpr double kJump = 25;  // grey levels within kJumpWithin: a lamp, a torch

constexpr Microseconds kHoldCovered = Milliseconds(600);
constexpr Microseconds kHoldMoved = Milliseconds(1500);
constexpr Microseconds kHoldDefocused = Milliseconds(1500);
constexpr Microseconds kHoldBlack = Milliseconds(800);
constexpr Microseconds kHoldLight = Milliseconds(500);
constexpr Microseconds kFrozenAfter = Seconds(6);  // across a key frame
constexpr Microseconds kFrozenWithoutKey = Seconds(30);
constexpr Microseconds kYoung = Milliseconds(1500);
constexpr double kLearnTau = 25;  // seconds
constexpr double kDriftTau = 3;

cv::Mat AsMat(const LumaPicture& luma) {
  return {luma.height, luma.width, CV_8UC1, const_cast<uint8_t*>(luma.pixels.data())};
}

double MeanStep(const cv::Mat& picture) {
  int64_t sum = 0;
  for (int y = 0; y + 1 < picture.rows; ++y) {
    const uint8_t* row = picture.ptr<uint8_t>(y);
    int line = 0;
    for (int x = 0; x + 1 < picture.cols; ++x) line += std::abs(row[x + 1] - row[x]);
    sum += line;
  }
  return static_cast<double>(sum) / static_cast<double>(picture.rows * picture.cols);
}

double Correlation(const std::vector<float>& a, const std::vector<float>& b) {
  double sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    sa += a[i];
    sb += b[i];
    saa += static_cast<double>(a[i]) * a[i];
    sbb += static_cast<double>(b[i]) * b[i];
    sab += static_cast<double>(a[i]) * b[i];
  }
  const auto n = static_cast<double>(a.size());
  const double variance = (n * saa - sa * sa) * (n * sbb - sb * sb);
  return variance > 1e-3 ? (n * sab - sa * sb) / std::sqrt(variance) : 0;
}

enum Slot : size_t {
  kBlackSlot,
  kLightSlot,
  kDefocusedSlot,
  kCoveredSlot,
  kMovedSlot,
  kFrozenSlot,
  kSlots
};

size_t SlotOf(proto::EventKind kind) {
  switch (kind) {
    case proto::EVENT_KIND_TAMPER_BLACK:
      return kBlackSlot;
    case proto::EVENT_KIND_TAMPER_SUDDEN_LIGHT:
      return kLightSlot;
    case proto::EVENT_KIND_TAMPER_DEFOCUSED:
      return kDefocusedSlot;
    case proto::EVENT_KIND_TAMPER_COVERED:
      return kCoveredSlot;
    case proto::EVENT_KIND_TAMPER_MOVED:
      return kMovedSlot;
    default:
      return kFrozenSlot;
  }
}

}  // namespace

void TamperWatch::Reset() {
  last_pixels_.clear();
  for (Condition& condition : conditions_) condition = {};
  disturbed_since_.reset();
}

TamperWatch::Look TamperWatch::LookAt(const LumaPicture& luma) {
  Look look;
  const cv::Mat picture = AsMat(luma);
  look.width = std::min(kSmallWidth, luma.width);
  look.height = std::max(8, luma.height * look.width / luma.width);
  cv::Mat small, gx, gy, coarse, coarse_float;
  cv::resize(picture, small, {look.width, look.height}, 0, 0, cv::INTER_AREA);
  cv::Sobel(small, gx, CV_32F, 1, 0, 3, 0.125);
  cv::Sobel(small, gy, CV_32F, 0, 1, 3, 0.125);
  look.gx.assign(gx.begin<float>(), gx.end<float>());
  look.gy.assign(gy.begin<float>(), gy.end<float>());
  cv::resize(small, coarse, {kCoarseWidth, std::max(4, kCoarseWidth * look.height / look.width)}, 0,
             0, cv::INTER_AREA);
  cv::GaussianBlur(coarse, coarse, {3, 3}, 0);
  coarse.convertTo(coarse_float, CV_32F);
  look.coarse.assign(coarse_float.begin<float>(), coarse_float.end<float>());
  cv::Scalar mean, spread;
  cv::meanStdDev(small, mean, spread);
  look.mean = mean[0];
  look.spread = spread[0];
  look.fine = MeanStep(picture);
  look.edge = MeanStep(small);
  look.white = static_cast<double>(cv::countNonZero(small >= kSaturated)) /
               static_cast<double>(small.total());
  return look;
}

void TamperWatch::Compare(const Look& look) {
  size_t edges = 0;
  size_t kept = 0;
  for (size_t i = 0; i < look.gx.size(); ++i) {
    const float sx = scene_->gx[i];
    const float sy = scene_->gy[i];
    const float strength = std::hypot(sx, sy);
    if (strength < kSceneEdge) continue;
    ++edges;
    const float now = std::hypot(look.gx[i], look.gy[i]);
    if (now < std::max(kLeastEdge, kLeastEdgeShare * strength)) continue;
    kept += sx * look.gx[i] + sy * look.gy[i] > kSameDirection * strength * now;
  }
  const bool enough =
      static_cast<double>(edges) >= kLeastEdges * static_cast<double>(look.gx.size());
  state_.likeness = Correlation(scene_->coarse, look.coarse);
  state_.edges_kept = enough ? static_cast<double>(kept) / static_cast<double>(edges)
                             : std::max(0.0, state_.likeness);
  // Fine against coarse gradients: contrast and light cancel out.
  const double now = look.fine / std::max(look.edge, 0.5);
  const double before = scene_->fine / std::max(scene_->edge, 0.5);
  state_.sharpness = before > 0 ? now / before : 1;
  state_.brightness = look.mean;
}

void TamperWatch::Learn(const Look& look, float rate) {
  const auto blend = [rate](auto& into, auto now) {
    into += static_cast<float>(rate) * (now - into);
  };
  for (size_t i = 0; i < look.gx.size(); ++i) {
    blend(scene_->gx[i], look.gx[i]);
    blend(scene_->gy[i], look.gy[i]);
  }
  for (size_t i = 0; i < look.coarse.size(); ++i) blend(scene_->coarse[i], look.coarse[i]);
  blend(scene_->mean, look.mean);
  blend(scene_->spread, look.spread);
  blend(scene_->fine, look.fine);
  blend(scene_->edge, look.edge);
  blend(scene_->white, look.white);
}

void TamperWatch::Hold(proto::EventKind kind, bool now, Microseconds hold, double measured,
                       double threshold, const char* detail, MediaTime time) {
  Condition& condition = conditions_[SlotOf(kind)];
  if (!now) {
    condition = {};
    return;
  }
  if (!condition.since) condition.since = time;
  if (time - *condition.since >= hold) {
    findings_.push_back({kind, *condition.since, measured, threshold, detail});
  }
}

const GlobalState& TamperWatch::Update(const Frame& frame, MediaTime time) {
  conditions_.resize(kSlots);
  findings_.clear();
  const Look look = LookAt(frame.luma);
  if (!scene_ || scene_->gx.size() != look.gx.size()) {
    scene_ = look;
    began_ = time;
    last_ = time;
    last_mean_ = look.mean;
    disturbed_since_.reset();
  }
  const double step = std::clamp(ToSeconds(time - last_), 0.0, 2.0);
  last_ = time;
  Compare(look);
  Judge(look, time);
  WatchFrozen(frame, time);
  if (disturbed_ && !disturbed_since_) disturbed_since_ = time;
  if (!disturbed_) disturbed_since_.reset();
  const bool young = time - began_ < kYoung;
  // What has lasted is the scene now: a camera turned on purpose must not alarm for ever.
  if (disturbed_since_ && time - *disturbed_since_ > kAcceptAfter) {
    scene_ = look;
    began_ = time;
    disturbed_since_.reset();
    for (Condition& condition : conditions_) condition = {};
  } else if (!disturbed_) {
    Learn(look,
          static_cast<float>(1 - std::exp(-step / (young                            ? 0.5
                                                   : state_.edges_kept < kEdgesGone ? kDriftTau
                                                                                    : kLearnTau))));
  }
  return state_;
}

void TamperWatch::Judge(const Look& look, MediaTime time) {
  const bool young = time - began_ < kYoung;
  const bool gone = !young && state_.edges_kept < kEdgesGone;
  const bool alike = state_.likeness > kStillAlike;
  const double expected = std::max(scene_->mean, 1.0);
  const bool black =
      look.mean < kBlackMean && look.spread < kBlackSpread && look.mean < kFell * expected;
  const bool dazzled = look.white > kWhiteShare && look.white > scene_->white + kWhiteShare / 2;
  const bool jumped = std::abs(look.mean - last_mean_) > kJump;
  state_.light_switched = jumped && !gone && !dazzled;
  last_mean_ = look.mean;
  const bool blurred = !young && !black && !dazzled && state_.sharpness < kBlurred && alike &&
                       look.fine < kBlurred * scene_->fine * std::max(0.3, look.mean / expected);
  const bool covered = gone && !black && !dazzled && !blurred && look.edge < kFlat * scene_->edge;
  const bool moved =
      gone && state_.likeness < kDriftAlike && !black && !dazzled && !blurred && !covered;
  Hold(proto::EVENT_KIND_TAMPER_BLACK, black && !young, kHoldBlack, look.mean / expected, kFell,
       "the picture is black", time);
  Hold(proto::EVENT_KIND_TAMPER_SUDDEN_LIGHT, dazzled && !young, kHoldLight, look.white,
       kWhiteShare, "light blinds the camera", time);
  Hold(proto::EVENT_KIND_TAMPER_DEFOCUSED, blurred, kHoldDefocused, state_.sharpness, kBlurred,
       "the picture is out of focus", time);
  Hold(proto::EVENT_KIND_TAMPER_COVERED, covered, kHoldCovered, state_.edges_kept, kEdgesGone,
       "the view is covered", time);
  Hold(proto::EVENT_KIND_TAMPER_MOVED, moved, kHoldMoved, state_.edges_kept, kEdgesGone,
       "the camera shows another view", time);
  disturbed_ = black || dazzled || blurred || covered || moved ||
               (!young && state_.edges_kept < kEdgesThere && !alike);
}

// A live camera's pictures differ by their noise; the same picture again and again, coded anew at a
// key frame, is a replay or a dead sensor. Between key frames an encoder may repeat a quiet picture
// for long.
void TamperWatch::WatchFrozen(const Frame& frame, MediaTime time) {
  if (frame.luma.pixels != last_pixels_) {
    last_pixels_ = frame.luma.pixels;
    same_since_ = time;
    same_keys_ = 0;
    conditions_[kFrozenSlot] = {};
    return;
  }
  same_keys_ += frame.key;
  const Microseconds same = time - same_since_;
  if ((same >= kFrozenAfter && same_keys_ > 0) || same >= kFrozenWithoutKey) {
    findings_.push_back({proto::EVENT_KIND_TAMPER_FROZEN, same_since_, ToSeconds(same),
                         ToSeconds(kFrozenAfter), "the picture has stopped"});
  }
}

}  // namespace cordon
