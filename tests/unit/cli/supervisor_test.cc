// SPDX-License-Identifier: Apache-2.0
#include "cli/supervisor.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <fstream>
#include <thread>

#include "cli/commands.h"
#include "tests/support/test_data.h"

namespace cordon::cli {
namespace {

ChildSpec Shell(const std::string& name, const std::string& script) {
  return {name, {"-c", script}};
}

int Lines(const std::string& path) {
  std::ifstream file(path);
  int lines = 0;
  for (std::string line; std::getline(file, line);) ++lines;
  return lines;
}

// Waits until the file has so many lines or 20 s are over; a FIFO-free way to see what children do.
bool AwaitLines(const std::string& path, int lines) {
  const BootTime deadline = SystemClock().Boot() + Seconds(20);
  while (Lines(path) < lines) {
    if (SystemClock().Boot() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST(Supervisor, StopsEverythingWhenAChildWasGivenBadInput) {
  testing::TemporaryFolder folder;
  const std::string log = folder.File("log");
  Supervisor supervisor(
      "/bin/sh",
      {Shell("good", "trap 'echo term >> " + log + "; exit 0' TERM; echo up >> " + log +
                         "; while :; do sleep 0.05; done"),
       Shell("bad", "while ! grep -q up " + log + "; do sleep 0.02; done; exit 2")},
      SystemClock());
  const absl::Status status = supervisor.Run();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(std::string(status.message()).find("bad"), std::string::npos) << status;
  EXPECT_EQ(Lines(log), 2) << "the good child saw SIGTERM";
}

TEST(Supervisor, StartsAgainWhatDiedAndEndsWithSigterm) {
  testing::TemporaryFolder folder;
  const std::string log = folder.File("log");
  Supervisor supervisor("/bin/sh", {Shell("dies", "echo up >> " + log + "; kill -9 $$")},
                        SystemClock());
  const pthread_t running = ::pthread_self();
  std::thread stopper([&] {
    EXPECT_TRUE(AwaitLines(log, 3)) << "two restarts within the back-off";
    ::pthread_kill(running, SIGTERM);
  });
  EXPECT_TRUE(supervisor.Run().ok());
  stopper.join();
}

TEST(Supervisor, KillsNoChildThatEndsByItself) {
  testing::TemporaryFolder folder;
  const std::string log = folder.File("log");
  {
    Supervisor supervisor(
        "/bin/sh",
        {Shell("slow", "trap 'sleep 0.3; echo clean >> " + log + "; exit 0' TERM; echo up >> " +
                           log + "; while :; do sleep 0.05; done")},
        SystemClock());
    const pthread_t running = ::pthread_self();
    std::thread stopper([&] {
      EXPECT_TRUE(AwaitLines(log, 1));
      ::pthread_kill(running, SIGTERM);
    });
    EXPECT_TRUE(supervisor.Run().ok());
    stopper.join();
  }
  EXPECT_EQ(Lines(log), 2) << "it had the time to end cleanly";
}

}  // namespace
}  // namespace cordon::cli
