// SPDX-License-Identifier: Apache-2.0
// Logs are sentences with fields: log::Info("camera connected", {{"camera", "gate"}, {"after_ms", 42}}).
// To stderr: text by default, JSON lines by flag. Thread-safe. Fields must never hold a secret (base/secret.h).
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"

namespace cordon::log {

enum class Level { kDebug, kInfo, kWarning, kError, kCritical };
enum class Format { kText, kJson };

// One key and its value, already as text; numbers stay bare in JSON.
struct Field {
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  Field(std::string_view k, bool v) : key(k), value(v ? "true" : "false"), bare(true) {}
  template <class N>
    requires((std::integral<N> || std::floating_point<N>) && !std::same_as<N, bool>)
  Field(std::string_view k, N v) : key(k), value(fmt::format("{}", v)), bare(true) {}

  std::string_view key;
  std::string value;
  bool bare = false;
};
using Fields = std::initializer_list<Field>;

// Call once, early. `role` ("node-1", "dispatch") is put on every line.
void Init(std::string_view role, Format format, Level least);

void Write(Level level, std::string_view sentence, Fields fields);
inline void Debug(std::string_view s, Fields f = {}) { Write(Level::kDebug, s, f); }
inline void Info(std::string_view s, Fields f = {}) { Write(Level::kInfo, s, f); }
inline void Warning(std::string_view s, Fields f = {}) { Write(Level::kWarning, s, f); }
inline void Error(std::string_view s, Fields f = {}) { Write(Level::kError, s, f); }
inline void Critical(std::string_view s, Fields f = {}) { Write(Level::kCritical, s, f); }
void Flush();

// For per-frame trouble: at most one line a second with the count since the last line and the last cause. Thread-safe.
class OncePerSecond {
 public:
  OncePerSecond(const Clock& clock, Level level, std::string sentence, std::string subject)
      : clock_(clock), level_(level), sentence_(std::move(sentence)), subject_(std::move(subject)) {}
  void Note(std::string_view cause);

 private:
  const Clock& clock_;
  const Level level_;
  const std::string sentence_;
  const std::string subject_;
  absl::Mutex mutex_;
  BootTime last_ ABSL_GUARDED_BY(mutex_){};
  uint64_t count_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace cordon::log
