// SPDX-License-Identifier: Apache-2.0
// Session descriptions (RFC 8866) as cameras write them: tolerant in form, strict in size.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace cordon {

inline constexpr size_t kMaxSdpBytes = 64 * 1024;
inline constexpr size_t kMaxSdpLine = 1024;
inline constexpr size_t kMaxSdpMedia = 16;

enum class VideoCodec { kH264, kH265 };

// One "m=" of a description.
struct SdpMedia {
  std::string type;              // "video", "audio", "application"
  int payload_type = -1;         // the first format
  std::string encoding;          // of its rtpmap, upper case: "H264"; empty when there is none
  uint32_t clock_rate = 0;       // Hz; 0 when there is no rtpmap
  std::string format;            // its fmtp parameters
  std::string control;           // as written; empty: the session's
  double frame_rate = 0;         // a=framerate; 0 when absent
  bool send_only_by_us = false;  // a=sendonly of a back channel's reverse: nothing comes from it
};

struct SdpSession {
  std::string control;  // session level; empty when absent
  std::vector<SdpMedia> media;
};

inline constexpr std::string_view kPlainMetadata = "VND.ONVIF.METADATA";

// The video that is played, with what its depacketizer needs.
struct VideoTrack {
  VideoCodec codec = VideoCodec::kH264;
  int payload_type = 96;
  uint32_t clock_rate = 90000;
  std::string control;
  double frame_rate = 0;
  // Parameter sets of the description, without start codes, in the order they must precede a key
  // frame in. Broken ones are left out: those in the stream are used then.
  std::vector<std::string> parameter_sets;
};

// A stream of ONVIF metadata beside the video.
struct MetadataTrack {
  int payload_type = -1;
  std::string encoding;  // kPlainMetadata is XML; with ".GZIP" or ".EXI..." behind it, it is not
  std::string control;
};

// DATA_LOSS: larger than the limits (bytes, line length, media), or no session description at all.
absl::StatusOr<SdpSession> ParseSdp(std::string_view text);

// The first H.264 or H.265 video. INVALID_ARGUMENT names what is there instead.
absl::StatusOr<VideoTrack> ChooseVideo(const SdpSession& session);

// The first metadata stream that has an address of its own; of several encodings the plain one.
std::optional<MetadataTrack> ChooseMetadata(const SdpSession& session);

}  // namespace cordon
