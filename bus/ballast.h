// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace cordon {

// A file that keeps room on the disk: when the disk is full it goes, and the outbox can still write
// what matters and delete what is done (even a DELETE needs room in the log). Reserved, not
// written; where the file system cannot reserve, there is none and has_room() says so. Used by one
// thread.
class Ballast {
 public:
  Ballast(std::string path, uint64_t bytes) : path_(std::move(path)), bytes_(bytes) {}

  // Reserves the room unless it is there; false when the disk has not that much, or cannot reserve.
  bool Reserve();
  // Frees the room; true when there was some.
  bool Release();
  bool has_room() const { return has_room_; }

 private:
  const std::string path_;
  const uint64_t bytes_;
  bool has_room_ = false;
};

}  // namespace cordon
