// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "analytics/detector.h"
#include "analytics/picture_change.h"
#include "base/status.h"
#include "ingest/frame.h"
#include "proto/config.pb.h"
#include "proto/event.pb.h"
#include "proto/telemetry.pb.h"

namespace cordon {

struct CameraAnalyzerOptions {
  proto::CameraConfig camera;
  std::string time_zone = "UTC";  // IANA name, for schedules
  std::vector<proto::HolidayConfig> holidays;
  // Finds objects; null: the built-in path, where the moving regions themselves are the objects.
  std::shared_ptr<Detector> detector;
  // Names the regions of the built-in path; null: by the shape of the box alone.
  std::shared_ptr<const RegionClassifier> classifier;
};

// What one frame gave.
struct Analysis {
  std::vector<proto::Event>
      events;  // complete but for place when the camera is not calibrated: then the camera's own
  std::vector<proto::TrackBox> boxes;  // every confirmed track that is in the picture now, by id
  // Something moves, a track lives or a condition is pending: adaptive decode must go on with every
  // frame. False: nothing will be missed when the next frame comes a key frame later.
  bool active = false;
  double foreground = 0;  // share of the picture that differs from the background, 0..1
  // What changed the picture as a whole in this frame, tampering apart (that is an event).
  PictureChange change = PictureChange::kNone;
  // Why the detector gave no answer for this frame; OK when it did or was not needed. The tracks
  // coasted.
  absl::Status detector_status;
};

// Frames of one camera in, events out: scene model -> regions -> detector -> tracker -> rules.
// Deterministic: the same frames give the same analyses, byte for byte. Only media time is used,
// but for schedules and a bypass's end, which look at frame.times.received_wall. A rise of
// Frame::run ends all tracks; the scene model stays and proves itself anew.
//
// Owned and used by one thread at a time; different cameras are independent. Reads the colour
// picture once a minute, very small, to know infra-red light; a detector may read more.
class CameraAnalyzer {
 public:
  // INVALID_ARGUMENT names camera, rule, field and remedy: a zone with too few corners, a line
  // without length, an unknown time zone, a schedule that cannot be read, speeding without
  // calibration, calibration points on one line...
  static absl::StatusOr<std::unique_ptr<CameraAnalyzer>> Create(CameraAnalyzerOptions options);
  virtual ~CameraAnalyzer() = default;

  virtual Analysis Analyze(const Frame& frame) = 0;
};

}  // namespace cordon
