// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>

#include "analytics/calibration_picture.h"
#include "base/clock.h"
#include "base/file_util.h"
#include "cli/calibrate.h"
#include "cli/commands.h"
#include "cli/site.h"
#include "ingest/clip_reader.h"

namespace cordon::cli {
namespace {

struct CalibrateOptions {
  std::string config;
  std::string camera;
  std::vector<std::string> points;
  std::string points_file;
  std::string size;
  std::string picture;
  double at_s = 0;
  std::string out;
  bool json = false;
};

// The drawing is as wide as this, or as the picture if that is smaller.
constexpr int kMostWidth = 1600;
constexpr int kBlankWidth = 1280;
constexpr int kBlankHeight = 720;
constexpr uint8_t kBlankGrey = 70;

absl::Status ParseSize(const std::string& text, int& width, int& height) {
  if (text.empty()) return absl::OkStatus();
  char rest = 0;
  if (std::sscanf(text.c_str(), "%dx%d%c", &width, &height, &rest) != 2 || width < 1 || height < 1)
    return absl::InvalidArgumentError("--size " + text + ": write WIDTHxHEIGHT, as 1920x1080");
  return absl::OkStatus();
}

absl::StatusOr<const proto::CameraConfig*> FindCamera(const proto::Site& site,
                                                      const std::string& id) {
  for (const proto::CameraConfig& camera : site.cameras()) {
    if (camera.id() == id) return &camera;
  }
  return absl::NotFoundError("the site has no camera " + id);
}

// A picture or a clip's picture at --at, masks burned in; a blank one when none is given.
absl::StatusOr<BgrPicture> Background(const CalibrateOptions& options,
                                      const proto::CameraConfig& camera) {
  if (options.picture.empty()) {
    return BgrPicture{kBlankWidth, kBlankHeight,
                      std::vector<uint8_t>(size_t{3} * kBlankWidth * kBlankHeight, kBlankGrey)};
  }
  ASSIGN_OR_RETURN(ClipReaderOptions reading, ClipReaderOptions::For(camera));
  ASSIGN_OR_RETURN(const auto reader, ClipReader::Open(options.picture, reading, SystemClock()));
  std::optional<MediaTime> first;
  FramePtr shown;
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<FramePtr> frame, reader->NextFrame());
    if (!frame) break;
    shown = *frame;
    if (!first) first = shown->times.media;
    if (std::chrono::duration<double>(shown->times.media - *first).count() >= options.at_s) break;
  }
  if (!shown || !shown->colour) return absl::DataLossError(options.picture + ": has no picture");
  const int width = std::min(kMostWidth, shown->colour->width());
  const int height = shown->colour->height() * width / shown->colour->width();
  return shown->colour->Render({0, 0, shown->colour->width(), shown->colour->height()}, width,
                               height);
}

absl::Status Run(const CalibrateOptions& options) {
  proto::Site site;
  proto::CameraConfig camera;
  if (!options.config.empty()) {
    ASSIGN_OR_RETURN(site, LoadSite(options.config));
    ASSIGN_OR_RETURN(const proto::CameraConfig* found, FindCamera(site, options.camera));
    camera = *found;
  }
  int width = 0, height = 0;
  RETURN_IF_ERROR(ParseSize(options.size, width, height));
  std::vector<proto::CalibrationPoint> points;
  for (const std::string& text : options.points) {
    ASSIGN_OR_RETURN(proto::CalibrationPoint point, ParseCalibrationPoint(text, width, height));
    points.push_back(std::move(point));
  }
  if (!options.points_file.empty()) {
    ASSIGN_OR_RETURN(const std::vector<proto::CalibrationPoint> read,
                     ReadCalibrationPoints(options.points_file, width, height));
    points.insert(points.end(), read.begin(), read.end());
  }
  const bool given = !points.empty();
  if (!given) points.assign(camera.calibration().begin(), camera.calibration().end());
  ASSIGN_OR_RETURN(const Calibration calibration, Calibration::Fit(points));
  if (!options.out.empty()) {
    ASSIGN_OR_RETURN(const BgrPicture picture, Background(options, camera));
    ASSIGN_OR_RETURN(const std::string jpeg, CalibrationPicture(picture, calibration, points));
    RETURN_IF_ERROR(WriteFileDurably(options.out, jpeg));
  }
  if (options.json) {
    std::printf("%s\n", CalibrationJson(calibration, points).c_str());
    return absl::OkStatus();
  }
  std::printf("%s", CalibrationReport(calibration, points).c_str());
  if (!options.out.empty()) std::printf("\npicture: %s\n", options.out.c_str());
  if (given) std::printf("\n%s", CalibrationYaml(points).c_str());
  return absl::OkStatus();
}

}  // namespace

void RegisterCalibrate(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<CalibrateOptions>();
  CLI::App* command = app.add_subcommand(
      "calibrate", "Set and check a camera's map points: residuals, error radius, a picture");
  CLI::Option* config =
      command->add_option("--config", options->config, "SITE.yaml; its camera's points are checked");
  CLI::Option* camera = command->add_option("--camera", options->camera, "Camera of SITE.yaml");
  config->needs(camera);
  camera->needs(config);
  command->add_option("--point", options->points,
                      "x,y,lat,lon of one ground point, instead of the site's; four or more");
  command->add_option("--points", options->points_file, "File with one such point a line");
  command->add_option("--size", options->size,
                      "WIDTHxHEIGHT: x and y are pixels of such a picture, not shares of it");
  command->add_option("--picture", options->picture,
                      "Picture or clip of the camera that the ground is drawn into");
  command->add_option("--at", options->at_s, "Second of the clip (default: its beginning)");
  command->add_option("--out", options->out, "Write the drawing to this file (JPEG)");
  command->add_flag("--json", options->json,
                    "Print JSON: homography, points with residuals, error radius over the picture");
  command->footer(
      "Example:\n  cordon calibrate --size 1920x1080 --point 412,988,31.230411,121.473702 --point "
      "... --picture yard.mp4 --out yard.jpg\n  cordon calibrate --config site.yaml --camera yard "
      "--picture yard.mp4 --out yard.jpg");
  command->callback([options, &outcome] {
    const absl::Status status = Run(*options);
    if (!status.ok()) outcome.exit_code = Report(status);
  });
}

}  // namespace cordon::cli
