// SPDX-License-Identifier: Apache-2.0
// Crowding: at least `count` objects in the zone, and as close together as `density` asks, for the
// dwell. Queue length: at least `count` objects that stand or shuffle. Both end only when clearly
// fewer are there, so that one who leaves and returns makes no second event.
#include <algorithm>
#include <cmath>
#include <utility>

#include "analytics/rule.h"

namespace cordon {
namespace {

// Hidden for longer than this, an object is not counted.
constexpr Microseconds kOutOfSight = Milliseconds(1500);
constexpr float kShuffling = 0.5F;  // heights a second; a slow walk is 0.7
// Queues are judged by the distance covered in this time.
constexpr Microseconds kPace = Seconds(2);
// So many below the limit, or a fifth of it, and it is over; of one or two, nobody may be left.
constexpr uint32_t kClearlyFewer = 2;
// A crowd is one until it has thinned out to this share of the density that it was called one at.
constexpr double kThinnedOut = 0.8;

struct Presence {
  bool inside = false;
};

class CountRule final : public Rule {
 public:
  using Rule::Rule;

  void Evaluate(const RuleInput& input, bool armed, std::vector<proto::Event>& events) override {
    Crowd crowd;
    for (const Track& track : input.tracks) {
      Presence& presence = presences_[track.id];
      if (!settings_.Wants(track) || input.now - track.seen > kOutOfSight) continue;
      const float depth = settings_.zone.DepthInside(track.box.foot(), input.aspect);
      presence.inside = depth > (presence.inside ? -ClearMargin(track.box.height) : 0);
      if (!presence.inside || (queue() && Pace(track, input) > kShuffling)) continue;
      crowd.around = crowd.count > 0 ? Union(crowd.around, track.box) : track.box;
      crowd.heights += track.box.height;
      ++crowd.count;
    }
    presences_.Sweep([](const Presence&) {});
    Judge(input, armed, crowd, events);
  }

  bool pending() const override { return since_.has_value() && !raised_; }

  void Reset() override {
    presences_.clear();
    since_.reset();
    raised_ = false;
  }

 private:
  bool queue() const { return settings_.config.kind() == proto::RuleConfig::KIND_QUEUE_LENGTH; }

  static float Pace(const Track& track, const RuleInput& input) {
    const TrackPoint* from = nullptr;
    for (auto it = track.path.rbegin(); it != track.path.rend(); ++it) {
      from = &*it;
      if (input.now - it->time >= kPace) break;
    }
    if (from == nullptr || input.now - from->time < kPace / 4) return 0;
    return cordon::Distance(from->foot, track.path.back().foot, input.aspect) /
           static_cast<float>(ToSeconds(input.now - from->time)) /
           std::max(track.box.height, 1e-3F);
  }

  struct Crowd {
    uint32_t count = 0;
    PictureBox around;
    float heights = 0;  // sum
    // Objects for each square of one mean object height: 1 is shoulder to shoulder.
    double Density(float aspect) const {
      const double mean = heights / static_cast<float>(std::max(count, 1U));
      const double area = static_cast<double>(around.width) * aspect * around.height;
      return area > 0 ? count * mean * mean / area : 0;
    }
  };

  void Judge(const RuleInput& input, bool armed, const Crowd& crowd,
             std::vector<proto::Event>& events) {
    const uint32_t limit = settings_.config.count();
    const uint32_t clear = limit - (limit < 3 ? 1 : std::max(kClearlyFewer, limit / 5));
    const double dense = queue() ? 0 : settings_.config.density();
    const double density = crowd.Density(input.aspect);
    if (crowd.count <= clear || density < kThinnedOut * dense) {
      since_.reset();
      if (raised_ && input.now - *raised_at_ >= settings_.rearm) raised_ = false;
    } else if (crowd.count >= limit && density >= dense && !since_) {
      since_ = input.now;
    }
    if (!armed || raised_ || !since_ || crowd.count < limit || density < dense) return;
    if (input.now - *since_ < settings_.dwell) return;
    raised_ = true;
    raised_at_ = input.now;
    events.push_back(Describe(input, crowd, density));
  }

  proto::Event Describe(const RuleInput& input, const Crowd& crowd, double density) const {
    proto::Event event =
        MakeEvent(queue() ? proto::EVENT_KIND_QUEUE_LENGTH : proto::EVENT_KIND_CROWDING, input,
                  nullptr, *since_);
    const PictureBox box = ClampToPicture(crowd.around);
    event.mutable_box()->set_x(box.x);
    event.mutable_box()->set_y(box.y);
    event.mutable_box()->set_width(box.width);
    event.mutable_box()->set_height(box.height);
    event.set_count(crowd.count);
    const double stayed = ToSeconds(input.now - *since_);
    event.set_detail(fmt::format("{} objects {} for {:.1f} s", crowd.count,
                                 queue() ? "in the queue" : "in the zone", stayed));
    const uint32_t limit = settings_.config.count();
    proto::Explanation& why = *event.mutable_explanation();
    why.set_rule_text(fmt::format("{} (rule {}, from {} on, dwell {:g} s)", event.detail(),
                                  settings_.config.id(), limit, settings_.config.dwell_s()));
    (*why.mutable_thresholds())["count"] = limit;
    (*why.mutable_measured())["count"] = crowd.count;
    (*why.mutable_measured())["stayed_s"] = stayed;
    if (!queue()) (*why.mutable_thresholds())["density"] = settings_.config.density();
    (*why.mutable_measured())["density"] = density;
    return event;
  }

  PerTrack<Presence> presences_;
  std::optional<MediaTime> since_;
  std::optional<MediaTime> raised_at_;
  bool raised_ = false;
};

}  // namespace

std::unique_ptr<Rule> MakeCountRule(RuleSettings settings) {
  return std::make_unique<CountRule>(std::move(settings));
}

}  // namespace cordon
