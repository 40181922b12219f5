// SPDX-License-Identifier: Apache-2.0
// A recorded clip, picture by picture, as fast as it decodes: replay, tests and accuracy runs. The
// same clip gives the same frames (media times, numbers, pixels) each time; only the receive and
// decode times differ.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ingest/decoder.h"
#include "ingest/frame_pacer.h"
#include "ingest/packet_source.h"

namespace cordon {

struct ClipReaderOptions {
  CameraId camera{"clip"};
  int analysis_width = 480;
  double analysis_fps = 0;  // most pictures per second of media time; 0: every picture
  Masks masks;

  // The same width, rate and masks as the camera has live. INVALID_ARGUMENT for a malformed mask.
  static absl::StatusOr<ClipReaderOptions> For(const proto::CameraConfig& camera);
};

// Used by one thread. Example:
//   ASSIGN_OR_RETURN(auto clip, ClipReader::Open(path, {}, SystemClock()));
//   while (true) {
//     ASSIGN_OR_RETURN(std::optional<FramePtr> frame, clip->NextFrame());
//     if (!frame) break;   // end of the clip
//     ...
//   }
class ClipReader {
 public:
  // Errors as PacketSource::Open, each one line that says what to do. A folder is read file by file
  // in name order; each file begins a new run.
  static absl::StatusOr<std::unique_ptr<ClipReader>> Open(const std::string& path,
                                                          ClipReaderOptions options,
                                                          const Clock& clock);
  // Nothing at the end. DATA_LOSS once, after the frames that are there, when the clip is cut off.
  absl::StatusOr<std::optional<FramePtr>> NextFrame();

  double nominal_fps() const { return info_.nominal_fps; }  // 0: unknown
  std::optional<Microseconds> duration() const { return info_.duration; }
  uint64_t pictures() const { return decoder_->pictures(); }  // decoded so far, analysed or not
  uint64_t errors() const { return decoder_->errors(); }

 private:
  ClipReader() = default;

  std::unique_ptr<PacketSource> source_;
  StreamInfo info_;
  std::unique_ptr<Decoder> decoder_;
  FramePacer pacer_{0};
  bool ended_ = false;
  absl::Status end_;
};

}  // namespace cordon
