// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtsp_message.h"
#include "ingest/rtsp_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace cordon {
namespace {

constexpr size_t kMaxGarbage = 256 * 1024;
// What a camera may begin a message with. Anything else in a running stream is a broken frame.
constexpr std::array<std::string_view, 8> kStarts = {
    "RTSP/1.",        "HTTP/1.",        "OPTIONS ",  "ANNOUNCE ",
    "SET_PARAMETER ", "GET_PARAMETER ", "REDIRECT ", "TEARDOWN "};

enum class Start { kNo, kMaybe, kYes };

Start LooksLikeMessage(std::string_view text) {
  Start best = Start::kNo;
  for (std::string_view start : kStarts) {
    const size_t n = std::min(start.size(), text.size());
    if (text.substr(0, n) != start.substr(0, n)) continue;
    if (n == start.size()) return Start::kYes;
    best = Start::kMaybe;
  }
  return best;
}

// Length of the head with its empty line; 0 when it is not there yet.
absl::StatusOr<size_t> HeadLength(std::string_view text) {
  size_t line_start = 0;
  while (true) {
    const size_t end = text.find('\n', line_start);
    const size_t line_end = end == std::string_view::npos ? text.size() : end;
    if (line_end - line_start > kMaxRtspLine) {
      return absl::DataLossError(
          fmt::format("a header line of the camera is longer than {} bytes", kMaxRtspLine));
    }
    if (line_end > kMaxRtspHead) {
      return absl::DataLossError(
          fmt::format("the headers of the camera are longer than {} bytes", kMaxRtspHead));
    }
    if (end == std::string_view::npos) return 0;
    const std::string_view line = text.substr(line_start, end - line_start);
    if (line.empty() || line == "\r") return end + 1;
    line_start = end + 1;
  }
}

absl::Status ParseFirstLine(std::string_view line, RtspMessage& message, bool& reply) {
  const size_t blank = line.find(' ');
  if (blank == std::string_view::npos) {
    return absl::DataLossError("the camera's first line is no RTSP");
  }
  reply = line.starts_with("RTSP/") || line.starts_with("HTTP/");
  if (!reply) {
    message.first = std::string(line.substr(0, blank));
    return absl::OkStatus();
  }
  const std::string_view rest = text::TrimLeft(line.substr(blank));
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), message.status);
  if (error != std::errc() || message.status < 100 || message.status > 999) {
    return absl::DataLossError("the camera's reply has no status code");
  }
  const std::string_view reason(end, static_cast<size_t>(rest.data() + rest.size() - end));
  message.first = std::string(text::Trim(reason));
  return absl::OkStatus();
}

absl::Status ParseHead(std::string_view head, RtspMessage& message, bool& reply) {
  bool first = true;
  for (std::string_view line : text::Split(head, '\n')) {
    line = text::TrimRight(line);
    if (first) {
      RETURN_IF_ERROR(ParseFirstLine(line, message, reply));
      first = false;
      continue;
    }
    if (line.empty()) continue;
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;  // seen in the wild; says nothing we need
    if (message.headers.size() == kMaxRtspHeaders) {
      return absl::DataLossError(
          fmt::format("the camera's reply has more than {} headers", kMaxRtspHeaders));
    }
    message.headers.emplace_back(text::Trim(line.substr(0, colon)),
                                 text::Trim(line.substr(colon + 1)));
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> BodyLength(const RtspMessage& message) {
  const std::string* text = message.Find("Content-Length");
  if (text == nullptr) return 0;
  uint64_t length = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), length);
  if (error == std::errc() && end == text->data() + text->size() && length <= kMaxRtspBody) {
    return static_cast<size_t>(length);
  }
  return absl::DataLossError(
      fmt::format("the camera announces a body of '{}' bytes; at most {} are read",
                  text->substr(0, 20), kMaxRtspBody));
}

}  // namespace

const std::string* RtspMessage::Find(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (text::EqualsNoCase(key, name)) return &value;
  }
  return nullptr;
}

std::vector<std::string_view> RtspMessage::FindAll(std::string_view name) const {
  std::vector<std::string_view> found;
  for (const auto& [key, value] : headers) {
    if (text::EqualsNoCase(key, name)) found.push_back(value);
  }
  return found;
}

void RtspParser::Streaming(uint8_t rtp_channel, uint8_t rtcp_channel) {
  streaming_ = true;
  rtp_channel_ = rtp_channel;
  rtcp_channel_ = rtcp_channel;
}

absl::StatusOr<RtspParser::Item> RtspParser::Next(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return Item{};
  if (in_garbage_) {
    absl::StatusOr<Item> item = SkipGarbage(bytes);
    if (!item.ok() || in_garbage_ || item->consumed > 0) return item;
  }
  if (bytes[0] == '$') {
    if (bytes.size() < 4) return Item{};
    const size_t length = static_cast<size_t>(bytes[2]) << 8 | bytes[3];
    if (bytes.size() < 4 + length) return Item{};
    garbage_run_ = 0;
    Item item;
    item.kind = Kind::kFrame;
    item.consumed = 4 + length;
    item.channel = bytes[1];
    item.payload = bytes.subspan(4, length);
    return item;
  }
  if (bytes[0] == '\r' || bytes[0] == '\n') {  // left over between messages by some cameras
    Item item;
    item.consumed = 1;
    return item;
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const Start start = LooksLikeMessage(text);
  if (start == Start::kMaybe) return Item{};
  if (start == Start::kYes) {
    absl::StatusOr<Item> item = NextText(bytes);
    if (item.ok() || !streaming_) return item;
  }
  if (!streaming_) return absl::DataLossError("the server does not speak RTSP");
  in_garbage_ = true;
  return SkipGarbage(bytes);
}

absl::StatusOr<RtspParser::Item> RtspParser::NextText(std::span<const uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  ASSIGN_OR_RETURN(const size_t head, HeadLength(text));
  if (head == 0) return Item{};
  Item item;
  bool reply = false;
  RETURN_IF_ERROR(ParseHead(text.substr(0, head), item.message, reply));
  ASSIGN_OR_RETURN(const size_t body, BodyLength(item.message));
  if (text.size() < head + body) return Item{};
  item.message.body = std::string(text.substr(head, body));
  item.kind = reply ? Kind::kReply : Kind::kRequest;
  item.consumed = head + body;
  garbage_run_ = 0;
  return item;
}

bool RtspParser::PlausibleFrame(std::span<const uint8_t> bytes) const {
  if (bytes[0] != '$' || (bytes[1] != rtp_channel_ && bytes[1] != rtcp_channel_)) return false;
  const size_t length = static_cast<size_t>(bytes[2]) << 8 | bytes[3];
  return length >= 8 && (bytes[4] >> 6) == 2;  // RTP and RTCP begin with version 2
}

absl::StatusOr<RtspParser::Item> RtspParser::SkipGarbage(std::span<const uint8_t> bytes) {
  Item item;
  size_t at = 0;
  // Five bytes tell a frame; the last four are kept for the next call.
  for (; at + 5 <= bytes.size(); ++at) {
    const auto rest = bytes.subspan(at);
    const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
    if (PlausibleFrame(rest) || (rest[0] == 'R' && text.starts_with("RTSP/1."))) {
      // At least one byte goes, or a message that was refused would be found again for ever.
      if (at > 0 || PlausibleFrame(rest)) {
        in_garbage_ = false;
        break;
      }
    }
  }
  garbage_run_ += at;
  if (garbage_run_ > kMaxGarbage) {
    return absl::DataLossError(fmt::format(
        "{} bytes without an RTP packet: the stream's framing is broken", garbage_run_));
  }
  item.consumed = at;
  item.garbage = at;
  return item;
}

std::string_view HeaderParameter(std::string_view header, std::string_view name) {
  for (std::string_view part : text::Split(header, ';')) {
    part = text::Trim(part);
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos || !text::EqualsNoCase(part.substr(0, equals), name)) {
      continue;
    }
    std::string_view value = part.substr(equals + 1);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    return value;
  }
  return {};
}

}  // namespace cordon
