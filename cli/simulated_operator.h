// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "cli/console_client.h"

namespace cordon::cli {

// The person at the console of a demo or a soak, so that incidents live and end as in a control
// room: takes up a new incident after some seconds, sends the unit that can be there first, and
// closes it when that unit is done. Keeps its hands off what another person took up first. Used by
// one thread.
class SimulatedOperator {
 public:
  static constexpr const char* kName = "simulated";

  SimulatedOperator(ConsoleClient& console, uint64_t seed) : console_(console), random_(seed) {}

  // One second's work; `incidents` are the open ones of /api/incidents. Errors of the connection
  // only: a refusal (somebody else was faster) is the server's right.
  absl::Status Work(const nlohmann::json& incidents);

 private:
  struct Case {
    int wait_s = 0;       // until the next deed
    bool taken = false;   // acknowledged by this operator
    bool sent = false;    // a unit was assigned
  };
  absl::Status Decide(const nlohmann::json& incident, Case& mine);
  // The first in the ranking of the newest alert's circles; empty: nobody can come.
  absl::StatusOr<std::string> FirstUnit(const std::string& incident);
  absl::Status Act(const std::string& incident, const std::string& verb, nlohmann::json body);
  int Seconds(int least, int most);

  ConsoleClient& console_;
  std::mt19937_64 random_;
  std::map<std::string, Case> cases_;  // by incident
};

}  // namespace cordon::cli
