// SPDX-License-Identifier: Apache-2.0
// What was seen by eye in real clips (labels/), and what of it the events found.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "proto/config.pb.h"
#include "proto/event.pb.h"
#include "tests/accuracy/report.h"

namespace cordon::accuracy {

// Somebody or something is in the picture, seconds from the clip's first picture.
struct Visit {
  double from = 0;
  double to = 0;
  std::string object;
  bool counts = true;
};

// A line, and when a foot or the hindmost wheels went over it.
struct LabelledLine {
  std::vector<std::string> points;  // as a rule's
  std::vector<double> passages;     // seconds, rising
  std::vector<double> uncounted;    // passages that are neither asked for nor wrong
};

struct Labels {
  std::string clip;
  std::vector<Visit> visits;
  std::vector<LabelledLine> lines;
};

// Those whose clips are there, ordered by file name.
std::vector<Labels> AllLabels(const Data& data);

// An intrusion rule for persons and vehicles over the whole picture where there are visits, and a
// rule for each line.
proto::CameraConfig LabelledCamera(const Labels& labels);

struct Found {
  int visits = 0;
  int visits_found = 0;
  int passages = 0;
  int passages_found = 0;
  int alarms = 0;
  int false_alarms = 0;
};
// `start`: media time of the first picture, seconds. A visit is found by an event that began in it,
// a passage by an event of its line for itself; an event that belongs to nothing is a false alarm.
Found Judge(const Labels& labels, const std::vector<proto::Event>& events, double start);

}  // namespace cordon::accuracy
