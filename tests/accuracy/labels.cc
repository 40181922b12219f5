// SPDX-License-Identifier: Apache-2.0
#include "tests/accuracy/labels.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "tests/accuracy/clip_runner.h"

namespace cordon::accuracy {
namespace {

// How far an event may lie outside of a visit, in seconds: the labels' own precision and the rule's
// dwell.
constexpr double kSlack = 1.5;
// A vehicle's foot is known to a part of its length.
constexpr double kPassageSlack = 0.6;

std::string LineName(size_t line) { return "line " + std::to_string(line); }

absl::StatusOr<Labels> ReadLabels(const std::string& path) {
  try {
    const YAML::Node root = YAML::LoadFile(path);
    Labels labels;
    labels.clip = root["clip"].as<std::string>();
    for (const YAML::Node& node : root["visits"]) {
      labels.visits.push_back({node["from"].as<double>(), node["to"].as<double>(),
                               node["object"].as<std::string>(), node["counts"].as<bool>(true)});
    }
    for (const YAML::Node& node : root["lines"]) {
      labels.lines.push_back({node["points"].as<std::vector<std::string>>(),
                              node["passages"].as<std::vector<double>>(),
                              node["uncounted"].as<std::vector<double>>(std::vector<double>())});
    }
    return labels;
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(path + ": " + error.what());
  }
}

// Takes the event nearest to the passage; false where there is none.
bool TakeEvent(std::vector<double>& events, double passage) {
  const auto nearest = std::min_element(events.begin(), events.end(), [&](double a, double b) {
    return std::abs(a - passage) < std::abs(b - passage);
  });
  if (nearest == events.end() || std::abs(*nearest - passage) > kPassageSlack) return false;
  events.erase(nearest);
  return true;
}

void JudgeLine(const LabelledLine& line, std::vector<double> events, Found& found) {
  found.passages += static_cast<int>(line.passages.size());
  for (const double passage : line.passages) found.passages_found += TakeEvent(events, passage);
  for (const double passage : line.uncounted) TakeEvent(events, passage);
  found.false_alarms += static_cast<int>(events.size());
}

}  // namespace

std::vector<Labels> AllLabels(const Data& data) {
  std::vector<std::string> files;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator(data.source + "/tests/accuracy/labels", ignored)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  std::vector<Labels> all;
  for (const std::string& file : files) {
    auto labels = ReadLabels(file);
    if (!labels.ok()) std::fprintf(stderr, "%s\n", labels.status().ToString().c_str());
    if (labels.ok() && std::filesystem::exists(data.Clip(labels->clip)))
      all.push_back(*std::move(labels));
  }
  return all;
}

proto::CameraConfig LabelledCamera(const Labels& labels) {
  proto::CameraConfig camera = PlainCamera("labelled");
  camera.set_analysis_fps(10);
  if (!labels.visits.empty()) {
    proto::RuleConfig& rule = *camera.add_rules();
    rule.set_id("anyone");
    rule.set_kind(proto::RuleConfig::KIND_INTRUSION);
    rule.add_classes("person");
    rule.add_classes("vehicle");
    rule.set_dwell_s(0.5);
    rule.set_rearm_s(10);
    rule.set_max_height(1);
  }
  for (size_t i = 0; i < labels.lines.size(); ++i) {
    proto::RuleConfig& rule = *camera.add_rules();
    rule.set_id(LineName(i));
    rule.set_kind(proto::RuleConfig::KIND_LINE_CROSSING);
    rule.add_classes("person");
    rule.add_classes("vehicle");
    for (const std::string& point : labels.lines[i].points) rule.add_line(point);
    rule.set_max_height(1);
  }
  return camera;
}

Found Judge(const Labels& labels, const std::vector<proto::Event>& events, double start) {
  Found found;
  std::vector<bool> seen(labels.visits.size(), false);
  std::vector<std::vector<double>> crossings(labels.lines.size());
  for (const proto::Event& event : events) {
    ++found.alarms;
    const double t = static_cast<double>(event.began_media_time_us()) * 1e-6 - start;
    bool right = false;
    for (size_t i = 0; i < labels.lines.size(); ++i) {
      if (event.rule_id() != LineName(i)) continue;
      crossings[i].push_back(t);
      right = true;  // JudgeLine tells
    }
    for (size_t v = 0; v < labels.visits.size(); ++v) {
      const Visit& visit = labels.visits[v];
      if (t < visit.from - kSlack || t > visit.to + kSlack) continue;
      right = true;
      seen[v] = true;
    }
    found.false_alarms += right ? 0 : 1;
  }
  for (size_t v = 0; v < labels.visits.size(); ++v) {
    if (!labels.visits[v].counts) continue;
    ++found.visits;
    found.visits_found += seen[v] ? 1 : 0;
  }
  for (size_t i = 0; i < labels.lines.size(); ++i) JudgeLine(labels.lines[i], crossings[i], found);
  return found;
}

}  // namespace cordon::accuracy
