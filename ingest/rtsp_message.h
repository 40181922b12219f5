// SPDX-License-Identifier: Apache-2.0
// RTSP 1.0 (RFC 2326) as it comes off a connection: replies, requests of the camera and interleaved
// binary frames (section 10.12), with hard limits. No I/O, no memory beyond one message.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace cordon {

// Limits of what one camera may make us hold. A real session description is 0.5 to 3 KiB.
inline constexpr size_t kMaxRtspLine = 1024;
inline constexpr size_t kMaxRtspHead = 16 * 1024;
inline constexpr size_t kMaxRtspHeaders = 64;
inline constexpr size_t kMaxRtspBody = 64 * 1024;
// The largest item that can be incomplete in a receive buffer.
inline constexpr size_t kMaxRtspItem = kMaxRtspHead + kMaxRtspBody;

struct RtspMessage {
  int status = 0;     // of a reply
  std::string first;  // reason of a reply ("OK"), method of a request ("OPTIONS")
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  // The first header of that name (any case), or nullptr.
  const std::string* Find(std::string_view name) const;
  // All of them: WWW-Authenticate comes once for each scheme.
  std::vector<std::string_view> FindAll(std::string_view name) const;
};

// Takes items off the front of a byte buffer. One for each connection; one thread.
class RtspParser {
 public:
  enum class Kind { kNeedMore, kReply, kRequest, kFrame };
  struct Item {
    Kind kind = Kind::kNeedMore;
    size_t consumed = 0;  // bytes of the buffer that are done with, skipped garbage included
    size_t garbage = 0;   // of which garbage
    uint8_t channel = 0;  // kFrame
    std::span<const uint8_t> payload;  // kFrame; points into the buffer
    RtspMessage message;               // kReply, kRequest
  };

  // The first item of `bytes`. DATA_LOSS when a limit is broken, or, before Streaming(), when it is
  // no RTSP; the connection is of no use then. While streaming, broken framing is skipped up to the
  // next plausible item (`garbage`); more than 256 KiB in a row is DATA_LOSS.
  absl::StatusOr<Item> Next(std::span<const uint8_t> bytes);

  // From now on interleaved frames are expected on these two channels; what is neither frame nor
  // message is skipped.
  void Streaming(uint8_t rtp_channel, uint8_t rtcp_channel);

 private:
  absl::StatusOr<Item> NextText(std::span<const uint8_t> bytes);
  absl::StatusOr<Item> SkipGarbage(std::span<const uint8_t> bytes);
  bool PlausibleFrame(std::span<const uint8_t> bytes) const;

  bool streaming_ = false;
  bool in_garbage_ = false;
  size_t garbage_run_ = 0;
  uint8_t rtp_channel_ = 0;
  uint8_t rtcp_channel_ = 1;
};

// "name" of "...;name=value;..." in a Transport or Session header; empty when absent. Quotes are
// taken off.
std::string_view HeaderParameter(std::string_view header, std::string_view name);

}  // namespace cordon
