// SPDX-License-Identifier: Apache-2.0
#include "tests/accuracy/mot_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <istream>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace cordon::accuracy {
namespace {

constexpr size_t kNumbers = 7;

absl::Status Refuse(const std::string& name, int line, const char* what) {
  return absl::InvalidArgumentError(fmt::format("{}:{}: {}", name, line, what));
}

bool ParseNumbers(const std::string& line, std::array<double, kNumbers>& numbers) {
  const std::vector<std::string> fields = absl::StrSplit(line, ',');
  if (fields.size() < kNumbers - 1) return false;
  numbers[kNumbers - 1] = 1;
  for (size_t i = 0; i < std::min(kNumbers, fields.size()); ++i) {
    if (!absl::SimpleAtod(fields[i], &numbers[i]) || !std::isfinite(numbers[i])) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<MotFrames> ParseMot(std::istream& text, const std::string& name, MotKind kind) {
  MotFrames frames;
  std::set<std::pair<int, int64_t>> seen;
  std::string line;
  for (int number = 1; std::getline(text, line); ++number) {
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    std::array<double, kNumbers> value{};
    if (!ParseNumbers(line, value)) {
      return Refuse(name, number, "expected frame,id,left,top,width,height,confidence,...");
    }
    if (value[0] < 1 || value[0] > 1e9) return Refuse(name, number, "frames are numbered from 1");
    if (value[4] <= 0 || value[5] <= 0) return Refuse(name, number, "the box has no area");
    const int frame = static_cast<int>(value[0]);
    const auto id = static_cast<int64_t>(value[1]);
    if (kind == MotKind::kGroundTruth && value[6] == 0) continue;
    if (kind != MotKind::kDetections && !seen.emplace(frame, id).second) {
      return Refuse(name, number, "this id is in this frame already");
    }
    frames[frame].push_back({id, {value[2], value[3], value[4], value[5]}, value[6]});
  }
  return frames;
}

absl::StatusOr<MotFrames> ReadMotFile(const std::string& path, MotKind kind) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(path + ": cannot be read; is the path right?");
  return ParseMot(file, path, kind);
}

double IntersectionOverUnion(const MotBox& a, const MotBox& b) {
  const double width = std::min(a.left + a.width, b.left + b.width) - std::max(a.left, b.left);
  const double height = std::min(a.top + a.height, b.top + b.height) - std::max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const double both = width * height;
  return both / (a.width * a.height + b.width * b.height - both);
}

}  // namespace cordon::accuracy
