// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace cordon {

// RTP carries presentation times only. Decoding times are the same times in rising order, held back
// by the number of pictures that the stream may reorder; without B-frames they are the presentation
// times. Microseconds. Strictly rising always; not after the presentation time as long as the
// stream keeps to its word on reordering.
class DecodingTimes {
 public:
  // Of a new sequence parameter set; nullopt: not said, then it is learned when a picture goes
  // back.
  void SetReorder(std::optional<int> depth) {
    if (depth) depth_ = static_cast<size_t>(std::clamp(*depth, 0, kMostReorder));
  }

  // In decoding order.
  int64_t Next(int64_t pts, bool new_run) {
    if (new_run) recent_.clear();
    if (!recent_.empty() && pts < newest_ && depth_ == 0) depth_ = 1;
    newest_ = recent_.empty() ? pts : std::max(newest_, pts);
    recent_.insert(std::upper_bound(recent_.begin(), recent_.end(), pts), pts);
    int64_t dts = recent_.front();
    if (recent_.size() > depth_) {
      recent_.erase(recent_.begin(), recent_.end() - static_cast<ptrdiff_t>(depth_));
    } else {
      // The first pictures of a run: before all that were seen.
      dts -= static_cast<int64_t>(depth_ + 1 - recent_.size()) * kFirstStep;
    }
    if (last_) dts = std::max(dts, *last_ + 1);
    last_ = dts;
    return dts;
  }

 private:
  static constexpr int kMostReorder = 16;
  static constexpr int64_t kFirstStep = 10'000;
  size_t depth_ = 0;
  std::vector<int64_t> recent_;  // sorted, at most depth_ + 1
  int64_t newest_ = 0;
  std::optional<int64_t> last_;
};

}  // namespace cordon
