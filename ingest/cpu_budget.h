// SPDX-License-Identifier: Apache-2.0
// Keeps a node within its share of the machine: when its process uses more CPU than its budget,
// cameras lose analysis rate, those of the lowest priority first.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "proto/config.pb.h"

namespace cordon {

// CPU time of this process (all threads, user and system).
Nanoseconds ProcessCpuTime();

// Thread-safe. One per node; Tick about once a second.
class CpuBudget {
 public:
  // No camera falls below this share of its configured rate.
  static constexpr double kLeastFactor = 0.1;

  CpuBudget(double cores, const Clock& clock,
            std::function<Nanoseconds()> cpu_time = ProcessCpuTime);

  // A camera's membership; it leaves when the share goes.
  class Share {
   public:
    Share() = default;
    Share(CpuBudget* budget, uint64_t id) : budget_(budget), id_(id) {}
    Share(Share&& other) noexcept { *this = std::move(other); }
    Share& operator=(Share&& other) noexcept;
    ~Share();
    // What is left of the configured analysis rate, kLeastFactor..1.
    double factor() const;

   private:
    CpuBudget* budget_ = nullptr;
    uint64_t id_ = 0;
  };
  // `priority` 1..9: lower numbers lose first; cameras of one number lose alike.
  Share Join(uint32_t priority);

  // Measures, and raises or lowers the pressure by one step.
  void Tick();
  double cores_used() const;
  // 0: nobody sheds; n: the n lowest priorities are at the least factor.
  double pressure() const;

 private:
  double FactorLocked(uint32_t priority) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const double cores_;
  const Clock& clock_;
  const std::function<Nanoseconds()> cpu_time_;
  mutable absl::Mutex mutex_;
  std::map<uint64_t, uint32_t> priorities_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  BootTime last_at_ ABSL_GUARDED_BY(mutex_);
  Nanoseconds last_cpu_ ABSL_GUARDED_BY(mutex_);
  double used_ ABSL_GUARDED_BY(mutex_) = 0;
  double pressure_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Names of the camera's rules that are not as good as configured at `fps` analysed pictures a
// second.
std::vector<std::string> WeakenedRules(const proto::CameraConfig& camera, double fps);

}  // namespace cordon
