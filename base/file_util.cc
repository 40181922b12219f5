// SPDX-License-Identifier: Apache-2.0
#include "base/file_util.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace cordon {
namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  const int fd_;
};

absl::Status ErrnoStatus(std::string_view what, const std::string& path) {
  return absl::ErrnoToStatus(errno, fmt::format("cannot {} {}", what, path));
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t limit) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0 && errno == ENOENT)
    return absl::NotFoundError(fmt::format("{}: no such file; check the path", path));
  if (file.get() < 0) return ErrnoStatus("open", path);
  std::string bytes;
  char buffer[65536];
  while (true) {
    const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus("read", path);
    if (got == 0) return bytes;
    if (bytes.size() + static_cast<size_t>(got) > limit)
      return absl::ResourceExhaustedError(fmt::format("{} is larger than {} bytes", path, limit));
    bytes.append(buffer, static_cast<size_t>(got));
  }
}

absl::Status WriteFileDurably(const std::string& path, std::string_view bytes, unsigned mode) {
  const std::string temporary = path + ".tmp";
  {
    const FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
    if (file.get() < 0 && errno == ENOENT)
      return absl::NotFoundError(
          fmt::format("cannot write {}: its folder does not exist; make it first", path));
    if (file.get() < 0) return ErrnoStatus("create", temporary);
    while (!bytes.empty()) {
      const ssize_t put = ::write(file.get(), bytes.data(), bytes.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return ErrnoStatus("write", temporary);
      bytes.remove_prefix(static_cast<size_t>(put));
    }
    if (::fsync(file.get()) != 0) return ErrnoStatus("sync", temporary);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return ErrnoStatus("rename to", path);
  return SyncParentDirectory(path);
}

absl::Status SyncParentDirectory(const std::string& path) {
  const std::filesystem::path folder_path = std::filesystem::path(path).parent_path();
  const std::string parent = folder_path.empty() ? "." : folder_path.string();
  const FileDescriptor folder(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) return ErrnoStatus("open", parent);
  return ::fsync(folder.get()) == 0 ? absl::OkStatus() : ErrnoStatus("sync", parent);
}

absl::Status MakeDirectories(const std::string& path) {
  const std::filesystem::path whole(path);
  std::filesystem::path so_far;
  for (const auto& part : whole) {
    so_far /= part;
    if (::mkdir(so_far.c_str(), 0750) != 0 && errno != EEXIST) return ErrnoStatus("create folder", so_far.string());
  }
  std::error_code error;
  if (!std::filesystem::is_directory(whole, error))
    return absl::FailedPreconditionError(fmt::format("{} is not a folder", path));
  return absl::OkStatus();
}

}  // namespace cordon
