// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

#include <prometheus/text_serializer.h>

namespace cordon {

prometheus::Counter& Metrics::Counter(const std::string& name, const std::string& help, const Labels& labels) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry_).Add(labels);
}

prometheus::Gauge& Metrics::Gauge(const std::string& name, const std::string& help, const Labels& labels) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry_).Add(labels);
}

prometheus::Histogram& Metrics::Latency(const std::string& name, const std::string& help, const Labels& labels) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry_).Add(
      labels, prometheus::Histogram::BucketBoundaries{0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5,
                                                      1, 2, 5, 10});
}

std::string Metrics::RenderText() const {
  // Sources first: they may set gauges of ours (how old they are).
  std::vector<prometheus::MetricFamily> others;
  for (const Source& source : sources_) {
    for (prometheus::MetricFamily& family : source()) others.push_back(std::move(family));
  }
  std::vector<prometheus::MetricFamily> all = registry_.Collect();
  std::map<std::string, size_t> known;
  for (size_t i = 0; i < all.size(); ++i) known[all[i].name] = i;
  for (prometheus::MetricFamily& family : others) {
    const auto [at, added] = known.try_emplace(family.name, all.size());
    if (added) {
      all.push_back(std::move(family));
    } else if (all[at->second].type == family.type) {
      auto& metrics = all[at->second].metric;
      metrics.insert(metrics.end(), family.metric.begin(), family.metric.end());
    }
  }
  return prometheus::TextSerializer().Serialize(all);
}

std::map<std::string, std::string> Metrics::Families() const {
  std::map<std::string, std::string> families;
  for (const auto& family : registry_.Collect()) families[family.name] = family.help;
  return families;
}

}  // namespace cordon
