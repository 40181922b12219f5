// SPDX-License-Identifier: Apache-2.0
#include "ingest/folder_source.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/log.h"
#include "ingest/file_source.h"

namespace cordon {
namespace fs = std::filesystem;

absl::StatusOr<StreamInfo> FolderSource::Open() {
  std::error_code error;
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    std::error_code ignored;
    if (it->is_regular_file(ignored) && name[0] != '.') files_.push_back(it->path().string());
  }
  if (error)
    return absl::NotFoundError(fmt::format("{}: cannot list it: {}", folder_, error.message()));
  if (files_.empty())
    return absl::NotFoundError(fmt::format("{}: no clips in this folder; put some there", folder_));
  std::sort(files_.begin(), files_.end());
  absl::StatusOr<StreamInfo> first = OpenNext();
  if (absl::IsOutOfRange(first.status())) {
    return absl::InvalidArgumentError(
        fmt::format("{}: no video in any of its {} files", folder_, files_.size()));
  }
  if (first.ok()) first->duration = std::nullopt;
  return first;
}

absl::StatusOr<StreamInfo> FolderSource::OpenNext() {
  while (next_ < files_.size()) {
    auto source =
        std::make_shared<FileSource>(FileSourceOptions{.location = files_[next_]}, clock_);
    {
      absl::MutexLock lock(&mutex_);
      current_ = source;
    }
    if (interrupted_.load()) return absl::CancelledError("interrupted");
    ++next_;
    absl::StatusOr<StreamInfo> info = source->Open();
    if (absl::IsCancelled(info.status())) return info;
    if (!info.ok()) {
      log::Warning("clip skipped", {{"why", MessageOf(info.status())}});
      continue;
    }
    if (codec_ == AV_CODEC_ID_NONE) codec_ = info->codec->codec_id;
    if (info->codec->codec_id != codec_) {
      return absl::FailedPreconditionError(
          fmt::format("{}: its codec differs from the clips before it; keep one codec in a folder",
                      files_[next_ - 1]));
    }
    runs_before_ = last_run_;
    changed_.reset(avcodec_parameters_alloc());
    avcodec_parameters_copy(changed_.get(), info->codec.get());
    return info;
  }
  return absl::OutOfRangeError("end of the folder");
}

absl::StatusOr<Packet> FolderSource::Read(Milliseconds wait) {
  while (true) {
    std::shared_ptr<PacketSource> current;
    {
      absl::MutexLock lock(&mutex_);
      current = current_;
    }
    absl::StatusOr<Packet> packet = current->Read(wait);
    if (packet.ok()) {
      packet->run += runs_before_;
      last_run_ = packet->run;
      if (changed_ != nullptr) AttachExtradata(*packet->av);
      return packet;
    }
    if (!absl::IsOutOfRange(packet.status()) && !absl::IsDataLoss(packet.status())) return packet;
    if (absl::IsDataLoss(packet.status()))
      log::Warning("clip is damaged", {{"why", MessageOf(packet.status())}});
    if (absl::StatusOr<StreamInfo> next = OpenNext(); !next.ok()) return next.status();
  }
}

// The decoder was opened with the first file's parameter sets; the next file's come with its first
// packet.
void FolderSource::AttachExtradata(AVPacket& packet) {
  const AvCodecParametersPtr codec = std::move(changed_);
  if (codec->extradata_size <= 0) return;
  uint8_t* data = av_packet_new_side_data(&packet, AV_PKT_DATA_NEW_EXTRADATA,
                                          static_cast<size_t>(codec->extradata_size));
  if (data != nullptr)
    std::memcpy(data, codec->extradata, static_cast<size_t>(codec->extradata_size));
}

void FolderSource::Interrupt() {
  interrupted_.store(true);
  absl::MutexLock lock(&mutex_);
  if (current_ != nullptr) current_->Interrupt();
}

std::unique_ptr<PacketSource> MakeFileOrFolderSource(const std::string& path, const Clock& clock) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return std::make_unique<FolderSource>(path, clock);
  return std::make_unique<FileSource>(FileSourceOptions{.location = path}, clock);
}

}  // namespace cordon
