// SPDX-License-Identifier: Apache-2.0
// The clips of a node on disk and their index: found by opaque id, kept as long as the camera's
// policy says, deleted on record.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/folder.h"
#include "base/ids.h"
#include "base/sqlite.h"
#include "ingest/clip_file.h"

namespace cordon {

// One piece of evidence as the index knows it.
struct EvidenceRow {
  Ulid id;
  CameraId camera;
  std::string alert_id;
  ClipFacts facts;
  WallTime expires;
  bool held = false;
};

// A deletion, or that a legal hold prevented it, as the log keeps it, for ever.
struct DeletionRow {
  Ulid id;
  CameraId camera;
  WallTime at;
  std::string reason;  // "retention", "space", "file missing"
  uint64_t bytes = 0;
  std::string alert_id;  // empty in entries of before it was kept
  bool prevented = false;
  std::string hold_reason;  // the case, when prevented
};

// Thread-safe: calls are serialised over one writing connection. Crash-safe by order: a file is
// complete and synced before its row exists, and a row goes (with its entry in the deletion log, in
// one transaction) before its file. Open repairs what a crash left between the two; a file that
// could not be removed is tried again with each Sweep.
class EvidenceStore {
 public:
  struct Options {
    std::string folder;
    // Evidence is deleted early, oldest first, when the file system has less than this free. Never
    // what is held.
    uint64_t free_bytes_floor = 2ull * 1024 * 1024 * 1024;
    std::function<uint64_t()> free_bytes;  // for tests; empty: statvfs
  };
  // Errors of sqlite::Connection::Open.
  static absl::StatusOr<std::unique_ptr<EvidenceStore>> Open(Options options, const Clock& clock);

  // Where the clips live; a clip of this id is (or will be) the file of this name in it. Files are
  // reached by descriptor beneath the folder, never by a path.
  const Folder& folder() const { return folder_; }
  static std::string NameOf(const Ulid& id) { return id.str() + ".mp4"; }
  absl::Status Add(const EvidenceRow& row);
  // NOT_FOUND: unknown or deleted.
  absl::StatusOr<EvidenceRow> Find(const Ulid& id) const;
  // Up to `most` bytes from `offset`; empty at the end. NOT_FOUND, OUT_OF_RANGE (offset beyond the
  // end).
  absl::StatusOr<std::string> Read(const Ulid& id, uint64_t offset, size_t most) const;
  // Brings forward when this camera's clips go, to `keep` after their end; never puts it off.
  absl::Status Limit(const CameraId& camera, Microseconds keep);
  // A held clip is not deleted by anything but its release. NOT_FOUND.
  absl::Status SetHold(const Ulid& id, bool held, const std::string& reason);
  // Deletes what has expired, whatever became of its camera, and, below the free-space floor, the
  // oldest that is not held. Returns what was deleted. What only its hold keeps is logged once for
  // each reason and case.
  absl::StatusOr<std::vector<DeletionRow>> Sweep();
  // The log, newest first.
  absl::StatusOr<std::vector<DeletionRow>> Deletions(size_t newest) const;
  // The same of a store that its node may have open: `folder` is only read. NOT_FOUND without one.
  static absl::StatusOr<std::vector<DeletionRow>> ReadDeletions(const std::string& folder,
                                                                size_t newest);
  // True when the floor is passed and nothing may be deleted: new clips are refused.
  bool full() const;

 private:
  EvidenceStore(Options options, Folder folder, const Clock& clock)
      : options_(std::move(options)), folder_(std::move(folder)), clock_(clock) {}
  absl::Status Repair() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RemoveFiles(std::vector<std::string> names) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status DeleteLocked(const DeletionRow& row) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::vector<DeletionRow>> Candidates(std::string_view where, int64_t value,
                                                      const char* reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status LogPrevented(std::string_view where, int64_t value, const char* reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint64_t FreeBytes() const;

  const Options options_;
  const Folder folder_;
  const Clock& clock_;
  mutable absl::Mutex mutex_;
  std::unique_ptr<sqlite::Connection> db_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> unremoved_ ABSL_GUARDED_BY(mutex_);  // files whose rows are gone
};

}  // namespace cordon
