// SPDX-License-Identifier: Apache-2.0
#include "base/folder.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/file_util.h"

namespace cordon {
namespace {

absl::Status ErrnoStatus(std::string_view what, const std::string& folder, std::string_view name) {
  return absl::ErrnoToStatus(errno, fmt::format("cannot {} {}/{}", what, folder, name));
}

absl::Status CheckName(std::string_view name) {
  const bool plain = !name.empty() && name != "." && name != ".." &&
                     name.find('/') == std::string_view::npos &&
                     name.find('\0') == std::string_view::npos;
  return plain ? absl::OkStatus()
               : absl::InvalidArgumentError(fmt::format("'{}' is not a file's name", name));
}

int OpenBeneath(int folder, const char* name, int flags, unsigned mode) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const long fd = ::syscall(SYS_openat2, folder, name, &how, sizeof how);
  if (fd >= 0 || errno != ENOSYS) return static_cast<int>(fd);
  return ::openat(folder, name, flags | O_CLOEXEC | O_NOFOLLOW, mode);
}

}  // namespace

absl::StatusOr<Folder> Folder::Open(const std::string& path) {
  RETURN_IF_ERROR(MakeDirectories(path));
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, fmt::format("cannot open {}", path));
  return Folder(path, fd);
}

Folder::Folder(Folder&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

Folder::~Folder() {
  if (fd_ >= 0) ::close(fd_);
}

absl::StatusOr<int> Folder::OpenFile(std::string_view name, int flags, unsigned mode) const {
  RETURN_IF_ERROR(CheckName(name));
  const int fd = OpenBeneath(fd_, std::string(name).c_str(), flags, mode);
  if (fd < 0) return ErrnoStatus("open", path_, name);
  return fd;
}

absl::Status Folder::Rename(std::string_view from, std::string_view to) const {
  RETURN_IF_ERROR(CheckName(from));
  RETURN_IF_ERROR(CheckName(to));
  if (::renameat(fd_, std::string(from).c_str(), fd_, std::string(to).c_str()) != 0)
    return ErrnoStatus("rename", path_, from);
  return ::fsync(fd_) == 0 ? absl::OkStatus() : ErrnoStatus("sync", path_, to);
}

absl::Status Folder::Remove(std::string_view name) const {
  RETURN_IF_ERROR(CheckName(name));
  if (::unlinkat(fd_, std::string(name).c_str(), 0) == 0 || errno == ENOENT)
    return absl::OkStatus();
  return ErrnoStatus("remove", path_, name);
}

}  // namespace cordon
