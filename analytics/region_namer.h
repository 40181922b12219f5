// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "analytics/detector.h"
#include "analytics/geometry.h"
#include "base/time.h"

namespace cordon {

// Names one camera's moving regions. A region that lies where a track is expected keeps for
// kAskEvery the name that was given there: what something is does not change from picture to
// picture, and asking costs more than finding it ("other" for kAskOtherEvery). Of one
// picture at most kMostAsked regions are asked about, those of tracks first; meanwhile the name
// before or the shape decides, as it does without a classifier.
//
// One thread at a time; deterministic.
class RegionNamer {
 public:
  static constexpr Microseconds kAskEvery = Milliseconds(500);
  static constexpr Microseconds kAskOtherEvery = Milliseconds(250);
  static constexpr size_t kMostAsked = 2;

  // May be null.
  explicit RegionNamer(std::shared_ptr<const RegionClassifier> classifier)
      : classifier_(std::move(classifier)) {}

  // Of one region, asked now. `frame` is the picture that it was found in.
  Classification Name(const Frame& frame, const MovingRegion& region) const;

  // One class for each region, in their order. `faint[i]`: region i shows too little of an object
  // for the classifier; the shape decides. `expected`: ids and boxes of all tracks, predicted for
  // the frame.
  std::vector<std::string> NameAll(const Frame& frame, std::span<const MovingRegion> regions,
                                   const std::vector<bool>& faint,
                                   std::span<const std::pair<uint64_t, PictureBox>> expected);

 private:
  struct Named {
    MediaTime asked{};
    std::string object_class;
  };

  const std::shared_ptr<const RegionClassifier> classifier_;
  std::map<uint64_t, Named> known_;  // by track; of tracks that are expected still
};

}  // namespace cordon
