// SPDX-License-Identifier: Apache-2.0
#include "cli/calibrate.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/geo.h"

namespace cordon::cli {
namespace {

// A fit worse than this, that gets this much better without one of the points.
constexpr double kSuspectMetres = 0.3;
constexpr double kSuspectShare = 0.4;
constexpr size_t kLeastForSuspect = 6;

struct Probe {
  PicturePoint at;
  const char* name;
};
constexpr Probe kProbes[] = {
    {{0.5F, 0.95F}, "lower edge"}, {{0.5F, 0.75F}, "lower third"},
    {{0.5F, 0.5F}, "middle"},      {{0.1F, 0.75F}, "left"},
    {{0.9F, 0.75F}, "right"},      {{0.5F, 0.3F}, "upper third"},
};

double Misfit(const Calibration& calibration) {
  double squares = 0;
  for (const Calibration::Residual& residual : calibration.residuals())
    squares += residual.fitted.value * residual.fitted.value;
  return std::sqrt(squares / static_cast<double>(calibration.residuals().size()));
}

// The one point without which the others fit well, if there is one: measured or clicked wrongly.
std::optional<size_t> Suspect(const Calibration& calibration,
                              const std::vector<proto::CalibrationPoint>& points) {
  const double all = Misfit(calibration);
  if (points.size() < kLeastForSuspect || all < kSuspectMetres) return std::nullopt;
  std::optional<size_t> suspect;
  double least = kSuspectShare * all;
  for (size_t i = 0; i < points.size(); ++i) {
    std::vector<proto::CalibrationPoint> others = points;
    others.erase(others.begin() + static_cast<ptrdiff_t>(i));
    const auto without = Calibration::Fit(others);
    if (!without.ok() || Misfit(*without) >= least) continue;
    least = Misfit(*without);
    suspect = i;
  }
  return suspect;
}

}  // namespace

absl::StatusOr<proto::CalibrationPoint> ParseCalibrationPoint(const std::string& text, int width,
                                                              int height) {
  const std::vector<std::string> parts = absl::StrSplit(text, ',');
  double numbers[4];
  bool fine = parts.size() == 4;
  for (size_t i = 0; fine && i < 4; ++i) fine = absl::SimpleAtod(parts[i], &numbers[i]);
  if (!fine) {
    return absl::InvalidArgumentError(fmt::format(
        "calibration point '{}': write x,y,lat,lon, as 0.42,0.81,31.23041,121.47370", text));
  }
  proto::CalibrationPoint point;
  point.set_x(width > 0 ? numbers[0] / width : numbers[0]);
  point.set_y(height > 0 ? numbers[1] / height : numbers[1]);
  point.set_lat(numbers[2]);
  point.set_lon(numbers[3]);
  if (point.x() < 0 || point.x() > 1 || point.y() < 0 || point.y() > 1) {
    return absl::InvalidArgumentError(fmt::format(
        "calibration point '{}': x and y lie in 0..1 of the picture; for pixels give --size "
        "WIDTHxHEIGHT",
        text));
  }
  if (!IsPlausible({point.lat(), point.lon()})) {
    return absl::InvalidArgumentError(
        fmt::format("calibration point '{}': lat,lon is no place (WGS-84 degrees)", text));
  }
  return point;
}

absl::StatusOr<std::vector<proto::CalibrationPoint>> ReadCalibrationPoints(const std::string& path,
                                                                           int width, int height) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(path + ": cannot be read");
  std::vector<proto::CalibrationPoint> points;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const std::string text(absl::StripAsciiWhitespace(line));
    if (text.empty() || text[0] == '#') continue;
    auto point = ParseCalibrationPoint(text, width, height);
    if (!point.ok()) return Annotate(point.status(), fmt::format("{}:{}", path, number));
    points.push_back(*std::move(point));
  }
  return points;
}

std::string CalibrationReport(const Calibration& calibration,
                              const std::vector<proto::CalibrationPoint>& points) {
  std::string text = fmt::format("{} points around {:.6f}, {:.6f}\n\n", points.size(),
                                 calibration.origin().lat, calibration.origin().lon);
  text += "  point      x       y   off the fit   off the fit without it\n";
  for (size_t i = 0; i < points.size(); ++i) {
    const Calibration::Residual& residual = calibration.residuals()[i];
    text += fmt::format("  {:>5}  {:.4f}  {:.4f}  {:>9.2f} m   {}\n", i + 1, points[i].x(),
                        points[i].y(), residual.fitted.value,
                        points.size() > 4 ? fmt::format("{:>9.2f} m", residual.left_out.value)
                                          : "        -");
  }
  text += "\n  where in the picture   a place is known to (95 %)\n";
  for (const Probe& probe : kProbes) {
    const auto ground = calibration.ToGround(probe.at);
    text += fmt::format("  {:<22} {}\n", probe.name,
                        ground ? fmt::format("+- {:.1f} m", ground->error.value)
                               : std::string("not at all: at or above the horizon"));
  }
  if (points.size() == 4) {
    text += "\nFour points always fit: their own error cannot be seen. Add one or two more.\n";
  } else if (const auto suspect = Suspect(calibration, points)) {
    text += fmt::format("\nPoint {} makes most of the misfit: measure or click it again.\n",
                        *suspect + 1);
  }
  return text;
}

std::string CalibrationJson(const Calibration& calibration,
                            const std::vector<proto::CalibrationPoint>& points) {
  nlohmann::ordered_json root;
  root["origin"] = {{"lat", calibration.origin().lat}, {"lon", calibration.origin().lon}};
  root["picture_to_metres_east_north"] = calibration.to_ground();
  root["typical_error_m"] = calibration.typical_error().value;
  root["points"] = nlohmann::ordered_json::array();
  for (size_t i = 0; i < points.size(); ++i) {
    const Calibration::Residual& residual = calibration.residuals()[i];
    root["points"].push_back({{"x", points[i].x()},
                              {"y", points[i].y()},
                              {"lat", points[i].lat()},
                              {"lon", points[i].lon()},
                              {"residual_m", residual.fitted.value},
                              {"residual_without_it_m", residual.left_out.value}});
  }
  root["error_radius"] = nlohmann::ordered_json::array();
  for (const Probe& probe : kProbes) {
    const auto ground = calibration.ToGround(probe.at);
    root["error_radius"].push_back(
        {{"x", probe.at.x},
         {"y", probe.at.y},
         {"error_m", ground ? nlohmann::ordered_json(ground->error.value) : nullptr}});
  }
  if (const auto suspect = Suspect(calibration, points)) root["suspect_point"] = *suspect + 1;
  return root.dump(2);
}

std::string CalibrationYaml(const std::vector<proto::CalibrationPoint>& points) {
  std::string text = "    calibration:\n";
  for (const proto::CalibrationPoint& point : points) {
    text += fmt::format("      - {{x: {:.4f}, y: {:.4f}, lat: {:.7f}, lon: {:.7f}}}\n", point.x(),
                        point.y(), point.lat(), point.lon());
  }
  return text;
}

}  // namespace cordon::cli
