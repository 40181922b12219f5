// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"

namespace cordon::bench {

// Runs `work` once for each iteration and reports p50, p95 and p99 in microseconds with the budget
// beside them; the label says OVER when p50 is above it.
template <class Work>
void RunStage(benchmark::State& state, std::chrono::microseconds budget, Work&& work) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> took;
  for (auto _ : state) {
    const Clock::time_point begin = Clock::now();
    work();
    took.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
  }
  if (took.empty()) return;
  std::sort(took.begin(), took.end());
  const auto at = [&](double share) {
    return took[static_cast<size_t>(share * static_cast<double>(took.size() - 1))];
  };
  state.counters["p50_us"] = at(0.50);
  state.counters["p95_us"] = at(0.95);
  state.counters["p99_us"] = at(0.99);
  state.counters["budget_us"] = static_cast<double>(budget.count());
  if (at(0.50) > static_cast<double>(budget.count())) state.SetLabel("OVER");
}

// The value, or the end of this bench with the reason.
template <class T>
std::optional<T> Need(benchmark::State& state, absl::StatusOr<T> value) {
  if (value.ok()) return *std::move(value);
  state.SkipWithError(std::string(MessageOf(value.status())).c_str());
  return std::nullopt;
}

// The demo's clip; another by CORDON_BENCH_CLIP.
inline std::string Clip() {
  const char* given = std::getenv("CORDON_BENCH_CLIP");
  return given != nullptr ? given : "/usr/share/doc/opencv-doc/examples/data/vtest.avi";
}

}  // namespace cordon::bench
