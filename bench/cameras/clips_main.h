// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <string>

#include "base/status.h"

namespace cordon {

// The main of a program that reports on each clip it is given, until one cannot be read.
inline int ReportOnClips(int argc, char** argv, const char* program,
                         absl::Status (*report)(const std::string& path)) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CLIP...\n", program);
    return 2;
  }
  for (int i = 1; i < argc; ++i) {
    if (const absl::Status status = report(argv[i]); !status.ok()) {
      std::fprintf(stderr, "%s\n", status.ToString().c_str());
      return 2;
    }
  }
  return 0;
}

}  // namespace cordon
