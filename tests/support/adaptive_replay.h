// SPDX-License-Identifier: Apache-2.0
// A recorded clip through the live path's ring and adaptive decoder, on a simulated clock, as fast
// as it decodes.
#pragma once

#include <functional>
#include <string>

#include "base/clock.h"
#include "ingest/adaptive_decoder.h"
#include "ingest/cpu_budget.h"
#include "ingest/file_source.h"
#include "proto/config.pb.h"

namespace cordon::testing {

struct AdaptiveReplay {
  uint64_t packets = 0;
  uint64_t key_frames = 0;
  DecodeCounts counts;
  Nanoseconds cpu{0};    // of the whole process while it ran
  Nanoseconds quiet{0};  // media time in key frame mode
  Nanoseconds length{0};
};

// `analyze` gets each frame and says whether analytics is active. The sink always has room. `look`,
// if given, sees the decoder after each packet.
inline absl::StatusOr<AdaptiveReplay> ReplayAdaptive(
    const proto::CameraConfig& camera, const std::string& path,
    const std::function<bool(const FramePtr&)>& analyze,
    const std::function<void(const AdaptiveDecoder&)>& look = {}) {
  class Sink final : public FrameSink {
   public:
    explicit Sink(std::function<void(const FramePtr&)> put) : put_(std::move(put)) {}
    bool HasRoom() const override { return true; }
    void Put(FramePtr frame) override { put_(frame); }

   private:
    std::function<void(const FramePtr&)> put_;
  };
  SimulatedClock clock;
  FileSource source({.location = path}, clock);
  ASSIGN_OR_RETURN(const StreamInfo info, source.Open());
  PacketRing ring(static_cast<size_t>(camera.ring_mib() > 0 ? camera.ring_mib() : 24) * 1024 *
                  1024);
  AdaptiveDecoder* running = nullptr;
  Sink sink([&](const FramePtr& frame) { running->SetActive(analyze(frame)); });
  ASSIGN_OR_RETURN(Masks masks, Masks::Parse(camera));
  AdaptiveDecoder decoder(camera, masks, ring, sink, clock);
  running = &decoder;
  RETURN_IF_ERROR(decoder.Open(info, 1));
  AdaptiveReplay result;
  const Nanoseconds cpu_before = ProcessCpuTime();
  std::optional<int64_t> last_us;
  while (true) {
    absl::StatusOr<Packet> packet = source.Read(Seconds(10));
    if (absl::IsOutOfRange(packet.status())) break;
    RETURN_IF_ERROR(packet.status());
    const int64_t at_us = packet->av->dts;
    const Microseconds step(last_us ? std::clamp<int64_t>(at_us - *last_us, 0, 1'000'000) : 0);
    last_us = at_us;
    clock.Advance(step);
    result.length += step;
    if (decoder.effective_mode() == "keyframes") result.quiet += step;
    packet->received = clock.Boot();
    packet->received_wall = clock.Wall();
    ++result.packets;
    if ((packet->av->flags & AV_PKT_FLAG_KEY) != 0) ++result.key_frames;
    auto shared = std::make_shared<const Packet>(*std::move(packet));
    const uint64_t sequence = ring.Push(shared);
    decoder.OnPacket({sequence, std::move(shared)});
    while (decoder.Work(Seconds(1))) {
    }
    if (look) look(decoder);
  }
  decoder.Finish();
  result.cpu = ProcessCpuTime() - cpu_before;
  result.counts = decoder.counts();
  return result;
}

}  // namespace cordon::testing
