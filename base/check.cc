// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"

#include <cstdlib>

#include "base/log.h"

namespace cordon {

void CheckFailed(const char* file, int line, const char* condition, std::string_view message) {
  log::Critical("a CHECK failed; this is a bug in Cordon",
                {{"at", fmt::format("{}:{}", file, line)}, {"condition", condition}, {"why", message}});
  log::Flush();
  std::abort();
}

}  // namespace cordon
