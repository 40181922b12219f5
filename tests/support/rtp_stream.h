// SPDX-License-Identifier: Apache-2.0
// An encoded clip cut into RTP packets that a test can bend before they are sent.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/test_data.h"

namespace cordon::testing {

// One RTP packet in parts.
struct RtpPiece {
  uint16_t sequence = 0;
  uint32_t timestamp = 0;
  uint32_t ssrc = 0x1234abcd;
  uint8_t payload_type = 96;
  bool marker = false;
  std::string payload;
  size_t picture = 0;  // index of its access unit
  std::string Bytes() const;
};

// Annex B elementary stream of `pictures` pictures, made by ffmpeg (lavfi); key frame every `gop`.
// Empty when that failed.
std::string EncodeTestVideo(const TemporaryFolder& folder, bool h265, int pictures, int gop,
                            const std::string& size = "320x240", const std::string& more = "");

// NAL units without their start codes.
std::vector<std::string> SplitNals(std::string_view annex_b);

// Packets of an elementary stream at 25 pictures a second of a 90 kHz clock, payload at most `mtu`
// bytes (FU beyond).
std::vector<RtpPiece> Packetize(std::string_view annex_b, bool h265, uint16_t first_sequence = 1000,
                                uint32_t first_timestamp = 90000, size_t mtu = 1200);

// Session description of such a stream; parameter sets only in band.
std::string Sdp(bool h265);

// A sender report: NTP time of `unix_seconds` and the RTP timestamp of the same moment.
std::string SenderReportBytes(uint32_t ssrc, double unix_seconds, uint32_t timestamp);

}  // namespace cordon::testing
