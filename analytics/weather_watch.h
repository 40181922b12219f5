// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>

#include "analytics/geometry.h"
#include "base/time.h"

namespace cordon {

// Many small things everywhere at once are weather: snow, rain in the lamp's light, a swarm. Each of
// them may travel as straight as a walker; together they are told by how many begin in a second and
// in how many parts of the picture, and then by their size: what is clearly larger than they are is
// not one of them.
//
// One thread at a time; deterministic; media time only.
class WeatherWatch {
 public:
  // A track began at this time, which must not fall.
  void Began(MediaTime now, PicturePoint centre);
  // A track ended without having been anything, or after a moment.
  void Ended(const PictureBox& box, float aspect);

  // The size from which on a thing is none of the many: the side of a square of the box's area, in
  // picture heights. Empty: there is no weather.
  std::optional<float> SizeOfOthers(MediaTime now);
  static float SizeOf(const PictureBox& box, float aspect);

 private:
  static constexpr int kColumns = 6;
  static constexpr int kRows = 4;
  static constexpr int kSizes = 24;

  void FadeTo(MediaTime now);

  MediaTime faded_{};
  std::array<float, static_cast<size_t>(kColumns* kRows)> began_{};  // by part of the picture
  std::array<float, static_cast<size_t>(kSizes)> sizes_{};           // logarithmic
};

}  // namespace cordon
