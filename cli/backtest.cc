// SPDX-License-Identifier: Apache-2.0
#include "cli/backtest.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/metrics.h"
#include "cli/analyzers.h"
#include "ingest/clip_reader.h"
#include "ingest/snapshot.h"

namespace cordon::cli {
namespace {

constexpr Microseconds kSameAlert = Seconds(1);
constexpr int kPictureWidth = 640;

absl::StatusOr<proto::CameraConfig> FindCamera(const proto::Site& site, const std::string& id,
                                               const char* which) {
  for (const proto::CameraConfig& camera : site.cameras()) {
    if (camera.id() == id) return camera;
  }
  return absl::NotFoundError(fmt::format("the {} rules have no camera {}", which, id));
}

std::vector<RelativePoint> PointsOf(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  std::vector<RelativePoint> points;
  for (const std::string& text : texts) {
    const std::vector<std::string> xy = absl::StrSplit(text, ',');
    double x = 0;
    double y = 0;
    if (xy.size() == 2 && absl::SimpleAtod(xy[0], &x) && absl::SimpleAtod(xy[1], &y)) {
      points.push_back({x, y});
    }
  }
  return points;
}

std::string Picture(const Frame& frame, const proto::CameraConfig& camera,
                    const proto::Event& event) {
  SnapshotOptions options;
  options.max_width = kPictureWidth;
  options.label = fmt::format("{} {}", event.rule_id(), event.detail());
  if (event.has_box()) {
    const auto& box = event.box();
    options.boxes.push_back({box.x(), box.y(), box.width(), box.height(), event.object_class()});
  }
  for (const proto::PathPoint& point : event.explanation().path()) {
    options.path.push_back({point.foot().x(), point.foot().y()});
  }
  for (const proto::RuleConfig& rule : camera.rules()) {
    if (rule.id() != event.rule_id()) continue;
    options.zone = PointsOf(rule.zone());
    options.line = PointsOf(rule.line());
  }
  // A clip without colour (or one that cannot be converted) gives an alert without a picture.
  return SnapshotJpeg(frame, options).value_or("");
}

// One side of the comparison: the rules before or after.
class Side {
 public:
  Side(const proto::Site& site, proto::CameraConfig camera)
      : camera_(std::move(camera)), factory_(site, metrics_, SystemClock()) {}

  absl::Status Restart() {
    alerts_.clear();
    ASSIGN_OR_RETURN(analyzer_, factory_.Make(camera_));
    return absl::OkStatus();
  }

  void Analyze(const Frame& frame, MediaTime first) {
    for (proto::Event& event : analyzer_->Analyze(frame).events) {
      BacktestAlert alert;
      alert.seconds = std::chrono::duration<double>(frame.times.media - first).count();
      alert.picture = Picture(frame, camera_, event);
      alert.event = std::move(event);
      alerts_.push_back(std::move(alert));
    }
  }

  std::vector<BacktestAlert> Take() { return std::move(alerts_); }
  const proto::CameraConfig& camera() const { return camera_; }

 private:
  const proto::CameraConfig camera_;
  Metrics metrics_;
  AnalyzerFactory factory_;
  std::unique_ptr<CameraAnalyzer> analyzer_;
  std::vector<BacktestAlert> alerts_;
};

bool Same(const proto::Event& a, const proto::Event& b) {
  return a.rule_id() == b.rule_id() && a.kind() == b.kind() && a.direction() == b.direction() &&
         std::abs(a.media_time_us() - b.media_time_us()) <= kSameAlert.count();
}

// What both raised is kept, once; the rest is gone or added.
std::vector<BacktestAlert> Merge(std::vector<BacktestAlert> before,
                                 std::vector<BacktestAlert> after) {
  std::vector<bool> matched(before.size(), false);
  for (BacktestAlert& alert : after) {
    alert.verdict = BacktestVerdict::kAdded;
    for (size_t i = 0; i < before.size(); ++i) {
      if (matched[i] || !Same(before[i].event, alert.event)) continue;
      matched[i] = true;
      alert.verdict = BacktestVerdict::kKept;
      break;
    }
  }
  for (size_t i = 0; i < before.size(); ++i) {
    if (matched[i]) continue;
    before[i].verdict = BacktestVerdict::kGone;
    after.push_back(std::move(before[i]));
  }
  std::stable_sort(after.begin(), after.end(), [](const BacktestAlert& a, const BacktestAlert& b) {
    return a.seconds < b.seconds;
  });
  return after;
}

absl::StatusOr<BacktestClip> RunClip(const std::string& path, WallTime begins, Side& before,
                                     Side& after) {
  RETURN_IF_ERROR(before.Restart());
  RETURN_IF_ERROR(after.Restart());
  ASSIGN_OR_RETURN(const ClipReaderOptions options, ClipReaderOptions::For(after.camera()));
  SimulatedClock clock(begins);
  ASSIGN_OR_RETURN(const auto reader, ClipReader::Open(path, options, clock));
  BacktestClip clip;
  clip.clip = path;
  std::optional<MediaTime> first;
  MediaTime last{};
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<FramePtr> frame, reader->NextFrame());
    if (!frame) break;
    const MediaTime now = (*frame)->times.media;
    if (!first) first = now;
    // The clip's own wall clock, for schedules.
    else if (now > last)
      clock.Advance(now - last);
    last = now;
    ++clip.frames;
    before.Analyze(**frame, *first);
    after.Analyze(**frame, *first);
  }
  if (first) clip.seconds = std::chrono::duration<double>(last - *first).count();
  clip.alerts = Merge(before.Take(), after.Take());
  return clip;
}

}  // namespace

int BacktestClip::Count(BacktestVerdict verdict) const {
  return static_cast<int>(
      std::count_if(alerts.begin(), alerts.end(),
                    [verdict](const BacktestAlert& alert) { return alert.verdict == verdict; }));
}

const char* VerdictName(BacktestVerdict verdict) {
  switch (verdict) {
    case BacktestVerdict::kKept:
      return "kept";
    case BacktestVerdict::kGone:
      return "gone";
    case BacktestVerdict::kAdded:
      break;
  }
  return "added";
}

absl::StatusOr<std::vector<BacktestClip>> Backtest(const BacktestInput& input) {
  ASSIGN_OR_RETURN(const proto::CameraConfig old_camera,
                   FindCamera(input.before, input.camera, "old"));
  ASSIGN_OR_RETURN(const proto::CameraConfig new_camera,
                   FindCamera(input.after, input.camera, "new"));
  Side before(input.before, old_camera);
  Side after(input.after, new_camera);
  std::vector<BacktestClip> clips;
  for (const std::string& path : input.clips) {
    absl::StatusOr<BacktestClip> clip = RunClip(path, input.begins, before, after);
    if (!clip.ok()) return clip.status();
    clips.push_back(*std::move(clip));
  }
  return clips;
}

}  // namespace cordon::cli
