// SPDX-License-Identifier: Apache-2.0
#include "analytics/rule.h"

#include <algorithm>
#include <cmath>

#include "absl/time/time.h"
#include "analytics/detector.h"
#include "base/limits.h"

namespace cordon {
namespace {

absl::Status Check(const proto::RuleConfig& config, bool calibrated) {
  using Config = proto::RuleConfig;
  if (config.kind() == Config::KIND_LINE_CROSSING && config.line().empty()) {
    return absl::InvalidArgumentError("line: give two or more points to cross");
  }
  if (config.kind() == Config::KIND_SPEEDING && !calibrated) {
    return absl::InvalidArgumentError(
        "speeding needs the camera's calibration: add four or more calibration points");
  }
  if (config.max_height() > 0 && config.max_height() < config.min_height()) {
    return absl::InvalidArgumentError("max_height is below min_height: nothing fits");
  }
  if (config.arming() == Config::ARMING_BYPASSED &&
      (config.bypass_reason().empty() || config.bypass_until().empty())) {
    return absl::InvalidArgumentError("a bypass needs bypass_reason and bypass_until");
  }
  return absl::OkStatus();
}

}  // namespace

double ToSeconds(Microseconds d) { return static_cast<double>(d.count()) * 1e-6; }
Microseconds FromSeconds(double s) { return Microseconds(std::llround(s * 1e6)); }

float ClearMargin(float object_height) { return std::clamp(0.1F * object_height, 0.004F, 0.03F); }

absl::StatusOr<RuleSettings> RuleSettings::Parse(const std::string& camera_id,
                                                 const proto::RuleConfig& config,
                                                 const std::string& time_zone,
                                                 std::span<const std::string> holidays,
                                                 bool calibrated) {
  const std::string who = fmt::format("camera '{}': rule '{}'", camera_id, config.id());
  if (absl::Status status = Check(config, calibrated); !status.ok()) return Annotate(status, who);
  RuleSettings settings;
  settings.camera_id = camera_id;
  settings.config = config;
  settings.dwell = FromSeconds(config.dwell_s());
  settings.rearm = FromSeconds(config.rearm_s());
  if (!config.zone().empty()) {
    auto zone =
        PictureZone::Parse(std::vector<std::string>(config.zone().begin(), config.zone().end()));
    if (!zone.ok()) return Annotate(zone.status(), who + ": zone");
    settings.zone = *std::move(zone);
  }
  if (!config.line().empty()) {
    auto line =
        PictureLine::Parse(std::vector<std::string>(config.line().begin(), config.line().end()));
    if (!line.ok()) return Annotate(line.status(), who + ": line");
    settings.line = *std::move(line);
  }
  auto schedule =
      Schedule::Parse(std::vector<std::string>(config.schedule().begin(), config.schedule().end()),
                      time_zone, holidays);
  if (!schedule.ok()) return Annotate(schedule.status(), who + ": schedule");
  settings.schedule = *std::move(schedule);
  if (!config.bypass_until().empty()) {
    absl::Time until;
    std::string error;
    if (!absl::ParseTime(absl::RFC3339_full, config.bypass_until(), &until, &error)) {
      return absl::InvalidArgumentError(
          fmt::format("{}: bypass_until '{}' is no time: write 2026-03-01T06:00:00Z", who,
                      config.bypass_until()));
    }
    settings.bypass_until = WallFromMicros(absl::ToUnixMicros(until));
  }
  return settings;
}

bool RuleSettings::ArmedAt(WallTime time) const {
  if (config.arming() == proto::RuleConfig::ARMING_DISARMED) return false;
  if (config.arming() == proto::RuleConfig::ARMING_BYPASSED && bypass_until &&
      time < *bypass_until) {
    return false;
  }
  return schedule.ActiveAt(time);
}

bool RuleSettings::Wants(const Track& track) const {
  if (track.box.height < config.min_height()) return false;
  if (config.max_height() > 0 && track.box.height > config.max_height()) return false;
  if (config.classes().empty()) return true;
  return std::any_of(
      config.classes().begin(), config.classes().end(),
      [&](const std::string& wanted) { return ClassMatches(wanted, track.object_class); });
}

proto::Event Rule::MakeEvent(proto::EventKind kind, const RuleInput& input, const Track* track,
                             MediaTime began) const {
  proto::Event event;
  event.set_camera_id(settings_.camera_id);
  event.set_rule_id(settings_.config.id());
  event.set_kind(kind);
  event.set_severity(settings_.config.severity());
  event.set_media_time_us(ToMicros(input.now));
  event.set_began_media_time_us(ToMicros(began));
  proto::Explanation& why = *event.mutable_explanation();
  (*why.mutable_thresholds())["dwell_s"] = settings_.config.dwell_s();
  if (track == nullptr) return event;
  event.set_track_id(track->id);
  event.set_object_class(track->object_class);
  const PictureBox box = ClampToPicture(track->box);
  event.mutable_box()->set_x(box.x);
  event.mutable_box()->set_y(box.y);
  event.mutable_box()->set_width(box.width);
  event.mutable_box()->set_height(box.height);
  why.set_score(track->score);
  for (const TrackPoint& point : track->path) {
    proto::PathPoint& out = *why.add_path();
    out.set_media_time_us(ToMicros(point.time));
    out.mutable_foot()->set_x(point.foot.x);
    out.mutable_foot()->set_y(point.foot.y);
  }
  return event;
}

}  // namespace cordon
