// SPDX-License-Identifier: Apache-2.0
#include "tests/accuracy/clip_runner.h"

#include <time.h>

#include <optional>
#include <utility>

#include "base/clock.h"
#include "ingest/clip_reader.h"

namespace cordon::accuracy {
namespace {

double WallSeconds() {
  return std::chrono::duration<double>(SystemClock().Boot().time_since_epoch()).count();
}

class FileDetector final : public Detector {
 public:
  FileDetector(MotFrames detections, float confident_score, std::string name)
      : detections_(std::move(detections)),
        confident_score_(confident_score),
        name_(std::move(name)) {}

  absl::StatusOr<std::vector<Detection>> Detect(const Frame& frame,
                                                std::span<const PixelRect> /*regions*/) override {
    std::vector<Detection> found;
    const auto rows = detections_.find(static_cast<int>(frame.number));
    if (rows == detections_.end()) return found;
    const auto width = static_cast<float>(frame.source_width);
    const auto height = static_cast<float>(frame.source_height);
    for (const MotRow& row : rows->second) {
      const PictureBox box{
          static_cast<float>(row.box.left) / width, static_cast<float>(row.box.top) / height,
          static_cast<float>(row.box.width) / width, static_cast<float>(row.box.height) / height};
      found.push_back({ClampToPicture(box), kPerson, static_cast<float>(row.confidence)});
    }
    return found;
  }

  float confident_score() const override { return confident_score_; }
  const std::string& name() const override { return name_; }
  const std::string& sha256() const override { return sha256_; }

 private:
  const MotFrames detections_;
  const float confident_score_;
  const std::string name_;
  const std::string sha256_;
};

class Runner {
 public:
  explicit Runner(const ClipRun& run) : run_(run) {}

  absl::StatusOr<ClipResult> Run() {
    CameraAnalyzerOptions options;
    options.camera = run_.camera;
    options.detector = run_.detector;
    options.classifier = run_.classifier;
    ASSIGN_OR_RETURN(analyzer_, CameraAnalyzer::Create(std::move(options)));
    for (int pass = 0; pass < run_.passes; ++pass) RETURN_IF_ERROR(Pass());
    return std::move(result_);
  }

 private:
  absl::Status Pass() {
    ClipReaderOptions options;
    options.camera = CameraId(run_.camera.id());
    options.analysis_width = static_cast<int>(run_.camera.analysis_width());
    options.analysis_fps = run_.camera.analysis_fps();
    ASSIGN_OR_RETURN(const auto reader, ClipReader::Open(run_.clip, options, SystemClock()));
    std::optional<MediaTime> first;
    while (true) {
      auto frame = reader->NextFrame();
      // A clip that ends early still counts with what it has.
      if (frame.status().code() == absl::StatusCode::kDataLoss) break;
      RETURN_IF_ERROR(frame.status());
      if (!*frame) break;
      if (!first) first = (**frame)->times.media;
      FramePtr picture = Continued(**frame, *first);
      if (run_.stage) picture = run_.stage(picture);
      if (picture) Analyze(*picture);
    }
    offset_ = last_ + Milliseconds(100);
    return absl::OkStatus();
  }

  // The second and later passes go on where the one before ended.
  FramePtr Continued(const FramePtr& frame, MediaTime first) {
    const Microseconds since = frame->times.media - first + offset_;
    last_ = since;
    if (offset_ == Microseconds(0)) return frame;
    auto copy = std::make_shared<Frame>(*frame);
    copy->times.media = first + since;
    return copy;
  }

  void Analyze(const Frame& frame) {
    const double cpu = ThreadCpuSeconds();
    const double wall = WallSeconds();
    const Analysis analysis = analyzer_->Analyze(frame);
    result_.analysis_cpu_seconds += ThreadCpuSeconds() - cpu;
    result_.analysis_seconds += WallSeconds() - wall;
    ++result_.frames;
    result_.media_seconds = std::chrono::duration<double>(last_).count();
    result_.seconds[static_cast<int>(frame.number)] =
        static_cast<double>(ToMicros(frame.times.media)) * 1e-6;
    result_.source_width = frame.source_width;
    result_.source_height = frame.source_height;
    result_.events.insert(result_.events.end(), analysis.events.begin(), analysis.events.end());
    const double width = frame.source_width;
    const double height = frame.source_height;
    for (const proto::TrackBox& shown : analysis.boxes) {
      const auto& box = shown.box();
      result_.tracks[static_cast<int>(frame.number)].push_back(
          {static_cast<int64_t>(shown.track_id()),
           {box.x() * width, box.y() * height, box.width() * width, box.height() * height},
           1});
      result_.classes[shown.track_id()] = shown.object_class();
    }
  }

  const ClipRun& run_;
  std::unique_ptr<CameraAnalyzer> analyzer_;
  ClipResult result_;
  Microseconds offset_{0};
  Microseconds last_{0};
};

}  // namespace

double ThreadCpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

absl::StatusOr<ClipResult> RunClip(const ClipRun& run) { return Runner(run).Run(); }

MotFrames Persons(const ClipResult& result, bool only) {
  MotFrames persons;
  for (const auto& [frame, rows] : result.tracks) {
    for (const MotRow& row : rows) {
      const std::string& name = result.classes.at(static_cast<uint64_t>(row.id));
      if (only ? name == kPerson : !ClassMatches(kVehicle, name)) persons[frame].push_back(row);
    }
  }
  return persons;
}

proto::CameraConfig PlainCamera(const std::string& id) {
  proto::CameraConfig camera;
  camera.set_id(id);
  camera.set_analysis_width(480);
  camera.set_analysis_fps(0);
  return camera;
}

std::shared_ptr<Detector> DetectionsFromFile(MotFrames detections, float confident_score,
                                             const std::string& name) {
  return std::make_shared<FileDetector>(std::move(detections), confident_score, name);
}

}  // namespace cordon::accuracy
