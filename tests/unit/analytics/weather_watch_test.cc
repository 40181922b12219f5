// SPDX-License-Identifier: Apache-2.0
#include "analytics/weather_watch.h"

#include <gtest/gtest.h>

#include <random>

namespace cordon {
namespace {

constexpr float kAspect = 16.0F / 9;
constexpr PictureBox kFlake = {0.3F, 0.3F, 0.015F, 0.05F};

// So many flakes a second for ten seconds, within that share of the picture's width.
void Fall(WeatherWatch& watch, int a_second, float width) {
  std::mt19937 random(5);
  for (int n = 0; n < 10 * a_second; ++n) {
    const MediaTime now = MediaFromMicros(n * 1'000'000 / a_second);
    const float x = width * static_cast<float>(random() % 1000U) / 1000;
    watch.Began(now, {x, static_cast<float>(random() % 1000U) / 1000});
    watch.Ended(kFlake, kAspect);
  }
}

TEST(WeatherWatch, ManySmallThingsEverywhereAreWeatherAndWhatIsClearlyLargerIsNot) {
  WeatherWatch watch;
  Fall(watch, 30, 1);
  const auto size = watch.SizeOfOthers(MediaFromMicros(10'000'000));
  ASSERT_TRUE(size.has_value());
  EXPECT_LT(WeatherWatch::SizeOf(kFlake, kAspect), *size);
  EXPECT_LT(WeatherWatch::SizeOf({0.5F, 0.4F, 0.03F, 0.1F}, kAspect), *size) << "two side by side";
  EXPECT_GT(WeatherWatch::SizeOf({0.5F, 0.4F, 0.05F, 0.2F}, kAspect), *size) << "a person";
  EXPECT_FALSE(watch.SizeOfOthers(MediaFromMicros(40'000'000))) << "it has stopped";
}

TEST(WeatherWatch, ABusyPlaceIsNoWeather) {
  WeatherWatch few;
  Fall(few, 2, 1);
  EXPECT_FALSE(few.SizeOfOthers(MediaFromMicros(10'000'000))) << "few";
  WeatherWatch one_tree;
  Fall(one_tree, 30, 0.15F);
  EXPECT_FALSE(one_tree.SizeOfOthers(MediaFromMicros(10'000'000))) << "in one place";
}

}  // namespace
}  // namespace cordon
