// SPDX-License-Identifier: Apache-2.0
#include "ingest/live_feed.h"

#include <utility>

#include "ingest/snapshot.h"

namespace cordon {
namespace {

// A viewer further behind than this (4 s at 25 fps) sees the past, which is worse than a jump.
constexpr uint64_t kMostBehind = 100;
constexpr int kPreviewWidth = 960;

}  // namespace

absl::StatusOr<std::unique_ptr<LiveFeed>> LiveFeed::Open(
    const proto::CameraConfig& camera, std::shared_ptr<const PacketRing> ring,
    std::shared_ptr<const AVCodecParameters> codec) {
  if (!camera.masks().empty()) {
    return absl::FailedPreconditionError(
        fmt::format("camera {} has privacy masks, which its packets cannot carry",
                    camera.id()));
  }
  if (codec == nullptr || ring->newest_key_frame() == 0) {
    return absl::UnavailableError(fmt::format("camera {}: nothing has come yet", camera.id()));
  }
  if (codec->codec_id != AV_CODEC_ID_H264) {
    return absl::FailedPreconditionError(
        fmt::format("camera {} sends {}, which browsers do not play", camera.id(),
                    avcodec_get_name(codec->codec_id)));
  }
  std::unique_ptr<LiveFeed> feed(new LiveFeed(std::move(ring), std::move(codec)));
  feed->cursor_ = feed->ring_->newest_key_frame();
  const std::optional<RingEntry> first = feed->ring_->Find(feed->cursor_);
  if (!first) return absl::UnavailableError(fmt::format("camera {} just lost its ring", camera.id()));
  ASSIGN_OR_RETURN(feed->mime_, Mp4MimeType(*feed->codec_, *first->packet));
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
    newest_ = entry->packet->received;
  }
  return std::exchange(bytes_, {});
}

absl::StatusOr<std::string> LivePreview::Take() {
  const BootTime now = clock_.Boot();
  if (shown_ != nullptr && now - taken_ < kApart) return std::string();
  FramePtr frame = camera_.Newest();
  if (frame == nullptr || frame == shown_) return std::string();
  SnapshotOptions options;
  options.max_width = kPreviewWidth;
  ASSIGN_OR_RETURN(std::string jpeg, SnapshotJpeg(*frame, options));
  newest_ = frame->times.received;
  taken_ = now;
  shown_ = std::move(frame);
  return jpeg;
}

}  // namespace cordon
