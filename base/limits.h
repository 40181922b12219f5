// SPDX-License-Identifier: Apache-2.0
// Every limit that one module relies on another to keep, with its reason. Limits of one file's own stay in that file.
#pragma once

#include <cstddef>

namespace cordon::limits {

// One frame on the bus. An alert with its snapshot fits; a flood of them cannot exhaust memory.
inline constexpr size_t kMaxMessageBytes = 256 * 1024;
// The JPEG snapshot inside an alert; leaves room for the track path and the envelope.
inline constexpr size_t kMaxSnapshotBytes = 160 * 1024;
static_assert(kMaxSnapshotBytes + 64 * 1024 <= kMaxMessageBytes);

// Unacknowledged alert frames between one outbox and the inbox: the credit. Far below any socket's high-water mark, so
// that the mark is never the back-pressure.
inline constexpr size_t kMaxInFlight = 256;

// Points of a track's path kept as an alert's explanation.
inline constexpr size_t kMaxPathPoints = 64;

// Cameras in one site's configuration; more is another site.
inline constexpr size_t kMaxCameras = 4096;
// Units that report positions to one dispatcher.
inline constexpr size_t kMaxUnits = 10'000;

// A configuration file.
inline constexpr size_t kMaxConfigBytes = 4 * 1024 * 1024;

}  // namespace cordon::limits
