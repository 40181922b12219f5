// SPDX-License-Identifier: Apache-2.0
#include "bus/ballast.h"

#include <fcntl.h>
#include <unistd.h>

namespace cordon {

bool Ballast::Reserve() {
  if (has_room_ || bytes_ == 0) return has_room_;
  const int fd = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  // Not posix_fallocate: where the file system cannot reserve, that writes every block.
  has_room_ = ::fallocate(fd, 0, 0, static_cast<off_t>(bytes_)) == 0;
  ::close(fd);
  if (!has_room_) ::unlink(path_.c_str());
  return has_room_;
}

bool Ballast::Release() {
  has_room_ = false;
  return ::unlink(path_.c_str()) == 0;
}

}  // namespace cordon
