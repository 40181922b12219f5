// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "proto/circles.pb.h"
#include "proto/incident.pb.h"

namespace cordon {

// Watches units on their way: is the promise kept? Compares each refresh of an incident's ETAs with
// the first one after the assignment. Proposes, never acts. Used by one thread.
class EtaWatch {
 public:
  // No progress for this long is worth a word ...
  static constexpr Seconds kNoProgress{30};
  // ... and so is an arrival that will be this many times later than promised.
  static constexpr double kMuchLater = 1.5;
  // Late by less than this is noise whatever the ratio.
  static constexpr Seconds kLeastDelay{30};

  // `circles` are fresh ETAs of all units to `incident`. Answers with what is newly wrong, each
  // once.
  std::vector<proto::Notice> Look(const proto::Incident& incident,
                                  const proto::ResponseCircles& circles, BootTime now);
  void Forget(const std::string& incident_id);

 private:
  struct Watched {
    BootTime assigned{};
    Milliseconds promised{};  // ETA at the first look
    Milliseconds least{};     // smallest ETA seen
    BootTime least_at{};
    bool told_still = false;
    bool told_late = false;
  };
  std::map<std::pair<std::string, std::string>, Watched> watched_;  // by incident, unit
};

}  // namespace cordon
