// SPDX-License-Identifier: Apache-2.0
// Pictures that no node looks after any more: of a node that was renamed, removed from the
// configuration or moved to another machine.
#pragma once

#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "proto/config.pb.h"

namespace cordon::cli {

// How long the pictures of a camera are kept.
Microseconds RetentionOf(const proto::CameraConfig& camera);

// What one look found and did.
struct LeftBehind {
  uint64_t clips = 0;        // deleted
  uint64_t pictures = 0;     // taken out of alerts that were never delivered
  uint64_t undelivered = 0;  // alerts that wait in outboxes that nobody sends from
};

// Looks through data_dir/nodes for folders that no process has open and deletes what is past the
// retention it was stored with (or that of its camera now, where that is shorter), on record and
// never what is held. With `configured` also the folders of nodes that the site has: they may run
// elsewhere.
LeftBehind TendLeftBehind(const proto::Site& site, bool configured, const Clock& clock);

// Does so from its start on, every ten minutes, on its thread "left-behind". Folders of nodes that
// the site has come from the second time on, when those that run here have opened theirs.
class LeftBehindKeeper {
 public:
  LeftBehindKeeper(const proto::Site& site, const Clock& clock);
  ~LeftBehindKeeper();

 private:
  void Run();

  const proto::Site site_;
  const Clock& clock_;
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace cordon::cli
