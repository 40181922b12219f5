// SPDX-License-Identifier: Apache-2.0
// What this process holds, for tests that demand that nothing grows.
#pragma once

#include <dirent.h>
#include <malloc.h>

#include <cstddef>
#include <fstream>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
extern "C" size_t __sanitizer_get_current_allocated_bytes();
extern "C" size_t __sanitizer_get_heap_size();
#endif

namespace cordon::testing {

// A sanitizer keeps what was freed for a while and records of every thread that ever was: resident
// memory says nothing then, allocated memory is exact.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kResidentTells = false;
#else
inline constexpr bool kResidentTells = true;
#endif

struct Holdings {
  double resident_mib = 0;
  double allocated_mib = 0;  // handed out by malloc and not freed
  double heap_mib = 0;       // what malloc has from the system, free parts included
  size_t descriptors = 0;
  size_t threads = 0;

  static Holdings Now() {
    constexpr double kMib = 1024.0 * 1024;
    Holdings now;
    std::ifstream memory("/proc/self/statm");
    size_t total = 0;
    size_t resident = 0;
    memory >> total >> resident;
    now.resident_mib = static_cast<double>(resident) * 4096 / kMib;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    now.allocated_mib = static_cast<double>(__sanitizer_get_current_allocated_bytes()) / kMib;
    now.heap_mib = static_cast<double>(__sanitizer_get_heap_size()) / kMib;
#else
    const struct mallinfo2 heap = ::mallinfo2();  // of all arenas
    now.allocated_mib = static_cast<double>(heap.uordblks + heap.hblkhd) / kMib;
    now.heap_mib = static_cast<double>(heap.arena + heap.hblkhd) / kMib;
#endif
    now.descriptors = EntriesOf("/proc/self/fd");
    now.threads = EntriesOf("/proc/self/task");
    return now;
  }

 private:
  static size_t EntriesOf(const char* path) {
    size_t count = 0;
    DIR* folder = ::opendir(path);
    while (::readdir(folder) != nullptr) ++count;
    ::closedir(folder);
    return count - 2;  // . and ..
  }
};

}  // namespace cordon::testing
