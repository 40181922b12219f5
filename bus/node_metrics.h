// SPDX-License-Identifier: Apache-2.0
// The nodes' metrics at the dispatcher: a node publishes its whole collection every few seconds over
// the telemetry lane, in parts that fit a frame; the dispatcher serves the newest whole one of each
// node with its own, labelled node="NAME".
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "proto/telemetry.pb.h"

namespace cordon {

inline constexpr Seconds kNodeMetricsEvery{5};
inline constexpr size_t kMaxMetricsParts = 64;

// The parts of one collection, each well within a frame of the bus. Families that would need more
// than kMaxMetricsParts are left out, last first. Values that are not finite are left out too.
std::vector<proto::MetricsPart> ToMetricsParts(
    const std::vector<prometheus::MetricFamily>& families, uint64_t collection);

// Thread-safe. A node that was not heard for kStaleAfter has no series any more, only its age.
class NodeMetrics {
 public:
  static constexpr Seconds kStaleAfter{20};
  static constexpr size_t kMaxNodes = 64;

  NodeMetrics(const Clock& clock, Metrics& metrics) : clock_(clock), metrics_(metrics) {}
  // Parts of an older or a broken collection are dropped.
  void Take(const std::string& node, proto::MetricsPart part);
  // Of all nodes; also brings cordon_node_metrics_age_seconds up to date.
  std::vector<prometheus::MetricFamily> Collect();

 private:
  struct Node {
    uint64_t collection = 0;  // being put together
    std::map<uint32_t, proto::MetricsPart> parts;
    std::vector<prometheus::MetricFamily> whole;
    BootTime heard{};
    prometheus::Gauge* age = nullptr;
  };
  const Clock& clock_;
  Metrics& metrics_;
  absl::Mutex mutex_;
  std::map<std::string, Node> nodes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cordon
