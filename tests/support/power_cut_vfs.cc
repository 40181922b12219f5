// SPDX-License-Identifier: Apache-2.0
#include "tests/support/power_cut_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/check.h"

namespace cordon::testing {
namespace {

PowerCutVfs* g_vfs = nullptr;

// SQLite allocates this and the real file behind it.
struct File {
  sqlite3_file base;
  std::string* path;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

File* Of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
sqlite3_file* Real(sqlite3_file* file) { return Of(file)->real(); }

int Close(sqlite3_file* file) {
  const int code =
      Real(file)->pMethods != nullptr ? Real(file)->pMethods->xClose(Real(file)) : SQLITE_OK;
  delete Of(file)->path;
  return code;
}
int Read(sqlite3_file* file, void* into, int bytes, sqlite3_int64 at) {
  return Real(file)->pMethods->xRead(Real(file), into, bytes, at);
}
int Write(sqlite3_file* file, const void* from, int bytes, sqlite3_int64 at) {
  if (!g_vfs->CountAndCheckPower()) return SQLITE_IOERR_WRITE;
  g_vfs->image(*Of(file)->path)
      .pending.emplace_back(static_cast<uint64_t>(at), std::string(static_cast<const char*>(from),
                                                                   static_cast<size_t>(bytes)));
  return Real(file)->pMethods->xWrite(Real(file), from, bytes, at);
}
int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (!g_vfs->CountAndCheckPower()) return SQLITE_IOERR_TRUNCATE;
  // A truncation is taken as durable at once: the order that loses most.
  auto& image = g_vfs->image(*Of(file)->path);
  if (image.durable.size() > static_cast<size_t>(size))
    image.durable.resize(static_cast<size_t>(size));
  std::erase_if(image.pending,
                [&](const auto& write) { return write.first >= static_cast<uint64_t>(size); });
  return Real(file)->pMethods->xTruncate(Real(file), size);
}
int Sync(sqlite3_file* file, int flags) {
  if (!g_vfs->CountAndCheckPower()) return SQLITE_IOERR_FSYNC;
  if (g_vfs->TakeSyncFailure()) return SQLITE_IOERR_FSYNC;
  auto& image = g_vfs->image(*Of(file)->path);
  for (const auto& [at, bytes] : image.pending) {
    if (image.durable.size() < at + bytes.size()) image.durable.resize(at + bytes.size());
    std::copy(bytes.begin(), bytes.end(), image.durable.begin() + static_cast<std::ptrdiff_t>(at));
  }
  image.pending.clear();
  (void)flags;  // the real disk need not be asked: its durability is not what is tested
  return SQLITE_OK;
}
int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  return Real(file)->pMethods->xFileSize(Real(file), size);
}
int Lock(sqlite3_file* file, int level) { return Real(file)->pMethods->xLock(Real(file), level); }
int Unlock(sqlite3_file* file, int level) {
  return Real(file)->pMethods->xUnlock(Real(file), level);
}
int CheckReservedLock(sqlite3_file* file, int* out) {
  return Real(file)->pMethods->xCheckReservedLock(Real(file), out);
}
int FileControl(sqlite3_file* file, int operation, void* argument) {
  return Real(file)->pMethods->xFileControl(Real(file), operation, argument);
}
int SectorSize(sqlite3_file*) { return 512; }
int DeviceCharacteristics(sqlite3_file*) { return 0; }  // no promises: not even atomic sectors
int ShmMap(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
  return Real(file)->pMethods->xShmMap(Real(file), page, size, extend, out);
}
int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
  return Real(file)->pMethods->xShmLock(Real(file), offset, count, flags);
}
void ShmBarrier(sqlite3_file* file) { Real(file)->pMethods->xShmBarrier(Real(file)); }
int ShmUnmap(sqlite3_file* file, int remove) {
  return Real(file)->pMethods->xShmUnmap(Real(file), remove);
}

const sqlite3_io_methods kMethods = {2,
                                     Close,
                                     Read,
                                     Write,
                                     Truncate,
                                     Sync,
                                     FileSize,
                                     Lock,
                                     Unlock,
                                     CheckReservedLock,
                                     FileControl,
                                     SectorSize,
                                     DeviceCharacteristics,
                                     ShmMap,
                                     ShmLock,
                                     ShmBarrier,
                                     ShmUnmap,
                                     nullptr,
                                     nullptr};

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;
  if (g_vfs->is_cut()) return SQLITE_CANTOPEN;
  Of(file)->real()->pMethods = nullptr;
  const int code = g_vfs->real()->xOpen(g_vfs->real(), name, Real(file), flags, out_flags);
  if (code != SQLITE_OK) return code;
  Of(file)->path = new std::string(name == nullptr ? "" : name);
  file->pMethods = &kMethods;
  return SQLITE_OK;
}

int Delete(sqlite3_vfs*, const char* name, int sync_directory) {
  if (!g_vfs->CountAndCheckPower()) return SQLITE_IOERR_DELETE;
  g_vfs->image(name) = {};
  return g_vfs->real()->xDelete(g_vfs->real(), name, sync_directory);
}

}  // namespace

PowerCutVfs::PowerCutVfs(uint64_t seed)
    : random_(seed), real_(sqlite3_vfs_find(nullptr)), own_(new sqlite3_vfs(*real_)) {
  CORDON_CHECK(g_vfs == nullptr, "one power supply at a time");
  g_vfs = this;
  own_->zName = "power-cut";
  own_->szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
  own_->xOpen = Open;
  own_->xDelete = Delete;
  sqlite3_vfs_register(own_, 1);
}

PowerCutVfs::~PowerCutVfs() {
  sqlite3_vfs_unregister(own_);
  sqlite3_vfs_register(real_, 1);
  delete own_;
  g_vfs = nullptr;
}

bool PowerCutVfs::CountAndCheckPower() {
  if (cut_) return false;
  if (calls_until_cut_ != UINT64_MAX && calls_until_cut_-- == 0) cut_ = true;
  return !cut_;
}

bool PowerCutVfs::TakeSyncFailure() {
  if (sync_failed_) ++syncs_after_failure_;
  if (!fail_next_sync_) return false;
  fail_next_sync_ = false;
  sync_failed_ = true;
  return true;
}

void PowerCutVfs::SwitchOn() {
  for (auto& [path, image] : images_) {
    // Of what was not synced any part may have reached the disk, in any order, sector by sector.
    for (auto& [at, bytes] : image.pending) {
      if (random_() % 2 == 0) continue;
      const size_t kept = random_() % 4 == 0
                              ? std::min(bytes.size(), random_() % (bytes.size() + 1) / 512 * 512)
                              : bytes.size();
      if (kept == 0) continue;
      if (image.durable.size() < at + kept) image.durable.resize(at + kept);
      std::copy_n(bytes.begin(), kept, image.durable.begin() + static_cast<std::ptrdiff_t>(at));
    }
    image.pending.clear();
    if (!std::filesystem::exists(path)) continue;
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        .write(image.durable.data(), static_cast<std::streamsize>(image.durable.size()));
    std::filesystem::remove(path + "-shm");
  }
  calls_until_cut_ = UINT64_MAX;
  cut_ = false;
}

}  // namespace cordon::testing
