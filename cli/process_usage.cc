// SPDX-License-Identifier: Apache-2.0
#include "cli/process_usage.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "base/check.h"

namespace cordon::cli {
namespace {

// Picture planes, decoder tables and receive buffers are larger; what one analysis allocates and frees
// again is smaller. In a heap they would lie between packets of all sizes that rings keep, and each
// reconnect would need new room beside the holes of the last.
constexpr int kMapFrom = 128 << 10;
constexpr int kTrimAbove = 1 << 20;
constexpr int kArenas = 4;

double CpuSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

void ReturnFreedPictures() {
  // glibc would raise the first by itself to the size of the largest picture that was freed.
  CORDON_CHECK(::mallopt(M_MMAP_THRESHOLD, kMapFrom) == 1 &&
                   ::mallopt(M_TRIM_THRESHOLD, kTrimAbove) == 1 &&
                   ::mallopt(M_ARENA_MAX, kArenas) == 1,
               "glibc knows these");
}

ProcessUsage::ProcessUsage(const Clock& clock)
    : clock_(clock), at_(clock.Boot()), cpu_seconds_(CpuSeconds()) {}

double ProcessUsage::CpuCores() {
  const BootTime now = clock_.Boot();
  const double cpu = CpuSeconds();
  const double wall = std::chrono::duration<double>(now - at_).count();
  const double cores = wall > 0 ? (cpu - cpu_seconds_) / wall : 0;
  at_ = now;
  cpu_seconds_ = cpu;
  return cores;
}

uint64_t ProcessUsage::RssBytes() {
  // statm: total, resident, ... in pages.
  std::ifstream file("/proc/self/statm");
  uint64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace cordon::cli
