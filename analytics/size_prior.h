// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "analytics/geometry.h"

namespace cordon {

// How tall a standing person is at each place of the picture, learnt from those who walked through
// it. On flat ground the height in the picture is linear in the foot point (Hoiem et al., Putting
// Objects in Perspective, 2006, eq. 7, for a small tilt), so a plane height = a + b x + c y is
// fitted robustly. Knows nothing until kLeastSamples came in.
//
// One thread at a time; deterministic.
class SizePrior {
 public:
  static constexpr size_t kLeastSamples = 12;
  static constexpr size_t kMostSamples = 400;  // the newest count

  // A person seen whole: foot point and height, relative to the picture's height.
  void Add(PicturePoint foot, float height);
  void Reset();

  // Expected height there; empty while unknown. Never outside the range of what was seen by more
  // than a third.
  std::optional<float> HeightAt(PicturePoint foot) const;
  // Relative deviation (median absolute) of the samples from the plane; a crowd of adults gives
  // about 0.07.
  float deviation() const { return deviation_; }

 private:
  struct Sample {
    PicturePoint foot;
    float height = 0;
  };
  void Fit();

  std::vector<Sample> samples_;
  size_t next_ = 0;
  size_t since_fit_ = 0;
  bool known_ = false;
  std::array<double, 3> plane_{};  // a, b, c
  float least_ = 0;
  float most_ = 0;
  float deviation_ = 0;
};

}  // namespace cordon
