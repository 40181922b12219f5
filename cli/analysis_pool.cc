// SPDX-License-Identifier: Apache-2.0
#include "cli/analysis_pool.h"

#include <algorithm>

#include "base/check.h"

namespace cordon::cli {
namespace {

// Two frames hide an analyser's jitter; each holds a full-size picture.
constexpr size_t kFramesWaiting = 2;

}  // namespace

struct AnalysisPool::Worker {
  bool HasNews() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    return stopping || frames_waiting > 0;
  }

  absl::Mutex mutex;
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  size_t frames_waiting ABSL_GUARDED_BY(mutex) = 0;
  std::vector<Mailbox*> mailboxes;  // fixed before the thread starts
  std::thread thread;
};

class AnalysisPool::Mailbox final : public FrameSink {
 public:
  Mailbox(Worker& worker, size_t index, std::unique_ptr<CameraAnalyzer> analyzer)
      : worker_(worker), index_(index), analyzer_(std::move(analyzer)) {}

  bool HasRoom() const override {
    absl::MutexLock lock(&worker_.mutex);
    return frames_.size() < kFramesWaiting;
  }

  void Put(FramePtr frame) override {
    absl::MutexLock lock(&worker_.mutex);
    if (worker_.stopping) return;
    if (frames_.size() >= kFramesWaiting) {
      frames_.pop_front();
      ++displaced_;
    } else {
      ++worker_.frames_waiting;
    }
    frames_.push_back(std::move(frame));
  }

  uint64_t displaced() const {
    absl::MutexLock lock(&worker_.mutex);
    return displaced_;
  }
  size_t index() const { return index_; }
  CameraAnalyzer& analyzer() { return *analyzer_; }

  // Under the worker's lock.
  bool empty() const { return frames_.empty(); }
  BootTime oldest() const { return frames_.front()->times.received; }
  FramePtr Pop() {
    FramePtr frame = std::move(frames_.front());
    frames_.pop_front();
    return frame;
  }

 private:
  Worker& worker_;
  const size_t index_;
  const std::unique_ptr<CameraAnalyzer> analyzer_;  // only on the worker's thread
  std::deque<FramePtr> frames_;                     // guarded by worker_.mutex, as the count
  uint64_t displaced_ = 0;
};

AnalysisPool::AnalysisPool(int threads, const Clock& clock, OnAnalysis on_analysis)
    : clock_(clock), on_analysis_(std::move(on_analysis)) {
  CORDON_CHECK(threads > 0, "analysis needs a thread");
  for (int i = 0; i < threads; ++i) workers_.push_back(std::make_unique<Worker>());
}

AnalysisPool::~AnalysisPool() { Stop(); }

void AnalysisPool::Stop() {
  for (const auto& worker : workers_) {
    absl::MutexLock lock(&worker->mutex);
    worker->stopping = true;
  }
  for (const auto& worker : workers_) {
    if (worker->thread.joinable()) worker->thread.join();
  }
}

FrameSink& AnalysisPool::Add(std::unique_ptr<CameraAnalyzer> analyzer) {
  Worker& worker = *workers_[mailboxes_.size() % workers_.size()];
  CORDON_CHECK(!worker.thread.joinable(), "Add comes before Start");
  mailboxes_.push_back(std::make_unique<Mailbox>(worker, mailboxes_.size(), std::move(analyzer)));
  worker.mailboxes.push_back(mailboxes_.back().get());
  return *mailboxes_.back();
}

void AnalysisPool::Start() {
  for (size_t i = 0; i < workers_.size(); ++i)
    workers_[i]->thread = std::thread([this, i] { Loop(*workers_[i], static_cast<int>(i)); });
}

uint64_t AnalysisPool::displaced(size_t index) const { return mailboxes_[index]->displaced(); }

void AnalysisPool::Loop(Worker& worker, int number) {
  SetThreadName(fmt::format("analysis-{}", number).c_str());
  while (true) {
    Mailbox* next = nullptr;
    FramePtr frame;
    {
      absl::MutexLock lock(&worker.mutex);
      worker.mutex.Await(absl::Condition(&worker, &Worker::HasNews));
      if (worker.stopping) return;
      for (Mailbox* mailbox : worker.mailboxes) {
        if (!mailbox->empty() && (next == nullptr || mailbox->oldest() < next->oldest()))
          next = mailbox;
      }
      frame = next->Pop();
      --worker.frames_waiting;
    }
    on_analysis_(next->index(), frame, next->analyzer().Analyze(*frame));
  }
}

}  // namespace cordon::cli
