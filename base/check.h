// SPDX-License-Identifier: Apache-2.0
// CORDON_CHECK: an invariant whose failure is a bug in Cordon. On in release. Never for bad input.
#pragma once

#include <string_view>

namespace cordon {

// Logs "file:line: CHECK failed: condition: message" at critical level, flushes the log and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              std::string_view message);

}  // namespace cordon

#define CORDON_CHECK(condition, message)                                     \
  do {                                                                       \
    if (!(condition)) [[unlikely]]                                           \
      ::cordon::CheckFailed(__FILE__, __LINE__, #condition, (message));      \
  } while (false)
