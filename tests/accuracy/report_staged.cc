// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "analytics/camera_analyzer.h"
#include "analytics/classifier.h"
#include "tests/accuracy/clip_runner.h"
#include "tests/accuracy/report.h"
#include "tests/accuracy/staging.h"

namespace cordon::accuracy {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kFps = 10;

struct EmptyScene {
  const char* name;
  const char* clip;
  double seconds;  // when nobody is there
};
constexpr EmptyScene kScenes[] = {
    {"car park from above", "intel-car-detection.mp4", 0.5},
    {"car park", "intel-person-bicycle-car-detection.mp4", 14.0},
};

proto::CameraConfig Watched(proto::RuleConfig::Kind kind) {
  proto::CameraConfig camera = PlainCamera("staged");
  proto::RuleConfig& rule = *camera.add_rules();
  rule.set_id("rule");
  rule.set_kind(kind);
  rule.set_dwell_s(1);
  rule.set_rearm_s(5);
  rule.set_max_height(1);
  if (kind == proto::RuleConfig::KIND_INTRUSION) {
    rule.add_classes("person");
    rule.add_classes("vehicle");
  }
  return camera;
}

absl::StatusOr<std::unique_ptr<CameraAnalyzer>> Analyzer(proto::RuleConfig::Kind kind) {
  CameraAnalyzerOptions options;
  options.camera = Watched(kind);
  options.classifier = MakeShapeClassifier();
  return CameraAnalyzer::Create(std::move(options));
}

// Events of `seconds` of a condition.
std::vector<proto::Event> Play(CameraAnalyzer& analyzer, const LumaPicture& empty,
                               const Condition& condition, double seconds, double fps) {
  std::vector<proto::Event> events;
  for (int n = 0; n < static_cast<int>(seconds * fps); ++n) {
    const double t = n / fps;
    LumaPicture picture = empty;
    condition(picture, t, n);
    const Analysis analysis = analyzer.Analyze(*FrameOf(std::move(picture), t, n));
    events.insert(events.end(), analysis.events.begin(), analysis.events.end());
  }
  return events;
}

}  // namespace

Section StagedSection(const Data& data) {
  Section section;
  section.title = "False alarms on empty scenes";
  constexpr double kMinutes = 4;
  section.text = fmt::format(
      "Staged: an empty picture of a real clip, changed frame by frame ({} min at {} pictures per "
      "second each); built-in "
      "detector, intrusion by persons or vehicles anywhere, dwell 1 s. The rate is per camera-day "
      "of the condition without a "
      "pause; with no alarm in so short a time it is only shown to be below {:.0f} a day with 95 % "
      "confidence for one row, "
      "and below {:.0f} for all rows together.",
      kMinutes, kFps, 3 / (kMinutes / 1440), 3 / (kMinutes * 12 / 1440));
  section.columns = {"scene", "condition", "alarms", "per camera-day"};
  double alarms = 0;
  double minutes = 0;
  for (const EmptyScene& scene : kScenes) {
    const auto empty = PictureAt(data.Clip(scene.clip), scene.seconds);
    if (!empty.ok()) continue;
    for (const NamedCondition& condition : HarmlessConditions()) {
      auto analyzer = Analyzer(proto::RuleConfig::KIND_INTRUSION);
      if (!analyzer.ok()) continue;
      const auto events = Play(**analyzer, *empty, condition.change, 60 * kMinutes, kFps);
      alarms += static_cast<double>(events.size());
      minutes += kMinutes;
      section.rows.push_back(
          {scene.name, condition.name, std::to_string(events.size()),
           fmt::format("{:.0f}", static_cast<double>(events.size()) * 1440 / kMinutes)});
    }
  }
  if (section.rows.empty()) {
    section.missing = "video/intel-*.mp4";
    return section;
  }
  section.checks.push_back(
      {"alarms per camera-day of bad conditions", alarms * 1440 / minutes, 1, false});
  return section;
}

namespace {

void AddTamperings(Section& section, const std::string& scene, const LumaPicture& empty,
                   int& caught, int& staged) {
  constexpr double kBegins = 30;
  constexpr double kLimit = 3;
  for (const Tampering& tampering : Tamperings(kBegins)) {
    auto analyzer = Analyzer(proto::RuleConfig::KIND_TAMPER);
    if (!analyzer.ok()) return;
    const auto events = Play(**analyzer, empty, tampering.change, kBegins + 10, kFps);
    std::string seen = "none";
    double after = -1;
    int before = 0;
    for (const proto::Event& event : events) {
      const double t = static_cast<double>(event.media_time_us()) * 1e-6 - kBegins;
      if (t < 0) {
        ++before;
      } else if (after < 0) {
        after = t;
        seen = proto::EventKind_Name(event.kind()).substr(sizeof("EVENT_KIND_TAMPER_") - 1);
      }
    }
    ++staged;
    caught += after >= 0 && after <= kLimit ? 1 : 0;
    section.rows.push_back({scene, tampering.name, seen,
                            after < 0 ? "-" : fmt::format("{:.1f}", after),
                            std::to_string(before)});
  }
}

// Tamper events of a clip in which nobody touches the camera.
int AddNormal(Section& section, const Data& data, const std::string& name) {
  ClipRun run;
  run.clip = data.Clip(name);
  run.camera = Watched(proto::RuleConfig::KIND_TAMPER);
  run.camera.set_analysis_fps(10);
  const auto result = RunClip(run);
  if (!result.ok()) return 0;
  section.rows.push_back({name, "normal clip", result->events.empty() ? "none" : "false alarm", "-",
                          std::to_string(result->events.size())});
  return static_cast<int>(result->events.size());
}

// A day and a night in pictures 5 s apart: brightness follows the sun, noise grows in the dark,
// lamps switch on and off.
int AddDay(Section& section, const LumaPicture& empty) {
  auto analyzer = Analyzer(proto::RuleConfig::KIND_TAMPER);
  if (!analyzer.ok()) return 0;
  const Condition day = [](LumaPicture& p, double t, int n) {
    const double sun = 0.5 - 0.5 * std::cos(2 * kPi * t / 86400);
    const bool lamps = sun < 0.2;
    const double gain = std::max(0.12 + sun, lamps ? 0.45 : 0.0);
    for (uint8_t& pixel : p.pixels) {
      pixel = static_cast<uint8_t>(std::min(255.0, pixel * gain));
    }
    AddNoise(p, 2 + 4 * (1 - sun), n);
  };
  const auto events = Play(**analyzer, empty, day, 86400, 0.2);
  section.rows.push_back({"car park", "24 h of day and night",
                          events.empty() ? "none" : "false alarm", "-",
                          std::to_string(events.size())});
  return static_cast<int>(events.size());
}

}  // namespace

Section TamperSection(const Data& data) {
  Section section;
  section.title = "Tamper";
  section.text =
      "Staged on empty pictures of real clips from second 30 on, and on one real clip whose lens "
      "is covered (from 2.0 s on). "
      "Caught means: a tamper event within 3 s. Normal clips and a synthetic day must raise none.";
  section.columns = {"scene", "what happens", "first event", "after s", "false before"};
  int caught = 0;
  int staged = 0;
  int false_alarms = 0;
  for (const EmptyScene& scene : kScenes) {
    const auto empty = PictureAt(data.Clip(scene.clip), scene.seconds);
    if (!empty.ok()) continue;
    AddTamperings(section, scene.name, *empty, caught, staged);
    if (&scene == &kScenes[0]) false_alarms += AddDay(section, *empty);
  }
  if (section.rows.empty()) {
    section.missing = "video/intel-*.mp4";
    return section;
  }
  ClipRun real;
  real.clip = data.Clip("tamper-Occlusion.mp4");
  real.camera = Watched(proto::RuleConfig::KIND_TAMPER);
  real.camera.set_analysis_fps(10);
  if (const auto result = RunClip(real); result.ok()) {
    ++staged;
    const double after = result->events.empty()
                             ? -1
                             : static_cast<double>(result->events[0].media_time_us()) * 1e-6 - 2.0;
    caught += after >= 0 && after <= 3 ? 1 : 0;
    section.rows.push_back({"tamper-Occlusion.mp4", "real cover slides in",
                            result->events.empty()
                                ? "none"
                                : proto::EventKind_Name(result->events[0].kind()).substr(18),
                            after < 0 ? "-" : fmt::format("{:.1f}", after), "0"});
  }
  for (const char* clip :
       {"vtest.avi", "intel-one-by-one-person-detection.mp4", "intel-car-detection.mp4",
        "intel-person-bicycle-car-detection.mp4", "bgs-video02.avi", "ir-night-person.mp4"}) {
    false_alarms += AddNormal(section, data, clip);
  }
  section.checks.push_back({"share of tamperings caught within 3 s",
                            staged > 0 ? static_cast<double>(caught) / staged : 0, 1});
  section.checks.push_back({"false tamper alarms", static_cast<double>(false_alarms), 0, false});
  return section;
}

}  // namespace cordon::accuracy
