// SPDX-License-Identifier: Apache-2.0
// What a viewer of one camera gets: its packets as fragmented MP4, or pictures.
#pragma once

#include <memory>
#include <string>

#include "ingest/camera_stream.h"
#include "ingest/mp4_writer.h"
#include "ingest/packet_ring.h"
#include "proto/config.pb.h"

namespace cordon {

// A viewer's live picture: fragmented MP4 cut from a camera's packet ring without transcoding, for
// a browser's media source. The viewer pulls; a slow one skips to the newest key frame and costs
// the camera nothing. One thread.
class LiveFeed {
 public:
  // FAILED_PRECONDITION: not H.264, or the camera has privacy masks (packets cannot be masked):
  // show LivePreview pictures instead. UNAVAILABLE: nothing came from the camera yet.
  static absl::StatusOr<std::unique_ptr<LiveFeed>> Open(
      const proto::CameraConfig& camera, std::shared_ptr<const PacketRing> ring,
      std::shared_ptr<const AVCodecParameters> codec);
  // For the browser's media source: video/mp4; codecs="avc1.640028".
  const std::string& mime() const { return mime_; }
  // The bytes that have become available, at most about `most` (a fragment is never cut); empty
  // when there are none yet. The first non-empty answer begins with the initialisation segment and
  // a key frame. OUT_OF_RANGE: the camera changed its picture's format; open another feed.
  absl::StatusOr<std::string> Take(size_t most);
  uint64_t skipped() const { return skipped_; }  // packets that this viewer was too slow for
  BootTime newest() const { return newest_; }    // when the newest taken packet was received

 private:
  LiveFeed(std::shared_ptr<const PacketRing> ring, std::shared_ptr<const AVCodecParameters> codec)
      : ring_(std::move(ring)), codec_(std::move(codec)) {}
  absl::Status Write(const RingEntry& entry);

  const std::shared_ptr<const PacketRing> ring_;
  const std::shared_ptr<const AVCodecParameters> codec_;
  std::string mime_;
  uint64_t cursor_ = 0;
  uint64_t skipped_ = 0;
  BootTime newest_{};
  std::string bytes_;
  std::unique_ptr<Mp4Writer> writer_;
};

// The newest analysed picture of a camera as JPEG, masks burned in: for codecs that browsers do not
// play and for cameras with masks. While the scene is quiet that is one for each key frame. One
// thread, which pays for the encoding.
class LivePreview {
 public:
  // The camera outlives the preview.
  LivePreview(const CameraStream& camera, const Clock& clock) : camera_(camera), clock_(clock) {}
  // A whole JPEG when there is a newer picture and the last one is kApart ago; empty otherwise.
  absl::StatusOr<std::string> Take();
  BootTime newest() const { return newest_; }

  static constexpr Milliseconds kApart{200};

 private:
  const CameraStream& camera_;
  const Clock& clock_;
  FramePtr shown_;
  BootTime taken_{};
  BootTime newest_{};
};

}  // namespace cordon
