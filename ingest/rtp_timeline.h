// SPDX-License-Identifier: Apache-2.0
// RTP timestamps to media time and to the camera's wall clock. docs/time.md states what is assumed.
// No I/O.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "ingest/rtp_packet.h"
#include "ingest/rtsp_options.h"

namespace cordon {

// The time line of one connection. It rises by 32-bit differences, so the wrap after 13 h 15 min
// (at 90 kHz) is not seen. A new run begins where the timestamps break: a picture more than a
// second earlier than the one before it, or one that would come more than a second before it can
// have been taken, judged against the fastest arrival so far (a picture may arrive late, never
// early). Media time goes on in the new run from where the old one was, moved by the time that
// passed here; values of different runs must not be compared all the same. A camera whose
// timestamps stand still while pictures come gets media times from the arrivals instead.
class RtpTimeline {
 public:
  RtpTimeline(uint32_t clock_rate, RtspStats& stats) : clock_rate_(clock_rate), stats_(stats) {}

  struct Position {
    MediaTime media;
    uint64_t run = 1;
    std::optional<WallTime> camera;
  };
  // Where a picture with this timestamp lies. Call once for each picture, in decoding order;
  // `received` of its last packet.
  Position Place(uint32_t timestamp, BootTime received);

  // The next picture begins a new run (new sender or numbering).
  void Break() { broken_ = true; }

  // A sender report of our sender. A wall clock that steps by more than a second is counted; media
  // time does not move.
  void OnSenderReport(const SenderReport& report);

 private:
  int64_t Unwrap(uint32_t timestamp);
  void StartRun(int64_t ticks, BootTime received);
  bool Jumped(Microseconds media, BootTime received) const;
  Position FromArrival(BootTime received);
  Microseconds ToMicroseconds(int64_t ticks) const;
  std::optional<WallTime> CameraTime(uint32_t timestamp) const;

  const uint32_t clock_rate_;
  RtspStats& stats_;
  bool started_ = false;
  bool broken_ = false;
  bool stuck_ = false;
  uint64_t run_ = 1;
  int64_t ticks_ = 0;          // unwrapped timestamp of the last picture
  int64_t run_ticks_ = 0;      // of the first picture of the run
  Microseconds run_media_{0};  // media time of the first picture of the run
  BootTime run_received_;
  Microseconds last_media_{0};
  BootTime last_received_;
  Microseconds earliest_{0};  // most that media time was ahead of the arrivals, within the run
  int same_timestamp_ = 0;
  BootTime same_since_;
  std::optional<SenderReport> report_;
  std::optional<WallTime> report_wall_;
};

}  // namespace cordon
