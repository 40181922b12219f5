// SPDX-License-Identifier: Apache-2.0
#include "analytics/dnn_decode.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>

namespace cordon {
namespace {

// The candidates of one picture: `rows` of them with `channels` numbers each, wherever the layout
// puts them.
struct Rows {
  const float* base = nullptr;
  size_t rows = 0;
  size_t channels = 0;
  size_t row_step = 0;
  size_t channel_step = 0;

  float at(size_t row, size_t channel) const {
    return base[row * row_step + channel * channel_step];
  }
  Rows Part(size_t first, size_t count) const {
    return {base + first * row_step, count, channels, row_step, channel_step};
  }
};

// Candidates that belong to the cells of one grid.
struct Grid {
  Rows values;
  size_t columns = 0;
  float stride = 0;
};

size_t Cells(int length, uint32_t stride) {
  return (static_cast<size_t>(length) + stride - 1) / stride;
}

std::string ShapesOf(std::span<const Tensor> outputs) {
  std::string text;
  for (const Tensor& output : outputs) {
    text += "[";
    for (size_t i = 0; i < output.shape.size(); ++i) {
      text += (i == 0 ? "" : ",") + std::to_string(output.shape[i]);
    }
    text += "]";
  }
  return text;
}

// The rows of picture `item`: [N,channels,h,w], [N,rows,channels] or, for one picture,
// [rows,channels].
std::optional<Rows> RowsOf(const Tensor& tensor, int item, int batch) {
  const auto& shape = tensor.shape;
  const size_t pictures = shape.size() == 2 ? 1 : static_cast<size_t>(shape.empty() ? 0 : shape[0]);
  if (shape.size() < 2 || shape.size() > 4 || pictures != static_cast<size_t>(batch))
    return std::nullopt;
  const size_t each = tensor.values.size() / pictures;
  const float* base = tensor.values.data() + each * static_cast<size_t>(item);
  if (shape.size() == 4) {
    const auto channels = static_cast<size_t>(shape[1]);
    const size_t cells = static_cast<size_t>(shape[2]) * static_cast<size_t>(shape[3]);
    return Rows{base, cells, channels, 1, cells};
  }
  const auto channels = static_cast<size_t>(shape.back());
  return Rows{base, static_cast<size_t>(shape[shape.size() - 2]), channels, channels, 1};
}

class Decoder {
 public:
  Decoder(const proto::ModelCard& card, std::span<const Tensor> outputs, InputSize size, int item,
          int batch)
      : card_(card),
        outputs_(outputs),
        size_(size),
        item_(item),
        batch_(batch),
        classes_(static_cast<size_t>(card.classes_size())),
        least_(static_cast<float>(card.least_score())) {}

  absl::StatusOr<std::vector<RawBox>> Run() {
    const bool understood = Dispatch();
    if (understood) return std::move(boxes_);
    return absl::InvalidArgumentError(fmt::format(
        "model '{}': outputs {} are not of layout {} with {} classes at {}x{}; correct 'layout', "
        "'classes' or 'strides' in its card",
        card_.name(), ShapesOf(outputs_), proto::ModelCard::Layout_Name(card_.layout()), classes_,
        size_.width, size_.height));
  }

 private:
  bool Dispatch() {
    switch (card_.layout()) {
      case proto::ModelCard::LAYOUT_YOLOX:
        return Yolox();
      case proto::ModelCard::LAYOUT_YOLOV5:
        return Yolov5();
      case proto::ModelCard::LAYOUT_YOLOV8:
        return Yolov8();
      case proto::ModelCard::LAYOUT_NANODET:
        return Distances(false);
      case proto::ModelCard::LAYOUT_PICODET:
        return Distances(true);
      case proto::ModelCard::LAYOUT_FASTESTDET:
        return FastestDet();
      case proto::ModelCard::LAYOUT_SSD:
        return Ssd();
      case proto::ModelCard::LAYOUT_DARKNET:
        return Darknet();
      default:
        return false;
    }
  }

  // The strongest of the classes that begin at `first`.
  std::pair<int, float> BestClass(const Rows& rows, size_t row, size_t first) const {
    std::pair<int, float> best{0, -1.0F};
    for (size_t c = 0; c < classes_; ++c) {
      const float score = rows.at(row, first + c);
      if (score > best.second) best = {static_cast<int>(c), score};
    }
    return best;
  }

  void AddCentred(float cx, float cy, float width, float height, std::pair<int, float> best) {
    if (!(best.second >= least_) || !(width > 0) || !(height > 0)) return;
    if (!std::isfinite(cx + cy + width + height)) return;
    boxes_.push_back(
        {cx - width / 2, cy - height / 2, width, height, best.first, std::min(best.second, 1.0F)});
  }

  // Outputs with `channels` numbers, as grids: one output for each stride, or all of them in a row.
  std::optional<std::vector<Grid>> GridsOf(const std::vector<Rows>& found) const {
    std::vector<Grid> grids;
    size_t all = 0;
    for (const uint32_t stride : card_.strides()) {
      const size_t columns = Cells(size_.width, stride);
      const size_t cells = columns * Cells(size_.height, stride);
      const auto own =
          std::find_if(found.begin(), found.end(), [&](const Rows& r) { return r.rows == cells; });
      if (found.size() == static_cast<size_t>(card_.strides_size())) {
        if (own == found.end()) return std::nullopt;
        grids.push_back({*own, columns, static_cast<float>(stride)});
      } else if (found.size() == 1 && all + cells <= found[0].rows) {
        grids.push_back({found[0].Part(all, cells), columns, static_cast<float>(stride)});
      } else {
        return std::nullopt;
      }
      all += cells;
    }
    if (found.size() == 1 && found[0].rows != all) return std::nullopt;
    return grids;
  }

  std::vector<Rows> WithChannels(size_t channels) const {
    std::vector<Rows> found;
    for (const Tensor& output : outputs_) {
      const auto rows = RowsOf(output, item_, batch_);
      if (rows && rows->channels == channels) found.push_back(*rows);
    }
    return found;
  }

  bool Yolox() {
    const auto grids = GridsOf(WithChannels(5 + classes_));
    if (!grids) return false;
    for (const Grid& grid : *grids) {
      const Rows& r = grid.values;
      for (size_t i = 0; i < r.rows; ++i) {
        const float objectness = r.at(i, 4);
        if (objectness < least_) continue;
        auto best = BestClass(r, i, 5);
        best.second *= objectness;
        const auto gx = static_cast<float>(i % grid.columns);
        const auto gy = static_cast<float>(i / grid.columns);
        AddCentred((r.at(i, 0) + gx) * grid.stride, (r.at(i, 1) + gy) * grid.stride,
                   std::exp(r.at(i, 2)) * grid.stride, std::exp(r.at(i, 3)) * grid.stride, best);
      }
    }
    return true;
  }

  bool Yolov5() {
    const auto found = WithChannels(5 + classes_);
    if (found.size() != 1) return false;
    const Rows& r = found[0];
    for (size_t i = 0; i < r.rows; ++i) {
      const float objectness = r.at(i, 4);
      if (objectness < least_) continue;
      auto best = BestClass(r, i, 5);
      best.second *= objectness;
      AddCentred(r.at(i, 0), r.at(i, 1), r.at(i, 2), r.at(i, 3), best);
    }
    return true;
  }

  bool Yolov8() {
    if (outputs_.size() != 1 || outputs_[0].shape.size() != 3 || outputs_[0].shape[0] != batch_ ||
        outputs_[0].shape[1] != static_cast<int>(4 + classes_)) {
      return false;
    }
    const auto rows = static_cast<size_t>(outputs_[0].shape[2]);
    const size_t channels = 4 + classes_;
    const Rows r{outputs_[0].values.data() + rows * channels * static_cast<size_t>(item_), rows,
                 channels, 1, rows};
    for (size_t i = 0; i < rows; ++i) {
      AddCentred(r.at(i, 0), r.at(i, 1), r.at(i, 2), r.at(i, 3), BestClass(r, i, 4));
    }
    return true;
  }

  // The mean of a distribution over 0..bins-1, given as logits from `first` on.
  static float Expectation(const Rows& rows, size_t row, size_t first, size_t bins) {
    float most = rows.at(row, first);
    for (size_t b = 1; b < bins; ++b) most = std::max(most, rows.at(row, first + b));
    float sum = 0;
    float weighted = 0;
    for (size_t b = 0; b < bins; ++b) {
      const float weight = std::exp(rows.at(row, first + b) - most);
      sum += weight;
      weighted += weight * static_cast<float>(b);
    }
    return weighted / sum;
  }

  void AddDistances(const Grid& classes, const Grid& sides, size_t first_side, bool cell_centre) {
    const size_t bins = (sides.values.channels - first_side) / 4;
    const float offset = cell_centre ? classes.stride / 2 : (classes.stride - 1) / 2;
    for (size_t i = 0; i < classes.values.rows; ++i) {
      const auto best = BestClass(classes.values, i, 0);
      if (best.second < least_) continue;
      const float x = static_cast<float>(i % classes.columns) * classes.stride + offset;
      const float y = static_cast<float>(i / classes.columns) * classes.stride + offset;
      float side[4];
      for (size_t k = 0; k < 4; ++k) {
        side[k] = Expectation(sides.values, i, first_side + k * bins, bins) * classes.stride;
      }
      AddCentred(x + (side[2] - side[0]) / 2, y + (side[3] - side[1]) / 2, side[0] + side[2],
                 side[1] + side[3], best);
    }
  }

  bool Distances(bool cell_centre) {
    constexpr size_t kBins = 8;  // both families regress to 0..7 strides
    if (const auto joint = GridsOf(WithChannels(classes_ + 4 * kBins))) {
      for (const Grid& grid : *joint) AddDistances(grid, grid, classes_, cell_centre);
      return true;
    }
    const auto classes = GridsOf(WithChannels(classes_));
    const auto sides = GridsOf(WithChannels(4 * kBins));
    if (!classes || !sides) return false;
    for (size_t g = 0; g < classes->size(); ++g) {
      AddDistances((*classes)[g], (*sides)[g], 0, cell_centre);
    }
    return true;
  }

  bool FastestDet() {
    if (outputs_.size() != 1 || outputs_[0].shape.size() != 4) return false;
    const auto r = RowsOf(outputs_[0], item_, batch_);
    if (!r || r->channels != 5 + classes_) return false;
    const auto columns = static_cast<size_t>(outputs_[0].shape[3]);
    const auto width = static_cast<float>(size_.width);
    const auto height = static_cast<float>(size_.height);
    const float cell_x = width / static_cast<float>(columns);
    const float cell_y = height / static_cast<float>(outputs_[0].shape[2]);
    for (size_t i = 0; i < r->rows; ++i) {
      if (r->at(i, 0) < least_) continue;
      auto best = BestClass(*r, i, 5);
      best.second *= r->at(i, 0);
      AddCentred((static_cast<float>(i % columns) + std::tanh(r->at(i, 1))) * cell_x,
                 (static_cast<float>(i / columns) + std::tanh(r->at(i, 2))) * cell_y,
                 width / (1 + std::exp(-r->at(i, 3))), height / (1 + std::exp(-r->at(i, 4))), best);
    }
    return true;
  }

  bool Ssd() {
    if (outputs_.size() != 1 || outputs_[0].shape.size() != 4 || outputs_[0].shape[3] != 7)
      return false;
    const auto width = static_cast<float>(size_.width);
    const auto height = static_cast<float>(size_.height);
    const std::vector<float>& v = outputs_[0].values;
    for (size_t i = 0; i + 7 <= v.size(); i += 7) {
      if (static_cast<int>(v[i]) != item_) continue;
      const int index = static_cast<int>(v[i + 1]) - 1;
      if (index < 0 || static_cast<size_t>(index) >= classes_) continue;
      AddCentred((v[i + 3] + v[i + 5]) / 2 * width, (v[i + 4] + v[i + 6]) / 2 * height,
                 (v[i + 5] - v[i + 3]) * width, (v[i + 6] - v[i + 4]) * height, {index, v[i + 2]});
    }
    return true;
  }

  bool Darknet() {
    const auto width = static_cast<float>(size_.width);
    const auto height = static_cast<float>(size_.height);
    const auto found = WithChannels(5 + classes_);
    for (const Rows& r : found) {
      for (size_t i = 0; i < r.rows; ++i) {
        if (r.at(i, 4) < least_) continue;
        AddCentred(r.at(i, 0) * width, r.at(i, 1) * height, r.at(i, 2) * width, r.at(i, 3) * height,
                   BestClass(r, i, 5));
      }
    }
    return found.size() == outputs_.size();
  }

  const proto::ModelCard& card_;
  const std::span<const Tensor> outputs_;
  const InputSize size_;
  const int item_;
  const int batch_;
  const size_t classes_;
  const float least_;
  std::vector<RawBox> boxes_;
};

float OverlapOf(const RawBox& a, const RawBox& b) {
  const float width = std::min(a.left + a.width, b.left + b.width) - std::max(a.left, b.left);
  const float height = std::min(a.top + a.height, b.top + b.height) - std::max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const float both = width * height;
  return both / (a.width * a.height + b.width * b.height - both);
}

}  // namespace

absl::StatusOr<std::vector<RawBox>> DecodeOutputs(const proto::ModelCard& card,
                                                  std::span<const Tensor> outputs, InputSize size,
                                                  int item, int batch) {
  return Decoder(card, outputs, size, item, batch).Run();
}

std::vector<RawBox> SuppressDuplicates(std::vector<RawBox> boxes, float most_overlap) {
  std::stable_sort(boxes.begin(), boxes.end(),
                   [](const RawBox& a, const RawBox& b) { return a.score > b.score; });
  std::vector<RawBox> kept;
  for (const RawBox& box : boxes) {
    const bool duplicate = std::any_of(kept.begin(), kept.end(), [&](const RawBox& strong) {
      return strong.class_index == box.class_index && OverlapOf(strong, box) > most_overlap;
    });
    if (!duplicate) kept.push_back(box);
  }
  return kept;
}

}  // namespace cordon
