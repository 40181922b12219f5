// SPDX-License-Identifier: Apache-2.0
#include "cli/node_live.h"

#include <utility>

#include "ingest/live_feed.h"

namespace cordon::cli {
namespace {

// Bytes taken from the ring in one go; a fragment is never cut.
constexpr size_t kTakeBytes = 256 * 1024;

Milliseconds AgeOf(BootTime received, const Clock& clock) {
  return std::chrono::duration_cast<Milliseconds>(clock.Boot() - received);
}

class PacketView final : public LiveSource {
 public:
  PacketView(const CameraStream& camera, std::unique_ptr<LiveFeed> feed, const Clock& clock)
      : camera_(camera),
        codec_(camera.evidence_codec()->codec_id),
        feed_(std::move(feed)),
        clock_(clock) {}

  absl::StatusOr<Part> Take() override {
    if (camera_.evidence_codec()->codec_id != codec_)
      return absl::OutOfRangeError("the camera changed its codec");
    ASSIGN_OR_RETURN(std::string bytes, feed_->Take(kTakeBytes));
    return Part{std::move(bytes), AgeOf(feed_->newest(), clock_), feed_->skipped()};
  }

 private:
  const CameraStream& camera_;
  const AVCodecID codec_;
  const std::unique_ptr<LiveFeed> feed_;
  const Clock& clock_;
};

class PictureView final : public LiveSource {
 public:
  PictureView(const CameraStream& camera, const Clock& clock)
      : preview_(camera, clock), clock_(clock) {}

  absl::StatusOr<Part> Take() override {
    ASSIGN_OR_RETURN(std::string jpeg, preview_.Take());
    return Part{std::move(jpeg), AgeOf(preview_.newest(), clock_), 0};
  }

 private:
  LivePreview preview_;
  const Clock& clock_;
};

}  // namespace

absl::StatusOr<LiveOpening> OpenLive(const CameraStream& camera, const proto::LiveOpen& what,
                                     const Clock& clock) {
  LiveOpening opening;
  if (!what.pictures_only()) {
    auto feed = LiveFeed::Open(camera.config(), camera.evidence(), camera.evidence_codec());
    if (feed.ok()) {
      opening.mime = (*feed)->mime();
      opening.source = std::make_unique<PacketView>(camera, *std::move(feed), clock);
      return opening;
    }
    if (absl::IsUnavailable(feed.status())) return feed.status();
    opening.why_pictures = std::string(MessageOf(feed.status()));
  }
  opening.mime = "image/jpeg";
  opening.source = std::make_unique<PictureView>(camera, clock);
  return opening;
}

}  // namespace cordon::cli
