// SPDX-License-Identifier: Apache-2.0
// A clip through the product's analysis, and what came out of it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "analytics/camera_analyzer.h"
#include "base/status.h"
#include "ingest/frame.h"
#include "tests/accuracy/mot_file.h"

namespace cordon::accuracy {

struct ClipRun {
  std::string clip;
  proto::CameraConfig camera;          // rules, analysis width and rate; rate 0: every picture
  std::shared_ptr<Detector> detector;  // null: built-in
  std::shared_ptr<const RegionClassifier> classifier;  // null: by shape alone
  // Changes a frame before it is analysed (staged light, noise, tamper); null: nothing. A null
  // answer drops the frame.
  std::function<FramePtr(const FramePtr&)> stage;
  int passes = 1;  // the clip again and again, its time going on: longer scenes
};

struct ClipResult {
  MotFrames tracks;                         // boxes shown, in pixels of the source, by frame number
  std::map<int, double> seconds;            // media time of each analysed frame
  std::map<uint64_t, std::string> classes;  // of each track, the last
  std::vector<proto::Event> events;
  int frames = 0;
  double media_seconds = 0;
  double analysis_cpu_seconds = 0;  // of the calling thread; a network's threads are not in it
  double analysis_seconds = 0;      // by the wall
  int source_width = 0;
  int source_height = 0;
};

// Processor time of the calling thread so far.
double ThreadCpuSeconds();

absl::StatusOr<ClipResult> RunClip(const ClipRun& run);

// Tracks of persons; without `only` all but vehicles, as the built-in path also knows "other".
MotFrames Persons(const ClipResult& result, bool only);

// A camera with this name, every picture analysed at width 480, and no rules.
proto::CameraConfig PlainCamera(const std::string& id);

// Detections of a MOTChallenge file as a Detector: what a model found, without running it. Frame n
// answers row n.
std::shared_ptr<Detector> DetectionsFromFile(MotFrames detections, float confident_score,
                                             const std::string& name);

}  // namespace cordon::accuracy
