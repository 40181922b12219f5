// SPDX-License-Identifier: Apache-2.0
// A SQLite file system that can lose its power: it remembers what each file held at its last sync,
// and after a cut every call fails until the machine is "switched on" again, when each file is what
// was synced plus a random part of what was not. Also fails one sync on demand. Becomes SQLite's
// default when made, so that base/sqlite.h runs on it unchanged.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

struct sqlite3_vfs;

namespace cordon::testing {

class PowerCutVfs {
 public:
  explicit PowerCutVfs(uint64_t seed);  // one at a time in a process
  ~PowerCutVfs();                       // the old default is back
  PowerCutVfs(const PowerCutVfs&) = delete;
  PowerCutVfs& operator=(const PowerCutVfs&) = delete;

  // The power goes at the so-manieth write or sync from now.
  void CutAfter(uint64_t calls) { calls_until_cut_ = calls; }
  bool is_cut() const { return cut_; }
  // Writes the files as a disk could have them now. Call with all connections closed.
  void SwitchOn();

  void FailNextSync() { fail_next_sync_ = true; }
  uint64_t syncs_after_failure() const { return syncs_after_failure_; }

  // For the file methods in the .cc.
  struct FileImage {
    std::string durable;                                    // at the last sync
    std::vector<std::pair<uint64_t, std::string>> pending;  // writes since, in order
    int64_t truncated = -1;                                 // since the last sync; -1: not
  };
  bool CountAndCheckPower();
  FileImage& image(const std::string& path) { return images_[path]; }
  bool TakeSyncFailure();
  sqlite3_vfs* real() const { return real_; }

 private:
  std::mt19937_64 random_;
  sqlite3_vfs* real_;
  sqlite3_vfs* own_;
  std::map<std::string, FileImage> images_;
  uint64_t calls_until_cut_ = UINT64_MAX;
  bool cut_ = false;
  bool fail_next_sync_ = false;
  bool sync_failed_ = false;
  uint64_t syncs_after_failure_ = 0;
};

}  // namespace cordon::testing
