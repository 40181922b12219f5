// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace cordon {

// A folder held open by descriptor: its files are reached by name beneath it and nowhere else, even
// when the path to it is exchanged meanwhile. A name is one component: no '/', not "." or "..". No
// symbolic link is followed (openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS; on a kernel
// without it openat with O_NOFOLLOW, which for one component is the same). Thread-safe.
class Folder {
 public:
  // Makes the folder when it is missing. Errors of MakeDirectories.
  static absl::StatusOr<Folder> Open(const std::string& path);
  Folder(Folder&& other) noexcept;
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();

  // A descriptor that the caller closes. INVALID_ARGUMENT: not a plain name; NOT_FOUND and others
  // by errno.
  absl::StatusOr<int> OpenFile(std::string_view name, int flags, unsigned mode = 0640) const;
  // Durable: the folder is synced.
  absl::Status Rename(std::string_view from, std::string_view to) const;
  // OK also when it is not there.
  absl::Status Remove(std::string_view name) const;
  const std::string& path() const { return path_; }

 private:
  Folder(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_ = -1;
};

}  // namespace cordon
