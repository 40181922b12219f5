// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>

#include "base/time.h"

namespace cordon {

// Hears motion in packets that are not decoded. An encoder spends bits (and quantiser steps) where
// the picture changes, so the cost of a quiet scene's pictures between key frames hardly varies; a
// small rise that lasts is something moving. Works on log2(bytes) + QP / 6, the cost at a fixed
// quality, because rate control hides motion by coarser quantisation. A one-sided CUSUM against the
// median and spread of the quiet past. Not thread-safe.
class ComplexityMonitor {
 public:
  // One picture that is not a key frame. `qp`: its quantiser, or a negative value when it is not
  // known. True when the rise is significant; stays true until Reset or until it falls back.
  bool Note(size_t bytes, double qp);
  // The scene is quiet from here on (after a full decode found nothing): starts the sum over, keeps
  // what is usual.
  void Restart() { sum_ = 0; }
  double score() const { return sum_; }

 private:
  void Learn(double cost);

  std::deque<double> past_;  // of quiet pictures, newest last
  double median_ = 0;
  double spread_ = 0;
  double sum_ = 0;
  uint64_t noted_ = 0;
};

}  // namespace cordon
