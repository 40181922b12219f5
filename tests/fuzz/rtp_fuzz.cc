// SPDX-License-Identifier: Apache-2.0
// A stream of RTP and RTCP packets, each behind two bytes of length: sequencer, depacketizer, time
// line and reports. The first byte chooses the codec.
#include <cstdint>
#include <span>

#include "ingest/rtp_depacketizer.h"
#include "ingest/rtp_parameter_sets.h"
#include "ingest/rtp_timeline.h"
#include "ingest/rtsp_reporter.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace cordon;
  if (size < 1) return 0;
  constexpr size_t kMostBytes = 64 * 1024;
  VideoTrack track;
  track.codec = (data[0] & 1) != 0 ? VideoCodec::kH265 : VideoCodec::kH264;
  RtspStats stats;
  RtpTimeline timeline(90000, stats);
  BootTime now(Seconds(1));
  const auto depacketizer = NewDepacketizer(track, kMostBytes, stats, [&](const AccessUnit& unit) {
    // One unit of parameter sets may be put before what the limit counts.
    if (unit.bytes.empty() || unit.bytes.size() > 2 * kMostBytes) __builtin_trap();
    if (unit.fresh) timeline.Break();
    timeline.Place(unit.timestamp, unit.received);
    ParseSequenceSet(track.codec, FindSequenceSet(track.codec, unit.bytes));
  });
  RtpSequencer sequencer(32, Milliseconds(50), stats, [&](const RtpSequencer::Delivery& delivery) {
    depacketizer->Push(delivery).IgnoreError();
  });
  RtspReporter reporter(90000);
  std::span<const uint8_t> rest(data + 1, size - 1);
  while (rest.size() > 2) {
    const size_t length =
        std::min<size_t>(static_cast<size_t>(rest[0]) << 8 | rest[1], rest.size() - 2);
    const std::span<const uint8_t> bytes = rest.subspan(2, length);
    now += Milliseconds(length % 64);
    if (const auto packet = ParseRtp(bytes)) {
      sequencer.Push(*packet, now);
      reporter.OnPacket(*packet, now);
    }
    if (const auto content = ParseRtcp(bytes); content && content->report) {
      timeline.OnSenderReport(*content->report);
      reporter.OnSenderReport(*content->report, now);
    }
    sequencer.Expire(now);
    reporter.Due(sequencer, stats, now);
    rest = rest.subspan(2 + length);
  }
  return 0;
}
