// SPDX-License-Identifier: Apache-2.0
#include "ingest/live_feed.h"

#include <utility>

namespace cordon {
namespace {

// A viewer further behind than this (4 s at 25 fps) sees the past, which is worse than a jump.
constexpr uint64_t kMostBehind = 100;

}  // namespace

absl::StatusOr<std::unique_ptr<LiveFeed>> LiveFeed::Open(
    const proto::CameraConfig& camera, std::shared_ptr<const PacketRing> ring,
    std::shared_ptr<const AVCodecParameters> codec) {
  if (!camera.masks().empty()) {
    return absl::FailedPreconditionError(
        fmt::format("camera {} has privacy masks, which its packets cannot carry; show its preview",
                    camera.id()));
  }
  if (codec == nullptr || ring->newest_key_frame() == 0) {
    return absl::UnavailableError(fmt::format("camera {}: nothing has come yet", camera.id()));
  }
  if (codec->codec_id != AV_CODEC_ID_H264) {
    return absl::FailedPreconditionError(
        fmt::format("camera {} sends {}, which browsers do not play; show its preview", camera.id(),
                    avcodec_get_name(codec->codec_id)));
  }
  std::unique_ptr<LiveFeed> feed(new LiveFeed(std::move(ring), std::move(codec)));
  feed->cursor_ = feed->ring_->newest_key_frame();
  return feed;
}

absl::Status LiveFeed::Write(const RingEntry& entry) {
  if (writer_ == nullptr) {
    ASSIGN_OR_RETURN(writer_, Mp4Writer::Make(*codec_, *entry.packet, Mp4Writer::Cut::kEveryPicture,
                                              [this](std::string_view bytes) {
                                                bytes_.append(bytes);
                                                return absl::OkStatus();
                                              }));
  }
  return writer_->Write(*entry.packet);
}

absl::StatusOr<std::string> LiveFeed::Take(size_t most) {
  while (bytes_.size() < most) {
    const uint64_t newest_key = ring_->newest_key_frame();
    if (ring_->newest() > cursor_ + kMostBehind && newest_key > cursor_) {
      skipped_ += newest_key - cursor_;
      cursor_ = newest_key;
    }
    const std::optional<RingEntry> entry = ring_->Find(cursor_);
    if (!entry) break;
    if (entry->sequence > cursor_) skipped_ += entry->sequence - cursor_;
    RETURN_IF_ERROR(Write(*entry));
    cursor_ = entry->sequence + 1;
  }
  return std::exchange(bytes_, {});
}

}  // namespace cordon
