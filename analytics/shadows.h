// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "analytics/mask_pieces.h"
#include "analytics/pixel_loops.h"
#include "ingest/frame.h"

namespace cordon {

// Takes out of a mask what only light changed. A shadow or a light cone scales what it falls on and
// keeps its texture: the correlation of picture and scene in a small window stays high while the
// brightness changes. Where there is no texture (asphalt), a shadow is smooth and only somewhat
// darker, while a body has contours; a smooth patch that contours enclose stays.
//
// One thread at a time; deterministic.
class ShadowFilter {
 public:
  // `now` and `scene` are pictures in grey levels, as large as the mask (0 or 255), at least 3x3.
  void Remove(const uint8_t* now, const float* scene, LumaPicture& mask);

 private:
  MaskPieces differing_;
  MajorityFilter majority_;
  std::vector<uint8_t> cleaned_;
};

}  // namespace cordon
