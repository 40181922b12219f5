// SPDX-License-Identifier: Apache-2.0
// The offline checker of the alert lane: what the producers say they tried and raised against what
// the dispatcher holds.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"

namespace cordon::testing {

struct LaneHistory {
  std::set<std::string> tried;       // handed to the outbox
  std::set<std::string> raised;      // the outbox said: durable
  std::vector<std::string> effects;  // in the dispatcher's order
  uint64_t last_sequence = 0;        // of the producer's outbox
  uint64_t durable_sequence = 0;     // the dispatcher's cursor
};

// One sentence for each broken promise, at most 20; empty: all kept. Call after quiescence.
inline std::vector<std::string> BrokenPromises(const LaneHistory& history) {
  constexpr size_t kEnough = 20;
  std::vector<std::string> broken;
  const auto say = [&](std::string sentence) {
    if (broken.size() < kEnough) broken.push_back(std::move(sentence));
  };
  std::map<std::string, int> count;
  for (const std::string& id : history.effects) ++count[id];
  for (const std::string& id : history.raised)
    if (!count.contains(id))
      say(fmt::format("lost: {} was durable and is not at the dispatcher", id));
  for (const auto& [id, times] : count) {
    if (times > 1) say(fmt::format("twice: {} had its effect {} times", id, times));
    if (!history.tried.contains(id)) say(fmt::format("invented: nobody raised {}", id));
  }
  if (history.durable_sequence != history.last_sequence)
    say(fmt::format("cursor: {} at the dispatcher, {} at the producer", history.durable_sequence,
                    history.last_sequence));
  return broken;
}

}  // namespace cordon::testing
