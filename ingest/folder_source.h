// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "ingest/packet_source.h"

namespace cordon {

// The clips of a folder in name order as one stream; each file is a new run. A file that cannot be
// read is skipped with a warning; a change of codec ends the stream with FAILED_PRECONDITION.
// Threads: as PacketSource.
class FolderSource final : public PacketSource {
 public:
  FolderSource(std::string folder, const Clock& clock)
      : clock_(clock), folder_(std::move(folder)) {}
  absl::StatusOr<StreamInfo> Open() override;
  absl::StatusOr<Packet> Read(Milliseconds wait) override;
  void Interrupt() override;

 private:
  // The next readable file, opened; OUT_OF_RANGE after the last.
  absl::StatusOr<StreamInfo> OpenNext();
  void AttachExtradata(AVPacket& packet);

  const Clock& clock_;
  const std::string folder_;
  std::vector<std::string> files_;
  size_t next_ = 0;
  AVCodecID codec_ = AV_CODEC_ID_NONE;
  uint64_t runs_before_ = 0;
  uint64_t last_run_ = 0;
  AvCodecParametersPtr changed_;  // of a file that just began; its first packet carries them
  std::atomic<bool> interrupted_{false};
  absl::Mutex mutex_;
  std::shared_ptr<PacketSource> current_ ABSL_GUARDED_BY(mutex_);
};

// FolderSource for a folder, FileSource for anything else.
std::unique_ptr<PacketSource> MakeFileOrFolderSource(const std::string& path, const Clock& clock);

}  // namespace cordon
