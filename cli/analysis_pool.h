// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "analytics/camera_analyzer.h"
#include "base/clock.h"
#include "ingest/frame_sink.h"

namespace cordon::cli {

// The analysers of a node's cameras on a few threads ("analysis-0"...). Each camera belongs to one
// thread for good, so that its analyser has one owner; a thread takes its cameras in turn, the one
// that waited longest first, so that a busy camera cannot starve a quiet one. Life: Add for every
// camera, Start, Stop (joins; frames that wait are dropped, later ones are not taken), destruction.
class AnalysisPool {
 public:
  // Called on the camera's analysis thread after each frame; `index` is the camera's, in the order
  // of Add.
  using OnAnalysis = std::function<void(size_t index, const FramePtr& frame, Analysis analysis)>;

  AnalysisPool(int threads, const Clock& clock, OnAnalysis on_analysis);
  ~AnalysisPool();
  AnalysisPool(const AnalysisPool&) = delete;
  AnalysisPool& operator=(const AnalysisPool&) = delete;

  // Where the camera's frames go; lives as long as the pool. A full sink displaces its oldest frame
  // and counts it.
  FrameSink& Add(std::unique_ptr<CameraAnalyzer> analyzer);
  void Start();
  void Stop();
  uint64_t displaced(size_t index) const;
  size_t cameras() const { return mailboxes_.size(); }

 private:
  struct Worker;
  class Mailbox;
  void Loop(Worker& worker, int number);

  const Clock& clock_;
  const OnAnalysis on_analysis_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<Mailbox>> mailboxes_;  // by camera index
};

}  // namespace cordon::cli
