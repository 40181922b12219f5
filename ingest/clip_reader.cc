// SPDX-License-Identifier: Apache-2.0
#include "ingest/clip_reader.h"

#include <utility>

#include "ingest/folder_source.h"

namespace cordon {

absl::StatusOr<ClipReaderOptions> ClipReaderOptions::For(const proto::CameraConfig& camera) {
  ClipReaderOptions options;
  options.camera = CameraId(camera.id());
  options.analysis_width = static_cast<int>(camera.analysis_width());
  options.analysis_fps = camera.analysis_fps();
  ASSIGN_OR_RETURN(options.masks, Masks::Parse(camera));
  return options;
}

absl::StatusOr<std::unique_ptr<ClipReader>> ClipReader::Open(const std::string& path,
                                                             ClipReaderOptions options,
                                                             const Clock& clock) {
  std::unique_ptr<ClipReader> reader(new ClipReader());
  reader->source_ = MakeFileOrFolderSource(path, clock);
  ASSIGN_OR_RETURN(reader->info_, reader->source_->Open());
  reader->pacer_.SetRate(options.analysis_fps);
  DecoderOptions decoder_options{options.camera, options.analysis_width, std::move(options.masks)};
  ASSIGN_OR_RETURN(reader->decoder_,
                   Decoder::Make(*reader->info_.codec, std::move(decoder_options), clock));
  return reader;
}

absl::StatusOr<std::optional<FramePtr>> ClipReader::NextFrame() {
  while (true) {
    while (std::optional<Picture> picture = decoder_->Take()) {
      if (pacer_.Wants(picture->run, picture->times.media)) return decoder_->Render(*picture);
    }
    if (ended_) {
      if (end_.ok()) return std::optional<FramePtr>();
      return std::exchange(end_, absl::OkStatus());
    }
    absl::StatusOr<Packet> packet = source_->Read(Milliseconds(10'000));
    if (packet.ok()) {
      decoder_->Send(*packet);
      continue;
    }
    ended_ = true;
    if (!absl::IsOutOfRange(packet.status())) end_ = packet.status();
    decoder_->Drain();
  }
}

}  // namespace cordon
