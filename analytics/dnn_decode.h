// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "analytics/dnn_engine.h"
#include "base/status.h"
#include "proto/model_card.pb.h"

namespace cordon {

// A box as the network says it, in pixels of its input; may reach outside.
struct RawBox {
  float left = 0;
  float top = 0;
  float width = 0;
  float height = 0;
  int class_index = 0;
  float score = 0;  // 0..1
};

struct InputSize {
  int width = 0;
  int height = 0;
};

// Boxes of at least card.least_score of picture `item` (0-based) of a batch of `batch`, each with
// its best class, in the network's order, before any suppression of duplicates. The layouts,
// written out in docs/models.md:
//   yolox      [N,5+C,h,w] for each stride, or [N,rows,5+C]: (x+gx)*s, (y+gy)*s, exp(w)*s,
//   exp(h)*s, objectness, classes yolov5     [N,rows,5+C]: centre and size in input pixels,
//   objectness, classes yolov8     [N,4+C,rows]: centre and size in input pixels, classes nanodet
//   [N,rows,C] and [N,rows,4*(m+1)] for each stride, or [N,rows,C+4*(m+1)]: classes, then the
//   distances to the
//              four sides as distributions over 0..m strides, from the cell's middle pixel (g*s +
//              (s-1)/2)
//   picodet    as nanodet, from the cell's centre ((g+0.5)*s)
//   fastestdet [N,5+C,h,w]: objectness, tanh(x), tanh(y) cells from the cell's corner, sigmoid(w),
//   sigmoid(h) of the input,
//              classes
//   ssd        [1,1,n,7]: picture, class, score, left, top, right, bottom of the input (0..1);
//   class 0 is the background darknet    [rows,5+C] or [N,rows,5+C] for each scale: centre and size
//   of the input (0..1), objectness, classes already
//              multiplied by it
// INVALID_ARGUMENT when the outputs' shapes are not those of the layout; the message says what came
// and what was expected.
absl::StatusOr<std::vector<RawBox>> DecodeOutputs(const proto::ModelCard& card,
                                                  std::span<const Tensor> outputs, InputSize size,
                                                  int item, int batch);

// Keeps the stronger of two boxes of one class that overlap by more than `most_overlap`; strongest
// first, ties by order.
std::vector<RawBox> SuppressDuplicates(std::vector<RawBox> boxes, float most_overlap);

}  // namespace cordon
