// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtp_packet.h"

#include <algorithm>

namespace cordon {
namespace {

constexpr size_t kRtpHeader = 12;
constexpr uint8_t kSenderReport = 200;
constexpr uint8_t kReceiverReport = 201;
constexpr uint8_t kSourceDescription = 202;
constexpr uint8_t kGoodbye = 203;
constexpr int64_t kNtpToUnix = 2'208'988'800;         // 1900 to 1970, seconds
constexpr int64_t kOldestBelievable = 1'262'304'000;  // 2010-01-01

uint16_t Read16(std::span<const uint8_t> b, size_t at) {
  return static_cast<uint16_t>(b[at] << 8 | b[at + 1]);
}
uint32_t Read32(std::span<const uint8_t> b, size_t at) {
  return static_cast<uint32_t>(Read16(b, at)) << 16 | Read16(b, at + 2);
}
void Write16(std::string& out, uint32_t v) {
  out += static_cast<char>(v >> 8 & 0xff);
  out += static_cast<char>(v & 0xff);
}
void Write32(std::string& out, uint32_t v) {
  Write16(out, v >> 16);
  Write16(out, v & 0xffff);
}

}  // namespace

std::optional<RtpPacket> ParseRtp(std::span<const uint8_t> bytes) {
  if (bytes.size() < kRtpHeader || bytes[0] >> 6 != 2) return std::nullopt;
  size_t start = kRtpHeader + 4 * static_cast<size_t>(bytes[0] & 0x0f);  // contributing sources
  size_t end = bytes.size();
  if (start > end) return std::nullopt;
  if ((bytes[0] & 0x10) != 0) {  // header extension
    if (start + 4 > end) return std::nullopt;
    start += 4 + 4 * static_cast<size_t>(Read16(bytes, start + 2));
    if (start > end) return std::nullopt;
  }
  if ((bytes[0] & 0x20) != 0) {  // padding
    const size_t padding = bytes[end - 1];
    if (padding == 0 || padding > end - start) return std::nullopt;
    end -= padding;
  }
  return RtpPacket{.payload_type = static_cast<uint8_t>(bytes[1] & 0x7f),
                   .marker = (bytes[1] & 0x80) != 0,
                   .sequence = Read16(bytes, 2),
                   .timestamp = Read32(bytes, 4),
                   .ssrc = Read32(bytes, 8),
                   .payload = bytes.subspan(start, end - start)};
}

std::optional<WallTime> SenderReport::Wall() const {
  const int64_t seconds = static_cast<int64_t>(ntp >> 32) - kNtpToUnix;
  if (seconds < kOldestBelievable) return std::nullopt;
  const int64_t micros = static_cast<int64_t>((ntp & 0xffffffff) * 1'000'000 >> 32);
  return WallFromMicros(seconds * 1'000'000 + micros);
}

std::optional<RtcpContent> ParseRtcp(std::span<const uint8_t> bytes) {
  RtcpContent content;
  bool any = false;
  while (bytes.size() >= 4) {
    if (bytes[0] >> 6 != 2) return std::nullopt;
    const size_t length = 4 * (static_cast<size_t>(Read16(bytes, 2)) + 1);
    if (length > bytes.size()) return std::nullopt;
    if (bytes[1] == kSenderReport) {
      if (length < 28) return std::nullopt;
      content.report =
          SenderReport{.ssrc = Read32(bytes, 4),
                       .ntp = static_cast<uint64_t>(Read32(bytes, 8)) << 32 | Read32(bytes, 12),
                       .timestamp = Read32(bytes, 16)};
    } else if (bytes[1] == kGoodbye && (bytes[0] & 0x1f) > 0 && length >= 8) {
      content.bye = Read32(bytes, 4);
    }
    any = true;
    bytes = bytes.subspan(length);
  }
  if (!any || !bytes.empty()) return std::nullopt;
  return content;
}

std::string WriteReceiverReport(uint32_t own_ssrc, const ReceptionReport& report) {
  std::string out;
  out += static_cast<char>(0x81);  // version 2, one report block
  out += static_cast<char>(kReceiverReport);
  Write16(out, 7);
  Write32(out, own_ssrc);
  Write32(out, report.ssrc);
  Write32(out, static_cast<uint32_t>(report.fraction_lost) << 24 | (report.lost & 0xffffff));
  Write32(out, report.highest_sequence);
  Write32(out, report.jitter);
  Write32(out, report.last_report);
  Write32(out, report.delay_since_report);
  constexpr std::string_view kName = "cordon";  // says nothing of the host
  const size_t item = 4 + 2 + kName.size() + 1;
  const size_t padded = (item + 3) / 4 * 4;
  out += static_cast<char>(0x81);
  out += static_cast<char>(kSourceDescription);
  Write16(out, static_cast<uint32_t>(padded / 4));
  Write32(out, own_ssrc);
  out += '\x01';  // CNAME
  out += static_cast<char>(kName.size());
  out += kName;
  out.append(padded - (4 + 2 + kName.size()), '\0');
  return out;
}

}  // namespace cordon
