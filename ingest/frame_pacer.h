// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace cordon {

// Thins pictures to at most `fps` per second of media time: picks the picture nearest after each
// tick of a fixed grid, so that 25 fps thinned to 10 gives 10 on average and the choice depends on
// media times alone. Not thread-safe.
class FramePacer {
 public:
  explicit FramePacer(double fps) { SetRate(fps); }

  // 0: every picture. May be called between pictures.
  void SetRate(double fps) {
    fps_ = fps;
    step_us_ = fps > 0 ? static_cast<int64_t>(1e6 / fps) : 0;
  }
  double rate() const { return fps_; }

  // False when Wants would say no, now and after any picture that comes before this one: it need not
  // even be decoded if no other picture refers to it.
  bool MayWant(uint64_t run, MediaTime at) const {
    const int64_t now = ToMicros(at);
    return step_us_ == 0 || run != run_ || now < due_us_ - 2 * step_us_ || now + 500 >= due_us_;
  }

  // True if the picture at `at` of `run` is to be analysed.
  bool Wants(uint64_t run, MediaTime at) {
    if (step_us_ == 0) return true;
    const int64_t now = ToMicros(at);
    if (run != run_ || now < due_us_ - 2 * step_us_) {
      run_ = run;
      due_us_ = now;
    }
    // Half a millisecond of grace: time stamps of 10 fps are not exactly 100,000 us apart.
    if (now + 500 < due_us_) return false;
    due_us_ = std::max(due_us_ + step_us_, now - step_us_ + 1);
    return true;
  }

 private:
  double fps_ = 0;
  int64_t step_us_ = 0;
  int64_t due_us_ = 0;
  uint64_t run_ = 0;
};

}  // namespace cordon
