// SPDX-License-Identifier: Apache-2.0
// The second half of `cordon check`: what a site names outside its file.
#include <algorithm>
#include <filesystem>
#include <tuple>

#include "analytics/camera_analyzer.h"
#include "analytics/model_card.h"
#include "base/clock.h"
#include "base/file_util.h"
#include "cli/site.h"
#include "ingest/masks.h"

namespace cordon::cli {
namespace {

constexpr size_t kMaxTokenBytes = 1024;

class PartsCheck {
 public:
  PartsCheck(const proto::Site& site, const std::string& file, const ConfigPlaces& places)
      : site_(site), file_(file), places_(places) {}

  std::vector<ConfigProblem> Run() {
    Dispatch();
    for (int i = 0; i < site_.detectors_size(); ++i)
      Say(fmt::format("detectors[{}].model_card", i), "detector " + site_.detectors(i).id(),
          LoadModel(site_.detectors(i).model_card()).status());
    for (int i = 0; i < site_.cameras_size(); ++i)
      Camera(fmt::format("cameras[{}]", i), site_.cameras(i));
    std::stable_sort(problems_.begin(), problems_.end(), [](const auto& a, const auto& b) {
      return std::tie(a.line, a.column) < std::tie(b.line, b.column);
    });
    return std::move(problems_);
  }

 private:
  void Say(const std::string& path, const std::string& subject, const absl::Status& status) {
    if (status.ok()) return;
    const std::string message(MessageOf(status));
    // Some parts name the thing themselves.
    problems_.push_back(places_.ProblemAt(
        file_, path, message.starts_with(subject) ? message : subject + ": " + message));
  }

  void Dispatch() {
    Say("dispatch.roads", "dispatch: roads", CheckRoads(site_));
    if (const std::string& token = site_.console().position_token_file(); !token.empty())
      Say("console.position_token_file", "console: position_token_file",
          ReadFile(token, kMaxTokenBytes).status());
  }

  void Camera(const std::string& path, const proto::CameraConfig& camera) {
    const std::string subject = "camera " + camera.id();
    Say(path + ".password_file", subject, ReadPassword(camera).status());
    Say(path + ".masks", subject, Masks::Parse(camera).status());
    Source(path + ".url", subject, camera.url());
    Source(path + ".sub_url", subject, camera.sub_url());
    CameraAnalyzerOptions options;
    options.camera = camera;
    options.time_zone = site_.time_zone();
    options.holidays.assign(site_.holidays().begin(), site_.holidays().end());
    Say(path + ".rules", subject, CameraAnalyzer::Create(std::move(options)).status());
  }

  // A camera may be off while its site is checked; a file that is not there never comes.
  void Source(const std::string& path, const std::string& subject, const std::string& url) {
    if (url.empty() || url.find("://") != std::string::npos) return;
    std::error_code error;
    if (!std::filesystem::exists(url, error))
      Say(path, subject, absl::NotFoundError(fmt::format("{}: no such file or folder", url)));
  }

  const proto::Site& site_;
  const std::string& file_;
  const ConfigPlaces& places_;
  std::vector<ConfigProblem> problems_;
};

}  // namespace

std::vector<ConfigProblem> CheckParts(const proto::Site& site, const std::string& path,
                                      const ConfigPlaces& places) {
  return PartsCheck(site, path, places).Run();
}

}  // namespace cordon::cli
