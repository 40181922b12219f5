// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "dispatch/dispatcher.h"
#include "proto/incident.pb.h"

namespace cordon {

// Who looked at which camera's pictures, and when: rows of the dispatcher's record that nothing
// deletes. Without accounts the name is what the person said; the address is where the request came
// from. Thread-safe; calls wait for the commit.
class ViewLog {
 public:
  // Pictures on demand that follow each other closer than this are one view.
  static constexpr Seconds kSameView{60};
  static constexpr size_t kMaxRecent = 4096;

  ViewLog(Dispatcher& dispatcher, const Clock& clock) : dispatcher_(dispatcher), clock_(clock) {}

  // Writes the row with the present time; its number.
  absl::StatusOr<uint64_t> Write(proto::ViewRecord record);
  // The same for a part of something that is fetched piece by piece: one row for the same picture,
  // person and address within kSameView.
  absl::Status WriteOnce(proto::ViewRecord record);

 private:
  Dispatcher& dispatcher_;
  const Clock& clock_;
  absl::Mutex mutex_;
  std::map<std::string, BootTime> recent_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cordon
