// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

#include <gtest/gtest.h>

namespace cordon {
namespace {

TEST(Metrics, SameNameAndLabelsAreTheSameMetric) {
  Metrics metrics;
  metrics.Counter("cordon_test_total", "A test.", {{"camera", "gate"}}).Increment();
  metrics.Counter("cordon_test_total", "A test.", {{"camera", "gate"}}).Increment();
  metrics.Counter("cordon_test_total", "A test.", {{"camera", "yard"}}).Increment(5);
  const std::string text = metrics.RenderText();
  EXPECT_NE(text.find("cordon_test_total{camera=\"gate\"} 2"), std::string::npos) << text;
  EXPECT_NE(text.find("cordon_test_total{camera=\"yard\"} 5"), std::string::npos) << text;
}

TEST(Metrics, ListsItsFamilies) {
  Metrics metrics;
  metrics.Gauge("cordon_b_bytes", "B.").Set(1);
  metrics.Latency("cordon_a_seconds", "A.");
  EXPECT_EQ(metrics.Families(), (std::map<std::string, std::string>{{"cordon_a_seconds", "A."},
                                                                    {"cordon_b_bytes", "B."}}));
}

TEST(StageTimer, ObservesTheTimeOfItsScope) {
  Metrics metrics;
  SimulatedClock clock;
  auto& latency = metrics.Latency("cordon_stage_seconds", "A stage.");
  {
    const StageTimer timer(clock, latency);
    clock.Advance(Milliseconds(30));
  }
  const std::string text = metrics.RenderText();
  EXPECT_NE(text.find("cordon_stage_seconds_count 1"), std::string::npos) << text;
  EXPECT_NE(text.find("cordon_stage_seconds_sum 0.03"), std::string::npos) << text;
}

}  // namespace
}  // namespace cordon
