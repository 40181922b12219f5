// SPDX-License-Identifier: Apache-2.0
#include "cli/alert_snapshot.h"

#include <algorithm>

#include "base/time.h"
#include "ingest/snapshot.h"

namespace cordon::cli {
namespace {

template <class Texts>
absl::StatusOr<std::vector<RelativePoint>> Points(const Texts& texts) {
  std::vector<RelativePoint> points;
  for (const std::string& text : texts) {
    ASSIGN_OR_RETURN(points.emplace_back(), ParseRelativePoint(text));
  }
  return points;
}

}  // namespace

absl::StatusOr<std::string> AlertSnapshot(const Frame& frame, const proto::CameraConfig& camera,
                                          const proto::Event& event) {
  SnapshotOptions options;
  for (const proto::RuleConfig& rule : camera.rules()) {
    if (rule.id() != event.rule_id()) continue;
    ASSIGN_OR_RETURN(options.zone, Points(rule.zone()));
    ASSIGN_OR_RETURN(options.line, Points(rule.line()));
  }
  if (event.has_box()) {
    const proto::PictureBox& box = event.box();
    options.boxes.push_back({box.x(), box.y(), box.width(), box.height(),
                             event.track_id() == 0
                                 ? event.object_class()
                                 : fmt::format("{} {}", event.object_class(), event.track_id())});
  }
  for (const proto::PathPoint& point : event.explanation().path())
    options.path.push_back({point.foot().x(), point.foot().y()});
  options.label =
      fmt::format("{}  {}  {}", FormatWall(frame.times.received_wall), camera.id(), event.detail());
  return SnapshotJpeg(frame, options);
}

}  // namespace cordon::cli
