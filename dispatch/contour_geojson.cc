// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "dispatch/contour.h"

namespace cordon {
namespace {

// Degrees with seven decimals, digit by digit: a city's rings have tens of thousands of points.
char* WriteDegrees(char* to, int32_t e7) {
  auto rest = static_cast<uint32_t>(std::abs(int64_t{e7}));
  if (e7 < 0) *to++ = '-';
  uint32_t whole = rest / 10'000'000;
  rest %= 10'000'000;
  if (whole >= 100) *to++ = static_cast<char>('0' + whole / 100);
  if (whole >= 10) *to++ = static_cast<char>('0' + whole / 10 % 10);
  *to++ = static_cast<char>('0' + whole % 10);
  *to++ = '.';
  for (char* digit = to + 6; digit >= to; --digit, rest /= 10)
    *digit = static_cast<char>('0' + rest % 10);
  return to + 7;
}

void AddPoint(std::string& out, const RoadPoint& p) {
  char text[32];
  char* end = text;
  *end++ = '[';
  end = WriteDegrees(end, p.lon_e7);
  *end++ = ',';
  end = WriteDegrees(end, p.lat_e7);
  *end++ = ']';
  out.append(text, end);
}

void AddRing(std::string& out, const ContourRing& points) {
  out += '[';
  for (const RoadPoint& p : points) {
    AddPoint(out, p);
    out += ',';
  }
  AddPoint(out, points.front());
  out += ']';
}

}  // namespace

std::string GeoJsonMultiPolygon(const std::vector<ContourPolygon>& polygons) {
  constexpr size_t kPointBytes = 28;
  size_t points = 0;
  for (const ContourPolygon& polygon : polygons) {
    points += polygon.outer.size() + 2;
    for (const ContourRing& hole : polygon.holes) points += hole.size() + 2;
  }
  std::string out = R"({"type":"MultiPolygon","coordinates":[)";
  out.reserve(out.size() + points * kPointBytes);
  for (size_t i = 0; i < polygons.size(); ++i) {
    out += i == 0 ? "[" : ",[";
    AddRing(out, polygons[i].outer);
    for (const ContourRing& hole : polygons[i].holes) {
      out += ',';
      AddRing(out, hole);
    }
    out += ']';
  }
  return out + "]}";
}

}  // namespace cordon
