// SPDX-License-Identifier: Apache-2.0
#include "tests/support/rtp_stream.h"

#include <cmath>

#include "base/file_util.h"
#include "tests/support/made_clips.h"

namespace cordon::testing {
namespace {

constexpr uint32_t kTicksPerPicture = 3600;

void Put16(std::string& out, uint32_t v) {
  out += static_cast<char>(v >> 8 & 0xff);
  out += static_cast<char>(v & 0xff);
}
void Put32(std::string& out, uint32_t v) {
  Put16(out, v >> 16);
  Put16(out, v & 0xffff);
}

int TypeOf(const std::string& nal, bool h265) {
  const auto first = static_cast<uint8_t>(nal[0]);
  return h265 ? first >> 1 & 0x3f : first & 0x1f;
}

bool IsSlice(const std::string& nal, bool h265) {
  const int type = TypeOf(nal, h265);
  return h265 ? type < 32 : type == 1 || type == 5;
}

bool BeginsPicture(const std::string& nal, bool h265) {
  return IsSlice(nal, h265) && (static_cast<uint8_t>(nal[h265 ? 2 : 1]) & 0x80) != 0;
}

// Payloads of one NAL unit: itself, or FU-A / FU pieces.
std::vector<std::string> Payloads(const std::string& nal, bool h265, size_t mtu) {
  if (nal.size() <= mtu) return {nal};
  const size_t head = h265 ? 2 : 1;
  const auto first = static_cast<uint8_t>(nal[0]);
  std::vector<std::string> payloads;
  for (size_t at = head; at < nal.size(); at += mtu) {
    const bool start = at == head;
    const bool end = at + mtu >= nal.size();
    auto flags = static_cast<uint8_t>(TypeOf(nal, h265) | (start ? 0x80 : 0) | (end ? 0x40 : 0));
    std::string payload;
    if (h265) {
      payload += static_cast<char>((first & 0x81) | 49 << 1);
      payload += nal[1];
    } else {
      payload += static_cast<char>((first & 0xe0) | 28);
    }
    payload += static_cast<char>(flags);
    payload += nal.substr(at, mtu);
    payloads.push_back(payload);
  }
  return payloads;
}

}  // namespace

std::string RtpPiece::Bytes() const {
  std::string out = "\x80";
  out += static_cast<char>(payload_type | (marker ? 0x80 : 0));
  Put16(out, sequence);
  Put32(out, timestamp);
  Put32(out, ssrc);
  return out + payload;
}

std::string EncodeTestVideo(const TemporaryFolder& folder, bool h265, int pictures, int gop,
                            const std::string& size, const std::string& more) {
  const std::string path = folder.File(h265 ? "clip.h265" : "clip.h264");
  const std::string g = std::to_string(gop);
  const std::string codec =
      h265 ? "-c:v libx265 -preset ultrafast -x265-params log-level=none:bframes=0:keyint=" + g +
                 ":min-keyint=" + g
           : "-c:v libx264 -preset ultrafast -bf 0 -g " + g + " -keyint_min " + g +
                 " -sc_threshold 0";
  if (!RunFfmpeg("-f lavfi -i testsrc2=size=" + size + ":rate=25 -frames:v " +
                     std::to_string(pictures) + " -pix_fmt yuv420p " + codec + " " + more + " -f " +
                     (h265 ? "hevc" : "h264"),
                 path)) {
    return {};
  }
  const auto bytes = ReadFile(path, 64 << 20);
  return bytes.ok() ? *bytes : std::string();
}

std::vector<std::string> SplitNals(std::string_view stream) {
  std::vector<std::string> nals;
  size_t start = stream.find(std::string_view("\0\0\1", 3));
  while (start != std::string_view::npos) {
    start += 3;
    const size_t next = stream.find(std::string_view("\0\0\1", 3), start);
    std::string_view nal =
        stream.substr(start, next == std::string_view::npos ? next : next - start);
    while (!nal.empty() && nal.back() == '\0')
      nal.remove_suffix(1);  // the fourth byte of the next start code
    if (!nal.empty()) nals.emplace_back(nal);
    start = next;
  }
  return nals;
}

std::vector<RtpPiece> Packetize(std::string_view annex_b, bool h265, uint16_t first_sequence,
                                uint32_t first_timestamp, size_t mtu) {
  std::vector<RtpPiece> pieces;
  bool slice_before = false;
  size_t picture = 0;
  for (const std::string& nal : SplitNals(annex_b)) {
    // Whatever follows the slices of a picture and is no further slice of it belongs to the next.
    if (slice_before && (!IsSlice(nal, h265) || BeginsPicture(nal, h265))) {
      pieces.back().marker = true;
      ++picture;
      slice_before = false;
    }
    slice_before = slice_before || IsSlice(nal, h265);
    for (const std::string& payload : Payloads(nal, h265, mtu)) {
      RtpPiece piece;
      piece.sequence = static_cast<uint16_t>(first_sequence + pieces.size());
      piece.timestamp = first_timestamp + static_cast<uint32_t>(picture) * kTicksPerPicture;
      piece.payload = payload;
      piece.picture = picture;
      pieces.push_back(std::move(piece));
    }
  }
  if (!pieces.empty()) pieces.back().marker = true;
  return pieces;
}

std::string Sdp(bool h265) {
  return std::string(
             "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=test\r\nt=0 0\r\nm=video 0 RTP/AVP "
             "96\r\na=rtpmap:96 ") +
         (h265 ? "H265" : "H264") + "/90000\r\na=control:track1\r\n";
}

std::string SenderReportBytes(uint32_t ssrc, double unix_seconds, uint32_t timestamp) {
  std::string out = "\x80\xc8";
  Put16(out, 6);
  Put32(out, ssrc);
  const double ntp = unix_seconds + 2'208'988'800.0;
  Put32(out, static_cast<uint32_t>(ntp));
  Put32(out, static_cast<uint32_t>((ntp - std::floor(ntp)) * 4294967296.0));
  Put32(out, timestamp);
  Put32(out, 0);
  Put32(out, 0);
  return out;
}

}  // namespace cordon::testing
