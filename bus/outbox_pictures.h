// SPDX-License-Identifier: Apache-2.0
// The pictures of alerts that could not be delivered: an alert waits in its outbox for as long as
// it takes, its picture only for as long as its camera's pictures may be kept.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/sqlite.h"
#include "base/time.h"

namespace cordon {

// A picture that was taken out of an undelivered alert, as the outbox's record keeps it for ever.
struct OutboxPictureDeletion {
  WallTime at{};
  std::string camera_id;
  std::string alert_id;
  uint64_t bytes = 0;
};

// What is in an outbox that no process has open.
struct LeftOutbox {
  std::string producer;
  uint64_t undelivered = 0;
  uint64_t pictures_dropped = 0;  // by this look
};

// Takes the pictures whose time is over out of `connection`'s undelivered alerts, 64 at the most.
// The alerts stay. How many pictures went. The connection is the one that may write.
absl::StatusOr<uint64_t> DropOutboxPictures(sqlite::Connection& connection, WallTime now);

// The same, all of them, for the outbox of a node that does not run here any more. NOT_FOUND: no
// such file. FAILED_PRECONDITION: a process has it open (and does this itself).
absl::StatusOr<LeftOutbox> TendLeftOutbox(const std::string& path, WallTime now);

// Newest first; the file is only read. NOT_FOUND; FAILED_PRECONDITION: of an older Cordon.
absl::StatusOr<std::vector<OutboxPictureDeletion>> ReadOutboxPictureDeletions(
    const std::string& path, size_t newest);

}  // namespace cordon
