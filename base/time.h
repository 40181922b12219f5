// SPDX-License-Identifier: Apache-2.0
// The three times of Cordon, as types that cannot be mixed. docs/time.md states what is assumed of each.
#pragma once

#include <chrono>
#include <string>

namespace cordon {

using Microseconds = std::chrono::microseconds;
using Nanoseconds = std::chrono::nanoseconds;
using Milliseconds = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

// Media time: position on a stream's own time line (from PTS), starting anywhere. The only time that rules may use.
// It orders pictures and measures durations within one run of a stream; it says nothing about the time of day.
struct MediaClock {
  using duration = Microseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MediaClock>;
  static constexpr bool is_steady = true;
};
using MediaTime = MediaClock::time_point;

// Wall time: UTC of this host. For people and records; may jump. Never for a deadline.
using WallTime = std::chrono::sys_time<Microseconds>;

// Boot time: CLOCK_BOOTTIME of this host; monotonic, counts suspend. For deadlines, ages and latencies. Comparable
// between processes of one host, meaningless between hosts.
struct BootClock {
  using duration = Nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
};
using BootTime = BootClock::time_point;

inline int64_t ToMicros(WallTime t) { return t.time_since_epoch().count(); }
inline int64_t ToMicros(MediaTime t) { return t.time_since_epoch().count(); }
inline int64_t ToNanos(BootTime t) { return t.time_since_epoch().count(); }
inline WallTime WallFromMicros(int64_t us) { return WallTime(Microseconds(us)); }
inline MediaTime MediaFromMicros(int64_t us) { return MediaTime(Microseconds(us)); }
inline BootTime BootFromNanos(int64_t ns) { return BootTime(Nanoseconds(ns)); }

// "2026-03-01T12:34:56.789Z"
std::string FormatWall(WallTime t);

}  // namespace cordon
