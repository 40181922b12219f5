// SPDX-License-Identifier: Apache-2.0
#include "ingest/clip_file.h"

extern "C" {
#include <libavutil/mem.h>
#include <libavutil/sha.h>
}

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace cordon {

struct ClipFile::Hash {
  Hash() : state(av_sha_alloc()) {
    CORDON_CHECK(state != nullptr && av_sha_init(state, 256) == 0, "SHA-256 is part of libavutil");
  }
  ~Hash() { av_free(state); }
  AVSHA* state;
};

absl::StatusOr<std::unique_ptr<ClipFile>> ClipFile::Create(const Folder& folder,
                                                           const std::string& name,
                                                           const AVCodecParameters& codec,
                                                           const Masks& masks, const Clock& clock) {
  std::unique_ptr<ClipFile> clip(new ClipFile(folder, name, clock));
  clip->codec_.reset(avcodec_parameters_alloc());
  CORDON_CHECK(clip->codec_ != nullptr && avcodec_parameters_copy(clip->codec_.get(), &codec) >= 0,
               "out of memory");
  clip->hash_ = std::make_unique<Hash>();
  if (!masks.empty() || !FitsMp4(codec.codec_id)) {
    const auto output = [raw = clip.get()](const AVCodecParameters& coded, const Packet& packet) {
      return raw->Mux(coded, packet);
    };
    ASSIGN_OR_RETURN(clip->encoder_, MaskEncoder::Make(codec, masks, clock, output));
  }
  ASSIGN_OR_RETURN(clip->fd_, folder.OpenFile(clip->part(), O_WRONLY | O_CREAT | O_EXCL));
  return clip;
}

ClipFile::ClipFile(const Folder& folder, std::string name, const Clock& clock)
    : folder_(folder), name_(std::move(name)), clock_(clock) {}

ClipFile::~ClipFile() {
  const bool begun = fd_ >= 0;
  if (begun) close(fd_);
  if (begun && !finished_) folder_.Remove(part()).IgnoreError();
}

absl::Status ClipFile::Put(std::string_view bytes) {
  if (facts_.bytes + bytes.size() > kMaxBytes)
    return absl::ResourceExhaustedError("the clip is too large; it was cut");
  av_sha_update(hash_->state, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  facts_.bytes += bytes.size();
  while (!bytes.empty()) {
    const ssize_t wrote = write(fd_, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      const std::string message = fmt::format("{}: {}", name_, std::strerror(errno));
      return errno == ENOSPC ? absl::ResourceExhaustedError(message)
                             : absl::UnavailableError(message);
    }
    bytes.remove_prefix(static_cast<size_t>(wrote));
  }
  return absl::OkStatus();
}

absl::Status ClipFile::Mux(const AVCodecParameters& codec, const Packet& packet) {
  if (writer_ == nullptr) {
    ASSIGN_OR_RETURN(writer_,
                     Mp4Writer::Make(codec, packet, Mp4Writer::Cut::kKeyFrames,
                                     [this](std::string_view bytes) { return Put(bytes); }));
  }
  return writer_->Write(packet);
}

absl::Status ClipFile::Append(const Packet& packet) {
  if (!std::exchange(begun_, true)) facts_.first_wall = packet.received_wall;
  return encoder_ != nullptr ? encoder_->Write(packet) : Mux(*codec_, packet);
}

absl::StatusOr<ClipFacts> ClipFile::Finish() {
  if (encoder_ != nullptr) RETURN_IF_ERROR(encoder_->Finish());
  if (writer_ == nullptr) return absl::DataLossError("no picture came in the clip's time");
  RETURN_IF_ERROR(writer_->Finish());
  facts_.duration = writer_->duration();
  av_sha_final(hash_->state, facts_.sha256.data());
  if (fsync(fd_) != 0)
    return absl::DataLossError(fmt::format("{}: fsync: {}", name_, std::strerror(errno)));
  RETURN_IF_ERROR(folder_.Rename(part(), name_));
  finished_ = true;
  return facts_;
}

}  // namespace cordon
