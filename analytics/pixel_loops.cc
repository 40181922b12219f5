// SPDX-License-Identifier: Apache-2.0
#include "analytics/pixel_loops.h"

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

}  // namespace

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

void WindowScan::StartRow(int y) {
  for (int i = 0; i < kSize; ++i) {
    rows_[i] = static_cast<size_t>(Mirrored(y + i - kReach, height_)) * static_cast<size_t>(width_);
    columns_[i].x = -1;
  }
}

const WindowScan::Column& WindowScan::ColumnAt(int x) {
  Column& column = columns_[x % kSize];
  if (column.x == x) return column;
  column = {x};
  for (const size_t row : rows_) {
    const auto now = static_cast<float>(now_[row + static_cast<size_t>(x)]);
    const float scene = scene_[row + static_cast<size_t>(x)];
    column.now += now;
    column.scene += scene;
    column.now_square += now * now;
    column.scene_square += scene * scene;
    column.product += now * scene;
  }
  return column;
}

WindowMeans WindowScan::At(int x) {
  Column sum;
  for (int dx = -kReach; dx <= kReach; ++dx) {
    const Column& column = ColumnAt(Mirrored(x + dx, width_));
    sum.now += column.now;
    sum.scene += column.scene;
    sum.now_square += column.now_square;
    sum.scene_square += column.scene_square;
    sum.product += column.product;
  }
  constexpr double kShare = 1.0 / (kSize * kSize);
  return {static_cast<float>(sum.now * kShare), static_cast<float>(sum.scene * kShare),
          static_cast<float>(sum.now_square * kShare),
          static_cast<float>(sum.scene_square * kShare),
          static_cast<float>(sum.product * kShare)};
}

}  // namespace cordon
