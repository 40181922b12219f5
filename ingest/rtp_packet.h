// SPDX-License-Identifier: Apache-2.0
// RTP data packets (RFC 3550, section 5.1) and the parts of RTCP that we use (section 6).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/time.h"

namespace cordon {

// Points into the bytes it was read from.
struct RtpPacket {
  uint8_t payload_type = 0;
  bool marker = false;
  uint16_t sequence = 0;
  uint32_t timestamp = 0;
  uint32_t ssrc = 0;
  std::span<const uint8_t> payload;  // without header extension and padding
};

// nullopt: no RTP version 2, or its lengths contradict each other.
std::optional<RtpPacket> ParseRtp(std::span<const uint8_t> bytes);

// A sender report.
struct SenderReport {
  uint32_t ssrc = 0;
  uint64_t ntp = 0;        // 32.32 fixed point seconds since 1900
  uint32_t timestamp = 0;  // RTP time of the same moment
  // UTC; nullopt when the camera has no believable clock (before 2010: it counts from its start).
  std::optional<WallTime> Wall() const;
};

struct RtcpContent {
  std::optional<SenderReport> report;
  std::optional<uint32_t> bye;  // SSRC that left
};

// A compound packet. nullopt when it is not well-formed.
std::optional<RtcpContent> ParseRtcp(std::span<const uint8_t> bytes);

// What a receiver report says of one sender (section 6.4.1).
struct ReceptionReport {
  uint32_t ssrc = 0;
  uint8_t fraction_lost = 0;  // of 256
  uint32_t lost = 0;          // 24 bits
  uint32_t highest_sequence = 0;
  uint32_t jitter = 0;
  uint32_t last_report = 0;         // middle 32 bits of its NTP time
  uint32_t delay_since_report = 0;  // 1/65536 s
};

// Receiver report and the source description that must follow it.
std::string WriteReceiverReport(uint32_t own_ssrc, const ReceptionReport& report);

}  // namespace cordon
