// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtsp_reporter.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace cordon {
namespace {

constexpr Seconds kEvery{5};  // RFC 3550, 6.2: the least interval

uint32_t RandomSsrc() {
  uint32_t ssrc = 0;
  CORDON_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&ssrc), sizeof ssrc) == 1,
               "no random numbers");
  return ssrc;
}

}  // namespace

RtspReporter::RtspReporter(uint32_t clock_rate)
    : clock_rate_(clock_rate), own_ssrc_(RandomSsrc()) {}

void RtspReporter::OnPacket(const RtpPacket& packet, BootTime now) {
  if (!next_) next_ = now + kEvery;
  const auto arrival =
      static_cast<uint32_t>(ToNanos(now) / 1000 * static_cast<int64_t>(clock_rate_ / 1000) / 1000);
  const auto transit = static_cast<int32_t>(arrival - packet.timestamp);
  if (transit_) {
    const double d = std::abs(static_cast<double>(
        static_cast<int32_t>(static_cast<uint32_t>(transit) - static_cast<uint32_t>(*transit_))));
    jitter_ += (d - jitter_) / 16;
  }
  transit_ = transit;
}

void RtspReporter::OnSenderReport(const SenderReport& report, BootTime now) {
  report_ = report;
  report_received_ = now;
}

std::optional<std::string> RtspReporter::Due(const RtpSequencer& sequencer, const RtspStats& stats,
                                             BootTime now) {
  if (!next_ || now < *next_ || !sequencer.ssrc()) return std::nullopt;
  next_ = now + kEvery;
  ReceptionReport report;
  report.ssrc = *sequencer.ssrc();
  const uint64_t expected = sequencer.expected_total() - expected_before_;
  const uint64_t lost = stats.lost_packets - lost_before_;
  expected_before_ += expected;
  lost_before_ += lost;
  if (expected > 0)
    report.fraction_lost = static_cast<uint8_t>(std::min<uint64_t>(255, lost * 256 / expected));
  report.lost = static_cast<uint32_t>(std::min<uint64_t>(stats.lost_packets, 0x7fffff));
  report.highest_sequence = sequencer.extended_highest();
  report.jitter = static_cast<uint32_t>(std::min(jitter_, 4e9));
  if (report_) {
    report.last_report = static_cast<uint32_t>(report_->ntp >> 16);
    report.delay_since_report = static_cast<uint32_t>(
        std::chrono::duration_cast<std::chrono::duration<int64_t, std::ratio<1, 65536>>>(
            now - report_received_)
            .count());
  }
  return WriteReceiverReport(own_ssrc_, report);
}

}  // namespace cordon
