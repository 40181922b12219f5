// SPDX-License-Identifier: Apache-2.0
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>

#include "analytics/classifier.h"
#include "analytics/detector_dnn.h"
#include "tests/accuracy/clip_runner.h"
#include "tests/accuracy/report.h"

namespace cordon::accuracy {
namespace {

struct Visit {
  double from = 0;
  double to = 0;
  std::string object;
  bool counts = true;
};

struct Labels {
  std::string clip;
  std::vector<Visit> visits;
};

// How far an event may lie outside of a visit, in seconds: the labels' own precision and the rule's
// dwell.
constexpr double kSlack = 1.5;

absl::StatusOr<Labels> ReadLabels(const std::string& path) {
  try {
    const YAML::Node root = YAML::LoadFile(path);
    Labels labels;
    labels.clip = root["clip"].as<std::string>();
    for (const YAML::Node& node : root["visits"]) {
      labels.visits.push_back({node["from"].as<double>(), node["to"].as<double>(),
                               node["object"].as<std::string>(), node["counts"].as<bool>(true)});
    }
    return labels;
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(path + ": " + error.what());
  }
}

struct Found {
  int visits = 0;
  int found = 0;
  int alarms = 0;
  int false_alarms = 0;
  double minutes = 0;
};

absl::StatusOr<Found> Measure(const Data& data, const Labels& labels,
                              std::shared_ptr<Detector> detector) {
  ClipRun run;
  run.clip = data.Clip(labels.clip);
  run.camera = PlainCamera("labelled");
  run.camera.set_analysis_fps(10);
  proto::RuleConfig& rule = *run.camera.add_rules();
  rule.set_id("anyone");
  rule.set_kind(proto::RuleConfig::KIND_INTRUSION);
  rule.add_classes("person");
  rule.add_classes("vehicle");
  rule.set_dwell_s(0.5);
  rule.set_rearm_s(10);
  rule.set_max_height(1);
  if (!detector) run.classifier = MakeShapeClassifier();
  run.detector = std::move(detector);
  ASSIGN_OR_RETURN(const ClipResult result, RunClip(run));
  Found found;
  found.minutes = result.media_seconds / 60;
  std::vector<bool> seen(labels.visits.size(), false);
  const double start = result.seconds.empty() ? 0 : result.seconds.begin()->second;
  for (const proto::Event& event : result.events) {
    const double t = static_cast<double>(event.began_media_time_us()) * 1e-6 - start;
    bool right = false;
    for (size_t v = 0; v < labels.visits.size(); ++v) {
      const Visit& visit = labels.visits[v];
      if (t < visit.from - kSlack || t > visit.to + kSlack) continue;
      right = true;
      seen[v] = true;
    }
    ++found.alarms;
    found.false_alarms += right ? 0 : 1;
  }
  for (size_t v = 0; v < labels.visits.size(); ++v) {
    if (!labels.visits[v].counts) continue;
    ++found.visits;
    found.found += seen[v] ? 1 : 0;
  }
  return found;
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
  std::vector<std::string> files;
  const std::string folder = data.source + "/tests/accuracy/labels";
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  Found total;
  for (const std::string& file : files) {
    const auto labels = ReadLabels(file);
    if (!labels.ok() || !std::filesystem::exists(data.Clip(labels->clip))) continue;
    std::vector<std::pair<std::string, std::shared_ptr<Detector>>> detectors = {
        {"built-in", nullptr}};
    for (const std::string& card : data.cards) {
      DnnDetectorOptions options;
      options.pool.patience = Milliseconds(600'000);
      if (auto made = MakeDnnDetector(data.Card(card), options); made.ok())
        detectors.emplace_back(card, *made);
    }
    for (const auto& [name, detector] : detectors) {
      const auto found = Measure(data, *labels, detector);
      if (!found.ok()) continue;
      section.rows.push_back({labels->clip, name, std::to_string(found->visits),
                              std::to_string(found->found), std::to_string(found->alarms),
                              std::to_string(found->false_alarms),
                              fmt::format("{:.1f}", found->minutes)});
      if (name != "built-in") continue;
      total.visits += found->visits;
      total.found += found->found;
      total.false_alarms += found->false_alarms;
    }
  }
  if (section.rows.empty()) {
    section.missing = "video/*";
    return section;
  }
  section.checks.push_back({"built-in: share of visits found",
                            total.visits > 0 ? static_cast<double>(total.found) / total.visits : 0,
                            0.9});
  section.checks.push_back(
      {"built-in: false alarms in all clips", static_cast<double>(total.false_alarms), 1, false});
  return section;
}

}  // namespace cordon::accuracy
