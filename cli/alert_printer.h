// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdio>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "dispatch/dispatcher.h"

namespace cordon::cli {

// The stages an alert passes, in order; each is timed from the end of the one before it, the first
// from the frame's last packet.
inline constexpr std::array<const char*, 6> kStageNames = {"decode",  "analyse", "commit",
                                                           "deliver", "circles", "show"};

// Milliseconds spent in each stage and from first to last; a stage of another host, or not reached,
// is negative.
struct StageLatencies {
  std::array<double, kStageNames.size()> stage{};
  double total = -1;
};
StageLatencies LatenciesOf(const proto::StageTimes& stages);

// "12:00:03 HIGH intrusion at Assembly yard: ... | 1 min: car-3 0:42 | 3 min: - | ... | frame to
// dispatcher 31 ms (...)".
std::string DescribeReport(const AlertReport& report, const std::string& camera_name);

// One JSON line: {"alert": {...}, "circles": {...}, "latency_ms": {stage: ms, "total": ms}}, fields as
// in docs/api.md. Without latency_ms when the alert is of another host.
std::string ReportJson(const AlertReport& report);

// The newest latencies of each stage; bounded. Used by one thread.
class StageStatistics {
 public:
  void Add(const StageLatencies& latencies);
  // A table: stage, p50, p99, in ms; empty without alerts.
  std::string Render() const;
  // The same as {"latency_of_alerts": count, "stages_ms": {stage: {"p50": ms, "p99": ms}}}.
  std::string RenderJson() const;

 private:
  struct Row {
    const char* name;
    double p50, p99;
  };
  std::vector<Row> Rows() const;

  static constexpr size_t kKept = 4096;
  std::array<std::vector<double>, kStageNames.size() + 1> values_;
  size_t next_ = 0;
};

enum class AlertStyle { kNone, kText, kJson };

// Prints a line for every alert on standard output, and the latencies by stage after every
// kTableEvery alerts and at the end. Thread "alert-print" writes, so that a terminal that stands
// still cannot hold the dispatcher; lines that do not fit its queue are counted and said.
class AlertPrinter final : public DispatchListener {
 public:
  // `camera_names`: id -> what people call it. Alerts from before `start` waited in an outbox: they
  // are printed, and counted apart from the latencies.
  AlertPrinter(std::map<std::string, std::string> camera_names, BootTime start, AlertStyle style);
  ~AlertPrinter() override;
  void OnReport(const AlertReport& report) override;

 private:
  static constexpr uint64_t kTableEvery = 25;
  void Loop();
  void Print(const AlertReport& report) const;
  void PrintTable(const StageStatistics& statistics) const;

  const std::map<std::string, std::string> camera_names_;
  const BootTime start_;
  const AlertStyle style_;
  BoundedQueue<AlertReport> reports_{256};
  std::thread thread_;
};

}  // namespace cordon::cli
