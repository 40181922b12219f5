// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ingest/rtp_packet.h"
#include "ingest/rtp_sequencer.h"
#include "ingest/rtsp_options.h"

namespace cordon {

// Writes our receiver reports: some cameras end a session that never gets one. No I/O.
class RtspReporter {
 public:
  explicit RtspReporter(uint32_t clock_rate);

  void OnPacket(const RtpPacket& packet, BootTime now);
  void OnSenderReport(const SenderReport& report, BootTime now);

  // A report, when one is due: every five seconds once packets came.
  std::optional<std::string> Due(const RtpSequencer& sequencer, const RtspStats& stats,
                                 BootTime now);

 private:
  const uint32_t clock_rate_;
  const uint32_t own_ssrc_;
  std::optional<BootTime> next_;
  std::optional<int32_t> transit_;
  double jitter_ = 0;  // in timestamp units, RFC 3550 A.8
  std::optional<SenderReport> report_;
  BootTime report_received_;
  uint64_t expected_before_ = 0;
  uint64_t lost_before_ = 0;
};

}  // namespace cordon
