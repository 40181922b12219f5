// SPDX-License-Identifier: Apache-2.0
#include "analytics/pixel_loops.h"

#include <algorithm>
#include <array>

#include "base/vectorised.h"

namespace cordon {
namespace {

// Index of a row or column beyond the edge.
int Mirrored(int at, int size) {
  if (at < 0) return -at;
  return at < size ? at : 2 * size - 2 - at;
}

CORDON_VECTORISED
void SumColumn(const uint8_t* above, const uint8_t* here, const uint8_t* below, int width,
               uint16_t* sums) {
  for (int x = 0; x < width; ++x)
    sums[x] = static_cast<uint16_t>(above[x] + 2 * here[x] + below[x]);
}

CORDON_VECTORISED
void SumRow(const uint16_t* sums, int width, uint8_t* out) {
  for (int x = 0; x < width; ++x) {
    out[x] = static_cast<uint8_t>((sums[x] + 2 * sums[x + 1] + sums[x + 2] + 8) >> 4);
  }
}

CORDON_VECTORISED
void CountColumn(const uint8_t* above, const uint8_t* here, const uint8_t* below, int width,
                 uint8_t* counts) {
  for (int x = 0; x < width; ++x)
    counts[x] = static_cast<uint8_t>((above[x] & 1) + (here[x] & 1) + (below[x] & 1));
}

CORDON_VECTORISED
void TakeMajority(const uint8_t* counts, int width, uint8_t* out) {
  for (int x = 0; x < width; ++x) {
    const auto set = static_cast<uint8_t>(counts[x] + counts[x + 1] + counts[x + 2]);
    out[x] = set >= 5 ? 255 : 0;
  }
}

}  // namespace

void MajorityFilter::Apply(const uint8_t* in, int width, int height, uint8_t* out) {
  const auto w = static_cast<size_t>(width);
  sums_.resize(w + 2);
  for (int y = 0; y < height; ++y) {
    const uint8_t* here = in + static_cast<size_t>(y) * w;
    CountColumn(y > 0 ? here - w : here, here, y + 1 < height ? here + w : here, width,
                sums_.data() + 1);
    sums_[0] = sums_[1];
    sums_[w + 1] = sums_[w];
    TakeMajority(sums_.data(), width, out + static_cast<size_t>(y) * w);
  }
}

void BinomialBlur::Apply(const uint8_t* in, int width, int height, uint8_t* out) {
  const auto w = static_cast<size_t>(width);
  sums_.resize(w + 2);
  for (int y = 0; y < height; ++y) {
    const auto row = [&](int at) { return in + static_cast<size_t>(Mirrored(at, height)) * w; };
    SumColumn(row(y - 1), row(y), row(y + 1), width, sums_.data() + 1);
    sums_[0] = sums_[2];
    sums_[w + 1] = sums_[w - 1];
    SumRow(sums_.data(), width, out + static_cast<size_t>(y) * w);
  }
}

namespace {

constexpr int kWindow = 5;

struct ColumnSums {
  float* now;
  float* scene;
  float* now_square;
  float* scene_square;
  float* product;
};

CORDON_VECTORISED
void AddRow(const uint8_t* now_row, const float* scene_row, int count, const ColumnSums& sums) {
  float* __restrict now = sums.now;
  float* __restrict scene = sums.scene;
  float* __restrict now_square = sums.now_square;
  float* __restrict scene_square = sums.scene_square;
  float* __restrict product = sums.product;
  for (int i = 0; i < count; ++i) {
    const auto n = static_cast<float>(now_row[i]);
    const float s = scene_row[i];
    now[i] += n;
    scene[i] += s;
    now_square[i] += n * n;
    scene_square[i] += s * s;
    product[i] += n * s;
  }
}

CORDON_VECTORISED
void AverageFives(const float* __restrict columns, int count, float* __restrict means) {
  constexpr float kShare = 1.0F / (kWindow * kWindow);
  for (int i = 0; i < count; ++i) {
    means[i] =
        kShare * (columns[i] + columns[i + 1] + columns[i + 2] + columns[i + 3] + columns[i + 4]);
  }
}

std::array<std::vector<float>*, 5> Parts(WindowMeans& means) {
  return {&means.now, &means.scene, &means.now_square, &means.scene_square, &means.product};
}

}  // namespace

void WindowScan::SumColumns(int y, int begin, int end) {
  const auto size = static_cast<size_t>(end - begin + 2 * kReach);
  for (std::vector<float>* part : Parts(columns_)) part->assign(size, 0);
  // Columns inside the picture first, then those mirrored about its edge.
  const int from = std::max(begin - kReach, 0);
  const int to = std::min(end + kReach, width_);
  const int offset = kReach - begin;  // of column 0
  for (int dy = -kReach; dy <= kReach; ++dy) {
    const ptrdiff_t row = static_cast<ptrdiff_t>(Mirrored(y + dy, height_)) * width_ + from;
    const int at = from + offset;
    AddRow(now_ + row, scene_ + row, to - from,
           {columns_.now.data() + at, columns_.scene.data() + at, columns_.now_square.data() + at,
            columns_.scene_square.data() + at, columns_.product.data() + at});
  }
  // As far as the window reaches, the mirrored columns are among them.
  const auto mirror = [&](int x) {
    for (std::vector<float>* part : Parts(columns_)) {
      (*part)[static_cast<size_t>(x + offset)] =
          (*part)[static_cast<size_t>(Mirrored(x, width_) + offset)];
    }
  };
  for (int x = begin - kReach; x < from; ++x) mirror(x);
  for (int x = to; x < end + kReach; ++x) mirror(x);
}

const WindowMeans& WindowScan::Stretch(int y, int begin, int end) {
  SumColumns(y, begin, end);
  const std::array<std::vector<float>*, 5> from = Parts(columns_);
  const std::array<std::vector<float>*, 5> to = Parts(means_);
  for (size_t i = 0; i < from.size(); ++i) {
    to[i]->resize(static_cast<size_t>(end - begin));
    AverageFives(from[i]->data(), end - begin, to[i]->data());
  }
  return means_;
}

}  // namespace cordon
