// SPDX-License-Identifier: Apache-2.0
// Line crossings and zone entries computed from tracks alone, apart from the product's rules, and
// how well events agree.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "proto/config.pb.h"
#include "proto/event.pb.h"
#include "tests/accuracy/mot_file.h"

namespace cordon::accuracy {

// Where an object stood: middle of the box's lower edge, relative to the picture.
struct PathStep {
  double seconds = 0;
  double x = 0;
  double y = 0;
  double height = 0;  // of the box, relative
};
using Paths = std::map<int64_t, std::vector<PathStep>>;

struct Size {
  int width = 0;
  int height = 0;
};

// `seconds_of(frame)` as a table: frame number -> media seconds; frames it lacks are left out.
Paths PathsOf(const MotFrames& tracks, const std::map<int, double>& seconds, Size source);

// Lines and zones where people walk: each through a random point of a random path, kept when at
// least `least` true events happen on it. The same seed gives the same rules on every machine.
std::vector<proto::RuleConfig> RandomRules(const Paths& paths, Size source, unsigned seed,
                                           int lines, int zones, int least);

struct TimedEvent {
  std::string rule_id;
  int direction = 0;  // lines: +1 left to right, -1 right to left
  double seconds = 0;
};

// A crossing counts when the foot is clear of the line by a tenth of the object's height; an entry
// when the foot stays inside for the rule's dwell and had been clear of the zone before.
std::vector<TimedEvent> TrueEvents(const proto::RuleConfig& rule, const Paths& paths, Size source);

// The product's events of line and zone rules.
std::vector<TimedEvent> FromEvents(const std::vector<proto::Event>& events);

struct EventScore {
  int truth = 0;
  int ours = 0;
  int matched = 0;
  double precision() const { return ours > 0 ? static_cast<double>(matched) / ours : 1; }
  double recall() const { return truth > 0 ? static_cast<double>(matched) / truth : 1; }
  double f1() const { return truth + ours > 0 ? 2.0 * matched / (truth + ours) : 1; }
  // Relative difference of the counts.
  double count_error() const {
    return truth > 0 ? static_cast<double>(ours > truth ? ours - truth : truth - ours) / truth : 0;
  }
};

// One to one, same rule and direction, at most `tolerance_s` apart, nearest first.
EventScore Compare(const std::vector<TimedEvent>& truth, const std::vector<TimedEvent>& ours,
                   double tolerance_s);

}  // namespace cordon::accuracy
