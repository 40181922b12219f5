// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <filesystem>
#include <functional>
#include <optional>

#include "analytics/classifier.h"
#include "analytics/detector_dnn.h"
#include "tests/accuracy/clip_runner.h"
#include "tests/accuracy/event_truth.h"
#include "tests/accuracy/report.h"
#include "tests/accuracy/true_walks.h"

namespace cordon::accuracy {
namespace {

constexpr Size kVtest{768, 576};
constexpr int kLines = 20;
constexpr int kZones = 20;
constexpr int kLeastEvents = 4;
constexpr double kTolerance = 2.0;  // seconds; the clip plays at 10/7 of real time

struct Case {
  std::string name;
  std::shared_ptr<Detector> detector;
  std::shared_ptr<const RegionClassifier> classifier;
};

struct Outcome {
  EventScore lines;
  EventScore zones;
};

std::vector<TimedEvent> OfKind(const std::vector<TimedEvent>& events, bool lines) {
  std::vector<TimedEvent> kept;
  for (const TimedEvent& event : events) {
    if (event.rule_id.starts_with("line") == lines) kept.push_back(event);
  }
  return kept;
}

class VtestEvents {
 public:
  explicit VtestEvents(const Data& data) : data_(data) {}

  bool Load() {
    auto truth = ReadMotFile(data_.Truth("gt.txt"), MotKind::kGroundTruth);
    if (!truth.ok() || !std::filesystem::exists(data_.Clip("vtest.avi"))) return false;
    // The clip has a picture every 0.1 s, the first at 0.1 s.
    std::map<int, double> seconds;
    for (int frame = 1; frame <= 795; ++frame) seconds[frame] = 0.1 * frame;
    tracks_ = *truth;
    const Paths paths = PathsOf(*truth, seconds, kVtest);
    rules_ = RandomRules(paths, kVtest, data_.seed, kLines, kZones, kLeastEvents);
    for (const proto::RuleConfig& rule : rules_) {
      const auto events = TrueEvents(rule, paths, kVtest);
      truth_.insert(truth_.end(), events.begin(), events.end());
    }
    return true;
  }

  absl::StatusOr<Outcome> Run(const Case& with, double fps) {
    ClipRun run;
    run.clip = data_.Clip("vtest.avi");
    run.camera = PlainCamera("vtest");
    run.camera.set_analysis_fps(fps);
    run.detector = with.detector;
    run.classifier = with.classifier;
    for (const proto::RuleConfig& rule : rules_) *run.camera.add_rules() = rule;
    ASSIGN_OR_RETURN(const ClipResult result, RunClip(run));
    last_ = FromEvents(result.events);
    return Judged();
  }

  // The truth's own walks at that rate.
  absl::StatusOr<Outcome> RunTruth(double fps) {
    ASSIGN_OR_RETURN(const auto events, EventsOfTrueWalks(tracks_, rules_, fps));
    last_ = FromEvents(events);
    return Judged();
  }

  const std::vector<TimedEvent>& last() const { return last_; }

 private:
  Outcome Judged() const {
    return {Compare(OfKind(truth_, true), OfKind(last_, true), kTolerance),
            Compare(OfKind(truth_, false), OfKind(last_, false), kTolerance)};
  }

  const Data& data_;
  MotFrames tracks_;
  std::vector<proto::RuleConfig> rules_;
  std::vector<TimedEvent> truth_;
  std::vector<TimedEvent> last_;
};

std::vector<Case> Cases(const Data& data, bool networks) {
  std::vector<Case> cases;
  cases.push_back({"built-in", nullptr, MakeShapeClassifier()});
  struct Boxes {
    const char* name;
    const char* file;
    float confident;
  };
  constexpr Boxes kBoxes[] = {
      {"yolox-nano 416, whole picture", "det_yolox_nano_416.txt", 0.7F},
      {"picodet-s 416, whole picture", "det_picodet_s_416.txt", 0.6F},
  };
  for (const Boxes& file : kBoxes) {
    const auto boxes = ReadMotFile(data.Truth(file.file), MotKind::kDetections);
    if (!boxes.ok()) continue;
    cases.push_back({file.name, DetectionsFromFile(*boxes, file.confident, file.name), nullptr});
  }
  if (!networks) return cases;
  for (const std::string& card : data.cards) {
    DnnDetectorOptions options;
    options.pool.patience = Milliseconds(600'000);
    auto detector = MakeDnnDetector(data.Card(card), options);
    if (detector.ok()) cases.push_back({card + ", moving regions", *std::move(detector), nullptr});
  }
  return cases;
}

std::vector<std::string> Cells(const std::string& name, const char* kind, const EventScore& s) {
  return {name,
          kind,
          std::to_string(s.truth),
          std::to_string(s.ours),
          Percent(s.precision()),
          Percent(s.recall()),
          Percent(s.f1()),
          Percent(s.count_error())};
}

}  // namespace

Section EventsSection(const Data& data) {
  Section section;
  section.title = "Events";
  section.text = fmt::format(
      "Line crossings and zone entries on `vtest.avi`: {} random lines and {} random zones (seed "
      "{}), each with at least {} "
      "true events. The truth is computed from the ground-truth tracks by code of its own "
      "(`tests/accuracy/event_truth.cc`); an event of ours must name the same rule and direction "
      "within {} s.",
      kLines, kZones, data.seed, kLeastEvents, kTolerance);
  section.columns = {"detector",  "rules",  "true", "ours",
                     "precision", "recall", "F1",   "count off by %"};
  VtestEvents vtest(data);
  if (!vtest.Load()) {
    section.missing = "gt/PETS09-S2L1, video/vtest.avi";
    return section;
  }
  double best_f1 = 0;
  double best_count = 1;
  for (const Case& with : Cases(data, true)) {
    const auto outcome = vtest.Run(with, 0);
    if (!outcome.ok()) continue;
    section.rows.push_back(Cells(with.name, "lines", outcome->lines));
    section.rows.push_back(Cells(with.name, "zones", outcome->zones));
    const double f1 = std::min(outcome->lines.f1(), outcome->zones.f1());
    if (with.name == "built-in") {
      section.checks.push_back({"built-in: F1 of lines and of zones", f1, 0.80});
    } else if (f1 > best_f1) {
      best_f1 = f1;
      best_count = std::max(outcome->lines.count_error(), outcome->zones.count_error());
    }
  }
  section.checks.push_back({"best model: F1 of lines and of zones", best_f1, 0.90});
  section.checks.push_back({"best model: counts off by", best_count, 0.05, false});
  return section;
}

Section FrameRateSection(const Data& data) {
  Section section;
  section.title = "Frame rate";
  section.text =
      "The same rules, analysed at different rates; \"differs\" is the largest change of the "
      "number of events against 10 pictures per second. The clip has 10 pictures per second (7 of real "
      "time), so 25 is asked of the truth's own walks: its boxes, straight on between its frames, "
      "with a detector's noise, through tracker and rules (`tests/accuracy/true_walks.h`).";
  section.columns = {"boxes from", "events at 25", "at 10", "at 5", "differs %", "F1 at 10",
                     "F1 at 5"};
  VtestEvents vtest(data);
  if (!vtest.Load()) {
    section.missing = "gt/PETS09-S2L1, video/vtest.avi";
    return section;
  }
  using Measure = std::function<absl::StatusOr<Outcome>(double fps)>;
  const auto add = [&](const std::string& name, const Measure& measure, bool at_25) {
    double differs = 0;
    const auto full = measure(10);
    if (!full.ok()) return;
    const auto many = static_cast<double>(vtest.last().size());
    const auto half = measure(5);
    if (!half.ok()) return;
    const auto few = static_cast<double>(vtest.last().size());
    if (many > 0) differs = std::abs(few - many) / many;
    std::string more = "-";
    if (at_25 && measure(25).ok()) {
      const auto most = static_cast<double>(vtest.last().size());
      more = fmt::format("{:.0f}", most);
      if (many > 0) differs = std::max(differs, std::abs(most - many) / many);
    }
    section.rows.push_back({name, more, fmt::format("{:.0f}", many), fmt::format("{:.0f}", few),
                            Percent(differs), Percent((full->lines.f1() + full->zones.f1()) / 2),
                            Percent((half->lines.f1() + half->zones.f1()) / 2)});
    section.checks.push_back({name + ": events differ by", differs, 0.03, false});
  };
  add("the truth, with noise", [&](double fps) { return vtest.RunTruth(fps); }, true);
  for (const Case& with : Cases(data, false))
    add(with.name, [&](double fps) { return vtest.Run(with, fps); }, false);
  return section;
}

}  // namespace cordon::accuracy
