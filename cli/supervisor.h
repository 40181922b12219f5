// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace cordon::cli {

// One process to keep alive. `arguments` follow this program's own path; no shell is involved.
struct ChildSpec {
  std::string name;
  std::vector<std::string> arguments;
};

// Starts processes of this very program, restarts those that end (exponential back-off with jitter,
// 0.5 s to 30 s, reset after a minute of life) and ends them all together. A child dies with its
// parent (PR_SET_PDEATHSIG), whatever kills that. A child that exits with code 2 was given bad
// input and would be again: everything stops and Run says so.
//
// Used by one thread, the one that calls Run; it blocks SIGINT, SIGTERM and SIGCHLD in that thread
// for its own use, so make it before any other thread. Does not watch whether a child makes
// progress: a silent node is the dispatcher's alarm.
class Supervisor {
 public:
  Supervisor(std::string program, std::vector<ChildSpec> children, const Clock& clock);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  ~Supervisor();

  // Until SIGINT or SIGTERM arrives, or a child exits with code 2 (FAILED_PRECONDITION). Children
  // then get SIGTERM, and SIGKILL after kStopDeadline.
  absl::Status Run();

  static constexpr Seconds kStopDeadline{10};

 private:
  struct Child {
    ChildSpec spec;
    pid_t pid = 0;  // 0: not running
    BootTime started{};
    BootTime start_at{};  // when not running
    int failures = 0;     // in a row, for the back-off
  };

  absl::Status Start(Child& child);
  void Reap(bool stopping);
  void StopAll();
  Nanoseconds UntilNextStart() const;
  Nanoseconds BackOff(int failures);
  bool AnyRunning() const;

  const std::string program_;
  const Clock& clock_;
  std::vector<Child> children_;
  std::string bad_input_;  // name of the child that exited with code 2
  std::mt19937 random_;
  int signals_ = -1;
};

// Path of the running program.
std::string ThisProgram();

}  // namespace cordon::cli
