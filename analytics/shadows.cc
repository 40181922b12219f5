// SPDX-License-Identifier: Apache-2.0
#include "analytics/shadows.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "base/vectorised.h"

namespace cordon {
namespace {

// Ratios to the scene's brightness, and variances in a 5x5 window.
constexpr float kDarkestShadow = 0.35F;
constexpr float kDarkestSoftShadow = 0.6F;
constexpr float kBrightestLight = 2.2F;
constexpr float kTexture = 8;
constexpr float kSameTexture = 0.8F;
constexpr float kSmooth = 20;
// Pixels: contours this near to each other enclose what is between them.
constexpr int kEnclosed = 9;
constexpr int kMargin = 8;

// Clears the pixels of `keep` that show a shadow or a light.
CORDON_VECTORISED
void ClearShadows(const WindowMeans& means, int count, uint8_t* keep) {
  const float* now = means.now.data();
  const float* scene = means.scene.data();
  const float* now_square = means.now_square.data();
  const float* scene_square = means.scene_square.data();
  const float* product = means.product.data();
  for (int i = 0; i < count; ++i) {
    const float ratio = now[i] / std::max(scene[i], 1.0F);
    const float now_variance = now_square[i] - now[i] * now[i];
    const float scene_variance = scene_square[i] - scene[i] * scene[i];
    const float covariance = product[i] - now[i] * scene[i];
    const float same = kSameTexture * kSameTexture * std::max(now_variance, 1.0F) * scene_variance;
    const bool light = (ratio >= kDarkestShadow) & (ratio <= kBrightestLight);
    const bool same_texture =
        (scene_variance >= kTexture) & (covariance > 0) & (covariance * covariance > same);
    const bool smooth = (ratio > kDarkestSoftShadow) & (ratio < 1) &
                        (now_variance < kSmooth + 1.5F * scene_variance);
    keep[i] = light & (same_texture | smooth) ? 0 : keep[i];
  }
}

}  // namespace

void ShadowFilter::Remove(const uint8_t* now, const float* scene, LumaPicture& mask) {
  const cv::Rect picture(0, 0, mask.width, mask.height);
  const cv::Mat foreground(mask.height, mask.width, CV_8UC1, mask.pixels.data());
  cv::Rect all = cv::boundingRect(foreground);
  if (all.empty()) return;
  all = (all - cv::Point(kMargin, kMargin)) + cv::Size(2 * kMargin, 2 * kMargin);
  all &= picture;
  cv::Mat solid = foreground(all).clone();
  WindowScan window(now, scene, mask.width, mask.height);
  differing_.Find(mask.pixels.data(), mask.width, mask.height);
  for (const MaskRun& run : differing_.runs()) {
    uint8_t* keep = solid.ptr<uint8_t>(run.y - all.y) + (run.begin - all.x);
    ClearShadows(window.Stretch(run.y, run.begin, run.end), run.end - run.begin, keep);
  }
  cleaned_.resize(solid.total());
  majority_.Apply(solid.data, all.width, all.height, cleaned_.data());
  const cv::Mat cleaned(all.height, all.width, CV_8UC1, cleaned_.data());
  cv::Mat closed;
  cv::morphologyEx(cleaned, closed, cv::MORPH_CLOSE,
                   cv::getStructuringElement(cv::MORPH_RECT, {kEnclosed, kEnclosed}));
  cv::Mat part = foreground(all);
  cv::bitwise_and(part, closed, part);
}

}  // namespace cordon
