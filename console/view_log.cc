// SPDX-License-Identifier: Apache-2.0
#include "console/view_log.h"

#include <fmt/format.h>

#include "base/log.h"

namespace cordon {

absl::StatusOr<uint64_t> ViewLog::Write(proto::ViewRecord record) {
  record.set_wall_time_us(ToMicros(clock_.Wall()));
  auto number = std::make_shared<uint64_t>(0);
  RETURN_IF_ERROR(dispatcher_.Write([number, record](EventStore& store) -> absl::Status {
    ASSIGN_OR_RETURN(*number, store.AddView(record));
    return absl::OkStatus();
  }));
  log::Info(record.began_number() == 0 ? "pictures of a camera are viewed" : "a view ended",
            {{"camera", record.camera_id()},
             {"actor", record.actor()},
             {"address", record.address()},
             {"view", record.began_number() == 0 ? *number : record.began_number()}});
  return *number;
}

absl::Status ViewLog::WriteOnce(proto::ViewRecord record) {
  const std::string key =
      fmt::format("{}\n{}\n{}\n{}\n{}", static_cast<int>(record.kind()), record.camera_id(),
                  record.alert_id(), record.actor(), record.address());
  const BootTime now = clock_.Boot();
  {
    absl::MutexLock lock(&mutex_);
    std::erase_if(recent_, [now](const auto& view) { return now - view.second > kSameView; });
    if (recent_.contains(key)) return absl::OkStatus();
  }
  RETURN_IF_ERROR(Write(std::move(record)).status());
  absl::MutexLock lock(&mutex_);
  if (recent_.size() < kMaxRecent) recent_[key] = now;
  return absl::OkStatus();
}

}  // namespace cordon
