// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "dispatch/contour.h"

namespace cordon {
namespace {

// Most bytes of one point with its comma: [-180.0000000,-90.0000000],
constexpr size_t kPointBytes = 28;

constexpr std::array<char, 200> TwoDigits() {
  std::array<char, 200> text{};
  for (size_t i = 0; i < 100; ++i) {
    text[2 * i] = static_cast<char>('0' + i / 10);
    text[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return text;
}
constexpr std::array<char, 200> kTwoDigits = TwoDigits();

char* WriteTwo(char* to, uint32_t below_hundred) {
  std::memcpy(to, &kTwoDigits[2 * below_hundred], 2);
  return to + 2;
}

// Degrees with seven decimals, two digits at a time: a city's rings have tens of thousands of
// points.
char* WriteDegrees(char* to, int32_t e7) {
  auto rest = static_cast<uint32_t>(std::abs(int64_t{e7}));
  if (e7 < 0) *to++ = '-';
  uint32_t whole = rest / 10'000'000;
  rest %= 10'000'000;
  if (whole >= 100) {
    *to++ = static_cast<char>('0' + whole / 100);
    to = WriteTwo(to, whole % 100);
  } else if (whole >= 10) {
    to = WriteTwo(to, whole);
  } else {
    *to++ = static_cast<char>('0' + whole);
  }
  *to++ = '.';
  *to++ = static_cast<char>('0' + rest / 1'000'000);
  to = WriteTwo(to, rest / 10'000 % 100);
  to = WriteTwo(to, rest / 100 % 100);
  return WriteTwo(to, rest % 100);
}

char* WritePoint(char* to, const RoadPoint& p) {
  *to++ = '[';
  to = WriteDegrees(to, p.lon_e7);
  *to++ = ',';
  to = WriteDegrees(to, p.lat_e7);
  *to++ = ']';
  return to;
}

char* WriteRing(char* to, const ContourRing& points) {
  *to++ = '[';
  for (const RoadPoint& p : points) {
    to = WritePoint(to, p);
    *to++ = ',';
  }
  to = WritePoint(to, points.front());
  *to++ = ']';
  return to;
}

size_t MostRingBytes(const ContourRing& points) { return (points.size() + 1) * kPointBytes + 4; }

}  // namespace

std::string GeoJsonMultiPolygon(const std::vector<ContourPolygon>& polygons) {
  constexpr std::string_view kBegin = R"({"type":"MultiPolygon","coordinates":[)";
  size_t most = kBegin.size() + 2;
  for (const ContourPolygon& polygon : polygons) {
    most += MostRingBytes(polygon.outer) + 3;
    for (const ContourRing& hole : polygon.holes) most += MostRingBytes(hole);
  }
  std::string out(most, '\0');
  char* to = std::copy(kBegin.begin(), kBegin.end(), out.data());
  for (size_t i = 0; i < polygons.size(); ++i) {
    if (i > 0) *to++ = ',';
    *to++ = '[';
    to = WriteRing(to, polygons[i].outer);
    for (const ContourRing& hole : polygons[i].holes) {
      *to++ = ',';
      to = WriteRing(to, hole);
    }
    *to++ = ']';
  }
  *to++ = ']';
  *to++ = '}';
  out.resize(static_cast<size_t>(to - out.data()));
  return out;
}

}  // namespace cordon
