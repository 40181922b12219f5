// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "analytics/camera_analyzer.h"
#include "base/clock.h"
#include "cli/analyzers.h"
#include "cli/commands.h"
#include "cli/proto_json.h"
#include "cli/site.h"
#include "ingest/clip_reader.h"

namespace cordon::cli {
namespace {

struct ReplayOptions {
  std::string config;
  std::string camera;
  std::vector<std::string> clips;
  std::string events_file;
  std::string tracks_file;
  bool json = false;
};

struct Totals {
  uint64_t frames = 0;
  uint64_t events = 0;
};

// An output file that says when it could not be written.
class TextFile {
 public:
  static absl::StatusOr<TextFile> Open(const std::string& path) {
    TextFile file;
    if (path.empty()) return file;
    file.out_ = std::make_unique<std::ofstream>(path, std::ios::trunc | std::ios::binary);
    if (!*file.out_)
      return absl::NotFoundError(fmt::format("cannot write {}; does its folder exist?", path));
    return file;
  }
  void Line(std::string_view text) {
    if (out_ != nullptr) *out_ << text << '\n';
  }
  absl::Status Close() {
    if (out_ == nullptr) return absl::OkStatus();
    out_->close();
    return *out_ ? absl::OkStatus()
                 : absl::ResourceExhaustedError(
                       "an output file could not be written whole; disk full?");
  }

 private:
  std::unique_ptr<std::ofstream> out_;
};

std::string Describe(const proto::Event& event) {
  const double seconds = static_cast<double>(event.media_time_us()) / 1e6;
  return fmt::format("{:8.2f} s  {:<28} {:<12} {}", seconds,
                     proto::EventKind_Name(event.kind()).substr(11), event.rule_id(),
                     event.detail());
}

void WriteTracks(const Frame& frame, const Analysis& analysis, TextFile& tracks) {
  for (const proto::TrackBox& track : analysis.boxes) {
    const proto::PictureBox& box = track.box();
    tracks.Line(fmt::format("{},{},{:.2f},{:.2f},{:.2f},{:.2f},1,-1,-1,-1", frame.number,
                            track.track_id(), box.x() * static_cast<float>(frame.source_width),
                            box.y() * static_cast<float>(frame.source_height),
                            box.width() * static_cast<float>(frame.source_width),
                            box.height() * static_cast<float>(frame.source_height)));
  }
}

// A live camera has no end and is not the same twice.
absl::Status CheckIsClip(const std::string& clip) {
  if (clip.find("://") == std::string::npos) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "{}: replay reads recorded clips; look at a live camera with 'cordon cameras probe {}'", clip,
      clip));
}

absl::Status ReplayClip(const ReplayOptions& options, const std::string& clip,
                        const ClipReaderOptions& reader_options, CameraAnalyzer& analyzer,
                        TextFile& events, TextFile& tracks, Totals& totals) {
  ASSIGN_OR_RETURN(const std::unique_ptr<ClipReader> reader,
                   ClipReader::Open(clip, reader_options, SystemClock()));
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<FramePtr> frame, reader->NextFrame());
    if (!frame) return absl::OkStatus();
    const Analysis analysis = analyzer.Analyze(**frame);
    ++totals.frames;
    WriteTracks(**frame, analysis, tracks);
    for (const proto::Event& event : analysis.events) {
      ++totals.events;
      events.Line(ToJson(event));
      if (options.json) {
        std::printf("%s\n", ToJson(event).c_str());
      } else {
        std::printf("%s\n", Describe(event).c_str());
      }
    }
  }
}

absl::Status Replay(const ReplayOptions& options) {
  for (const std::string& clip : options.clips) RETURN_IF_ERROR(CheckIsClip(clip));
  ASSIGN_OR_RETURN(const proto::Site site, LoadSite(options.config));
  const auto camera =
      std::find_if(site.cameras().begin(), site.cameras().end(),
                   [&](const proto::CameraConfig& c) { return c.id() == options.camera; });
  if (camera == site.cameras().end())
    return absl::NotFoundError(fmt::format("{} has no camera {}", options.config, options.camera));
  ASSIGN_OR_RETURN(const ClipReaderOptions reader_options, ClipReaderOptions::For(*camera));
  Metrics metrics;
  AnalyzerFactory analyzers(site, metrics, SystemClock());
  ASSIGN_OR_RETURN(const std::unique_ptr<CameraAnalyzer> analyzer, analyzers.Make(*camera));
  ASSIGN_OR_RETURN(TextFile events, TextFile::Open(options.events_file));
  ASSIGN_OR_RETURN(TextFile tracks, TextFile::Open(options.tracks_file));
  Totals totals;
  for (const std::string& clip : options.clips)
    RETURN_IF_ERROR(ReplayClip(options, clip, reader_options, *analyzer, events, tracks, totals));
  RETURN_IF_ERROR(events.Close());
  RETURN_IF_ERROR(tracks.Close());
  if (!options.json) std::printf("%lu frames analysed, %lu events\n", totals.frames, totals.events);
  return absl::OkStatus();
}

}  // namespace

void RegisterReplay(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<ReplayOptions>();
  CLI::App* command = app.add_subcommand(
      "replay",
      "Run recorded clips through a camera's rules as fast as they decode; same input, same bytes");
  command->add_option("--config", options->config, "SITE.yaml")->required();
  command->add_option("--camera", options->camera, "Camera whose rules are applied")->required();
  command->add_option("clips", options->clips, "Clips, in order")->required();
  command->add_option("--events", options->events_file,
                      "Write the events as JSON lines (proto/event.proto)");
  command->add_option("--tracks-mot", options->tracks_file,
                      "Write the tracks as MOTChallenge text: frame,id,x,y,w,h,conf,-1,-1,-1 in "
                      "pixels of the source");
  command->add_flag("--json", options->json, "Print the events as JSON lines");
  command->footer(
      "Example:\n  cordon replay --config site.yaml --camera yard clip.mp4 --events events.jsonl");
  command->callback([options, &outcome] {
    const absl::Status status = Replay(*options);
    if (!status.ok()) outcome.exit_code = Report(status);
  });
}

}  // namespace cordon::cli
