// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "analytics/detector.h"
#include "analytics/geometry.h"
#include "base/time.h"

namespace cordon {

// Names one camera's moving regions. A region that lies where one was in the picture before keeps
// that one's name for kAskEvery: what something is does not change from picture to picture, and
// asking costs more than finding it. Without a classifier the shape alone decides.
//
// One thread at a time; deterministic.
class RegionNamer {
 public:
  static constexpr Microseconds kAskEvery = Milliseconds(500);

  // May be null.
  explicit RegionNamer(std::shared_ptr<const RegionClassifier> classifier)
      : classifier_(std::move(classifier)) {}

  // Of one region, asked now. `frame` is the picture that it was found in.
  Classification Name(const Frame& frame, const MovingRegion& region) const;

  // One class for each region, in their order.
  std::vector<std::string> NameAll(const Frame& frame, std::span<const MovingRegion> regions);

 private:
  struct Named {
    PictureBox box;
    MediaTime asked{};
    std::string object_class;
  };
  const Named* Before(const PictureBox& box, MediaTime now) const;

  const std::shared_ptr<const RegionClassifier> classifier_;
  std::vector<Named> before_;  // in the last picture
};

}  // namespace cordon
