// SPDX-License-Identifier: Apache-2.0
#include "analytics/size_prior.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace cordon {
namespace {

constexpr size_t kRefitEvery = 6;
constexpr int kRounds = 6;        // of reweighting
constexpr double kInlier = 0.12;  // relative residual at which a sample's weight has halved
constexpr double kRidge =
    0.5;  // samples' worth of belief in "no slope": holds where all stood in one place
constexpr float kUsableDeviation = 0.25F;  // above it the scene is not flat or not people

// Solves the symmetric 3x3 system by Cramer's rule; false when singular.
bool Solve(const std::array<double, 6>& m, const std::array<double, 3>& r,
           std::array<double, 3>& x) {
  const auto [a, b, c, d, e, f] = m;  // a b c / b d e / c e f
  const double det = a * (d * f - e * e) - b * (b * f - c * e) + c * (b * e - c * d);
  if (std::abs(det) < 1e-12) return false;
  x[0] = (r[0] * (d * f - e * e) - b * (r[1] * f - e * r[2]) + c * (r[1] * e - d * r[2])) / det;
  x[1] = (a * (r[1] * f - e * r[2]) - r[0] * (b * f - c * e) + c * (b * r[2] - c * r[1])) / det;
  x[2] = (a * (d * r[2] - e * r[1]) - b * (b * r[2] - c * r[1]) + r[0] * (b * e - c * d)) / det;
  return true;
}

}  // namespace

void SizePrior::Add(PicturePoint foot, float height) {
  if (!(height > 0)) return;
  if (samples_.size() < kMostSamples) {
    samples_.push_back({foot, height});
  } else {
    samples_[next_] = {foot, height};
    next_ = (next_ + 1) % kMostSamples;
  }
  if (samples_.size() >= kLeastSamples && ++since_fit_ >= kRefitEvery) {
    since_fit_ = 0;
    Fit();
  }
}

void SizePrior::Reset() { *this = SizePrior(); }

// Iteratively reweighted least squares (Cauchy weights) on relative residuals.
void SizePrior::Fit() {
  std::vector<float> heights;
  heights.reserve(samples_.size());
  double mx = 0, my = 0;
  for (const Sample& s : samples_) {
    heights.push_back(s.height);
    mx += s.foot.x;
    my += s.foot.y;
  }
  const auto n = static_cast<double>(samples_.size());
  mx /= n;
  my /= n;
  const auto middle = heights.begin() + static_cast<ptrdiff_t>(heights.size() / 2);
  std::nth_element(heights.begin(), middle, heights.end());
  std::array<double, 3> plane{*middle, 0, 0};  // around the mean foot point
  for (int round = 0; round < kRounds; ++round) {
    std::array<double, 6> m{0, 0, 0, kRidge * 0.05, 0, kRidge * 0.05};
    std::array<double, 3> r{};
    for (const Sample& s : samples_) {
      const double x = s.foot.x - mx;
      const double y = s.foot.y - my;
      const double expected = std::max(plane[0] + plane[1] * x + plane[2] * y, 0.005);
      const double residual = (s.height - expected) / (kInlier * expected);
      const double w = 1 / (1 + residual * residual);
      m[0] += w;
      m[1] += w * x;
      m[2] += w * y;
      m[3] += w * x * x;
      m[4] += w * x * y;
      m[5] += w * y * y;
      r[0] += w * s.height;
      r[1] += w * x * s.height;
      r[2] += w * y * s.height;
    }
    if (!Solve(m, r, plane)) return;
  }
  plane_ = {plane[0] - plane[1] * mx - plane[2] * my, plane[1], plane[2]};
  std::vector<float> residuals;
  least_ = 1;
  most_ = 0;
  for (const Sample& s : samples_) {
    const double expected =
        std::max(plane_[0] + plane_[1] * s.foot.x + plane_[2] * s.foot.y, 0.005);
    residuals.push_back(static_cast<float>(std::abs(s.height - expected) / expected));
    least_ = std::min(least_, s.height);
    most_ = std::max(most_, s.height);
  }
  const auto median = residuals.begin() + static_cast<ptrdiff_t>(residuals.size() / 2);
  std::nth_element(residuals.begin(), median, residuals.end());
  deviation_ = *median;
  known_ = deviation_ < kUsableDeviation;
}

std::optional<float> SizePrior::HeightAt(PicturePoint foot) const {
  if (!known_) return std::nullopt;
  const double height = plane_[0] + plane_[1] * foot.x + plane_[2] * foot.y;
  return std::clamp(static_cast<float>(height), least_ * 0.75F, most_ * 1.33F);
}

}  // namespace cordon
