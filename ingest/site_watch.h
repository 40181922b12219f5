// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "proto/event.pb.h"

namespace cordon {

// Folds the losses of many cameras at once into one event: when a switch or a line fails, operators
// need one alert and not two hundred. Losses wait for 3 s; when then at least 3 cameras and 60 % of
// all are lost, one "site lost" takes their place, and one "site restored" the place of their
// returns, when less than 20 % are lost. Everything else passes through, and
// so does a loss where there are fewer than 3 cameras. Not thread-safe: belongs
// to the loop that ticks the cameras.
class SiteWatch {
 public:
  SiteWatch(size_t cameras, const Clock& clock) : cameras_(cameras), clock_(clock) {}
  // The events of this turn, in order; call on each turn, with or without new ones.
  std::vector<proto::Event> Pass(std::vector<proto::Event> events);
  bool site_lost() const { return site_lost_; }

 private:
  struct Waiting {
    BootTime since;
    proto::Event event;
  };
  void Take(proto::Event event, std::vector<proto::Event>& out);
  proto::Event Folded(proto::EventKind kind, const std::string& detail,
                      const proto::Event& like) const;

  const size_t cameras_;
  const Clock& clock_;
  std::set<std::string> lost_;    // cameras without video now
  std::set<std::string> folded_;  // of them, those that no event of their own told of
  std::vector<Waiting> waiting_;
  bool site_lost_ = false;
};

}  // namespace cordon
