// SPDX-License-Identifier: Apache-2.0
#include "analytics/rule_engine.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace cordon {
namespace {

// Speed and heading of an event are taken over the last part of the path that is at least this
// long.
constexpr Microseconds kSpeedWindow = Milliseconds(900);
// Below this a heading is noise.
constexpr double kLeastHeadingSpeed = 0.3;  // m/s

std::unique_ptr<Rule> MakeRule(RuleSettings settings) {
  using Config = proto::RuleConfig;
  switch (settings.config.kind()) {
    case Config::KIND_INTRUSION:
    case Config::KIND_LOITERING:
    case Config::KIND_MOTION:
      return MakeZoneRule(std::move(settings));
    case Config::KIND_CROWDING:
    case Config::KIND_QUEUE_LENGTH:
      return MakeCountRule(std::move(settings));
    case Config::KIND_LINE_CROSSING:
      return MakeLineRule(std::move(settings));
    case Config::KIND_WRONG_WAY:
    case Config::KIND_STOPPED_VEHICLE:
    case Config::KIND_SPEEDING:
      return MakeCourseRule(std::move(settings));
    case Config::KIND_ABANDONED_OBJECT:
    case Config::KIND_REMOVED_OBJECT:
    case Config::KIND_TAMPER:
      return MakeSceneRule(std::move(settings));
    default:
      return nullptr;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<RuleEngine>> RuleEngine::Create(
    const proto::CameraConfig& camera, const std::string& time_zone,
    const std::vector<proto::HolidayConfig>& holidays, std::string detector_name,
    std::string detector_sha256) {
  std::unique_ptr<RuleEngine> engine(new RuleEngine);
  engine->camera_place_ = {camera.lat(), camera.lon()};
  engine->detector_name_ = std::move(detector_name);
  engine->detector_sha256_ = std::move(detector_sha256);
  if (!camera.calibration().empty()) {
    auto calibration = Calibration::Fit({camera.calibration().begin(), camera.calibration().end()});
    if (!calibration.ok()) {
      return Annotate(calibration.status(), fmt::format("camera '{}'", camera.id()));
    }
    engine->calibration_ = *std::move(calibration);
  }
  std::vector<std::string> days;
  for (const proto::HolidayConfig& holiday : holidays) days.push_back(holiday.date());
  for (const proto::RuleConfig& config : camera.rules()) {
    ASSIGN_OR_RETURN(RuleSettings settings,
                     RuleSettings::Parse(camera.id(), config, time_zone, days,
                                         engine->calibration_.has_value()));
    std::unique_ptr<Rule> rule = MakeRule(std::move(settings));
    if (rule == nullptr) {
      return absl::InvalidArgumentError(fmt::format(
          "camera '{}': rule '{}': kind is missing: write intrusion, line_crossing, loitering ...",
          camera.id(), config.id()));
    }
    engine->rules_.push_back(std::move(rule));
  }
  return engine;
}

std::vector<proto::Event> RuleEngine::Evaluate(RuleInput input) {
  input.calibration = calibration();
  std::vector<proto::Event> events;
  for (const std::unique_ptr<Rule>& rule : rules_) {
    rule->Evaluate(input, rule->settings().ArmedAt(input.wall), events);
  }
  for (proto::Event& event : events) {
    event.mutable_explanation()->set_detector(detector_name_);
    event.mutable_explanation()->set_detector_sha256(detector_sha256_);
    Locate(input, event);
  }
  return events;
}

// Where on the map, and how fast. Without calibration: the watched place of the configuration, its
// error unknown.
void RuleEngine::Locate(const RuleInput& input, proto::Event& event) const {
  event.mutable_place()->set_lat(camera_place_.lat);
  event.mutable_place()->set_lon(camera_place_.lon);
  if (!calibration_ || !event.has_box()) return;
  const PicturePoint foot{event.box().x() + event.box().width() / 2,
                          event.box().y() + event.box().height()};
  if (const auto ground = calibration_->ToGround(foot)) {
    event.mutable_place()->set_lat(ground->place.lat);
    event.mutable_place()->set_lon(ground->place.lon);
    event.set_place_error_m(ground->error.value);
  }
  const auto track = std::find_if(input.tracks.begin(), input.tracks.end(),
                                  [&](const Track& t) { return t.id == event.track_id(); });
  if (track == input.tracks.end() || track->path.size() < 2) return;
  const TrackPoint& last = track->path.back();
  const auto first =
      std::find_if(track->path.rbegin(), track->path.rend(),
                   [&](const TrackPoint& p) { return last.time - p.time >= kSpeedWindow; });
  if (first == track->path.rend()) return;
  const auto a = calibration_->ToGroundVector(first->foot);
  const auto b = calibration_->ToGroundVector(last.foot);
  if (!a || !b) return;
  const double east = b->east - a->east;
  const double north = b->north - a->north;
  const double speed = std::hypot(east, north) / ToSeconds(last.time - first->time);
  event.set_speed_mps(speed);
  if (speed < kLeastHeadingSpeed) return;
  const double heading = std::atan2(east, north) * 180 / std::numbers::pi;
  event.set_heading_deg(heading < 0 ? heading + 360 : heading);
}

bool RuleEngine::pending() const {
  return std::any_of(rules_.begin(), rules_.end(),
                     [](const auto& rule) { return rule->pending(); });
}

bool RuleEngine::wants_still_objects() const {
  return std::any_of(rules_.begin(), rules_.end(), [](const auto& rule) {
    const auto kind = rule->settings().config.kind();
    return kind == proto::RuleConfig::KIND_ABANDONED_OBJECT ||
           kind == proto::RuleConfig::KIND_REMOVED_OBJECT;
  });
}

void RuleEngine::Reset() {
  for (const std::unique_ptr<Rule>& rule : rules_) rule->Reset();
}

}  // namespace cordon
