// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"

namespace cordon {

// A name from the configuration, typed by what it names: a CameraId is not a UnitId.
template <class Tag>
class Id {
 public:
  Id() = default;
  explicit Id(std::string text) : text_(std::move(text)) {}
  const std::string& str() const { return text_; }
  bool empty() const { return text_.empty(); }
  friend bool operator==(const Id&, const Id&) = default;
  friend auto operator<=>(const Id&, const Id&) = default;
  template <class H>
  friend H AbslHashValue(H h, const Id& id) {
    return H::combine(std::move(h), id.text_);
  }

 private:
  std::string text_;
};

using SiteId = Id<struct SiteTag>;
using NodeId = Id<struct NodeTag>;
using CameraId = Id<struct CameraTag>;
using RuleId = Id<struct RuleTag>;
using UnitId = Id<struct UnitTag>;
using PlaceId = Id<struct PlaceTag>;

// ULID (github.com/ulid/spec): 48 bits of Unix milliseconds, 80 random bits; 26 Crockford base-32 characters that sort
// by time. Ids of alerts, incidents and evidence.
class Ulid {
 public:
  static constexpr size_t kTextLength = 26;
  Ulid() = default;
  explicit Ulid(std::array<uint8_t, 16> bytes) : bytes_(bytes) {}
  static std::optional<Ulid> Parse(std::string_view text);  // strict: 26 characters, upper case, no overflow
  std::string str() const;
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }
  WallTime time() const;
  friend bool operator==(const Ulid&, const Ulid&) = default;
  friend auto operator<=>(const Ulid&, const Ulid&) = default;
  template <class H>
  friend H AbslHashValue(H h, const Ulid& id) {
    return H::combine(std::move(h), id.bytes_);
  }

 private:
  std::array<uint8_t, 16> bytes_{};
};

// Makes ULIDs that rise strictly within one generator, even when the wall clock steps back. Thread-safe.
class UlidGenerator {
 public:
  explicit UlidGenerator(const Clock& clock);                 // random bits from the system
  UlidGenerator(const Clock& clock, uint64_t seed);           // reproducible, for replay and tests
  Ulid Next();

 private:
  const Clock& clock_;
  absl::Mutex mutex_;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mutex_);
  Ulid last_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cordon
