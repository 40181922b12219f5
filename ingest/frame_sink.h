// SPDX-License-Identifier: Apache-2.0
// Where a camera's frames go. Analytics can never block ingest: a sink answers at once.
#pragma once

#include "ingest/frame.h"

namespace cordon {

// Called by the camera's owner thread only. Neither call may wait.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  // Whether a frame would be taken without displacing another. While a camera catches up from its
  // packet ring it decodes only as fast as the sink has room, so that an event is seen from its
  // beginning; at the live edge newest wins.
  virtual bool HasRoom() const = 0;
  virtual void Put(FramePtr frame) = 0;
};

}  // namespace cordon
