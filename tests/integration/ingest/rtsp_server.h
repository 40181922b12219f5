// SPDX-License-Identifier: Apache-2.0
// The demo's RTSP server (GStreamer) as a child process for tests.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace cordon::testing {

// Serves clips with deploy/demo/rtsp_camera.py on a free port of loopback. Ends with SIGTERM in the
// destructor.
class RtspServer {
 public:
  // `arguments` after the port: options and NAME=FILE. `port` 0: any free one.
  RtspServer(std::vector<std::string> arguments, const std::string& cache, int port = 0) {
    const char* source = std::getenv("CORDON_SOURCE_DIR");
    std::vector<std::string> words = {
        std::string(source != nullptr ? source : ".") + "/deploy/demo/rtsp_camera.py", "--cache",
        cache, std::to_string(port)};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::array<int, 2> pipe_ends{};
    if (pipe(pipe_ends.data()) != 0) return;
    pid_ = fork();
    if (pid_ == 0) {
      dup2(pipe_ends[1], 1);
      close(pipe_ends[0]);
      std::vector<char*> argv;
      for (std::string& word : words) argv.push_back(word.data());
      argv.push_back(nullptr);
      execvp(argv[0], argv.data());
      _exit(127);
    }
    close(pipe_ends[1]);
    FILE* lines = fdopen(pipe_ends[0], "r");
    std::array<char, 512> line{};
    while (fgets(line.data(), line.size(), lines) != nullptr) {
      std::string text(line.data());
      while (!text.empty() && text.back() == '\n') text.pop_back();
      if (text == "ready") {
        ready_ = true;
        break;
      }
      urls_.push_back(text);
    }
    fclose(lines);
  }
  ~RtspServer() { Stop(); }
  RtspServer(const RtspServer&) = delete;
  RtspServer& operator=(const RtspServer&) = delete;

  bool ready() const { return ready_; }
  const std::string& url(size_t i = 0) const { return urls_.at(i); }
  int port() const {
    const std::string& text = urls_.at(0);
    const size_t colon = text.find(':', 7);
    return std::stoi(text.substr(colon + 1));
  }
  pid_t pid() const { return pid_; }
  void Stop(int with = SIGTERM) {
    if (pid_ <= 0) return;
    kill(pid_, with);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
  bool ready_ = false;
  std::vector<std::string> urls_;
};

}  // namespace cordon::testing
