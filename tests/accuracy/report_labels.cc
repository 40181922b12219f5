// SPDX-License-Identifier: Apache-2.0
#include "analytics/classifier.h"
#include "analytics/detector_dnn.h"
#include "tests/accuracy/clip_runner.h"
#include "tests/accuracy/labels.h"
#include "tests/accuracy/report.h"

namespace cordon::accuracy {
namespace {

struct Measured {
  Found found;
  double minutes = 0;
};

absl::StatusOr<Measured> Measure(const Data& data, const Labels& labels,
                                 std::shared_ptr<Detector> detector) {
  ClipRun run;
  run.clip = data.Clip(labels.clip);
  run.camera = LabelledCamera(labels);
  if (!detector) run.classifier = MakeShapeClassifier();
  run.detector = std::move(detector);
  ASSIGN_OR_RETURN(const ClipResult result, RunClip(run));
  const double start = result.seconds.empty() ? 0 : result.seconds.begin()->second;
  return Measured{Judge(labels, result.events, start), result.media_seconds / 60};
}

}  // namespace

Section LabelsSection(const Data& data) {
  Section section;
  section.title = "Labelled clips";
  section.text =
      "Visits labelled by eye (`tests/accuracy/labels/`), an intrusion rule for persons and "
      "vehicles over the whole picture "
      "(dwell 0.5 s, re-arm 10 s), 10 pictures per second. A visit is found by an event that began "
      "in it (± 1.5 s); an "
      "event that began in none is a false alarm.";
  section.columns = {"clip", "detector", "visits", "found", "alarms", "false alarms", "minutes"};
  Found total;
  for (const Labels& labels : AllLabels(data)) {
    if (labels.visits.empty()) continue;
    std::vector<std::pair<std::string, std::shared_ptr<Detector>>> detectors = {
        {"built-in", nullptr}};
    for (const std::string& card : data.cards) {
      DnnDetectorOptions options;
      options.pool.patience = Milliseconds(600'000);
      if (auto made = MakeDnnDetector(data.Card(card), options); made.ok())
        detectors.emplace_back(card, *made);
    }
    for (const auto& [name, detector] : detectors) {
      const auto measured = Measure(data, labels, detector);
      if (!measured.ok()) continue;
      const Found& found = measured->found;
      section.rows.push_back({labels.clip, name, std::to_string(found.visits),
                              std::to_string(found.visits_found), std::to_string(found.alarms),
                              std::to_string(found.false_alarms),
                              fmt::format("{:.1f}", measured->minutes)});
      if (name != "built-in") continue;
      total.visits += found.visits;
      total.visits_found += found.visits_found;
      total.false_alarms += found.false_alarms;
    }
  }
  if (section.rows.empty()) {
    section.missing = "video/*";
    return section;
  }
  section.checks.push_back(
      {"built-in: share of visits found",
       total.visits > 0 ? static_cast<double>(total.visits_found) / total.visits : 0, 0.9});
  section.checks.push_back(
      {"built-in: false alarms in all clips", static_cast<double>(total.false_alarms), 1, false});
  return section;
}

}  // namespace cordon::accuracy
