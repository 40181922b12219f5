// SPDX-License-Identifier: Apache-2.0
#include "ingest/cpu_budget.h"

#include <sys/resource.h>

#include <algorithm>
#include <set>
#include <utility>

namespace cordon {
namespace {

constexpr double kRaiseAbove = 1.0;   // of the budget
constexpr double kLowerBelow = 0.85;  // the gap keeps it from swinging
constexpr double kRaiseStep = 0.25;   // of one priority's whole rate, per tick
constexpr double kLowerStep = 0.05;
constexpr double kSmoothing = 0.5;

Nanoseconds FromTimeval(const timeval& t) { return Seconds(t.tv_sec) + Microseconds(t.tv_usec); }

// Pictures a second that a rule needs to work as described: crossings and speeds need several fixes
// of a passing object.
double NeededRate(const proto::RuleConfig& rule) {
  switch (rule.kind()) {
    case proto::RuleConfig::KIND_LINE_CROSSING:
    case proto::RuleConfig::KIND_WRONG_WAY:
    case proto::RuleConfig::KIND_SPEEDING:
      return 5;
    default:
      return std::clamp(2.0 / std::max(rule.dwell_s(), 0.1), 0.5, 5.0);
  }
}

}  // namespace

Nanoseconds ProcessCpuTime() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return FromTimeval(usage.ru_utime) + FromTimeval(usage.ru_stime);
}

CpuBudget::CpuBudget(double cores, const Clock& clock, std::function<Nanoseconds()> cpu_time)
    : cores_(cores),
      clock_(clock),
      cpu_time_(std::move(cpu_time)),
      last_at_(clock.Boot()),
      last_cpu_(cpu_time_()) {}

CpuBudget::Share& CpuBudget::Share::operator=(Share&& other) noexcept {
  std::swap(budget_, other.budget_);
  std::swap(id_, other.id_);
  return *this;
}

CpuBudget::Share::~Share() {
  if (budget_ == nullptr) return;
  absl::MutexLock lock(&budget_->mutex_);
  budget_->priorities_.erase(id_);
}

double CpuBudget::Share::factor() const {
  if (budget_ == nullptr) return 1;
  absl::MutexLock lock(&budget_->mutex_);
  return budget_->FactorLocked(budget_->priorities_.at(id_));
}

CpuBudget::Share CpuBudget::Join(uint32_t priority) {
  absl::MutexLock lock(&mutex_);
  const uint64_t id = next_id_++;
  priorities_[id] = priority;
  return Share(this, id);
}

double CpuBudget::FactorLocked(uint32_t priority) const {
  std::set<uint32_t> lower;
  for (const auto& [id, other] : priorities_) {
    if (other < priority) lower.insert(other);
  }
  return std::clamp(1 - (pressure_ - static_cast<double>(lower.size())), kLeastFactor, 1.0);
}

void CpuBudget::Tick() {
  const Nanoseconds cpu = cpu_time_();
  absl::MutexLock lock(&mutex_);
  const BootTime now = clock_.Boot();
  if (now <= last_at_) return;
  const double used = std::chrono::duration<double>(cpu - last_cpu_) /
                      std::chrono::duration<double>(now - last_at_);
  last_at_ = now;
  last_cpu_ = cpu;
  used_ += kSmoothing * (used - used_);
  std::set<uint32_t> groups;
  for (const auto& [id, priority] : priorities_) groups.insert(priority);
  const auto most = static_cast<double>(groups.size());
  if (used_ > cores_ * kRaiseAbove) pressure_ = std::min(most, pressure_ + kRaiseStep);
  if (used_ < cores_ * kLowerBelow) pressure_ = std::max(0.0, pressure_ - kLowerStep);
}

double CpuBudget::cores_used() const {
  absl::MutexLock lock(&mutex_);
  return used_;
}

double CpuBudget::pressure() const {
  absl::MutexLock lock(&mutex_);
  return pressure_;
}

std::vector<std::string> WeakenedRules(const proto::CameraConfig& camera, double fps) {
  std::vector<std::string> names;
  for (const proto::RuleConfig& rule : camera.rules()) {
    if (fps < std::min(NeededRate(rule), camera.analysis_fps())) names.push_back(rule.id());
  }
  return names;
}

}  // namespace cordon
