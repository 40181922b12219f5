// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

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
  // The bytes that have become available, at most about `most` (a fragment is never cut); empty
  // when there are none yet. The first non-empty answer begins with the initialisation segment and
  // a key frame.
  absl::StatusOr<std::string> Take(size_t most);
  uint64_t skipped() const { return skipped_; }  // packets that this viewer was too slow for

 private:
  LiveFeed(std::shared_ptr<const PacketRing> ring, std::shared_ptr<const AVCodecParameters> codec)
      : ring_(std::move(ring)), codec_(std::move(codec)) {}
  absl::Status Write(const RingEntry& entry);

  const std::shared_ptr<const PacketRing> ring_;
  const std::shared_ptr<const AVCodecParameters> codec_;
  uint64_t cursor_ = 0;
  uint64_t skipped_ = 0;
  std::string bytes_;
  std::unique_ptr<Mp4Writer> writer_;
};

}  // namespace cordon
