// SPDX-License-Identifier: Apache-2.0
#include "cli/supervisor.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "base/check.h"
#include "base/log.h"
#include "cli/commands.h"

namespace cordon::cli {
namespace {

constexpr Nanoseconds kFirstBackOff = Milliseconds(500);
constexpr Nanoseconds kLastBackOff = Seconds(30);
constexpr Nanoseconds kHealthyAfter = Seconds(60);
// A SIGCHLD that another thread of the process swallowed costs at most this.
constexpr Nanoseconds kLongestWait = Seconds(1);

sigset_t SupervisedSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGCHLD);
  return set;
}

// In the child between fork and exec: only async-signal-safe calls.
[[noreturn]] void BecomeChild(const char* program, char* const* arguments, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kExitFailed);  // the parent went before the line above
  // Ctrl-C in a terminal goes to the whole foreground group; the supervisor alone decides what it
  // means.
  ::setpgid(0, 0);
  const sigset_t set = SupervisedSignals();
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  ::execv(program, arguments);
  ::_exit(kExitFailed);
}

int ToPollMillis(Nanoseconds wait) {
  const auto millis = std::chrono::ceil<Milliseconds>(wait).count();
  return static_cast<int>(std::clamp<int64_t>(millis, 0, INT_MAX));
}

std::string DescribeExit(int status) {
  if (WIFSIGNALED(status))
    return fmt::format("signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)));
  return fmt::format("exit code {}", WEXITSTATUS(status));
}

}  // namespace

Supervisor::Supervisor(std::string program, std::vector<ChildSpec> children, const Clock& clock)
    : program_(std::move(program)), clock_(clock), random_(std::random_device{}()) {
  for (ChildSpec& spec : children) children_.push_back({.spec = std::move(spec)});
  const sigset_t set = SupervisedSignals();
  CORDON_CHECK(::pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0, "signals can be blocked");
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  CORDON_CHECK(signals_ >= 0, "signalfd");
}

Supervisor::~Supervisor() {
  StopAll();
  ::close(signals_);
}

absl::Status Supervisor::Run() {
  for (Child& child : children_) RETURN_IF_ERROR(Start(child));
  while (bad_input_.empty()) {
    pollfd wait{.fd = signals_, .events = POLLIN, .revents = 0};
    ::poll(&wait, 1, ToPollMillis(UntilNextStart()));
    signalfd_siginfo info;
    bool stop = false;
    while (::read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      stop = stop || info.ssi_signo == SIGINT || info.ssi_signo == SIGTERM;
    }
    if (stop) {
      StopAll();
      return absl::OkStatus();
    }
    Reap(false);
    for (Child& child : children_) {
      if (child.pid == 0 && bad_input_.empty() && clock_.Boot() >= child.start_at)
        RETURN_IF_ERROR(Start(child));
    }
  }
  StopAll();
  return absl::FailedPreconditionError(
      fmt::format("{} cannot work with what it was given; its message is above", bad_input_));
}

absl::Status Supervisor::Start(Child& child) {
  std::vector<char*> arguments{const_cast<char*>(program_.c_str())};
  for (const std::string& argument : child.spec.arguments)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return absl::ErrnoToStatus(errno, "cannot start a process");
  if (pid == 0) BecomeChild(program_.c_str(), arguments.data(), parent);
  child.pid = pid;
  child.started = clock_.Boot();
  log::Info("process started", {{"process", child.spec.name}, {"pid", pid}});
  return absl::OkStatus();
}

void Supervisor::Reap(bool stopping) {
  for (Child& child : children_) {
    int status = 0;
    if (child.pid == 0 || ::waitpid(child.pid, &status, WNOHANG) != child.pid) continue;
    child.pid = 0;
    if (stopping) continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == kExitBadInput) {
      bad_input_ = child.spec.name;
      continue;
    }
    const BootTime now = clock_.Boot();
    child.failures = now - child.started >= kHealthyAfter ? 1 : child.failures + 1;
    const Nanoseconds wait = BackOff(child.failures);
    child.start_at = now + wait;
    log::Error("process ended; it will be started again",
               {{"process", child.spec.name},
                {"cause", DescribeExit(status)},
                {"in_ms", std::chrono::duration_cast<Milliseconds>(wait).count()}});
  }
}

void Supervisor::StopAll() {
  for (const Child& child : children_) {
    if (child.pid != 0) ::kill(child.pid, SIGTERM);
  }
  const BootTime deadline = clock_.Boot() + kStopDeadline;
  Reap(true);  // the SIGCHLD of one that ended already may have been read together with the stop
  while (AnyRunning() && clock_.Boot() < deadline) {
    pollfd wait{.fd = signals_, .events = POLLIN, .revents = 0};
    ::poll(&wait, 1, ToPollMillis(std::min(deadline - clock_.Boot(), kLongestWait)));
    signalfd_siginfo info;
    while (::read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) continue;
    Reap(true);
  }
  for (Child& child : children_) {
    if (child.pid == 0) continue;
    log::Error("process did not end in time and is killed", {{"process", child.spec.name}});
    ::kill(child.pid, SIGKILL);
    ::waitpid(child.pid, nullptr, 0);
    child.pid = 0;
  }
}

Nanoseconds Supervisor::UntilNextStart() const {
  Nanoseconds least = kLongestWait;
  for (const Child& child : children_) {
    if (child.pid == 0) least = std::min(least, child.start_at - clock_.Boot());
  }
  return std::max(least, Nanoseconds(0));
}

// Doubles from kFirstBackOff to kLastBackOff; 25 % jitter keeps children that died together from
// returning together.
Nanoseconds Supervisor::BackOff(int failures) {
  const Nanoseconds base =
      std::min(kLastBackOff, kFirstBackOff * (int64_t{1} << std::clamp(failures - 1, 0, 10)));
  return Nanoseconds(base.count() +
                     std::uniform_int_distribution<int64_t>(0, base.count() / 4)(random_));
}

bool Supervisor::AnyRunning() const {
  return std::any_of(children_.begin(), children_.end(),
                     [](const Child& child) { return child.pid != 0; });
}

std::string ThisProgram() {
  char path[PATH_MAX];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  CORDON_CHECK(size > 0, "/proc/self/exe can be read");
  return std::string(path, static_cast<size_t>(size));
}

}  // namespace cordon::cli
