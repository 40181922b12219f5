// SPDX-License-Identifier: Apache-2.0
// The metrics of a process, served as Prometheus text at /metrics. Names are an interface: docs/metrics.md lists them and
// a test compares. Registering a name twice with the same labels gives the same metric. Thread-safe; AddSource before
// the first rendering.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace cordon {

using Labels = std::map<std::string, std::string>;

class Metrics {
 public:
  // Unit last in the name ("_seconds", "_bytes"); counters end in "_total".
  prometheus::Counter& Counter(const std::string& name, const std::string& help, const Labels& labels = {});
  prometheus::Gauge& Gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  // A latency in seconds; buckets from 0.5 ms to 10 s.
  prometheus::Histogram& Latency(const std::string& name, const std::string& help, const Labels& labels = {});

  // As they are now.
  std::vector<prometheus::MetricFamily> Collect() const { return registry_.Collect(); }
  // What other processes measured: rendered together with our own, families of one name joined.
  using Source = std::function<std::vector<prometheus::MetricFamily>()>;
  void AddSource(Source source) { sources_.push_back(std::move(source)); }
  std::string RenderText() const;
  // name -> help of every registered family, sorted; for the comparison with docs/metrics.md.
  std::map<std::string, std::string> Families() const;

 private:
  prometheus::Registry registry_;
  std::vector<Source> sources_;
};

// Observes the time from construction to destruction.
class StageTimer {
 public:
  StageTimer(const Clock& clock, prometheus::Histogram& into) : clock_(clock), into_(into), start_(clock.Boot()) {}
  StageTimer(const StageTimer&) = delete;
  StageTimer& operator=(const StageTimer&) = delete;
  ~StageTimer() { into_.Observe(std::chrono::duration<double>(clock_.Boot() - start_).count()); }

 private:
  const Clock& clock_;
  prometheus::Histogram& into_;
  const BootTime start_;
};

}  // namespace cordon
