// SPDX-License-Identifier: Apache-2.0
// How well tracks agree with the truth. Definitions as the MOTChallenge evaluation uses them:
//   CLEAR MOT  Bernardin, Stiefelhagen: "Evaluating Multiple Object Tracking Performance", 2008
//   IDF1       Ristani et al.: "Performance Measures and a Data Set for Multi-Target, Multi-Camera
//   Tracking", 2016 HOTA       Luiten et al.: "HOTA: A Higher Order Metric for Evaluating
//   Multi-Object Tracking", IJCV 2021
#pragma once

#include "tests/accuracy/mot_file.h"

namespace cordon::accuracy {

struct MotScores {
  // Counts at the overlap threshold.
  int64_t truth_boxes = 0;
  int64_t result_boxes = 0;
  int64_t true_positives = 0;
  int64_t false_negatives = 0;
  int64_t false_positives = 0;
  int64_t id_switches = 0;
  int64_t fragments = 0;
  int64_t id_true_positives = 0;
  int64_t mostly_tracked = 0;  // truth tracks matched in > 80 % of their frames
  int64_t mostly_lost = 0;     // in < 20 %
  int64_t truth_tracks = 0;
  // Shares, 0..1 (mota may be negative). Empty truth and empty result: all 0.
  double mota = 0;
  double motp = 0;  // mean overlap of the matched boxes
  double precision = 0;
  double recall = 0;
  double idf1 = 0;
  double id_precision = 0;
  double id_recall = 0;
  double hota = 0;  // mean over the overlap thresholds 0.05, 0.10 ... 0.95
  double detection_accuracy = 0;
  double association_accuracy = 0;
};

// `threshold`: least overlap (IoU) of a match for CLEAR MOT and IDF1. Matches of the frame before
// are kept where they still overlap enough. Pure; same input, same output.
MotScores Evaluate(const MotFrames& truth, const MotFrames& result, double threshold = 0.5);

}  // namespace cordon::accuracy
