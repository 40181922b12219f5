// SPDX-License-Identifier: Apache-2.0
// The built page in a real browser: a script of console/web as a child process that says, line by
// line, where it is.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/support/test_data.h"

namespace cordon::testing {

inline std::string WebFolder() {
  const char* source = std::getenv("CORDON_SOURCE_DIR");
  return std::string(source == nullptr ? "." : source) + "/console/web";
}

class BrowserScript {
 public:
  explicit BrowserScript(const std::string& command) : pipe_(::popen(command.c_str(), "r")) {}
  BrowserScript(const BrowserScript&) = delete;
  BrowserScript& operator=(const BrowserScript&) = delete;
  ~BrowserScript() {
    if (pipe_ != nullptr) ::pclose(pipe_);
  }
  std::string Line() {
    std::string line;
    for (int c = std::fgetc(pipe_); c != EOF && c != '\n'; c = std::fgetc(pipe_))
      line += static_cast<char>(c);
    return line;
  }

 private:
  std::FILE* pipe_;
};

}  // namespace cordon::testing

// Skips where the page is not built or no browser is installed.
#define SKIP_WITHOUT_BROWSER()                                            \
  SKIP_WITHOUT(::cordon::testing::WebFolder() + "/dist/index.html");      \
  SKIP_WITHOUT(::cordon::testing::WebFolder() + "/node_modules/playwright-core"); \
  SKIP_WITHOUT("/usr/bin/chromium")
