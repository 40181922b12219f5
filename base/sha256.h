// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace cordon {

// 64 lower-case hex digits.
std::string Sha256Hex(std::string_view bytes);

// Of a whole file of any size, read in pieces. NOT_FOUND when it cannot be opened, DATA_LOSS when
// reading fails.
absl::StatusOr<std::string> Sha256HexOfFile(const std::string& path);

}  // namespace cordon
