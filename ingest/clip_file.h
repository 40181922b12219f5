// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/folder.h"
#include "ingest/mask_encoder.h"
#include "ingest/mp4_writer.h"

namespace cordon {

// What a finished clip is.
struct ClipFacts {
  std::array<uint8_t, 32> sha256{};
  uint64_t bytes = 0;
  WallTime first_wall;
  Microseconds duration{0};
};

// One clip on its way to disk: packets in, fragmented MP4 in NAME.part, which becomes NAME when it
// is complete and synced. Without masks H.264 and H.265 packets go in as they are; otherwise they
// are encoded again with the masks burned in. Owned by one thread; the destructor removes an
// unfinished file.
class ClipFile {
 public:
  // A clip cannot fill a disk: 2 minutes of 30 Mbit/s.
  static constexpr uint64_t kMaxBytes = 512ull * 1024 * 1024;

  // `folder` outlives the clip. ALREADY_EXISTS, and others of Folder::OpenFile.
  static absl::StatusOr<std::unique_ptr<ClipFile>> Create(const Folder& folder,
                                                          const std::string& name,
                                                          const AVCodecParameters& codec,
                                                          const Masks& masks, const Clock& clock);
  ~ClipFile();
  ClipFile(const ClipFile&) = delete;
  ClipFile& operator=(const ClipFile&) = delete;

  // The first packet must be a key frame. RESOURCE_EXHAUSTED: disk full or clip too large.
  absl::Status Append(const Packet& packet);
  absl::StatusOr<ClipFacts> Finish();

 private:
  ClipFile(const Folder& folder, std::string name, const Clock& clock);
  std::string part() const { return name_ + ".part"; }
  absl::Status Mux(const AVCodecParameters& codec, const Packet& packet);
  absl::Status Put(std::string_view bytes);

  const Folder& folder_;
  const std::string name_;
  const Clock& clock_;
  int fd_ = -1;
  AvCodecParametersPtr codec_;
  struct Hash;
  std::unique_ptr<Hash> hash_;
  std::unique_ptr<MaskEncoder> encoder_;
  std::unique_ptr<Mp4Writer> writer_;
  ClipFacts facts_;
  bool begun_ = false;
  bool finished_ = false;
};

}  // namespace cordon
