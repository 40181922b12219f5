// SPDX-License-Identifier: Apache-2.0
#include "bus/node_metrics.h"

#include <cmath>
#include <optional>
#include <utility>

#include "base/limits.h"

namespace cordon {
namespace {

// Leaves room for the envelope and for the sample that passes the mark.
constexpr size_t kPartBytes = 128 * 1024;
static_assert(kPartBytes * 2 <= limits::kMaxMessageBytes);

using Family = prometheus::MetricFamily;
using Sample = prometheus::ClientMetric;

std::optional<proto::MetricFamily::Kind> KindOf(prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter:
      return proto::MetricFamily::KIND_COUNTER;
    case prometheus::MetricType::Gauge:
      return proto::MetricFamily::KIND_GAUGE;
    case prometheus::MetricType::Histogram:
      return proto::MetricFamily::KIND_HISTOGRAM;
    default:
      return std::nullopt;
  }
}

// False: it holds a value that is not finite.
bool ToProto(const Sample& sample, proto::MetricFamily::Kind kind, proto::MetricSample& out) {
  for (const auto& label : sample.label) {
    out.add_labels(label.name);
    out.add_labels(label.value);
  }
  if (kind == proto::MetricFamily::KIND_COUNTER) out.set_value(sample.counter.value);
  if (kind == proto::MetricFamily::KIND_GAUGE) out.set_value(sample.gauge.value);
  if (kind == proto::MetricFamily::KIND_HISTOGRAM) {
    out.set_sum(sample.histogram.sample_sum);
    for (const auto& bucket : sample.histogram.bucket) {
      if (std::isfinite(bucket.upper_bound)) out.add_bounds(bucket.upper_bound);
      out.add_counts(bucket.cumulative_count);
    }
  }
  return std::isfinite(out.value()) && std::isfinite(out.sum());
}

Sample FromProto(const proto::MetricSample& sample, const std::string& node) {
  Sample out;
  for (int i = 0; i + 1 < sample.labels_size(); i += 2)
    out.label.push_back({sample.labels(i), sample.labels(i + 1)});
  out.label.push_back({"node", node});
  out.counter.value = out.gauge.value = sample.value();
  out.histogram.sample_sum = sample.sum();
  for (int i = 0; i < sample.counts_size(); ++i) {
    const double bound = i < sample.bounds_size() ? sample.bounds(i) : HUGE_VAL;
    out.histogram.bucket.push_back({sample.counts(i), bound});
    out.histogram.sample_count = sample.counts(i);
  }
  return out;
}

prometheus::MetricType TypeOf(proto::MetricFamily::Kind kind) {
  if (kind == proto::MetricFamily::KIND_GAUGE) return prometheus::MetricType::Gauge;
  if (kind == proto::MetricFamily::KIND_HISTOGRAM) return prometheus::MetricType::Histogram;
  return prometheus::MetricType::Counter;
}

std::vector<Family> Joined(const std::map<uint32_t, proto::MetricsPart>& parts,
                           const std::string& node) {
  std::map<std::string, Family> families;
  for (const auto& [number, part] : parts) {
    for (const proto::MetricFamily& family : part.families()) {
      Family& into = families[family.name()];
      into.name = family.name();
      into.help = family.help();
      into.type = TypeOf(family.kind());
      for (const proto::MetricSample& sample : family.samples())
        into.metric.push_back(FromProto(sample, node));
    }
  }
  std::vector<Family> all;
  for (auto& [name, family] : families) all.push_back(std::move(family));
  return all;
}

}  // namespace

std::vector<proto::MetricsPart> ToMetricsParts(const std::vector<Family>& families,
                                               uint64_t collection) {
  std::vector<proto::MetricsPart> parts(1);
  size_t bytes = 0;
  for (const Family& family : families) {
    const std::optional<proto::MetricFamily::Kind> kind = KindOf(family.type);
    if (!kind) continue;
    proto::MetricFamily* into = nullptr;
    for (const Sample& sample : family.metric) {
      proto::MetricSample wire;
      if (!ToProto(sample, *kind, wire)) continue;
      if (bytes > kPartBytes) {
        parts.emplace_back();
        bytes = 0;
        into = nullptr;
      }
      if (into == nullptr) {
        into = parts.back().add_families();
        into->set_name(family.name);
        into->set_help(family.help);
        into->set_kind(*kind);
        bytes += family.name.size() + family.help.size() + 16;
      }
      bytes += wire.ByteSizeLong() + 4;
      *into->add_samples() = std::move(wire);
    }
  }
  if (parts.size() > kMaxMetricsParts) parts.resize(kMaxMetricsParts);
  for (size_t i = 0; i < parts.size(); ++i) {
    parts[i].set_collection(collection);
    parts[i].set_part(static_cast<uint32_t>(i));
    parts[i].set_parts(static_cast<uint32_t>(parts.size()));
  }
  return parts;
}

void NodeMetrics::Take(const std::string& node, proto::MetricsPart part) {
  if (part.parts() == 0 || part.parts() > kMaxMetricsParts || part.part() >= part.parts()) return;
  absl::MutexLock lock(&mutex_);
  if (nodes_.size() >= kMaxNodes && !nodes_.contains(node)) return;
  Node& known = nodes_[node];
  if (part.collection() != known.collection) known.parts.clear();
  known.collection = part.collection();
  const uint32_t parts = part.parts();
  known.parts[part.part()] = std::move(part);
  if (known.parts.size() != parts) return;
  known.whole = Joined(known.parts, node);
  known.parts.clear();
  known.heard = clock_.Boot();
  if (known.age == nullptr)
    known.age = &metrics_.Gauge("cordon_node_metrics_age_seconds",
                                "How old the node's metrics are; without word for 20 s its other "
                                "series are gone.",
                                {{"node", node}});
}

std::vector<Family> NodeMetrics::Collect() {
  absl::MutexLock lock(&mutex_);
  std::vector<Family> all;
  const BootTime now = clock_.Boot();
  for (auto& [name, node] : nodes_) {
    if (node.age == nullptr) continue;
    node.age->Set(std::chrono::duration<double>(now - node.heard).count());
    if (now - node.heard <= kStaleAfter) all.insert(all.end(), node.whole.begin(), node.whole.end());
  }
  return all;
}

}  // namespace cordon
