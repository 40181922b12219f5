// SPDX-License-Identifier: Apache-2.0
// Intrusion: an object stands or walks in the zone for the dwell. Loitering: it stays for the
// dwell, short steps outside included. Motion: anything moves in the zone; one event until it has
// been quiet for the re-arm time.
#include <algorithm>
#include <utility>

#include "analytics/rule.h"

namespace cordon {
namespace {

// After a jump an object must be seen for this long where it landed before its stay begins.
constexpr Microseconds kSettle = Milliseconds(700);
// Loitering forgives absences up to this.
constexpr Microseconds kShortExit = Seconds(3);

struct Stay {
  PicturePoint foot;
  MediaTime seen{};
  float height = 0;
  float depth = 0;  // of the foot in the zone when it was last seen
  bool known = false;
  bool inside = false;
  bool stayed = false;  // inside at some time: `since` is set
  bool raised = false;
  MediaTime since{};
  MediaTime left{};
  MediaTime settled{};
  MediaTime raised_at{};
};

class ZoneRule final : public Rule {
 public:
  using Rule::Rule;

  void Evaluate(const RuleInput& input, bool armed, std::vector<proto::Event>& events) override {
    pending_ = false;
    for (const Track& track : input.tracks) {
      Stay& stay = stays_[track.id];
      if (!settings_.Wants(track)) continue;
      if (!std::exchange(stay.known, true)) Begin(stay, track, input);
      if (!track.measured) {
        const bool looked_for = input.now - track.seen <= kLookedFor;
        pending_ = pending_ || (stay.inside && !stay.raised && looked_for);
        continue;
      }
      const bool was_inside = stay.inside;
      if (track.jumped) stay.settled = input.now + kSettle;
      Step(stay, {input.now, track.box.foot()}, track.box.height, input.aspect);
      if (stay.inside && !stay.raised) pending_ = true;
      // Who left between two frames may have stayed long enough before.
      const MediaTime until = stay.inside ? input.now : stay.left;
      const bool stayed = (stay.inside || was_inside) && until - stay.since >= settings_.dwell;
      if (armed && stayed && !stay.raised) Raise(stay, track, input, events);
    }
    stays_.Sweep([&](const Stay& stay) {
      if (stay.inside || stay.raised) lost_.Add(stay);
    });
  }

  bool pending() const override { return pending_; }

  void Reset() override {
    stays_.clear();
    lost_.clear();
    pending_ = false;
  }

 private:
  bool loitering() const { return settings_.config.kind() == proto::RuleConfig::KIND_LOITERING; }
  bool motion() const { return settings_.config.kind() == proto::RuleConfig::KIND_MOTION; }

  void Begin(Stay& stay, const Track& track, const RuleInput& input) {
    if (const auto before = lost_.Take(track, input.aspect)) {
      stay = *before;
      stay.known = true;
      return;
    }
    // The steps before the track was believed count too; where it appeared inside, its stay began
    // with it.
    const TrackPoint first =
        track.path.empty() ? TrackPoint{track.began, track.box.foot()} : track.path.front();
    stay.seen = first.time;
    stay.height = track.box.height;
    stay.depth = settings_.zone.DepthInside(first.foot, input.aspect);
    stay.inside = stay.depth > 0;
    stay.stayed = stay.inside;
    stay.since = track.began;
    for (const TrackPoint& point : track.path) {
      if (point.time < input.now) Step(stay, point, track.box.height, input.aspect);
    }
  }

  // When the depth passed `limit` between the last time it was seen and now, on a straight way at
  // constant speed: so a stay lasts as long at every frame rate.
  static MediaTime Passed(const Stay& stay, float depth, float limit, MediaTime now) {
    const float way = depth - stay.depth;
    if (way == 0) return now;
    const double share = std::clamp(static_cast<double>((limit - stay.depth) / way), 0.0, 1.0);
    return stay.seen + Microseconds(static_cast<int64_t>(
                           share * static_cast<double>((now - stay.seen).count())));
  }

  void Step(Stay& stay, const TrackPoint& point, float height, float aspect) {
    const float depth = settings_.zone.DepthInside(point.foot, aspect);
    const float clear = -ClearMargin(height);
    if (stay.inside && depth < clear) {
      stay.inside = false;
      stay.left = Passed(stay, depth, clear, point.time);
    } else if (!stay.inside && depth > 0 && point.time >= stay.settled) {
      const MediaTime entered =
          std::max(stay.settled, Passed(stay, depth, 0, point.time));
      stay.inside = true;
      const bool goes_on =
          loitering() && stay.stayed && entered - stay.left <= kShortExit;
      stay.stayed = true;
      if (!goes_on) stay.since = entered;
      if (stay.raised && entered - stay.raised_at >= settings_.rearm && !goes_on)
        stay.raised = false;
    }
    stay.foot = point.foot;
    stay.seen = point.time;
    stay.height = height;
    stay.depth = depth;
  }

  void Raise(Stay& stay, const Track& track, const RuleInput& input,
             std::vector<proto::Event>& events) {
    stay.raised = true;
    stay.raised_at = input.now;
    if (motion()) {
      const bool quiet = !last_motion_ || input.now - *last_motion_ >= settings_.rearm;
      last_motion_ = input.now;
      if (!quiet) return;
    }
    const double stayed = ToSeconds(input.now - stay.since);
    proto::EventKind kind = proto::EVENT_KIND_INTRUSION;
    if (loitering()) kind = proto::EVENT_KIND_LOITERING;
    if (motion()) kind = proto::EVENT_KIND_MOTION;
    proto::Event event = MakeEvent(kind, input, &track, stay.since);
    const std::string where = settings_.zone.whole_picture() ? "in the picture" : "in the zone";
    event.set_detail(fmt::format("{} {} for {:.1f} s", track.object_class, where, stayed));
    event.mutable_explanation()->set_rule_text(fmt::format("{} (rule {}, dwell {:g} s)",
                                                           event.detail(), settings_.config.id(),
                                                           settings_.config.dwell_s()));
    (*event.mutable_explanation()->mutable_measured())["stayed_s"] = stayed;
    events.push_back(std::move(event));
  }

  PerTrack<Stay> stays_;
  RecentlyLost<Stay> lost_;
  std::optional<MediaTime> last_motion_;
  bool pending_ = false;
};

}  // namespace

std::unique_ptr<Rule> MakeZoneRule(RuleSettings settings) {
  return std::make_unique<ZoneRule>(std::move(settings));
}

}  // namespace cordon
