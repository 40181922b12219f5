// SPDX-License-Identifier: Apache-2.0
#include "analytics/detector_pool.h"

#include <algorithm>
#include <utility>

#include "absl/synchronization/mutex.h"

namespace cordon {

struct DetectorPool::Job {
  Tensor input;
  BootTime deadline;
  absl::Mutex mutex;
  bool done ABSL_GUARDED_BY(mutex) = false;
  absl::StatusOr<PoolAnswer> answer ABSL_GUARDED_BY(mutex) = absl::UnknownError("not run");

  void Finish(absl::StatusOr<PoolAnswer> result) {
    absl::MutexLock lock(&mutex);
    answer = std::move(result);
    done = true;
  }
};

DetectorPool::DetectorPool(std::unique_ptr<DnnEngine> engine, const std::string& model_name,
                           const DetectorPoolOptions& options, Metrics& metrics, const Clock& clock)
    : options_(options),
      clock_(clock),
      runs_(metrics.Counter("cordon_detector_runs_total", "Runs of a detection network.",
                            {{"model", model_name}, {"engine", engine->name()}})),
      inputs_(metrics.Counter("cordon_detector_inputs_total",
                              "Frames given to a detection network; more than its runs: batches.",
                              {{"model", model_name}, {"engine", engine->name()}})),
      refused_full_(metrics.Counter("cordon_detector_refused_total",
                                    "Frames that a detection network did not look at, by reason.",
                                    {{"model", model_name}, {"reason", "queue_full"}})),
      refused_late_(metrics.Counter("cordon_detector_refused_total",
                                    "Frames that a detection network did not look at, by reason.",
                                    {{"model", model_name}, {"reason", "too_late"}})),
      run_seconds_(metrics.Latency("cordon_detector_run_seconds", "One run of a detection network.",
                                   {{"model", model_name}, {"engine", engine->name()}})),
      queue_(options.queue),
      engine_(std::move(engine)),
      worker_([this] { Work(); }) {}

DetectorPool::~DetectorPool() {
  queue_.Close();
  worker_.join();
}

absl::StatusOr<PoolAnswer> DetectorPool::Run(Tensor input) {
  auto job = std::make_shared<Job>();
  job->input = std::move(input);
  job->deadline = clock_.Boot() + options_.patience;
  if (queue_.Push(job) != PushResult::kPushed) {
    refused_full_.Increment();
    return absl::ResourceExhaustedError(
        "the detector's queue is full; this frame was not looked at");
  }
  absl::MutexLock lock(&job->mutex);
  if (!job->mutex.AwaitWithTimeout(absl::Condition(&job->done),
                                   absl::FromChrono(options_.patience))) {
    refused_late_.Increment();
    return absl::ResourceExhaustedError(fmt::format(
        "the detector had no time for this frame within {} ms", options_.patience.count()));
  }
  return job->answer;
}

void DetectorPool::Work() {
  SetThreadName("detector");
  constexpr Milliseconds kWakeUp{200};
  while (!queue_.closed() || queue_.size() > 0) {
    std::vector<JobPtr> jobs = queue_.PopSome(options_.most_batch, kWakeUp);
    // Nobody waits for these any more; their callers have counted them.
    std::erase_if(jobs, [this](const JobPtr& job) { return clock_.Boot() > job->deadline; });
    for (const std::vector<JobPtr>& group : Group(std::move(jobs))) RunTogether(group);
  }
}

std::vector<std::vector<DetectorPool::JobPtr>> DetectorPool::Group(std::vector<JobPtr> jobs) const {
  std::vector<std::vector<JobPtr>> groups;
  for (JobPtr& job : jobs) {
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const std::vector<JobPtr>& g) {
      return options_.batchable && g.front()->input.shape == job->input.shape;
    });
    if (same == groups.end()) {
      groups.push_back({std::move(job)});
    } else {
      same->push_back(std::move(job));
    }
  }
  return groups;
}

void DetectorPool::RunTogether(const std::vector<JobPtr>& jobs) {
  const StageTimer timer(clock_, run_seconds_);
  runs_.Increment();
  inputs_.Increment(static_cast<double>(jobs.size()));
  Tensor joined;
  if (jobs.size() > 1) {
    joined.shape = jobs.front()->input.shape;
    joined.shape[0] = static_cast<int>(jobs.size());
    for (const JobPtr& job : jobs) {
      joined.values.insert(joined.values.end(), job->input.values.begin(), job->input.values.end());
    }
  }
  auto outputs = engine_->Run(jobs.size() > 1 ? joined : jobs.front()->input);
  if (!outputs.ok()) {
    for (const JobPtr& job : jobs) job->Finish(outputs.status());
    return;
  }
  const auto shared = std::make_shared<const std::vector<Tensor>>(*std::move(outputs));
  for (size_t i = 0; i < jobs.size(); ++i) {
    jobs[i]->Finish(PoolAnswer{shared, static_cast<int>(i), static_cast<int>(jobs.size())});
  }
}

}  // namespace cordon
