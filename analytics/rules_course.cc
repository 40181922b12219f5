// SPDX-License-Identifier: Apache-2.0
// Wrong way: moves against the permitted direction for the dwell. Stopped vehicle: stands in the
// zone for the dwell. Speeding: faster than the limit for the dwell, by more than the measurement's
// error.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "analytics/detector.h"
#include "analytics/rule.h"

namespace cordon {
namespace {

// Course and speed are taken over this long.
constexpr Microseconds kWindow = Milliseconds(900);
constexpr float kLeastHeights = 0.5F;    // of movement in the window for a course to mean something
constexpr double kAgainstDegrees = 120;  // from the permitted direction: against it
constexpr double kWithDegrees = 90;      // back below this: no longer
constexpr float kStandsWithin = 0.25F;   // heights
constexpr double kSpeedSigmaShare =
    0.08;  // of the speed, one sigma, beside the calibration's error

struct Course {
  std::optional<MediaTime> since;
  PicturePoint anchor;
  bool known = false;
  std::optional<MediaTime> raised_at;
};

// The point of the path that is kWindow old or a little more; null when the path is too short.
const TrackPoint* WindowStart(const Track& track) {
  for (auto it = track.path.rbegin(); it != track.path.rend(); ++it) {
    if (track.path.back().time - it->time >= kWindow) return &*it;
  }
  return nullptr;
}

class CourseRule final : public Rule {
 public:
  using Rule::Rule;

  void Evaluate(const RuleInput& input, bool armed, std::vector<proto::Event>& events) override {
    pending_ = false;
    for (const Track& track : input.tracks) {
      Course& course = courses_[track.id];
      if (!track.measured || !Looked(track)) continue;
      const bool inside = settings_.zone.Contains(track.box.foot());
      double measured = 0;
      const bool holds = inside && !track.jumped && Holds(course, track, input, measured);
      if (!holds) {
        course.since.reset();
        continue;
      }
      if (!course.since) course.since = input.now;
      const bool rests = course.raised_at && input.now - *course.raised_at < settings_.rearm;
      pending_ |= !course.raised_at;
      if (!armed || rests || input.now - *course.since < settings_.dwell) continue;
      // One who goes on doing it raises no second event.
      if (course.raised_at && *course.raised_at >= *course.since) continue;
      course.raised_at = input.now;
      events.push_back(Describe(course, track, input, measured));
    }
    courses_.Sweep([](const Course&) {});
  }

  bool pending() const override { return pending_; }
  void Reset() override {
    courses_.clear();
    pending_ = false;
  }

 private:
  using Config = proto::RuleConfig;

  bool Looked(const Track& track) const {
    const bool only_vehicles = settings_.config.kind() == Config::KIND_STOPPED_VEHICLE &&
                               settings_.config.classes().empty();
    return settings_.Wants(track) && (!only_vehicles || ClassMatches(kVehicle, track.object_class));
  }

  bool Holds(Course& course, const Track& track, const RuleInput& input, double& measured) const {
    switch (settings_.config.kind()) {
      case Config::KIND_WRONG_WAY:
        return GoesWrong(course, track, input, measured);
      case Config::KIND_STOPPED_VEHICLE:
        return Stands(course, track, input, measured);
      default:
        return Speeds(track, input, measured);
    }
  }

  bool GoesWrong(const Course& course, const Track& track, const RuleInput& input,
                 double& against) const {
    const TrackPoint* from = WindowStart(track);
    if (from == nullptr) return false;
    const PicturePoint to = track.path.back().foot;
    const double dx = (to.x - from->foot.x) * input.aspect;
    const double dy = to.y - from->foot.y;
    if (std::hypot(dx, dy) < kLeastHeights * track.box.height) return false;
    const double heading = std::atan2(dx, -dy) * 180 / std::numbers::pi;
    against = std::abs(std::remainder(heading - settings_.config.heading_deg(), 360));
    return against > (course.since ? kWithDegrees : kAgainstDegrees);
  }

  bool Stands(Course& course, const Track& track, const RuleInput& input, double& stood_s) const {
    const PicturePoint foot = track.box.foot();
    const float limit = kStandsWithin * track.box.height;
    if (!course.known || cordon::Distance(foot, course.anchor, input.aspect) > limit) {
      course.known = true;
      course.anchor = foot;
      return false;
    }
    stood_s = course.since ? ToSeconds(input.now - *course.since) : 0;
    return true;
  }

  bool Speeds(const Track& track, const RuleInput& input, double& speed_kmh) const {
    const TrackPoint* from = WindowStart(track);
    if (from == nullptr || input.calibration == nullptr) return false;
    const auto a = input.calibration->ToGroundVector(from->foot);
    const auto b = input.calibration->ToGroundVector(track.path.back().foot);
    const auto error = input.calibration->ToGround(track.path.back().foot);
    if (!a || !b || !error) return false;
    const double speed = std::hypot(b->east - a->east, b->north - a->north) /
                         ToSeconds(track.path.back().time - from->time);
    speed_kmh = speed * 3.6;
    return speed_kmh * (1 - kSpeedSigmaShare) > settings_.config.speed_kmh();
  }

  proto::Event Describe(const Course& course, const Track& track, const RuleInput& input,
                        double measured) const {
    proto::EventKind kind = proto::EVENT_KIND_SPEEDING;
    std::string text, name = "speed_kmh";
    double threshold = settings_.config.speed_kmh();
    if (settings_.config.kind() == Config::KIND_WRONG_WAY) {
      kind = proto::EVENT_KIND_WRONG_WAY;
      name = "against_deg";
      threshold = kAgainstDegrees;
      text = fmt::format("{} moves {:.0f} degrees off the permitted direction", track.object_class,
                         measured);
    } else if (settings_.config.kind() == Config::KIND_STOPPED_VEHICLE) {
      kind = proto::EVENT_KIND_STOPPED_VEHICLE;
      name = "stood_s";
      threshold = settings_.config.dwell_s();
      text = fmt::format("{} has stood for {:.0f} s", track.object_class, measured);
    } else {
      text = fmt::format("{} at {:.0f} km/h where {:.0f} is the limit", track.object_class,
                         measured, threshold);
    }
    proto::Event event = MakeEvent(kind, input, &track, *course.since);
    event.set_detail(text);
    proto::Explanation& why = *event.mutable_explanation();
    why.set_rule_text(fmt::format("{} (rule {}, dwell {:g} s)", text, settings_.config.id(),
                                  settings_.config.dwell_s()));
    (*why.mutable_thresholds())[name] = threshold;
    (*why.mutable_measured())[name] = measured;
    return event;
  }

  PerTrack<Course> courses_;
  bool pending_ = false;
};

}  // namespace

std::unique_ptr<Rule> MakeCourseRule(RuleSettings settings) {
  return std::make_unique<CourseRule>(std::move(settings));
}

}  // namespace cordon
