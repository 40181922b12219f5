// SPDX-License-Identifier: Apache-2.0
#include "ingest/luma_scaler.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/check.h"
#include "base/vectorised.h"

namespace cordon {
namespace {

// Weights of one output cell add up to exactly these; 255 * kRowUnit fits 16 bits, times
// kColumnUnit 32 bits.
constexpr int kRowUnit = 64;
constexpr int kColumnUnit = 1024;
constexpr int kFourTaps = 4;
static_assert(255 * kRowUnit < 65536);
static_assert(255ull * kRowUnit * kColumnUnit < (1ull << 32));

}  // namespace

LumaSize AnalysisSize(int source_width, int source_height, int analysis_width) {
  const int width = std::max(2, std::min(analysis_width, source_width));
  const double exact = static_cast<double>(source_height) * width / source_width;
  const int even = std::max(2, static_cast<int>(std::lround(exact / 2)) * 2);
  return {width, std::min(even, std::max(2, source_height))};
}

LumaScaler::LumaScaler(int source_width, int source_height, LumaSize size)
    : source_width_(source_width),
      source_height_(source_height),
      size_(size),
      rows_(MakeTaps(source_height, size.height, kRowUnit, 1)),
      columns_(MakeTaps(source_width, size.width, kColumnUnit, kFourTaps)),
      fours_(source_width == 4 * size.width),
      // The last output column's padding taps have weight 0 but are read.
      sums_(static_cast<size_t>(source_width + columns_.count), 0) {
  CORDON_CHECK(size.width <= source_width && size.height <= source_height,
               "the scaler only shrinks");
}

LumaScaler::Taps LumaScaler::MakeTaps(int source, int target, int unit, int least) {
  const double ratio = static_cast<double>(source) / target;
  Taps taps;
  // Cells of a whole ratio begin and end on source cells; others may overlap one more.
  const int overlapped = static_cast<int>(std::ceil(ratio)) + (source % target == 0 ? 0 : 1);
  taps.count = std::max(least, overlapped);
  taps.weights.assign(static_cast<size_t>(target) * static_cast<size_t>(taps.count), 0);
  for (int i = 0; i < target; ++i) {
    const double begin = i * ratio;
    const double end = begin + ratio;
    const int first = std::min(static_cast<int>(begin + 1e-9), source - 1);
    taps.first.push_back(first);
    uint16_t* weights = &taps.weights[static_cast<size_t>(i) * static_cast<size_t>(taps.count)];
    int total = 0;
    int heaviest = 0;
    for (int k = 0; k < taps.count && first + k < source; ++k) {
      const double overlap =
          std::min(end, first + k + 1.0) - std::max(begin, static_cast<double>(first + k));
      if (overlap <= 0) break;
      weights[k] = static_cast<uint16_t>(std::lround(overlap / ratio * unit));
      total += weights[k];
      if (weights[k] > weights[heaviest]) heaviest = k;
    }
    // Rounding must not change the brightness: the heaviest tap takes the rest.
    weights[heaviest] = static_cast<uint16_t>(weights[heaviest] + unit - total);
  }
  return taps;
}

namespace {

CORDON_VECTORISED
void Weigh(const uint8_t* line, int width, uint16_t weight, uint16_t* sums) {
  for (int x = 0; x < width; ++x) sums[x] = static_cast<uint16_t>(line[x] * weight);
}

CORDON_VECTORISED
void AddWeighed(const uint8_t* line, int width, uint16_t weight, uint16_t* sums) {
  for (int x = 0; x < width; ++x) sums[x] = static_cast<uint16_t>(sums[x] + line[x] * weight);
}

}  // namespace

void LumaScaler::SumRows(const uint8_t* plane, ptrdiff_t stride, int row) {
  const int first = rows_.first[static_cast<size_t>(row)];
  const uint16_t* weights =
      &rows_.weights[static_cast<size_t>(row) * static_cast<size_t>(rows_.count)];
  uint16_t* sums = sums_.data();
  for (int k = 0; k < rows_.count; ++k) {
    const uint16_t weight = weights[k];
    if (weight == 0 && k > 0) continue;
    const uint8_t* line = plane + (first + k) * stride;
    (k == 0 ? Weigh : AddWeighed)(line, source_width_, weight, sums);
  }
}

// Full HD to the usual width: four neighbours of equal weight, added in one multiplication.
void LumaScaler::SumFours(uint8_t* out) const {
  static_assert(4 * 255 * kRowUnit < 65536);
  constexpr uint64_t kAddLanes = 0x0001'0001'0001'0001;
  constexpr uint64_t kWeight = kColumnUnit / 4;
  constexpr uint64_t kHalf = kRowUnit * kColumnUnit / 2;
  for (int x = 0; x < size_.width; ++x) {
    uint64_t four = 0;
    std::memcpy(&four, &sums_[static_cast<size_t>(4 * x)], sizeof four);
    const uint64_t sum = (four * kAddLanes) >> 48;
    out[x] = static_cast<uint8_t>((sum * kWeight + kHalf) / (kRowUnit * kColumnUnit));
  }
}

#ifdef __SSE2__
// Up to four taps, which is every ratio below 3 and the whole ones up to 4: two output columns in
// one multiplication. The sums fit 15 bits and the weights 11, so that signed products are right.
void LumaScaler::SumFourTaps(uint8_t* out) const {
  static_assert(255 * kRowUnit < 32768 && kColumnUnit < 32768 && kRowUnit * kColumnUnit == 1 << 16);
  const uint16_t* weights = columns_.weights.data();
  const auto load = [this](int x) {
    return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(
        &sums_[static_cast<size_t>(columns_.first[static_cast<size_t>(x)])]));
  };
  const auto pair = [&](int x) {
    const __m128i taps = _mm_loadu_si128(reinterpret_cast<const __m128i*>(weights + 4 * x));
    return _mm_castsi128_ps(_mm_madd_epi16(_mm_unpacklo_epi64(load(x), load(x + 1)), taps));
  };
  int x = 0;
  for (; x + 4 <= size_.width; x += 4) {
    const __m128 low = pair(x);
    const __m128 high = pair(x + 2);
    const __m128i even = _mm_castps_si128(_mm_shuffle_ps(low, high, _MM_SHUFFLE(2, 0, 2, 0)));
    const __m128i odd = _mm_castps_si128(_mm_shuffle_ps(low, high, _MM_SHUFFLE(3, 1, 3, 1)));
    const __m128i half = _mm_set1_epi32(1 << 15);
    __m128i sum = _mm_srli_epi32(_mm_add_epi32(_mm_add_epi32(even, odd), half), 16);
    sum = _mm_packs_epi32(sum, sum);
    const int four = _mm_cvtsi128_si32(_mm_packus_epi16(sum, sum));
    std::memcpy(out + x, &four, sizeof four);
  }
  SumColumnsFrom<kFourTaps>(x, out);
}
#endif

void LumaScaler::SumColumns(uint8_t* out) const {
  if (fours_) return SumFours(out);
#ifdef __SSE2__
  if (columns_.count == kFourTaps) return SumFourTaps(out);
#endif
  // The number of taps known to the compiler, which unrolls them.
  switch (columns_.count) {
    case kFourTaps:
      return SumColumnsFrom<kFourTaps>(0, out);
    case 5:
      return SumColumnsFrom<5>(0, out);
    default:
      return SumColumnsFrom<0>(0, out);
  }
}

template <int kTaps>
void LumaScaler::SumColumnsFrom(int x, uint8_t* out) const {
  constexpr uint32_t kHalf = kRowUnit * kColumnUnit / 2;
  const int taps = kTaps > 0 ? kTaps : columns_.count;
  const uint16_t* weights = columns_.weights.data() + static_cast<ptrdiff_t>(x) * taps;
  for (; x < size_.width; ++x, weights += taps) {
    const uint16_t* sums = &sums_[static_cast<size_t>(columns_.first[static_cast<size_t>(x)])];
    uint32_t total = kHalf;
    for (int k = 0; k < taps; ++k) total += static_cast<uint32_t>(sums[k]) * weights[k];
    out[x] = static_cast<uint8_t>(total / (kRowUnit * kColumnUnit));
  }
}

LumaPicture LumaScaler::Scale(const uint8_t* plane, ptrdiff_t stride) {
  LumaPicture out;
  out.width = size_.width;
  out.height = size_.height;
  out.pixels.resize(static_cast<size_t>(size_.width) * static_cast<size_t>(size_.height));
  const bool same = size_.width == source_width_ && size_.height == source_height_;
  for (int y = 0; y < size_.height; ++y) {
    uint8_t* line = out.pixels.data() + static_cast<size_t>(y) * static_cast<size_t>(size_.width);
    if (same) {
      std::memcpy(line, plane + y * stride, static_cast<size_t>(size_.width));
      continue;
    }
    SumRows(plane, stride, y);
    SumColumns(line);
  }
  return out;
}

}  // namespace cordon
