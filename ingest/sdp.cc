// SPDX-License-Identifier: Apache-2.0
#include "ingest/sdp.h"

#include <array>
#include <charconv>
#include <optional>

#include "absl/strings/str_join.h"
#include "ingest/rtsp_auth.h"
#include "ingest/rtsp_text.h"

namespace cordon {
namespace {

constexpr size_t kMaxParameterSet = 4096;
constexpr size_t kMaxParameterSets = 16;
constexpr uint32_t kDefaultClock = 90000;  // every video payload format uses it

std::string_view FirstWord(std::string_view& rest) {
  rest = text::TrimLeft(rest);
  const size_t end = std::min(rest.find_first_of(" \t"), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

void ParseMediaLine(std::string_view value, SdpMedia& media) {
  media.type = text::Lower(FirstWord(value));
  FirstWord(value);  // port
  FirstWord(value);  // profile
  int number = -1;
  if (text::ParseNumber(FirstWord(value), number) && number >= 0 && number < 128) {
    media.payload_type = number;
  }
}

// "96 H264/90000": only of the first format.
void ParseRtpmap(std::string_view value, SdpMedia& media) {
  int number = -1;
  if (!text::ParseNumber(FirstWord(value), number) || number != media.payload_type) return;
  const std::vector<std::string_view> parts = text::Split(FirstWord(value), '/');
  media.encoding = text::Upper(parts[0]);
  if (parts.size() > 1) {
    uint32_t clock = 0;
    if (text::ParseNumber(parts[1], clock)) media.clock_rate = clock;
  }
}

void ParseFmtp(std::string_view value, SdpMedia& media) {
  int number = -1;
  if (!text::ParseNumber(FirstWord(value), number) || number != media.payload_type) return;
  media.format = std::string(text::Trim(value));
}

void ParseAttribute(std::string_view value, SdpSession& session) {
  const size_t colon = value.find(':');
  const std::string name = text::Lower(value.substr(0, colon));
  const std::string_view rest =
      colon == std::string_view::npos ? "" : text::Trim(value.substr(colon + 1));
  if (session.media.empty()) {
    if (name == "control") session.control = std::string(rest);
    return;
  }
  SdpMedia& media = session.media.back();
  if (name == "control") media.control = std::string(rest);
  if (name == "rtpmap") ParseRtpmap(rest, media);
  if (name == "fmtp") ParseFmtp(rest, media);
  if (name == "framerate") {
    double rate = 0;
    if (text::ParseNumber(rest, rate) && rate > 0 && rate <= 1000) media.frame_rate = rate;
  }
  // The description is the camera's, so its back channel is marked sendonly towards us (ONVIF
  // streaming, 5.3).
  if (name == "sendonly") media.send_only_by_us = media.type == "audio";
}

// The comma-separated base64 sets of "name=..." in fmtp.
void CollectSets(std::string_view format, std::string_view name, std::vector<std::string>& sets) {
  for (std::string_view part : text::Split(format, ';')) {
    part = text::Trim(part);
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos || !text::EqualsNoCase(part.substr(0, equals), name))
      continue;
    for (std::string_view text : text::Split(part.substr(equals + 1), ',')) {
      const std::optional<std::string> bytes = DecodeBase64(text::Trim(text));
      if (!bytes || bytes->size() < 3 || bytes->size() > kMaxParameterSet) continue;
      if (sets.size() < kMaxParameterSets) sets.push_back(*bytes);
    }
  }
}

std::optional<VideoCodec> CodecOf(const SdpMedia& media) {
  if (media.encoding == "H264") return VideoCodec::kH264;
  if (media.encoding == "H265" || media.encoding == "HEVC") return VideoCodec::kH265;
  return std::nullopt;
}

// Only sets whose NAL type fits: some cameras put anything there.
bool BelongsTo(VideoCodec codec, const std::string& set) {
  const auto first = static_cast<uint8_t>(set[0]);
  if (codec == VideoCodec::kH264) return (first & 0x1f) == 7 || (first & 0x1f) == 8;
  const int type = first >> 1 & 0x3f;
  return type >= 32 && type <= 34;
}

}  // namespace

absl::StatusOr<SdpSession> ParseSdp(std::string_view text) {
  if (text.size() > kMaxSdpBytes) {
    return absl::DataLossError(fmt::format(
        "the session description has {} bytes; at most {} are read", text.size(), kMaxSdpBytes));
  }
  SdpSession session;
  bool any = false;
  for (std::string_view line : text::Split(text, '\n')) {
    line = text::TrimRight(line);
    if (line.size() > kMaxSdpLine) {
      // A line that long is a parameter we do not need, or an attack; a real one of ours is 300
      // bytes.
      return absl::DataLossError(
          fmt::format("a line of the session description is longer than {} bytes", kMaxSdpLine));
    }
    if (line.size() < 2 || line[1] != '=') continue;
    any = true;
    const std::string_view value = line.substr(2);
    if (line[0] == 'm') {
      if (session.media.size() == kMaxSdpMedia) {
        return absl::DataLossError(
            fmt::format("the session description has more than {} media", kMaxSdpMedia));
      }
      ParseMediaLine(value, session.media.emplace_back());
    } else if (line[0] == 'a') {
      ParseAttribute(value, session);
    }
  }
  if (!any) return absl::DataLossError("the camera sent no session description");
  return session;
}

absl::StatusOr<VideoTrack> ChooseVideo(const SdpSession& session) {
  std::vector<std::string> others;
  for (const SdpMedia& media : session.media) {
    const std::optional<VideoCodec> codec = CodecOf(media);
    if (media.type != "video" || !codec || media.payload_type < 0) {
      others.push_back(media.encoding.empty() ? media.type : media.type + " " + media.encoding);
      continue;
    }
    VideoTrack track;
    track.codec = *codec;
    track.payload_type = media.payload_type;
    track.clock_rate = media.clock_rate == 0 ? kDefaultClock : media.clock_rate;
    track.control = media.control;
    track.frame_rate = media.frame_rate;
    std::vector<std::string> sets;
    CollectSets(media.format, "sprop-vps", sets);
    CollectSets(media.format, "sprop-sps", sets);
    CollectSets(media.format, "sprop-pps", sets);
    CollectSets(media.format, "sprop-parameter-sets", sets);
    for (std::string& set : sets) {
      if (BelongsTo(*codec, set)) track.parameter_sets.push_back(std::move(set));
    }
    return track;
  }
  return absl::InvalidArgumentError(
      others.empty() ? "the camera's session description has no media"
                     : fmt::format("no H.264 or H.265 video at this URL, only: {}",
                                   absl::StrJoin(others, ", ")));
}

std::optional<MetadataTrack> ChooseMetadata(const SdpSession& session) {
  std::optional<MetadataTrack> chosen;
  for (const SdpMedia& media : session.media) {
    if (media.type != "application" || !media.encoding.starts_with(kPlainMetadata)) continue;
    if (media.payload_type < 0 || media.control.empty()) continue;
    const bool plain = media.encoding == kPlainMetadata;
    if (chosen && !plain) continue;
    chosen = MetadataTrack{media.payload_type, media.encoding, media.control};
    if (plain) break;
  }
  return chosen;
}

}  // namespace cordon
