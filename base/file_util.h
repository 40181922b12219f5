// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace cordon {

// Reads a whole file of at most `limit` bytes. NOT_FOUND, PERMISSION_DENIED, RESOURCE_EXHAUSTED (larger), UNKNOWN.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t limit);

// Writes PATH.tmp, fsyncs, renames over PATH and fsyncs the directory: readers see the old or the new file, whole.
absl::Status WriteFileDurably(const std::string& path, std::string_view bytes, unsigned mode = 0640);

// fsync of the folder that holds `path`, so that a new directory entry survives a power cut.
absl::Status SyncParentDirectory(const std::string& path);

// mkdir -p with mode 0750.
absl::Status MakeDirectories(const std::string& path);

}  // namespace cordon
