// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "analytics/dnn_engine.h"
#include "base/bounded_queue.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"

namespace cordon {

struct DetectorPoolOptions {
  size_t queue = 32;       // waiting inputs of all cameras; one more is refused
  size_t most_batch = 4;   // inputs of one size that run together
  bool batchable = false;  // the network takes more than one picture at a time
  Milliseconds patience{
      2000};  // how long an input may wait for its answer before its frame is no longer worth it
};

// What a run of the network gave, and which picture of it was ours.
struct PoolAnswer {
  std::shared_ptr<const std::vector<Tensor>> outputs;
  int item = 0;
  int batch = 1;
};

// One network for all cameras: Run() may be called by any thread; the worker thread "detector"
// alone touches the engine. Inputs of equal size that wait at the same time run as one batch.
// Overload is refused at once, never queued without bound, and counted
// (cordon_detector_refused_total by reason). Callers must have returned before it is destroyed.
class DetectorPool {
 public:
  DetectorPool(std::unique_ptr<DnnEngine> engine, const std::string& model_name,
               const DetectorPoolOptions& options, Metrics& metrics, const Clock& clock);
  ~DetectorPool();
  DetectorPool(const DetectorPool&) = delete;
  DetectorPool& operator=(const DetectorPool&) = delete;

  // Blocks until the answer is there, at most `patience`. RESOURCE_EXHAUSTED: the queue is full, or
  // the time is up. Otherwise as DnnEngine::Run.
  absl::StatusOr<PoolAnswer> Run(Tensor input);

  // Inputs that wait for the worker now.
  size_t waiting() const { return queue_.size(); }

 private:
  struct Job;
  using JobPtr = std::shared_ptr<Job>;

  void Work();
  void RunTogether(const std::vector<JobPtr>& jobs);
  std::vector<std::vector<JobPtr>> Group(std::vector<JobPtr> jobs) const;

  const DetectorPoolOptions options_;
  const Clock& clock_;
  prometheus::Counter& runs_;
  prometheus::Counter& inputs_;
  prometheus::Counter& refused_full_;
  prometheus::Counter& refused_late_;
  prometheus::Histogram& run_seconds_;
  BoundedQueue<JobPtr> queue_;
  std::unique_ptr<DnnEngine> engine_;  // only in the worker
  std::thread worker_;
};

}  // namespace cordon
