// SPDX-License-Identifier: Apache-2.0
#include "ingest/rtsp_probe.h"

#include <optional>

#include "ingest/rtp_parameter_sets.h"
#include "ingest/rtsp_source.h"

namespace cordon {

absl::StatusOr<StreamFacts> ProbeStream(const RtspOptions& options, Milliseconds watch,
                                        const Clock& clock) {
  const BootTime begin = clock.Boot();
  const std::unique_ptr<PacketSource> source = NewRtspSource(options, clock);
  ASSIGN_OR_RETURN(const StreamInfo info, source->Open());
  const VideoCodec codec =
      info.codec->codec_id == AV_CODEC_ID_H264 ? VideoCodec::kH264 : VideoCodec::kH265;
  StreamFacts facts;
  facts.codec = codec == VideoCodec::kH264 ? "H.264" : "H.265";
  facts.width = info.codec->width;
  facts.height = info.codec->height;
  const BootTime end = clock.Boot() + watch;
  std::optional<int64_t> first, last, first_key, last_key;
  int pictures = 0, keys = 0;
  uint64_t bytes = 0;
  while (clock.Boot() < end) {
    const auto left = std::chrono::ceil<Milliseconds>(end - clock.Boot());
    absl::StatusOr<Packet> packet = source->Read(left);
    if (absl::IsDeadlineExceeded(packet.status())) break;
    if (!packet.ok()) return packet.status();
    const AVPacket& av = *packet->av;
    if (!first)
      facts.first_picture = std::chrono::duration_cast<Milliseconds>(clock.Boot() - begin);
    if (!first) first = av.pts;
    last = av.pts;
    ++pictures;
    bytes += static_cast<uint64_t>(av.size);
    facts.camera_clock = facts.camera_clock || packet->camera.has_value();
    if ((av.flags & AV_PKT_FLAG_KEY) == 0) continue;
    if (!first_key) first_key = av.pts;
    last_key = av.pts;
    ++keys;
    const auto sequence =
        ParseSequenceSet(codec, FindSequenceSet(codec, {av.data, static_cast<size_t>(av.size)}));
    if (sequence) {
      facts.width = sequence->width;
      facts.height = sequence->height;
    }
  }
  if (!first) return absl::UnavailableError("the camera sends packets but no whole picture");
  const double seconds = static_cast<double>(*last - *first) / 1e6;
  if (pictures > 1 && seconds > 0) {
    facts.frame_rate = (pictures - 1) / seconds;
    facts.bitrate_kbps = static_cast<double>(bytes) * 8 / 1000 / seconds;
  }
  if (keys > 1)
    facts.key_interval_s = static_cast<double>(*last_key - *first_key) / 1e6 / (keys - 1);
  facts.stats = *source->rtsp_stats();
  return facts;
}

}  // namespace cordon
