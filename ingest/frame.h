// SPDX-License-Identifier: Apache-2.0
// The frame: what ingest hands to analytics. This header pulls in neither FFmpeg nor OpenCV.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace cordon {

// When a frame happened. docs/time.md says what may be concluded from each.
struct FrameTimes {
  MediaTime media;                  // the only time that rules use
  std::optional<WallTime> camera;   // the camera's own clock (RTCP sender report), where given
  WallTime received_wall;           // when its last packet came off the network
  BootTime received;
  BootTime decoded;
};

// 8-bit luma, row-major, no padding.
struct LumaPicture {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> pixels;
  const uint8_t* row(int y) const { return pixels.data() + static_cast<size_t>(y) * static_cast<size_t>(width); }
};

// 8-bit blue, green, red, interleaved, row-major, no padding (OpenCV's order).
struct BgrPicture {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> pixels;
};

// A rectangle of the source picture in pixels.
struct PixelRect {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

// The decoded picture behind a frame, converted only on request: colour is needed for detector crops and snapshots, not
// for every frame. Privacy masks are already burned in. Immutable, thread-safe.
class ColourSource {
 public:
  virtual ~ColourSource() = default;
  virtual int width() const = 0;
  virtual int height() const = 0;
  // `crop` scaled to width x height; the crop is clamped to the picture.
  virtual BgrPicture Render(const PixelRect& crop, int width, int height) const = 0;
};

// One decoded picture. Immutable after it was made; shared by pointer.
struct Frame {
  CameraId camera;
  uint64_t number = 0;         // 1, 2, 3 ... of the decoded pictures of this source, in presentation order
  uint64_t run = 1;            // rises at every break of the time line (reconnect, jump, loop); media times of two runs
                               // do not compare
  FrameTimes times;
  int source_width = 0;        // of the decoded picture; may change between frames
  int source_height = 0;
  bool key = false;
  bool damaged = false;        // decoded with errors or after loss, until the next key frame
  LumaPicture luma;            // analysis size, masks burned in as black
  std::shared_ptr<const ColourSource> colour;
};
using FramePtr = std::shared_ptr<const Frame>;

}  // namespace cordon
