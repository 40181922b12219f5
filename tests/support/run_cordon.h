// SPDX-License-Identifier: Apache-2.0
// A subcommand of the program as a person runs it.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace cordon::testing {

struct Ran {
  int exit_code = -1;
  std::string out;  // both streams
};

inline Ran RunCordon(const std::string& arguments) {
  Ran ran;
  const std::string command = std::string(std::getenv("CORDON_BINARY")) + " " + arguments + " 2>&1";
  FILE* pipe = ::popen(command.c_str(), "r");
  char piece[4096];
  for (size_t n = 0; (n = std::fread(piece, 1, sizeof piece, pipe)) > 0;) ran.out.append(piece, n);
  ran.exit_code = WEXITSTATUS(::pclose(pipe));
  return ran;
}

}  // namespace cordon::testing
