// SPDX-License-Identifier: Apache-2.0
// The two ways across threads, and the ids.
#include "base/bounded_queue.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/latest.h"
#include "bench/stages/stage.h"

namespace cordon::bench {
namespace {

using std::chrono::microseconds;

void QueuePushAndPop(benchmark::State& state) {
  BoundedQueue<std::string> queue(64);
  RunStage(state, microseconds(5), [&] {
    benchmark::DoNotOptimize(queue.Push(std::string(100, 'x')));
    benchmark::DoNotOptimize(queue.Pop(Milliseconds(0)));
  });
}
BENCHMARK(QueuePushAndPop);

void LatestPutAndTake(benchmark::State& state) {
  Latest<std::shared_ptr<const int>> latest;
  const auto value = std::make_shared<const int>(7);
  RunStage(state, microseconds(5), [&] {
    latest.Put(value);
    benchmark::DoNotOptimize(latest.Take(Milliseconds(0)));
  });
}
BENCHMARK(LatestPutAndTake);

void NewId(benchmark::State& state) {
  UlidGenerator ids(SystemClock());
  RunStage(state, microseconds(5), [&] { benchmark::DoNotOptimize(ids.Next().str()); });
}
BENCHMARK(NewId);

}  // namespace
}  // namespace cordon::bench
