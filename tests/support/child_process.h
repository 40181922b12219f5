// SPDX-License-Identifier: Apache-2.0
// A process of a test's own that can be killed; reaped and, if still there, killed by the
// destructor.
#pragma once

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace cordon::testing {

// Lets time pass where the passing of time is itself the fault (a kill at a random moment); never
// to wait for something.
inline void LetPass(std::chrono::milliseconds time) {
  absl::Notification never;
  never.WaitForNotificationWithTimeout(absl::FromChrono(time));
}

class ChildProcess {
 public:
  explicit ChildProcess(std::vector<std::string> arguments) {
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  ChildProcess& operator=(ChildProcess&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }
  ~ChildProcess() {
    if (pid_ > 0) Kill();
  }

  void Signal(int signal) const { ::kill(pid_, signal); }
  void Kill() {
    Signal(SIGKILL);
    Wait();
  }
  // Exit code; 128 + signal when it was killed.
  int Wait() {
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  bool Running() const { return pid_ > 0 && ::kill(pid_, 0) == 0; }

 private:
  pid_t pid_ = -1;
};

}  // namespace cordon::testing
