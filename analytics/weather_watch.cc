// SPDX-License-Identifier: Apache-2.0
#include "analytics/weather_watch.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cordon {
namespace {

// What began and what ended is forgotten with these time constants, in seconds.
constexpr double kBeganTau = 4;
constexpr double kSizesTau = 15;

// Weather: so many begin a second, in so many of the 24 parts at a quarter of the mean rate. The
// fragments of a dense crowd stay below the first.
constexpr float kLeastRate = 4;
constexpr int kLeastParts = 8;
constexpr float kPartShare = 0.25F;

// Sizes: the first class, and the ratio from one to the next.
constexpr float kSmallest = 0.006F;
constexpr float kRatio = 1.2F;
constexpr float kLeastKnown = 8;  // tracks
constexpr float kShareOfOthers = 0.95F;
// Two of them may melt into one, of a box up to twice as wide and high; what is larger than that,
// against nearly all, is none of them.
constexpr float kLarger = 2;

}  // namespace

float WeatherWatch::SizeOf(const PictureBox& box, float aspect) {
  return std::sqrt(std::max(0.0F, box.area() * aspect));
}

void WeatherWatch::FadeTo(MediaTime now) {
  const double passed = std::chrono::duration<double>(now - faded_).count();
  if (passed <= 0) return;
  faded_ = now;
  const auto began = static_cast<float>(std::exp(-passed / kBeganTau));
  for (float& value : began_) value *= began;
  const auto sizes = static_cast<float>(std::exp(-passed / kSizesTau));
  for (float& value : sizes_) value *= sizes;
}

void WeatherWatch::Began(MediaTime now, PicturePoint centre) {
  FadeTo(now);
  const int x = std::clamp(static_cast<int>(centre.x * kColumns), 0, kColumns - 1);
  const int y = std::clamp(static_cast<int>(centre.y * kRows), 0, kRows - 1);
  began_[static_cast<size_t>(y * kColumns + x)] += 1;
}

void WeatherWatch::Ended(const PictureBox& box, float aspect) {
  const float steps =
      std::log(std::max(SizeOf(box, aspect), kSmallest) / kSmallest) / std::log(kRatio);
  const int size = std::clamp(static_cast<int>(steps), 0, kSizes - 1);
  sizes_[static_cast<size_t>(size)] += 1;
}

std::optional<float> WeatherWatch::SizeOfOthers(MediaTime now) {
  FadeTo(now);
  const float all = std::accumulate(began_.begin(), began_.end(), 0.0F);
  if (all < kLeastRate * static_cast<float>(kBeganTau)) return std::nullopt;
  const float much = kPartShare * all / static_cast<float>(began_.size());
  const auto parts =
      std::count_if(began_.begin(), began_.end(), [&](float value) { return value >= much; });
  if (parts < kLeastParts) return std::nullopt;
  const float known = std::accumulate(sizes_.begin(), sizes_.end(), 0.0F);
  if (known < kLeastKnown) return std::nullopt;
  float below = 0;
  int size = 0;
  while (size < kSizes - 1 && below + sizes_[static_cast<size_t>(size)] < kShareOfOthers * known) {
    below += sizes_[static_cast<size_t>(size++)];
  }
  return kLarger * kSmallest * std::pow(kRatio, static_cast<float>(size + 1));
}

}  // namespace cordon
