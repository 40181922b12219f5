// SPDX-License-Identifier: Apache-2.0
#include "cli/alert_printer.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "base/clock.h"
#include "console/json_view.h"
#include "dispatch/circles.h"

namespace cordon::cli {
namespace {

constexpr size_t kUnitsPerTier = 4;

double MillisBetween(int64_t from_ns, int64_t to_ns) {
  return from_ns == 0 || to_ns == 0 ? -1 : static_cast<double>(to_ns - from_ns) / 1e6;
}

std::string TierName(uint32_t tier_s) {
  return tier_s % 60 == 0 ? fmt::format("{} min", tier_s / 60) : fmt::format("{} s", tier_s);
}

// "| 1 min: car-3 0:42 | 3 min: car-7 1:50, +2 more | 5 min: -"
std::string DescribeUnits(const proto::ResponseCircles& circles) {
  if (circles.off_network()) return " | no road near the scene";
  std::map<uint32_t, std::vector<std::string>> by_tier;
  for (const proto::TierArea& tier : circles.tiers()) by_tier[tier.tier_s()];
  for (const proto::UnitEta& unit : circles.units()) {
    if (unit.excluded().empty() && unit.tier_s() != 0)
      by_tier[unit.tier_s()].push_back(unit.unit_id() + " " +
                                       MinutesText(Milliseconds(unit.eta_ms())));
  }
  std::string text;
  for (const auto& [tier, units] : by_tier) {
    text += fmt::format(" | {}: ", TierName(tier));
    if (units.empty()) text += "-";
    for (size_t i = 0; i < std::min(units.size(), kUnitsPerTier); ++i)
      text += (i == 0 ? "" : ", ") + units[i];
    if (units.size() > kUnitsPerTier)
      text += fmt::format(", +{} more", units.size() - kUnitsPerTier);
  }
  return text;
}

double Percentile(std::vector<double> values, double share) {
  const auto at = static_cast<size_t>(share * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

}  // namespace

StageLatencies LatenciesOf(const proto::StageTimes& stages) {
  StageLatencies latencies;
  latencies.stage.fill(-1);
  if (stages.boot_id() != HostBootId()) return latencies;
  const std::array<int64_t, kStageNames.size() + 1> ends = {
      stages.received_ns(),  stages.decoded_ns(), stages.analysed_ns(), stages.committed_ns(),
      stages.delivered_ns(), stages.circles_ns(), stages.published_ns()};
  for (size_t i = 0; i < kStageNames.size(); ++i)
    latencies.stage[i] = MillisBetween(ends[i], ends[i + 1]);
  latencies.total = MillisBetween(ends.front(), ends.back());
  return latencies;
}

std::string DescribeReport(const AlertReport& report, const std::string& camera_name) {
  const proto::Event& event = report.alert.event();
  std::string line = fmt::format(
      "{} {:<8} {} at {} ({}/{}): {}",
      FormatWall(WallFromMicros(report.alert.wall_time_us())).substr(11, 8),
      proto::RuleConfig::Severity_Name(event.severity()).substr(9), EventKindName(event.kind()),
      camera_name, event.camera_id(), event.rule_id(), event.detail());
  line += DescribeUnits(report.circles);
  const StageLatencies latencies = LatenciesOf(report.alert.stages());
  if (latencies.total < 0) return line;
  line += fmt::format(" | {:.0f} ms (", latencies.total);
  for (size_t i = 0; i < kStageNames.size(); ++i)
    line += fmt::format("{}{} {:.1f}", i == 0 ? "" : ", ", kStageNames[i], latencies.stage[i]);
  return line + ")";
}

std::string ReportJson(const AlertReport& report) {
  StoredAlert stored;
  stored.alert = report.alert;
  stored.incident_id = report.incident.id();
  Json alert = ToJson(stored);
  // Facts of the store, which this line does not come from.
  alert.erase("number");
  alert.erase("snapshot");
  Json line = {{"alert", std::move(alert)}};
  const StageLatencies latencies = LatenciesOf(report.alert.stages());
  if (latencies.total >= 0) {
    Json& values = line["latency_ms"];
    for (size_t i = 0; i < kStageNames.size(); ++i) values[kStageNames[i]] = latencies.stage[i];
    values["total"] = latencies.total;
  }
  return WithMember(Dump(line), "circles", CirclesText(report.circles, false));
}

void StageStatistics::Add(const StageLatencies& latencies) {
  if (latencies.total < 0) return;
  for (size_t i = 0; i < values_.size(); ++i) {
    const double value = i < latencies.stage.size() ? latencies.stage[i] : latencies.total;
    if (values_[i].size() < kKept) {
      values_[i].push_back(value);
    } else {
      values_[i][next_ % kKept] = value;
    }
  }
  ++next_;
}

std::vector<StageStatistics::Row> StageStatistics::Rows() const {
  std::vector<Row> rows;
  for (size_t i = 0; i < values_.size() && !values_[i].empty(); ++i)
    rows.push_back({i < kStageNames.size() ? kStageNames[i] : "total",
                    Percentile(values_[i], 0.5), Percentile(values_[i], 0.99)});
  return rows;
}

std::string StageStatistics::Render() const {
  if (values_[0].empty()) return "";
  std::string text = fmt::format("--- latency of {} alerts, ms:", values_[0].size());
  for (const Row& row : Rows())
    text += fmt::format("  {} p50 {:.1f} p99 {:.1f}",
                        row.name == std::string_view("total") ? "| frame to console" : row.name,
                        row.p50, row.p99);
  return text;
}

std::string StageStatistics::RenderJson() const {
  if (values_[0].empty()) return "";
  Json stages;
  for (const Row& row : Rows()) stages[row.name] = {{"p50", row.p50}, {"p99", row.p99}};
  return Dump({{"latency_of_alerts", values_[0].size()}, {"stages_ms", std::move(stages)}});
}

AlertPrinter::AlertPrinter(std::map<std::string, std::string> camera_names, BootTime start,
                           AlertStyle style)
    : camera_names_(std::move(camera_names)),
      start_(start),
      style_(style),
      thread_([this] { Loop(); }) {}

AlertPrinter::~AlertPrinter() {
  reports_.Close();
  thread_.join();
}

void AlertPrinter::OnReport(const AlertReport& report) {
  if (reports_.Push(report) != PushResult::kPushed)
    return;  // counted by the queue and said in Loop
}

void AlertPrinter::Print(const AlertReport& report) const {
  const std::string& camera = report.alert.event().camera_id();
  const auto name = camera_names_.find(camera);
  const std::string line =
      style_ == AlertStyle::kJson
          ? ReportJson(report)
          : DescribeReport(report, name == camera_names_.end() ? camera : name->second);
  std::printf("%s\n", line.c_str());
}

void AlertPrinter::PrintTable(const StageStatistics& statistics) const {
  const std::string table =
      style_ == AlertStyle::kJson ? statistics.RenderJson() : statistics.Render();
  if (!table.empty()) std::printf("%s\n", table.c_str());
}

void AlertPrinter::Loop() {
  SetThreadName("alert-print");
  StageStatistics statistics;
  uint64_t printed = 0, refused = 0, backlog = 0;
  while (true) {
    const std::optional<AlertReport> report = reports_.Pop(Seconds(1));
    if (!report && reports_.closed()) break;
    if (!report) continue;
    Print(*report);
    // A note to people, on the side where it cannot break a line of JSON.
    FILE* const notes = style_ == AlertStyle::kJson ? stderr : stdout;
    const proto::StageTimes& stages = report->alert.stages();
    if (stages.received_ns() >= ToNanos(start_)) {
      statistics.Add(LatenciesOf(stages));
    } else if (stages.received_ns() > 0 && ++backlog == 1) {
      std::fprintf(notes,
                   "--- alerts from before this start arrive first; their latency is not counted\n");
    }
    if (++printed % kTableEvery == 0) PrintTable(statistics);
    if (const uint64_t now = reports_.refused(); now != refused)
      std::fprintf(notes, "--- %lu alert lines were not printed: the terminal is too slow\n",
                   now - std::exchange(refused, now));
    std::fflush(stdout);
  }
  PrintTable(statistics);
  std::fflush(stdout);
}

}  // namespace cordon::cli
