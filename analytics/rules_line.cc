// SPDX-License-Identifier: Apache-2.0
// Line crossing: the foot point passes the line and gets clear of it, by more than its box wavers.
// A step back before that undoes it; a jump of the box is no crossing. Every crossing in a
// direction that is looked for counts; the same object raises again only after the re-arm time. The
// dwell is not used: a crossing has no duration.
#include <array>
#include <cstdlib>
#include <utility>

#include "analytics/rule.h"

namespace cordon {
namespace {

// A line has two sides to be clear of: with no more than a zone's margin on each, who walks along
// it is counted there and back by the noise of his box alone.
constexpr float kOfZoneMargin = 1.5F;

float Clear(float object_height) { return kOfZoneMargin * ClearMargin(object_height); }

struct Walk {
  PicturePoint foot;
  MediaTime seen{};
  float height = 0;
  bool known = false;
  int net = 0;          // crossings since it was last clear of the line; > 0: left to right
  MediaTime crossed{};  // when net left 0
  std::array<std::optional<MediaTime>, 2> raised;  // last event, by direction
};

class LineRule final : public Rule {
 public:
  using Rule::Rule;

  void Evaluate(const RuleInput& input, bool armed, std::vector<proto::Event>& events) override {
    pending_ = false;
    for (const Track& track : input.tracks) {
      Walk& walk = walks_[track.id];
      if (!walk.known) Begin(walk, track, input);
      if (!track.measured) continue;
      const PicturePoint foot = track.box.foot();
      const int crossings = track.jumped ? 0 : settings_.line.Crossings(walk.foot, foot);
      if (walk.net == 0 && crossings != 0) walk.crossed = input.now;
      walk.net = track.jumped ? 0 : walk.net + crossings;
      walk.foot = foot;
      walk.seen = input.now;
      walk.height = track.box.height;
      if (walk.net == 0) continue;
      if (settings_.line.DistanceTo(foot, input.aspect) > Clear(walk.height)) {
        Crossed(walk, track, input, armed, events);
      } else {
        pending_ = true;
      }
    }
    walks_.Sweep([&](const Walk& walk) {
      if (walk.known) lost_.Add(walk);
    });
  }

  bool pending() const override { return pending_; }

  void Reset() override {
    walks_.clear();
    lost_.clear();
    pending_ = false;
  }

 private:
  // The steps before the track was believed count too.
  void Begin(Walk& walk, const Track& track, const RuleInput& input) {
    if (const auto before = lost_.Take(track, input.aspect)) walk = *before;
    const bool fresh = !std::exchange(walk.known, true);
    for (const TrackPoint& point : track.path) {
      if (fresh && &point == &track.path.front()) walk.foot = point.foot;
      const int crossings = settings_.line.Crossings(walk.foot, point.foot);
      if (walk.net == 0 && crossings != 0) walk.crossed = point.time;
      walk.net += crossings;
      walk.foot = point.foot;
    }
  }

  void Crossed(Walk& walk, const Track& track, const RuleInput& input, bool armed,
               std::vector<proto::Event>& events) {
    const bool to_right = walk.net > 0;
    walk.net = 0;
    using Config = proto::RuleConfig;
    const auto wanted = settings_.config.direction();
    if (wanted == Config::DIRECTION_LEFT_TO_RIGHT && !to_right) return;
    if (wanted == Config::DIRECTION_RIGHT_TO_LEFT && to_right) return;
    if (!armed || !settings_.Wants(track)) return;
    const uint32_t count = ++counts_[to_right ? 0 : 1];
    std::optional<MediaTime>& raised = walk.raised[to_right ? 0 : 1];
    if (raised && input.now - *raised < settings_.rearm) return;
    raised = input.now;
    proto::Event event = MakeEvent(proto::EVENT_KIND_LINE_CROSSING, input, &track, walk.crossed);
    event.set_direction(to_right ? proto::CROSSING_DIRECTION_LEFT_TO_RIGHT
                                 : proto::CROSSING_DIRECTION_RIGHT_TO_LEFT);
    event.set_count(count);
    event.set_detail(fmt::format("{} crossed from {}", track.object_class,
                                 to_right ? "left to right" : "right to left"));
    proto::Explanation& why = *event.mutable_explanation();
    why.set_rule_text(fmt::format("{} (rule {}, {} so far in this direction)", event.detail(),
                                  settings_.config.id(), count));
    (*why.mutable_thresholds())["clear_margin"] = Clear(walk.height);
    (*why.mutable_measured())["left_to_right_total"] = counts_[0];
    (*why.mutable_measured())["right_to_left_total"] = counts_[1];
    events.push_back(std::move(event));
  }

  PerTrack<Walk> walks_;
  RecentlyLost<Walk> lost_;
  std::array<uint32_t, 2> counts_{};
  bool pending_ = false;
};

}  // namespace

std::unique_ptr<Rule> MakeLineRule(RuleSettings settings) {
  return std::make_unique<LineRule>(std::move(settings));
}

}  // namespace cordon
